"""Start and end of one experiment, and of the segments between the switch times of its controls."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, nan, sqrt

from rxnopt.kinetics.runtime.bench import Bench, Leaves
from rxnopt.kinetics.runtime.jit import compiled
from rxnopt.kinetics.runtime.linear import Floats, Ints
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


def make_start(
    leaves: Leaves, kept: Ints, nonnegative: Ints
) -> Callable[[Bench, Floats, float], int]:
    """Compiled ``start(bench, u, rtol)``: initial state and tolerances; OK or NOT_FINITE."""
    begin, prepare, slope, states = leaves.begin, leaves.prepare, leaves.slope, len(nonnegative)

    @compiled
    def scale(bench: Bench, kind: int) -> float:
        """Largest initial value among the states of a kind (nonnegative or not)."""
        largest = 0.0
        for i in range(states):
            if nonnegative[i] == kind:
                largest = max(largest, abs(bench.s[1 + i]))
        return largest

    @compiled
    def growth(bench: Bench, u: Floats, kind: int) -> float:
        """How far the states of a kind would go at their first slope; for systems that start empty."""
        bench.v[0] = 0.0
        prepare(u, bench.v, bench.p)
        slope(0.0, bench.y, bench.p, bench.f)
        largest = 0.0
        for k, i in enumerate(kept):
            if nonnegative[i] == kind:
                largest = max(largest, abs(bench.f[k]) * bench.s[0])
        return largest

    @compiled
    def start(bench: Bench, u: Floats, rtol: float) -> int:
        for value in u:
            if not isfinite(value):
                return NOT_FINITE
        begin(u, bench.s)
        if not (isfinite(bench.s[0]) and bench.s[0] > 0.0):
            return NOT_FINITE
        for i in range(states):
            if not isfinite(bench.s[1 + i]):
                return NOT_FINITE
        for k, i in enumerate(kept):
            bench.y[k] = bench.s[1 + i]
        kinds = (scale(bench, 0), scale(bench, 1))
        for i in range(states):
            kind = kinds[nonnegative[i]]
            kind = kind if kind > 0.0 else growth(bench, u, nonnegative[i])
            kind = kind if kind > 0.0 else max(kinds)
            own = abs(bench.s[1 + i])
            own = max(own, SMALLEST_SHARE * kind) if own > 0.0 else kind
            bench.atol[i] = rtol * ATOL_SHARE * (own if own > 0.0 else 1.0)
        return OK

    return start


def make_enter(
    leaves: Leaves, breaks: int, signs: Ints
) -> Callable[[Bench, Floats, float], float]:
    """Compiled ``enter(bench, u, t)``: constants, slope and paths of the segment at ``t``; returns its end."""
    prepare, slope, gauge, states_end, paths = leaves.prepare, leaves.slope, leaves.gauge, -breaks, len(signs)

    @compiled
    def enter(bench: Bench, u: Floats, t: float) -> float:
        stop = bench.s[0]
        if breaks > 0:
            for time in bench.s[states_end:]:
                if time > t + ROUNDING * bench.s[0] and time < stop:
                    stop = time
        bench.v[0] = 0.5 * (t + stop)
        prepare(u, bench.v, bench.p)
        slope(t, bench.y, bench.p, bench.f)
        if paths > 0:
            gauge(t, bench.y, bench.f, bench.p, bench.gauge)
            for j in range(paths):
                if t == 0.0 or signs[j] * bench.gauge[j] > signs[j] * bench.best[j]:
                    bench.best[j] = bench.gauge[j]
        return stop

    return enter


def make_first_step(leaves: Leaves, kept: Ints) -> Callable[[Bench, float, float, float], float]:
    """Compiled ``first_step(bench, t, span, rtol)`` after Hairer, Norsett & Wanner I, II.4 (order 5)."""
    slope, n = leaves.slope, len(kept)

    @compiled
    def first_step(bench: Bench, t: float, span: float, rtol: float) -> float:
        d0, d1, d2 = 0.0, 0.0, 0.0
        for k, i in enumerate(kept):
            weight = 1.0 / (bench.atol[i] + rtol * abs(bench.y[k]))
            d0 += (bench.y[k] * weight) ** 2
            d1 += (bench.f[k] * weight) ** 2
        d0, d1 = sqrt(d0 / n), sqrt(d1 / n)
        trial = 0.01 * d0 / d1 if d0 > 1e-5 and d1 > 1e-5 else FIRST_GUESS * span
        trial = min(trial, span)
        y, f = bench.stage[0], bench.stage[1]
        for k in range(n):
            y[k] = bench.y[k] + trial * bench.f[k]
        slope(t + trial, y, bench.p, f)
        for k, i in enumerate(kept):
            weight = 1.0 / (bench.atol[i] + rtol * abs(bench.y[k]))
            d2 += ((f[k] - bench.f[k]) * weight) ** 2
        largest = max(d1, sqrt(d2 / n) / trial)
        h = (0.01 / largest) ** 0.2 if largest > 1e-15 else max(FIRST_GUESS * span, 1e-3 * trial)
        h = min(100.0 * trial, h)
        return h if h < span else span

    return first_step


def make_conclude(leaves: Leaves, nonnegative: Ints) -> Callable[[Bench, Floats, Floats], int]:
    """Compiled ``conclude(bench, u, out)``: outputs at the end, or nan and why there are none."""
    restore, finish, states = leaves.restore, leaves.finish, len(nonnegative)

    @compiled
    def check(bench: Bench) -> int:
        largest = 0.0
        for i in range(states):
            if not isfinite(bench.full[i]):
                return NOT_FINITE
            if nonnegative[i]:
                largest = max(largest, abs(bench.full[i]), abs(bench.s[1 + i]))
        for i in range(states):
            if nonnegative[i] and bench.full[i] < 0.0:
                if bench.full[i] < -NEGATIVE_SHARE * largest:
                    return NOT_CONVERGED
                bench.full[i] = 0.0
        return OK

    @compiled
    def conclude(bench: Bench, u: Floats, out: Floats) -> int:
        restore(bench.y, bench.p, bench.full)
        code = check(bench)
        if code == OK:
            finish(u, bench.full, bench.best, out)
            for value in out:
                if not isfinite(value):
                    code = NOT_FINITE
        if code != OK:
            out[:] = nan
        return code

    return conclude
