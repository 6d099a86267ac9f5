"""Start and end of one experiment, and of the segments between the switch times of its controls."""

from __future__ import annotations

from collections.abc import Callable
from math import nan, sqrt

import numpy as np

from rxnopt.kinetics.layout import Layout
from rxnopt.kinetics.runtime.jit import compiled, finite, rough_power
from rxnopt.kinetics.runtime.leaves import Leaves
from rxnopt.kinetics.runtime.linear import Floats
from rxnopt.kinetics.status import NOT_CONVERGED, NOT_FINITE, OK

ATOL_SHARE = 1e-3
"""Absolute tolerance of a state, as a share of rtol times the scale of the state."""
SMALLEST_SHARE = 1e-6
"""A state that starts below this share of the largest one of its kind is measured as if it started there."""
FIRST_GUESS = 1e-6
"""Share of the span of a first step where nothing moves at the start."""
ROUNDING = 1e-12
"""Share of the duration by which a switch time must lie ahead."""
NEGATIVE_SHARE = 1e-6
"""Share of the largest amount by which a nonnegative state may fall below zero and be set to zero."""


def make_scale(
    leaves: Leaves, layout: Layout, kept: tuple[int, ...], nonnegative: tuple[int, ...]
) -> Callable[[Floats, int, Floats, float], float]:
    """Compiled ``scale(u, i, w, kind)``: largest initial state of a kind (nonnegative 1.0, others 0.0).

    If they all start at zero it is how far they would go at their first slope.
    """
    prepare, slope, b, states = leaves.prepare, leaves.slope, layout.bench, layout.states
    s, v, y, f, places, kinds = b.s, b.v, b.y, b.f, np.array(kept), np.array(nonnegative, np.float64)

    @compiled
    def scale(u: Floats, i: int, w: Floats, kind: float) -> float:
        largest, members = 0.0, 0
        for j in range(states):
            if kinds[j] == kind:
                members += 1
                largest = max(largest, abs(w[s + 1 + j]))
        if members == 0 or largest > 0.0:
            return largest
        w[v] = 0.0
        prepare(u, i, w)
        slope(0.0, y, f, w)
        for k, j in enumerate(places):
            if kinds[j] == kind:
                largest = max(largest, abs(w[f + k] * w[s]))
        return largest

    return scale


def make_start(
    leaves: Leaves, layout: Layout, kept: tuple[int, ...], nonnegative: tuple[int, ...]
) -> Callable[[Floats, int, Floats, float], int]:
    """Compiled ``start(u, i, w, rtol)``: initial state and tolerances of experiment i; OK or NOT_FINITE.

    The scale of a state is its initial value. A state that starts at zero has the scale of the largest state of
    its kind (nonnegative or not); if all of a kind do, of how far they would go at their first slope.
    """
    begin, states, s, y, atol = leaves.begin, layout.states, layout.bench.s, layout.bench.y, layout.bench.atol
    places, kinds, scale = np.array(kept), np.array(nonnegative), make_scale(leaves, layout, kept, nonnegative)

    @compiled
    def start(u: Floats, i: int, w: Floats, rtol: float) -> int:
        for j in range(u.shape[1]):
            if not finite(u[i, j]):
                return NOT_FINITE
        begin(u, i, w)
        for j in range(1 + states):
            if not finite(w[s + j]):
                return NOT_FINITE
        if not w[s] >= 0.0:
            return NOT_FINITE
        for k, j in enumerate(places):
            w[y + k] = w[s + 1 + j]
        loose, positive = scale(u, i, w, 0.0), scale(u, i, w, 1.0)
        for j in range(states):
            kind = positive if kinds[j] else loose
            kind = kind if kind > 0.0 else max(loose, positive)
            own = abs(w[s + 1 + j])
            own = max(own, SMALLEST_SHARE * kind) if own > 0.0 else kind
            w[atol + j] = rtol * ATOL_SHARE * (own if own > 0.0 else 1.0)
        return OK

    return start


def make_enter(leaves: Leaves, layout: Layout, signs: tuple[int, ...]) -> Callable[[float, Floats, int, Floats], float]:
    """Compiled ``enter(t, u, i, w)``: constants, slope and paths of the segment at ``t``; returns its end.

    The paths at the end of the segment before must be on the bench: a margin may jump below zero at a switch time.
    """
    prepare, slope, gauge, b, breaks = leaves.prepare, leaves.slope, leaves.gauge, layout.bench, layout.breaks
    s, v, y, f, best, gauge_at, switches = b.s, b.v, b.y, b.f, b.best, b.gauge, b.s + 1 + layout.states
    directions, paths, watched = np.array(signs, np.int64), len(signs), 0 in signs
    margin = b.gauge + len(signs) - 1

    @compiled
    def enter(t: float, u: Floats, i: int, w: Floats) -> float:
        stop = float(w[s])
        for j in range(breaks):
            time = w[switches + j]
            if time > t + ROUNDING * w[s] and time < stop:
                stop = time
        w[v] = 0.5 * (t + stop)
        armed = watched and t > 0.0 and w[margin] >= 0.0
        prepare(u, i, w)
        slope(t, y, f, w)
        gauge(t, y, f, w)
        if armed and w[margin] < 0.0:
            w[s] = stop = t
        for j in range(paths):
            if t == 0.0 or directions[j] * w[gauge_at + j] > directions[j] * w[best + j]:
                w[best + j] = w[gauge_at + j]
        return stop

    return enter


def make_first_step(
    leaves: Leaves, layout: Layout, kept: tuple[int, ...]
) -> Callable[[float, float, Floats, float], float]:
    """Compiled ``first_step(t, span, w, rtol)`` after Hairer, Norsett & Wanner I, II.4 (order 5)."""
    slope, n, b, places = leaves.slope, len(kept), layout.bench, np.array(kept)
    y, f, atol, trial_y, trial_f = b.y, b.f, b.atol, b.stage, b.stage + len(kept)

    @compiled
    def first_step(t: float, span: float, w: Floats, rtol: float) -> float:
        d0, d1, d2 = 0.0, 0.0, 0.0
        for k, i in enumerate(places):
            weight = 1.0 / (w[atol + i] + rtol * abs(w[y + k]))
            d0 += (w[y + k] * weight) ** 2
            d1 += (w[f + k] * weight) ** 2
        d0, d1 = sqrt(d0 / n), sqrt(d1 / n)
        trial = min(0.01 * d0 / d1 if d0 > 1e-5 and d1 > 1e-5 else FIRST_GUESS * span, span)
        for k in range(n):
            w[trial_y + k] = w[y + k] + trial * w[f + k]
        slope(t + trial, trial_y, trial_f, w)
        for k, i in enumerate(places):
            weight = 1.0 / (w[atol + i] + rtol * abs(w[y + k]))
            d2 += ((w[trial_f + k] - w[f + k]) * weight) ** 2
        largest = max(d1, sqrt(d2 / n) / trial)
        h = rough_power(100.0 * largest, -0.2) if largest > 1e-15 else max(FIRST_GUESS * span, 1e-3 * trial)
        h = min(100.0 * trial, h)
        return h if h < span else span

    return first_step


def make_conclude(
    leaves: Leaves, layout: Layout, nonnegative: tuple[int, ...]
) -> Callable[[Floats, int, Floats, Floats], int]:
    """Compiled ``conclude(u, i, w, out)``: outputs at the end, or nan and why there are none."""
    restore, finish, states, kinds = leaves.restore, leaves.finish, layout.states, np.array(nonnegative)
    s, full = layout.bench.s, layout.bench.full

    @compiled
    def check(w: Floats) -> int:
        largest = 0.0
        for i in range(states):
            if not finite(w[full + i]):
                return NOT_FINITE
            if kinds[i]:
                largest = max(largest, abs(w[full + i]), abs(w[s + 1 + i]))
        for i in range(states):
            if kinds[i] and w[full + i] < 0.0:
                if w[full + i] < -NEGATIVE_SHARE * largest:
                    return NOT_CONVERGED
                w[full + i] = 0.0
        return OK

    @compiled
    def conclude(u: Floats, i: int, w: Floats, out: Floats) -> int:
        restore(w)
        code = check(w)
        if code == OK:
            finish(u, i, w, out)
            for j in range(out.shape[1]):
                if not finite(out[i, j]):
                    code = NOT_FINITE
        if code != OK:
            for j in range(out.shape[1]):
                out[i, j] = nan
        return code

    return conclude
