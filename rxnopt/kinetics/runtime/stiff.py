"""The rest of an experiment that the explicit method gave up, by Rodas5P."""

from __future__ import annotations

from math import sqrt

from rxnopt.kinetics.runtime.events import cross, rewind
from rxnopt.kinetics.runtime.extremes import refine
from rxnopt.kinetics.runtime.jit import compiled, finite
from rxnopt.kinetics.runtime.leaves import Floats, Table, gauge, jacobian, slope
from rxnopt.kinetics.runtime.rosenbrock import STAGES, STATE, step
from rxnopt.kinetics.runtime.segments import enter
from rxnopt.kinetics.runtime.table import (
    ATOL,
    BEST,
    BEST_BEFORE,
    ENDS,
    GAUGE,
    KEPT,
    PATHS,
    SIGNS,
    STAGE,
    Y_BEFORE,
    F,
    N,
    S,
    Y,
)
from rxnopt.kinetics.status import NOT_FINITE, OK, TOO_MANY_STEPS

MOST_STEPS = 20_000
"""Steps of this method before the experiment is given up."""
SAFETY = 0.9
SMALLEST_FACTOR = 0.2
LARGEST_FACTOR = 6.0
EXPONENT = 0.2
ALMOST_ALL = 0.999
"""A step that covers this share of what is left covers it all."""
SMALLEST_STEP, TINIEST_STEP = 1e-15, 1e-30
"""Share of the time below which a step is lost in its rounding, and share of the duration below which none is tried."""
SINGULAR = 1e30
"""Stands for the error of a step whose equations are singular."""


@compiled
def norm_of(w: Floats, rtol: float, q: Table) -> float:
    """Root mean square of error over tolerance after a step."""
    n, total = q[N], 0.0
    state, error = q[STAGE] + STATE * n, q[STAGE] + (STAGES - 1) * n
    for k in range(n):
        tolerance = w[q[ATOL] + q[q[KEPT] + k]] + rtol * max(abs(w[q[Y] + k]), abs(w[state + k]))
        total += (w[error + k] / tolerance) ** 2
    return sqrt(total / n)


@compiled
def accept(t: float, h: float, w: Floats, q: Table) -> None:
    """Take the new state over and look for extremes on the way to it."""
    n, paths, state, best, at = q[N], q[PATHS], q[STAGE] + STATE * q[N], q[BEST], q[GAUGE]
    for k in range(n):
        w[q[Y_BEFORE] + k] = w[q[Y] + k]
        w[q[Y] + k] = w[state + k]
    if paths == 0:
        return
    for j in range(2 * paths):
        w[q[ENDS] + 2 * paths + j] = w[at + j]
    slope(t + h, q[Y], q[F], w, q)
    gauge(t + h, q[Y], q[F], w, q)
    for j in range(2 * paths):
        w[q[ENDS] + j] = w[at + j]
    for j in range(paths):
        w[q[BEST_BEFORE] + j] = w[best + j]
        sign = q[q[SIGNS] + j]
        if sign * w[at + j] > sign * w[best + j]:
            w[best + j] = w[at + j]
    refine(t, h, w, q)
    for j in range(2 * paths):
        w[at + j] = w[q[ENDS] + j]


@compiled
def stiff(t: float, stop: float, h: float, u: Floats, w: Floats, rtol: float, watch: bool, q: Table) -> tuple[int, int]:
    """Go on from ``t`` to the end; returns status and steps.

    With ``watch`` the run ends where its margin falls, and that time replaces the duration in ``w``.
    """
    growth, s = LARGEST_FACTOR, q[S]
    jacobian(t, q[Y], w, q)
    for count in range(1, MOST_STEPS + 1):
        if not stop > t:
            return OK, count
        last = h >= ALMOST_ALL * (stop - t)
        tried = stop - t if last else h
        norm = norm_of(w, rtol, q) if step(t, q[Y], tried, w, q) else SINGULAR
        if norm <= 1.0:
            accept(t, tried, w, q)
            end = cross(t, tried, w, q) if watch else t + tried
            if end < t + tried:
                rewind(w, q)
                w[s] = stop = end
                h, watch = end - t, False
                jacobian(t, q[Y], w, q)
                continue
            t = stop if last else t + tried
            if t >= w[s]:
                return OK, count
            if last:
                stop = enter(t, u, w, q)
            jacobian(t, q[Y], w, q)
        elif tried < max(SMALLEST_STEP * t, TINIEST_STEP * w[s]):
            return (TOO_MANY_STEPS if finite(norm) else NOT_FINITE), count
        factor = min(growth, SAFETY * norm**-EXPONENT) if norm > 1e-12 else growth
        h = tried * (max(SMALLEST_FACTOR, factor) if finite(norm) else SMALLEST_FACTOR)
        growth = LARGEST_FACTOR if norm <= 1.0 else 1.0
    return TOO_MANY_STEPS, MOST_STEPS
