"""What the compiled functions of a transient kernel hand to each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rxnopt.kinetics.layout import Layout
from rxnopt.kinetics.runtime.jit import compiled
from rxnopt.kinetics.runtime.linear import Floats, Ints


class Leaves(NamedTuple):
    """Compiled functions written for one reaction (arguments are float64 arrays, filled in place).

    ``advance(w, rtol) -> events``, ``begin(u, s)``, ``prepare(u, v, p)``, ``slope(t, y, p, f)``,
    ``jacobian(t, y, p, j, g)``, ``gauge(t, y, f, p, g)``, ``restore(y, p, full)``, ``finish(u, full, best, out)``.
    """

    advance: Callable[..., float]
    begin: Callable[..., None]
    prepare: Callable[..., None]
    slope: Callable[..., None]
    jacobian: Callable[..., None]
    gauge: Callable[..., None]
    restore: Callable[..., None]
    finish: Callable[..., None]


class Bench(NamedTuple):
    """Working memory for one experiment at a time."""

    s: Floats
    """Duration, initial states, switch times."""
    v: Floats
    """A time inside the present segment."""
    p: Floats
    y: Floats
    f: Floats
    full: Floats
    atol: Floats
    best: Floats
    gauge: Floats
    """Value and rate of the paths at a point."""
    ends: Floats
    """Value and rate of the paths at the end of a step, then at its start."""
    y_before: Floats
    f_before: Floats
    stage: Floats
    jac: Floats
    lu: Floats
    rate: Floats
    order: Ints


def make_bench(layout: Layout, breaks: int) -> Callable[[], Bench]:
    """A compiled function that allocates the working memory."""
    kept, states, params, paths = layout.kept, layout.states, layout.params, layout.paths

    @compiled
    def bench() -> Bench:
        return Bench(
            np.zeros(1 + states + breaks),
            np.zeros(1),
            np.zeros(params),
            np.zeros(kept),
            np.zeros(kept),
            np.zeros(states),
            np.zeros(states),
            np.zeros(paths),
            np.zeros(2 * paths),
            np.zeros(4 * paths),
            np.zeros(kept),
            np.zeros(kept),
            np.zeros((10, kept)),
            np.zeros((kept, kept)),
            np.zeros((kept, kept)),
            np.zeros(kept),
            np.zeros(kept, np.int64),
        )

    return bench


def make_lane_copies(layout: Layout) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Compiled ``to_lane(w, lane, bench)`` and ``from_lane(w, lane, bench)``."""
    kept, states, params, paths, lanes = layout.kept, layout.states, layout.params, layout.paths, layout.lanes
    y, f, p, atol, gauge = layout.y, layout.f, layout.p, layout.atol, layout.gauge
    y_before, f_before = layout.y_before, layout.f_before

    @compiled
    def to_lane(w: Floats, lane: int, bench: Bench) -> None:
        for i in range(kept):
            w[(y + i) * lanes + lane] = bench.y[i]
            w[(f + i) * lanes + lane] = bench.f[i]
        for i in range(params):
            w[(p + i) * lanes + lane] = bench.p[i]
        for i in range(states):
            w[(atol + i) * lanes + lane] = bench.atol[i]
        for i in range(2 * paths):
            w[(gauge + i) * lanes + lane] = bench.gauge[i]
        for i in range(paths):
            w[(gauge + 4 * paths + i) * lanes + lane] = bench.best[i]

    @compiled
    def from_lane(w: Floats, lane: int, bench: Bench) -> None:
        for i in range(kept):
            bench.y[i] = w[(y + i) * lanes + lane]
            bench.f[i] = w[(f + i) * lanes + lane]
        for i in range(params):
            bench.p[i] = w[(p + i) * lanes + lane]
        for i in range(states):
            bench.atol[i] = w[(atol + i) * lanes + lane]
        if paths > 0:
            for i in range(kept):
                bench.y_before[i] = w[(y_before + i) * lanes + lane]
                bench.f_before[i] = w[(f_before + i) * lanes + lane]
            for i in range(4 * paths):
                bench.ends[i] = w[(gauge + i) * lanes + lane]
            for i in range(paths):
                bench.best[i] = w[(gauge + 4 * paths + i) * lanes + lane]

    return to_lane, from_lane
