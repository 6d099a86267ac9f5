"""Runs a batch of transient experiments: the explicit method on all lanes, the stiff ones handed over.

A lane takes the next experiment as soon as its own is finished, so a slow experiment does not hold up the others,
and what happens on a lane depends on nothing but its own experiment.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt

from rxnopt.kinetics import layout as rows
from rxnopt.kinetics.layout import Layout
from rxnopt.kinetics.runtime.bench import Bench, Leaves, make_bench, make_lane_copies
from rxnopt.kinetics.runtime.extremes import make_refine
from rxnopt.kinetics.runtime.jit import compiled
from rxnopt.kinetics.runtime.linear import Floats
from rxnopt.kinetics.runtime.rosenbrock import make_step
from rxnopt.kinetics.runtime.segments import make_conclude, make_enter, make_first_step, make_start
from rxnopt.kinetics.runtime.stiff import make_stiff
from rxnopt.kinetics.status import OK

SMALLEST_STEP = 1e-13
"""Share of the duration below which a step is lost in the rounding of time."""
RUNNING = -1
"""Answer of ``respond`` for an experiment that goes on."""
Batch = Callable[[Floats, Floats, npt.NDArray[np.uint8], npt.NDArray[np.int32], npt.NDArray[np.bool_], float], None]


def make_batch(
    leaves: Leaves,
    layout: Layout,
    *,
    breaks: int,
    kept: tuple[int, ...],
    nonnegative: tuple[int, ...],
    signs: tuple[int, ...],
) -> Batch:
    """Compiled ``batch(inputs, outputs, status, steps, stiff, rtol)`` for one reaction."""
    places, flags, directions = np.array(kept), np.array(nonnegative), np.array(signs, np.int64)
    allocate = make_bench(layout, breaks)
    enter = make_enter(leaves, breaks, directions)
    load = make_load(layout, make_first_step(leaves, places), enter)
    fill = make_fill(layout, make_start(leaves, places, flags), load)
    step = make_step(leaves)
    refine = make_refine(leaves, step, directions)
    stiff_part = make_stiff(leaves, step, enter, refine, places, directions)
    respond = make_respond(layout, leaves, refine, load, stiff_part)
    conclude = make_conclude(leaves, flags)
    advance, lanes, size = leaves.advance, layout.lanes, layout.rows * layout.lanes

    @compiled  # outputs must be filled with nan
    def batch(inputs, outputs, status, steps, stiff, rtol):  # type: ignore[no-untyped-def]
        bench, w, job = allocate(), np.zeros(size), np.full(lanes, -1)
        upcoming, active = 0, 0
        for lane in range(lanes):
            upcoming = fill(w, lane, job, upcoming, bench, inputs, status, rtol)
            active += job[lane] >= 0
        while active > 0:
            if advance(w, rtol) == 0.0:
                continue
            for lane in range(lanes):
                i = job[lane]
                if i < 0 or w[rows.EVENT * lanes + lane] == 0.0:
                    continue
                code = respond(w, lane, bench, inputs[i], rtol, stiff[i : i + 1])
                if code == RUNNING:
                    continue
                steps[i] = int(w[rows.COUNT * lanes + lane])
                status[i] = conclude(bench, inputs[i], outputs[i]) if code == OK else code
                upcoming = fill(w, lane, job, upcoming, bench, inputs, status, rtol)
                active -= job[lane] < 0

    return batch


def make_load(
    layout: Layout,
    first_step: Callable[[Bench, float, float, float], float],
    enter: Callable[[Bench, Floats, float], float],
) -> Callable[[Floats, int, Bench, Floats, float, float], None]:
    """Compiled ``load(w, lane, bench, u, t, rtol)``: put an experiment at the start of a segment on a lane."""
    to_lane, _ = make_lane_copies(layout)
    lanes = layout.lanes

    @compiled
    def load(w: Floats, lane: int, bench: Bench, u: Floats, t: float, rtol: float) -> None:
        stop = enter(bench, u, t)
        w[rows.TIME * lanes + lane] = t
        w[rows.STOP * lanes + lane] = stop
        w[rows.STEP * lanes + lane] = first_step(bench, t, stop - t, rtol)
        w[rows.SMALLEST * lanes + lane] = SMALLEST_STEP * bench.s[0]
        w[rows.MEMORY * lanes + lane] = 1.0
        w[rows.STIFFNESS * lanes + lane] = 0.0
        w[rows.GROWTH * lanes + lane] = rows.LARGEST_FACTOR
        to_lane(w, lane, bench)

    return load


def make_fill(
    layout: Layout, start: Callable[[Bench, Floats, float], int], load: Callable[..., None]
) -> Callable[..., int]:
    """Compiled ``fill(w, lane, job, upcoming, ...)``: the next experiment that can start, or an idle lane."""
    lanes = layout.lanes
    idle = ((rows.TIME, 0.0), (rows.STOP, inf), (rows.STEP, 0.0), (rows.SMALLEST, -1.0), (rows.COUNT, -inf))

    @compiled
    def fill(w, lane, job, upcoming, bench, inputs, status, rtol):  # type: ignore[no-untyped-def]
        while upcoming < inputs.shape[0]:
            i = upcoming
            upcoming += 1
            status[i] = start(bench, inputs[i], rtol)
            if status[i] == OK:
                job[lane] = i
                load(w, lane, bench, inputs[i], 0.0, rtol)
                w[rows.COUNT * lanes + lane] = 0.0
                return upcoming
        job[lane] = -1
        for row, value in idle:
            w[row * lanes + lane] = value
        return upcoming

    return fill


def make_respond(
    layout: Layout,
    leaves: Leaves,
    refine: Callable[[float, float, Bench], None],
    load: Callable[..., None],
    go_stiff: Callable[..., tuple[int, int]],
) -> Callable[[Floats, int, Bench, Floats, float, Any], int]:
    """Compiled ``respond(w, lane, bench, u, rtol, stiff)`` to an event; RUNNING, or how the experiment ended."""
    _, from_lane = make_lane_copies(layout)
    begin, lanes, paths, best = leaves.begin, layout.lanes, layout.paths, layout.gauge + 4 * layout.paths

    @compiled
    def respond(w: Floats, lane: int, bench: Bench, u: Floats, rtol: float, stiff: Any) -> int:
        from_lane(w, lane, bench)
        event = int(w[rows.EVENT * lanes + lane])
        if event & rows.TURN:
            refine(w[rows.TIME_BEFORE * lanes + lane], w[rows.STEP_BEFORE * lanes + lane], bench)
            for j in range(paths):
                w[(best + j) * lanes + lane] = bench.best[j]
        if not event & (rows.REACHED | rows.TROUBLE):
            return RUNNING
        begin(u, bench.s)
        t, stop, h = w[rows.TIME * lanes + lane], w[rows.STOP * lanes + lane], w[rows.STEP * lanes + lane]
        if event & rows.REACHED:
            if stop >= bench.s[0]:
                return OK
            load(w, lane, bench, u, stop, rtol)
            return RUNNING
        stiff[0] = True
        code, count = go_stiff(bench, u, t, stop, h, rtol)
        w[rows.COUNT * lanes + lane] += count
        return code

    return respond
