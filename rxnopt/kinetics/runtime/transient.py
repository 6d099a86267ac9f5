"""Runs a batch of transient experiments: the explicit method on all lanes, the stiff ones handed over.

A lane takes the next experiment as soon as its own is finished, so a slow experiment does not hold up the others,
and what happens on a lane depends on nothing but its own experiment.
"""

from __future__ import annotations

from math import inf
from typing import Any, cast

import numpy as np

from rxnopt.kinetics import layout as rows
from rxnopt.kinetics.runtime import table as at
from rxnopt.kinetics.runtime.events import cross, rewind
from rxnopt.kinetics.runtime.extremes import refine
from rxnopt.kinetics.runtime.jit import compiled
from rxnopt.kinetics.runtime.leaves import Floats, Table, advance, begin, pointer, shifted
from rxnopt.kinetics.runtime.segments import conclude, enter, first_step, start
from rxnopt.kinetics.runtime.stiff import stiff as go_stiff
from rxnopt.kinetics.status import OK

SMALLEST_STEP = 1e-13
"""Share of the duration below which a step is lost in the rounding of time."""
RUNNING = -1
"""Answer of ``respond`` for an experiment that goes on."""
FIRST_JOB = cast(int, np.int64(0))
WATCH, IGNORE = cast(bool, np.bool_(True)), cast(bool, np.bool_(False))
"""Of proper types, because numba compiles a function anew for a literal that it can see in a call."""
IDLE = -1.0
"""Job of a lane without work."""


@compiled
def copy_in(w: Floats, cell: int, row: int, length: int, lane: int, lanes: int) -> None:
    """From the rows of a lane to the bench."""
    for k in range(length):
        w[cell + k] = w[(row + k) * lanes + lane]


@compiled
def copy_out(w: Floats, cell: int, row: int, length: int, lane: int, lanes: int) -> None:
    """From the bench to the rows of a lane."""
    for k in range(length):
        w[(row + k) * lanes + lane] = w[cell + k]


@compiled
def take(w: Floats, lane: int, q: Table, whole: bool) -> None:
    """Copy an experiment from its lane to the bench; ``whole``: more than its state and its constants."""
    lanes, n, m = q[at.LANES], q[at.N], q[at.PATHS]
    copy_in(w, q[at.Y], q[at.R_Y], n, lane, lanes)
    copy_in(w, q[at.P], q[at.R_P], q[at.PARAMS], lane, lanes)
    if whole:
        copy_in(w, q[at.F], q[at.R_F], n, lane, lanes)
        copy_in(w, q[at.ATOL], q[at.R_ATOL], q[at.STATES], lane, lanes)
    if m > 0:
        copy_in(w, q[at.Y_BEFORE], q[at.R_Y_BEFORE], n, lane, lanes)
        copy_in(w, q[at.BEST], q[at.R_BEST], m, lane, lanes)
        copy_in(w, q[at.BEST_BEFORE], q[at.R_BEST_BEFORE], m, lane, lanes)
        copy_in(w, q[at.ENDS], q[at.R_ENDS], 4 * m, lane, lanes)


@compiled
def give(w: Floats, lane: int, q: Table) -> None:
    """Copy an experiment at the start of a segment from the bench to a lane."""
    lanes, n, m = q[at.LANES], q[at.N], q[at.PATHS]
    copy_out(w, q[at.Y], q[at.R_Y], n, lane, lanes)
    copy_out(w, q[at.F], q[at.R_F], n, lane, lanes)
    copy_out(w, q[at.P], q[at.R_P], q[at.PARAMS], lane, lanes)
    copy_out(w, q[at.ATOL], q[at.R_ATOL], q[at.STATES], lane, lanes)
    copy_out(w, q[at.BEST], q[at.R_BEST], m, lane, lanes)
    copy_out(w, q[at.GAUGE], q[at.R_ENDS], 2 * m, lane, lanes)


@compiled
def load(lane: int, t: float, u: Floats, w: Floats, rtol: float, q: Table) -> None:
    """Put an experiment at the start of a segment on a lane."""
    lanes, stop = q[at.LANES], enter(t, u, w, q)
    w[rows.TIME * lanes + lane] = t
    w[rows.STOP * lanes + lane] = stop
    w[rows.STEP * lanes + lane] = first_step(t, stop - t, w, rtol, q)
    w[rows.SMALLEST * lanes + lane] = SMALLEST_STEP * w[q[at.S]]
    w[rows.STIFFNESS * lanes + lane] = 0.0
    w[rows.GROWTH * lanes + lane] = rows.LARGEST_FACTOR
    give(w, lane, q)


@compiled
def fill(
    lane: int, upcoming: int, inputs: Floats, outputs: Floats, status: Any, w: Floats, rtol: float, q: Table
) -> int:
    """The next experiment that can start, or an idle lane. An experiment of no duration ends where it starts."""
    lanes = q[at.LANES]
    while upcoming < len(status):
        i, u = upcoming, shifted(inputs, upcoming * q[at.INPUTS])
        upcoming += 1
        code = start(u, w, rtol, q)
        if code == OK and w[q[at.S]] == 0.0:
            enter(0.0, u, w, q)
            code = conclude(u, w, shifted(outputs, i * q[at.OUTPUTS]), q)
        elif code == OK:
            w[rows.JOB * lanes + lane] = i
            w[rows.COUNT * lanes + lane] = 0.0
            load(lane, 0.0, u, w, rtol, q)
            return upcoming
        status[i] = code
    w[rows.JOB * lanes + lane] = IDLE
    w[rows.TIME * lanes + lane] = 0.0
    w[rows.STOP * lanes + lane] = inf
    w[rows.STEP * lanes + lane] = 0.0
    w[rows.SMALLEST * lanes + lane] = -1.0
    w[rows.COUNT * lanes + lane] = -inf
    return upcoming


@compiled
def respond(lane: int, u: Floats, w: Floats, rtol: float, q: Table) -> int:
    """What an event on a lane asks for; RUNNING, or how the experiment ended.

    Steps below zero on the lane say that it was stiff.
    """
    lanes, paths, s = q[at.LANES], q[at.PATHS], q[at.S]
    event = int(w[rows.EVENT * lanes + lane])
    take(w, lane, q, event != rows.REACHED or q[at.BREAKS] > 0)
    before, width = w[rows.TIME_BEFORE * lanes + lane], w[rows.STEP_BEFORE * lanes + lane]
    if event & rows.CROSSED:
        end = cross(before, width, w, q)
        if end < before + width:
            rewind(w, q)
            begin(u, w, q)
            w[s] = end
            code, count = go_stiff(before, end, end - before, u, w, rtol, IGNORE, q)
            w[rows.COUNT * lanes + lane] += count
            return code
    if event & rows.TURN:
        refine(before, width, w, q)
        for j in range(paths):
            w[(q[at.R_BEST] + j) * lanes + lane] = w[q[at.BEST] + j]
    if not event & (rows.REACHED | rows.TROUBLE):
        return RUNNING
    begin(u, w, q)
    t, stop = w[rows.TIME * lanes + lane], w[rows.STOP * lanes + lane]
    for j in range(2 * paths):
        w[q[at.GAUGE] + j] = w[q[at.ENDS] + j]
    if event & rows.REACHED:
        if stop >= w[s]:
            return OK
        load(lane, stop, u, w, rtol, q)
        return OK if stop >= w[s] else RUNNING
    code, count = go_stiff(t, stop, w[rows.STEP * lanes + lane], u, w, rtol, WATCH if q[at.WATCHED] else IGNORE, q)
    w[rows.COUNT * lanes + lane] = -w[rows.COUNT * lanes + lane] - count
    return code


@compiled
def run(
    rows_in: Floats, rows_out: Floats, status: Any, steps: Any, stiff: Any, memory: Floats, rtol: float, table: Table
) -> None:
    """Run a batch. ``memory``: zeros; ``rows_out``: filled with nan."""
    w, q, inputs, outputs = pointer(memory), pointer(table), pointer(rows_in), pointer(rows_out)
    upcoming, active, lanes = FIRST_JOB, 0, q[at.LANES]
    for lane in range(lanes):
        upcoming = fill(lane, upcoming, inputs, outputs, status, w, rtol, q)
        active += w[rows.JOB * lanes + lane] != IDLE
    while active > 0:
        if advance(w, rtol, q) == 0:
            continue
        for lane in range(lanes):
            i = int(w[rows.JOB * lanes + lane])
            if i < 0 or w[rows.EVENT * lanes + lane] == 0.0:
                continue
            u, out = shifted(inputs, i * q[at.INPUTS]), shifted(outputs, i * q[at.OUTPUTS])
            code = respond(lane, u, w, rtol, q)
            if code != RUNNING:
                stiff[i] = w[rows.COUNT * lanes + lane] < 0.0
                steps[i] = int(abs(w[rows.COUNT * lanes + lane]))
                status[i] = conclude(u, w, out, q) if code == OK else code
                upcoming = fill(lane, upcoming, inputs, outputs, status, w, rtol, q)
                active -= w[rows.JOB * lanes + lane] == IDLE
