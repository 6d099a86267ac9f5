"""What an agent knows: the trials of a campaign so far, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rxnopt.space import Array, Space

DONE, FAILED, PENDING = 0, 1, 2


@dataclass(frozen=True)
class History:
    """Trials in the order of their numbers.

    ``X`` (n, d): conditions as in :mod:`rxnopt.space`. ``y`` (n,): the objective, turned so that larger is better;
    NaN where there is no result. ``status`` (n,): DONE, FAILED or PENDING. ``Y`` (n, k): all objectives of a campaign
    that has several, turned likewise; None where there is one. ``violation`` (n, c): by how much measured outputs are
    beyond their limits, over the sizes of the limits, 0 or less where they are kept; NaN where that is not known; None
    where there are no limits. ``substrate`` (n, e): what was drawn for the trials, as numbers of the parameters
    ``reaction.over``, where the environment draws (:mod:`rxnopt.simulators.general`); None elsewhere.
    """

    X: Array
    y: Array
    status: NDArray[np.uint8]
    Y: Array | None = None
    violation: Array | None = None
    substrate: Array | None = None

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

    @property
    def within_limits(self) -> NDArray[np.bool_]:
        """Which trials have a result that is not known to break a limit (n,)."""
        return self.done if self.violation is None else self.done & ~(self.violation > 0.0).any(axis=1)


class GrowingHistory:
    """A history that is kept up as trials change; its arrays grow by doubling.

    ``width``: parameters; ``objectives``: 0 for a single one; ``limits``: limited outputs; ``drawn``: parameters that
    the environment draws.
    """

    def __init__(self, width: int, objectives: int = 0, limits: int = 0, drawn: int = 0) -> None:
        self._X, self._y, self._status = np.empty((0, width)), np.empty(0), np.empty(0, np.uint8)
        self._Y, self._violation = np.empty((0, objectives)), np.empty((0, limits))
        self._substrate = np.empty((0, drawn))

    def put(self, number: int, x: Array, y: float, status: int, Y: Array, violation: Array, substrate: Array) -> None:
        """Take in the state of a trial, a known or the next one: ``Y`` (k,), ``violation`` (c,), ``substrate`` (e,)."""
        if number == len(self._y):
            size = 2 * len(self._y) + 16
            self._X, self._Y, self._violation, self._substrate = (
                np.resize(array, (size, array.shape[1]))
                for array in (self._X, self._Y, self._violation, self._substrate)
            )
            self._y, self._status = np.resize(self._y, size), np.resize(self._status, size)
        self._X[number], self._y[number], self._status[number] = x, y, status
        self._Y[number], self._violation[number], self._substrate[number] = Y, violation, substrate

    def conditions(self, numbers: Sequence[int]) -> Array:
        """Return the conditions (n, d) of some trials."""
        return self._X[list(numbers)]

    def first(self, n: int) -> History:
        """Return a copy of the first ``n`` trials."""
        more = (self._Y, self._violation, self._substrate)
        told = (array[:n].copy() if array.shape[1] else None for array in more)
        return History(self._X[:n].copy(), self._y[:n].copy(), self._status[:n].copy(), *told)
