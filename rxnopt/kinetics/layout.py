"""Where the numbers of an experiment lie in the working memory of a transient kernel.

The working memory is one flat float64 array of ``rows * lanes`` numbers; row ``r`` of lane ``l`` is
``work[r * lanes + l]``, so that a loop over lanes walks through neighbouring numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

TIME = 0
STOP = 1
STEP = 2
SMALLEST = 3
EVENT = 4
COUNT = 5
MEMORY = 6
STIFFNESS = 7
GROWTH = 8
TIME_BEFORE = 9
STEP_BEFORE = 10
FIRST = 11

LARGEST_FACTOR = 8.0
"""By which a step may grow."""

REACHED = 1
TROUBLE = 2
TURN = 4


@dataclass(frozen=True)
class Layout:
    """Row numbers: ``kept`` integrated states of ``states``, ``params`` constants, ``paths`` extremes."""

    kept: int
    states: int
    params: int
    paths: int
    lanes: int

    @property
    def y(self) -> int:
        """First row of the integrated states."""
        return FIRST

    @property
    def f(self) -> int:
        """First row of their slopes."""
        return self.y + self.kept

    @property
    def p(self) -> int:
        """First row of the constants of the segment."""
        return self.f + self.kept

    @property
    def atol(self) -> int:
        """First row of the absolute tolerances (all states)."""
        return self.p + self.params

    @property
    def y_before(self) -> int:
        """First row of the states at the start of the last accepted step (with paths only)."""
        return self.atol + self.states

    @property
    def f_before(self) -> int:
        """First row of their slopes."""
        return self.y_before + self.kept

    @property
    def gauge(self) -> int:
        """First row of value and slope of the paths at the end, then at the start of the last step, then best."""
        return self.f_before + self.kept

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.gauge + 5 * self.paths if self.paths else self.y_before
