"""Where the numbers of an experiment lie in the working memory of a kernel.

All working memory is one flat float64 array. The lanes of
the explicit method come first: row ``r`` of lane ``l`` is ``w[r * lanes + l]``, so that a loop over lanes walks
through neighbouring numbers. After them lies the bench, where one experiment at a time is looked after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from itertools import accumulate

TIME, STOP, STEP, SMALLEST, EVENT, COUNT, STIFFNESS, GROWTH, JOB, TIME_BEFORE, STEP_BEFORE = range(11)
"""Rows of every lane; the rows that depend on the system follow, see ``Layout``."""
FIRST = 11

LARGEST_FACTOR = 8.0
"""By which a step may grow."""

REACHED, TROUBLE, TURN, CROSSED = 1, 2, 4, 8
"""Events of a lane: end of the segment, explicit method fails, the rate of a path changed its sign, the margin fell or
may have fallen below zero."""

STAGES = 10
"""Rows of memory of the implicit method: eight stages, a state and its slope."""


@dataclass(frozen=True)
class Rows:
    """First row of each part of a lane."""

    y: int
    f: int
    p: int
    atol: int
    y_before: int
    f_before: int
    ends: int
    """Value and rate of the paths at the end, then at the start of the last step."""
    best: int
    best_before: int
    count: int
    """Number of rows."""


@dataclass(frozen=True)
class Bench:
    """First cell of each part of the bench."""

    s: int
    """Duration (or number of tanks), initial states, switch times."""
    v: int
    """A time inside the present segment; the inlets of a tank."""
    p: int
    y: int
    f: int
    full: int
    atol: int
    """Absolute tolerances; in a tank the scale of the states."""
    best: int
    best_before: int
    gauge: int
    """Value and rate of the paths at a point."""
    ends: int
    y_before: int
    """State before the last step; in a tank the trial state."""
    f_before: int
    """Its slope; in a tank the move."""
    stage: int
    jac: int
    lu: int
    rate: int
    """Derivative of the slopes in time."""
    order: int
    work: int
    """Two matrices more, for the stability of a steady state."""
    count: int
    """Number of cells of lanes and bench together."""


@dataclass(frozen=True)
class Layout:
    """``kept`` integrated states of ``states``, ``params`` constants, ``paths`` followed, ``breaks`` switch times."""

    kept: int
    states: int
    params: int
    paths: int
    breaks: int
    lanes: int
    """Experiments in lockstep; 0 for a steady system, which has none."""

    @cached_property
    def rows(self) -> Rows:
        """Rows of a lane."""
        past = self.kept if self.paths else 0
        m = self.paths
        sizes = (self.kept, self.kept, self.params, self.states, past, past, 4 * m, m, m)
        return Rows(*accumulate(sizes, initial=FIRST))

    @cached_property
    def bench(self) -> Bench:
        """Cells of the bench."""
        n, m = self.kept, self.paths
        sizes = (
            1 + self.states + self.breaks,
            max(1, self.states),
            self.params,
            *(n, n, self.states, self.states),
            *(m, m, 2 * m, 4 * m),
            *(n, n, STAGES * n, n * n, n * n, n, n),
            2 * n * n if self.lanes == 0 else 0,
        )
        return Bench(*accumulate(sizes, initial=self.rows.count * self.lanes))

    def table(
        self, kept: Sequence[int], nonnegative: Sequence[bool], signs: Sequence[int], inputs: int, outputs: int
    ) -> list[int]:
        """All these places as the compiled functions find them, see ``rxnopt.kinetics.runtime.table``."""
        sizes = (self.kept, self.states, self.params, self.paths, self.breaks, self.lanes)
        places = (*astuple(self.rows), *astuple(self.bench))
        first = 1 + len(sizes) + 3 + 3 + len(places)
        lists = (first, first + len(kept), first + len(kept) + len(nonnegative))
        return [0, *sizes, int(0 in signs), inputs, outputs, *lists, *places, *kept, *map(int, nonnegative), *signs]
