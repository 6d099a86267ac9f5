"""All conditions of a finite space."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray

from rxnopt.space import Array, Space


def combinations(space: Space, fixed: Mapping[int, float]) -> Array:
    """Return all conditions (n, d), feasible or not, of a space whose free columns are not continuous.

    ``fixed``: columns that are given. The last column varies fastest.
    """
    values = [np.array([fixed[j]]) if j in fixed else np.arange(p.low, p.high + 1) for j, p in enumerate(space)]
    return np.stack([axis.ravel() for axis in np.meshgrid(*values, indexing="ij")], axis=1)


class Grid:
    """The feasible conditions ``X`` (K, d) of a space without continuous parameters, in a fixed order."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._low, self._counts = np.array([p.low for p in space]), tuple(p.count for p in space)
        X = combinations(space, {})
        feasible = space.feasible(X)
        self.X: Array = X[feasible]
        self._numbers: NDArray[np.intp] = np.where(feasible, np.cumsum(feasible) - 1, -1)

    @staticmethod
    def size(space: Space, fixed: Collection[int] = ()) -> float:
        """Return how many combinations a space has, infinite where a parameter is continuous.

        ``fixed``: columns that are given.
        """
        return prod(p.count if p.discrete else np.inf for j, p in enumerate(space) if j not in fixed)

    def places(self, X: Array) -> NDArray[np.intp]:
        """Return the row of :attr:`X` (m,) of each of the conditions ``X`` (m, d), inside the space."""
        numbers = np.ravel_multi_index(tuple((X - self._low).astype(np.intp).T), self._counts)
        return np.asarray(self._numbers[numbers])
