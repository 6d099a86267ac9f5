"""Start and end of one experiment, and of the segments between the switch times of its controls."""

from __future__ import annotations

from math import nan, sqrt
from typing import cast

import numpy as np

from rxnopt.kinetics.runtime.jit import compiled, finite, rough_power
from rxnopt.kinetics.runtime.leaves import Floats, Table, begin, finish, gauge, prepare, restore, slope
from rxnopt.kinetics.runtime.table import (
    ATOL,
    BEST,
    BREAKS,
    FULL,
    GAUGE,
    INPUTS,
    KEPT,
    KINDS,
    OUTPUTS,
    PATHS,
    SIGNS,
    STAGE,
    STATES,
    WATCHED,
    F,
    N,
    S,
    V,
    Y,
)
from rxnopt.kinetics.status import NOT_CONVERGED, NOT_FINITE, OK

ATOL_SHARE = 1e-3
"""Absolute tolerance of a state, as a share of rtol times the scale of the state."""
SMALLEST_SHARE = 1e-6
"""A state that starts below this share of the largest one of its kind is measured as if it started there."""
FIRST_GUESS = 1e-6
"""Share of the span of a first step where nothing moves at the start."""
ROUNDING = 1e-12
"""Share of the duration by which a switch time must lie ahead."""
LOOSE, POSITIVE = cast(int, np.int64(0)), cast(int, np.int64(1))
"""Kinds of states; int64 proper, because numba compiles a function anew for an int that it can see in a call."""
NEGATIVE_SHARE = 1e-6
"""Share of the largest amount by which a nonnegative state may fall below zero and be set to zero."""


@compiled
def scale(u: Floats, w: Floats, kind: int, q: Table) -> float:
    """Largest initial state of a kind (1: nonnegative, 0: others).

    If they all start at zero it is how far they would go at their first slope.
    """
    s, f, kinds, kept, largest, members = q[S], q[F], q[KINDS], q[KEPT], 0.0, 0
    for j in range(q[STATES]):
        if q[kinds + j] == kind:
            members += 1
            largest = max(largest, abs(w[s + 1 + j]))
    if members == 0 or largest > 0.0:
        return largest
    w[q[V]] = 0.0
    prepare(u, w, q)
    slope(0.0, q[Y], f, w, q)
    for k in range(q[N]):
        if q[kinds + q[kept + k]] == kind:
            largest = max(largest, abs(w[f + k] * w[s]))
    return largest


@compiled
def start(u: Floats, w: Floats, rtol: float, q: Table) -> int:
    """Initial state and tolerances of an experiment; OK or NOT_FINITE.

    The scale of a state is its initial value. A state that starts at zero has the scale of the largest state of
    its kind (nonnegative or not); if all of a kind do, of how far they would go at their first slope.
    """
    s, y, atol, states, kept, kinds = q[S], q[Y], q[ATOL], q[STATES], q[KEPT], q[KINDS]
    for j in range(q[INPUTS]):
        if not finite(u[j]):
            return NOT_FINITE
    begin(u, w, q)
    for j in range(1 + states):
        if not finite(w[s + j]):
            return NOT_FINITE
    if not w[s] >= 0.0:
        return NOT_FINITE
    for k in range(q[N]):
        w[y + k] = w[s + 1 + q[kept + k]]
    loose, positive = scale(u, w, LOOSE, q), scale(u, w, POSITIVE, q)
    for j in range(states):
        kind = positive if q[kinds + j] else loose
        kind = kind if kind > 0.0 else max(loose, positive)
        own = abs(w[s + 1 + j])
        own = max(own, SMALLEST_SHARE * kind) if own > 0.0 else kind
        w[atol + j] = rtol * ATOL_SHARE * (own if own > 0.0 else 1.0)
    return OK


@compiled
def enter(t: float, u: Floats, w: Floats, q: Table) -> float:
    """Constants, slope and paths of the segment at ``t``; returns its end.

    The paths at the end of the segment before must be on the bench: a margin may jump below zero at a switch time.
    """
    s, best, at, margin = q[S], q[BEST], q[GAUGE], q[GAUGE] + q[PATHS] - 1
    stop = float(w[s])
    for j in range(q[BREAKS]):
        time = w[s + 1 + q[STATES] + j]
        if time > t + ROUNDING * w[s] and time < stop:
            stop = time
    w[q[V]] = 0.5 * (t + stop)
    armed = q[WATCHED] and t > 0.0 and w[margin] >= 0.0
    prepare(u, w, q)
    slope(t, q[Y], q[F], w, q)
    gauge(t, q[Y], q[F], w, q)
    if armed and w[margin] < 0.0:
        w[s] = stop = t
    for j in range(q[PATHS]):
        sign = q[q[SIGNS] + j]
        if t == 0.0 or sign * w[at + j] > sign * w[best + j]:
            w[best + j] = w[at + j]
    return stop


@compiled
def first_step(t: float, span: float, w: Floats, rtol: float, q: Table) -> float:
    """Length of a first step after Hairer, Norsett & Wanner I, II.4 (order 5)."""
    n, y, f, trial_y, trial_f, atol, kept = q[N], q[Y], q[F], q[STAGE], q[STAGE] + q[N], q[ATOL], q[KEPT]
    d0, d1, d2 = 0.0, 0.0, 0.0
    for k in range(n):
        weight = 1.0 / (w[atol + q[kept + k]] + rtol * abs(w[y + k]))
        d0 += (w[y + k] * weight) ** 2
        d1 += (w[f + k] * weight) ** 2
    d0, d1 = sqrt(d0 / n), sqrt(d1 / n)
    trial = min(0.01 * d0 / d1 if d0 > 1e-5 and d1 > 1e-5 else FIRST_GUESS * span, span)
    for k in range(n):
        w[trial_y + k] = w[y + k] + trial * w[f + k]
    slope(t + trial, trial_y, trial_f, w, q)
    for k in range(n):
        weight = 1.0 / (w[atol + q[kept + k]] + rtol * abs(w[y + k]))
        d2 += ((w[trial_f + k] - w[f + k]) * weight) ** 2
    largest = max(d1, sqrt(d2 / n) / trial)
    h = rough_power(100.0 * largest, -0.2) if largest > 1e-15 else max(FIRST_GUESS * span, 1e-3 * trial)
    h = min(100.0 * trial, h)
    return h if h < span else span


@compiled
def check(w: Floats, q: Table) -> int:
    """Whether the states at the end are finite and, but for rounding, nonnegative where they must be."""
    largest, full, states, kinds, initial = 0.0, q[FULL], q[STATES], q[KINDS], q[S] + 1
    for i in range(states):
        if not finite(w[full + i]):
            return NOT_FINITE
        if q[kinds + i]:
            largest = max(largest, abs(w[full + i]), abs(w[initial + i]))
    for i in range(states):
        if q[kinds + i] and w[full + i] < 0.0:
            if w[full + i] < -NEGATIVE_SHARE * largest:
                return NOT_CONVERGED
            w[full + i] = 0.0
    return OK


@compiled
def outputs_of(u: Floats, w: Floats, out: Floats, q: Table) -> int:
    """Outputs, or nan and NOT_FINITE."""
    finish(u, w, out, q)
    code = OK
    for j in range(q[OUTPUTS]):
        code = code if finite(out[j]) else NOT_FINITE
    for j in range(q[OUTPUTS] if code != OK else 0):
        out[j] = nan
    return code


@compiled
def conclude(u: Floats, w: Floats, out: Floats, q: Table) -> int:
    """Outputs at the end, or why there are none."""
    restore(w, q)
    code = check(w, q)
    return outputs_of(u, w, out, q) if code == OK else code
