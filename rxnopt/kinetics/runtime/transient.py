"""Runs a batch of transient experiments: the explicit method on all lanes, the stiff ones handed over.

A lane takes the next experiment as soon as its own is finished, so a slow experiment does not hold up the others,
and what happens on a lane depends on nothing but its own experiment.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from rxnopt.kinetics import layout as rows
from rxnopt.kinetics.layout import Layout
from rxnopt.kinetics.runtime.events import Events, make_events
from rxnopt.kinetics.runtime.extremes import Refine, make_refine
from rxnopt.kinetics.runtime.jit import compiled
from rxnopt.kinetics.runtime.leaves import Leaves
from rxnopt.kinetics.runtime.linear import Floats
from rxnopt.kinetics.runtime.rosenbrock import make_step
from rxnopt.kinetics.runtime.segments import make_conclude, make_enter, make_first_step, make_start
from rxnopt.kinetics.runtime.stiff import make_accept, make_stiff
from rxnopt.kinetics.status import OK

SMALLEST_STEP = 1e-13
"""Share of the duration below which a step is lost in the rounding of time."""
RUNNING = -1
"""Answer of ``respond`` for an experiment that goes on."""
FIRST_JOB = np.int64(0)
"""An int64 proper, because numba compiles a function anew for an int that it can see in a call."""
IDLE = -1.0
"""Job of a lane without work."""


def make_batch(
    leaves: Leaves, layout: Layout, *, kept: tuple[int, ...], nonnegative: tuple[int, ...], signs: tuple[int, ...]
) -> Callable[..., None]:
    """Compiled ``batch(inputs, outputs, status, steps, stiff, w, rtol)`` for one reaction.

    ``w``: working memory, zeros; ``outputs``: filled with nan.
    """
    step, enter = make_step(leaves, layout), make_enter(leaves, layout, signs)
    load = make_load(layout, make_first_step(leaves, layout, kept), enter)
    conclude = make_conclude(leaves, layout, nonnegative)
    fill = make_fill(layout, make_start(leaves, layout, kept, nonnegative), enter, conclude, load)
    refine, events = make_refine(leaves, layout, step, signs), make_events(leaves, layout, step, signs)
    stiff_part = make_stiff(leaves, layout, step, enter, make_accept(leaves, layout, refine, signs), events, kept)
    respond = make_respond(leaves, layout, refine, events, load, stiff_part)
    advance, lanes, event, job, counter = leaves.advance, layout.lanes, rows.EVENT, rows.JOB, rows.COUNT

    @compiled
    def batch(inputs: Floats, outputs: Floats, status: Any, steps: Any, stiff: Any, w: Floats, rtol: float) -> None:
        upcoming, active = int(FIRST_JOB), 0
        for lane in range(lanes):
            upcoming = fill(lane, upcoming, inputs, outputs, status, w, rtol)
            active += w[job * lanes + lane] != IDLE
        while active > 0:
            if advance(w, rtol) == 0:
                continue
            for lane in range(lanes):
                i = int(w[job * lanes + lane])
                if i < 0 or w[event * lanes + lane] == 0.0:
                    continue
                code = respond(lane, inputs, i, w, rtol, stiff)
                if code != RUNNING:
                    steps[i] = int(w[counter * lanes + lane])
                    status[i] = conclude(inputs, i, w, outputs) if code == OK else code
                    upcoming = fill(lane, upcoming, inputs, outputs, status, w, rtol)
                    active -= w[job * lanes + lane] == IDLE

    return batch


def _copies(layout: Layout, *, past: bool) -> tuple[tuple[int, int, int], ...]:
    """``(row of a lane, cell of the bench, length)`` of what is copied between them."""
    r, b, n, m = layout.rows, layout.bench, layout.kept, layout.paths
    both = (
        (r.y, b.y, n),
        (r.f, b.f, n),
        (r.p, b.p, layout.params),
        (r.atol, b.atol, layout.states),
        (r.best, b.best, m),
    )
    if past:
        return (
            *both,
            (r.y_before, b.y_before, n if m else 0),
            (r.best_before, b.best_before, m),
            (r.ends, b.ends, 4 * m),
        )
    return (*both, (r.ends, b.gauge, 2 * m))


def make_load(
    layout: Layout,
    first_step: Callable[[float, float, Floats, float], float],
    enter: Callable[[float, Floats, int, Floats], float],
) -> Callable[..., None]:
    """Compiled ``load(lane, t, u, i, w, rtol)``: put an experiment at the start of a segment on a lane."""
    lanes, s, copies = layout.lanes, layout.bench.s, _copies(layout, past=False)

    @compiled
    def load(lane: int, t: float, u: Floats, i: int, w: Floats, rtol: float) -> None:
        stop = enter(t, u, i, w)
        w[rows.TIME * lanes + lane] = t
        w[rows.STOP * lanes + lane] = stop
        w[rows.STEP * lanes + lane] = first_step(t, stop - t, w, rtol)
        w[rows.SMALLEST * lanes + lane] = SMALLEST_STEP * w[s]
        w[rows.STIFFNESS * lanes + lane] = 0.0
        w[rows.GROWTH * lanes + lane] = rows.LARGEST_FACTOR
        for row, cell, length in copies:
            for k in range(length):
                w[(row + k) * lanes + lane] = w[cell + k]

    return load


def make_fill(
    layout: Layout,
    start: Callable[[Floats, int, Floats, float], int],
    enter: Callable[[float, Floats, int, Floats], float],
    conclude: Callable[[Floats, int, Floats, Floats], int],
    load: Callable[..., None],
) -> Callable[..., int]:
    """Compiled ``fill(lane, upcoming, ...)``: the next experiment that can start, or an idle lane.

    An experiment of no duration ends where it starts.
    """
    lanes, s = layout.lanes, layout.bench.s
    idle = ((rows.TIME, 0.0), (rows.STOP, inf), (rows.STEP, 0.0), (rows.SMALLEST, -1.0), (rows.COUNT, -inf))

    @compiled
    def fill(lane: int, upcoming: int, inputs: Floats, outputs: Floats, status: Any, w: Floats, rtol: float) -> int:
        while upcoming < inputs.shape[0]:
            i = upcoming
            upcoming += 1
            code = start(inputs, i, w, rtol)
            if code == OK and w[s] == 0.0:
                enter(0.0, inputs, i, w)
                code = conclude(inputs, i, w, outputs)
                status[i] = code
                continue
            status[i] = code
            if code == OK:
                w[rows.JOB * lanes + lane] = i
                w[rows.COUNT * lanes + lane] = 0.0
                load(lane, 0.0, inputs, i, w, rtol)
                return upcoming
        w[rows.JOB * lanes + lane] = IDLE
        for row, value in idle:
            w[row * lanes + lane] = value
        return upcoming

    return fill


def make_respond(
    leaves: Leaves,
    layout: Layout,
    refine: Refine,
    events: Events,
    load: Callable[..., None],
    go_stiff: Callable[..., tuple[int, int]],
) -> Callable[[int, Floats, int, Floats, float, Any], int]:
    """Compiled ``respond(lane, u, i, w, rtol, stiff)`` to an event; RUNNING, or how the experiment ended."""
    cross, rewind = events.cross, events.rewind
    begin, lanes, paths, s, copies = (
        leaves.begin,
        layout.lanes,
        layout.paths,
        layout.bench.s,
        _copies(layout, past=True),
    )
    best, best_row, gauge, ends = layout.bench.best, layout.rows.best, layout.bench.gauge, layout.bench.ends

    @compiled
    def respond(lane: int, u: Floats, i: int, w: Floats, rtol: float, stiff: Any) -> int:
        for row, cell, length in copies:
            for k in range(length):
                w[cell + k] = w[(row + k) * lanes + lane]
        event = int(w[rows.EVENT * lanes + lane])
        before, width = w[rows.TIME_BEFORE * lanes + lane], w[rows.STEP_BEFORE * lanes + lane]
        if event & rows.CROSSED:
            end = cross(before, width, w)
            if end < before + width:
                rewind(w)
                begin(u, i, w)
                w[s] = end
                code, count = go_stiff(before, end, end - before, u, i, w, rtol, False)
                w[rows.COUNT * lanes + lane] += count
                return code
        if event & rows.TURN:
            refine(before, width, w)
            for j in range(paths):
                w[(best_row + j) * lanes + lane] = w[best + j]
        if not event & (rows.REACHED | rows.TROUBLE):
            return RUNNING
        begin(u, i, w)
        t, stop = w[rows.TIME * lanes + lane], w[rows.STOP * lanes + lane]
        for j in range(2 * paths):
            w[gauge + j] = w[ends + j]
        if event & rows.REACHED:
            if stop >= w[s]:
                return OK
            load(lane, stop, u, i, w, rtol)
            return OK if stop >= w[s] else RUNNING
        stiff[i] = True
        code, count = go_stiff(t, stop, w[rows.STEP * lanes + lane], u, i, w, rtol, True)
        w[rows.COUNT * lanes + lane] += count
        return code

    return respond
