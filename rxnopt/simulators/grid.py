"""All conditions of a finite space."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from rxnopt.space import Array, Space


class Grid:
    """The feasible conditions ``X`` (K, d) of a space without continuous parameters, in a fixed order."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._low, self._counts = np.array([p.low for p in space]), tuple(p.count for p in space)
        X = np.array(np.unravel_index(np.arange(prod(self._counts)), self._counts), float).T + self._low
        feasible = space.feasible(X)
        self.X: Array = X[feasible]
        self._numbers: NDArray[np.intp] = np.where(feasible, np.cumsum(feasible) - 1, -1)

    @staticmethod
    def size(space: Space) -> float:
        """Return how many combinations a space has, infinite where a parameter is continuous."""
        return prod(p.count if p.discrete else np.inf for p in space)

    def places(self, X: Array) -> NDArray[np.intp]:
        """Return the row of :attr:`X` (m,) of each of the conditions ``X`` (m, d), inside the space."""
        numbers = np.ravel_multi_index(tuple((X - self._low).astype(np.intp).T), self._counts)
        return np.asarray(self._numbers[numbers])
