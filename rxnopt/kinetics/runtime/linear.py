"""Dense linear equations with partial pivoting, for the few unknowns of a reaction network."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rxnopt.kinetics.runtime.jit import compiled

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@compiled
def factorise(a: Floats, order: Ints) -> bool:
    """Replace ``a`` (n, n) by its factors L and U; ``order`` (n,) gets the row exchanges. False if singular."""
    n = a.shape[0]
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(a[i, k]) > abs(a[best, k]):
                best = i
        order[k] = best
        if not abs(a[best, k]) > 0.0:
            return False
        if best != k:
            for j in range(n):
                a[k, j], a[best, j] = a[best, j], a[k, j]
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]
    return True


@compiled
def substitute(a: Floats, order: Ints, b: Floats) -> None:
    """Replace ``b`` (n,) by the solution of the factorised equations."""
    n = a.shape[0]
    for k in range(n):
        b[k], b[order[k]] = b[order[k]], b[k]
    for k in range(n):
        for i in range(k + 1, n):
            b[i] -= a[i, k] * b[k]
    for k in range(n - 1, -1, -1):
        for j in range(k + 1, n):
            b[k] -= a[k, j] * b[j]
        b[k] /= a[k, k]
