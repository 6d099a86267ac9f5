"""Results as the covariances of many Gaussian processes see them."""

from __future__ import annotations

import numpy as np

from rxnopt.space import Array


def whitened(K: Array, z: Array, noise: float) -> tuple[Array, Array]:
    """Return Cholesky factors (m, n, n) of covariances ``K`` (m, n, n), and what they make of ``z`` (n,) or (m, n).

    That is the solution (m, n) of factor times it = ``z``: with ``z`` as a border of ``K``, a row of the factor, so
    that one factorisation is enough. ``noise``: the least variance on the diagonals of ``K``.
    """
    m, n = K.shape[:2]
    bordered = np.empty((m, n + 1, n + 1))
    bordered[:, :n, :n] = K
    bordered[:, n, :n] = bordered[:, :n, n] = z
    bordered[:, n, n] = 1.0 + 2.0 * np.square(z).sum(axis=-1) / noise  # above what the border takes from it
    factor = np.linalg.cholesky(bordered)
    return factor[:, :n, :n], factor[:, n, :n]
