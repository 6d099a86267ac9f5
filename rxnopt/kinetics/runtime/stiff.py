"""The rest of an experiment that the explicit method gave up, by Rodas5P."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np

from rxnopt.kinetics.layout import Layout
from rxnopt.kinetics.runtime.events import Events
from rxnopt.kinetics.runtime.extremes import Refine
from rxnopt.kinetics.runtime.jit import compiled, finite
from rxnopt.kinetics.runtime.leaves import Leaves
from rxnopt.kinetics.runtime.linear import Floats
from rxnopt.kinetics.runtime.rosenbrock import STAGES, STATE
from rxnopt.kinetics.status import NOT_FINITE, OK, TOO_MANY_STEPS

MOST_STEPS = 20_000
"""Steps of this method before the experiment is given up."""
SAFETY = 0.9
SMALLEST_FACTOR = 0.2
LARGEST_FACTOR = 6.0
EXPONENT = 0.2
ALMOST_ALL = 0.999
"""A step that covers this share of what is left covers it all."""
SMALLEST_STEP = 1e-15
"""Share of the duration below which a step is lost in the rounding of time."""
SINGULAR = 1e30
"""Stands for the error of a step whose equations are singular."""


def make_norm(layout: Layout, kept: tuple[int, ...]) -> Callable[[Floats, float], float]:
    """Compiled ``norm(w, rtol)``: root mean square of error over tolerance after a step."""
    n, b, places = layout.kept, layout.bench, np.array(kept)
    y, atol, state, error = b.y, b.atol, b.stage + STATE * n, b.stage + (STAGES - 1) * n

    @compiled
    def norm(w: Floats, rtol: float) -> float:
        total = 0.0
        for k, i in enumerate(places):
            total += (w[error + k] / (w[atol + i] + rtol * max(abs(w[y + k]), abs(w[state + k])))) ** 2
        return sqrt(total / n)

    return norm


def make_stiff(
    leaves: Leaves,
    layout: Layout,
    step: Callable[[float, int, float, Floats], bool],
    enter: Callable[[float, Floats, int, Floats], float],
    accept: Callable[[float, float, Floats], None],
    events: Events,
    kept: tuple[int, ...],
) -> Callable[..., tuple[int, int]]:
    """Compiled ``stiff(t, stop, h, u, i, w, rtol, watch)``: go on to the end; returns status and steps.

    With ``watch`` the run ends where its margin falls, and that time replaces the duration in ``w``.
    """
    jacobian, y, s, norm_of = leaves.jacobian, layout.bench.y, layout.bench.s, make_norm(layout, kept)
    cross, rewind = events.cross, events.rewind

    @compiled
    def stiff(
        t: float, stop: float, h: float, u: Floats, i: int, w: Floats, rtol: float, watch: bool
    ) -> tuple[int, int]:
        growth = LARGEST_FACTOR
        jacobian(t, y, w)
        for count in range(1, MOST_STEPS + 1):
            if not stop > t:
                return OK, count
            last = h >= ALMOST_ALL * (stop - t)
            tried = stop - t if last else h
            norm = norm_of(w, rtol) if step(t, y, tried, w) else SINGULAR
            if norm <= 1.0:
                accept(t, tried, w)
                end = cross(t, tried, w) if watch else t + tried
                if end < t + tried:
                    rewind(w)
                    w[s] = stop = end
                    h, watch = end - t, False
                    jacobian(t, y, w)
                    continue
                t = stop if last else t + tried
                if t >= w[s]:
                    return OK, count
                if last:
                    stop = enter(t, u, i, w)
                jacobian(t, y, w)
            elif tried < SMALLEST_STEP * w[s]:
                return (TOO_MANY_STEPS if finite(norm) else NOT_FINITE), count
            factor = min(growth, SAFETY * norm**-EXPONENT) if norm > 1e-12 else growth
            h = tried * (max(SMALLEST_FACTOR, factor) if finite(norm) else SMALLEST_FACTOR)
            growth = LARGEST_FACTOR if norm <= 1.0 else 1.0
        return TOO_MANY_STEPS, MOST_STEPS

    return stiff


def make_accept(
    leaves: Leaves, layout: Layout, refine: Refine, signs: tuple[int, ...]
) -> Callable[[float, float, Floats], None]:
    """Compiled ``accept(t, h, w)``: take the new state over and look for extremes on the way to it."""
    slope, gauge, n, b, paths = leaves.slope, leaves.gauge, layout.kept, layout.bench, len(signs)
    y, f, before, state, ends, best, gauge_at = b.y, b.f, b.y_before, b.stage + STATE * n, b.ends, b.best, b.gauge
    best_before = b.best_before
    directions = np.array(signs, np.int64)

    @compiled
    def accept(t: float, h: float, w: Floats) -> None:
        for k in range(n):
            w[before + k] = w[y + k]
            w[y + k] = w[state + k]
        if paths > 0:
            for j in range(2 * paths):
                w[ends + 2 * paths + j] = w[gauge_at + j]
            slope(t + h, y, f, w)
            gauge(t + h, y, f, w)
            for j in range(2 * paths):
                w[ends + j] = w[gauge_at + j]
            for j in range(paths):
                w[best_before + j] = w[best + j]
                if directions[j] * w[gauge_at + j] > directions[j] * w[best + j]:
                    w[best + j] = w[gauge_at + j]
            refine(t, h, w)
            for j in range(2 * paths):
                w[gauge_at + j] = w[ends + j]

    return accept
