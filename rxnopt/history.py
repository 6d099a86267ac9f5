"""What an agent knows: the trials of a campaign so far, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rxnopt.space import Array, Space

DONE, FAILED, PENDING = 0, 1, 2


@dataclass(frozen=True)
class History:
    """Trials in the order of their numbers.

    ``X`` (n, d): conditions as in :mod:`rxnopt.space`. ``y`` (n,): the objective, turned so that larger is better;
    NaN where there is no result. ``status`` (n,): DONE, FAILED or PENDING.
    """

    X: Array
    y: Array
    status: NDArray[np.uint8]

    @classmethod
    def empty(cls, space: Space) -> History:
        """Return a history without trials."""
        return cls(np.empty((0, len(space))), np.empty(0), np.empty(0, np.uint8))

    def __len__(self) -> int:
        return len(self.y)

    @property
    def done(self) -> NDArray[np.bool_]:
        """Which trials have a result (n,)."""
        return np.equal(self.status, DONE)


class GrowingHistory:
    """A history that is kept up as trials change; its arrays grow by doubling. ``width``: parameters."""

    def __init__(self, width: int) -> None:
        self.X = np.empty((0, width))
        self.y = np.empty(0)
        self.status = np.empty(0, np.uint8)

    def put(self, number: int, x: Array, y: float, status: int) -> None:
        """Take in the state of one trial: a known one, or the next one."""
        if number == len(self.y):
            size = 2 * len(self.y) + 16
            self.X = np.resize(self.X, (size, self.X.shape[1]))
            self.y, self.status = np.resize(self.y, size), np.resize(self.status, size)
        self.X[number], self.y[number], self.status[number] = x, y, status

    def first(self, n: int) -> History:
        """Return a copy of the first ``n`` trials."""
        return History(self.X[:n].copy(), self.y[:n].copy(), self.status[:n].copy())
