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
