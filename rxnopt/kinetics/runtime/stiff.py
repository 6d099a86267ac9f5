"""The rest of an experiment that the explicit method gave up, by Rodas5P."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, sqrt

from rxnopt.kinetics.runtime.bench import Bench, Leaves
from rxnopt.kinetics.runtime.jit import compiled
from rxnopt.kinetics.runtime.linear import Floats, Ints
from rxnopt.kinetics.runtime.rosenbrock import STAGES, STATE
from rxnopt.kinetics.status import NOT_FINITE, OK, TOO_MANY_STEPS

MOST_STEPS = 20_000
"""Steps of this method before the experiment is given up."""
SAFETY = 0.9
SMALLEST_FACTOR = 0.2
LARGEST_FACTOR = 6.0
EXPONENT = 0.2
ALMOST_ALL = 0.999
SMALLEST_STEP = 1e-15
"""Share of the duration below which a step is lost in the rounding of time."""


def make_error(kept: Ints) -> Callable[[Bench, float], float]:
    """Compiled ``error(bench, rtol)``: root mean square of error over tolerance after a step."""
    n = len(kept)

    @compiled
    def error(bench: Bench, rtol: float) -> float:
        total = 0.0
        for k, i in enumerate(kept):
            size = max(abs(bench.y[k]), abs(bench.stage[STATE, k]))
            total += (bench.stage[STAGES - 1, k] / (bench.atol[i] + rtol * size)) ** 2
        return sqrt(total / n)

    return error


def make_stiff(
    leaves: Leaves,
    step: Callable[..., bool],
    enter: Callable[[Bench, Floats, float], float],
    refine: Callable[[float, float, Bench], None],
    kept: Ints,
    signs: Ints,
) -> Callable[[Bench, Floats, float, float, float, float], tuple[int, int]]:
    """Compiled ``stiff(bench, u, t, stop, h, rtol)``: go on to the end; returns status and steps."""
    error, advance = make_error(kept), make_accept(leaves, refine, signs)
    jacobian = leaves.jacobian

    @compiled
    def stiff(bench: Bench, u: Floats, t: float, stop: float, h: float, rtol: float) -> tuple[int, int]:
        end, growth, norm = bench.s[0], LARGEST_FACTOR, 0.0
        jacobian(t, bench.y, bench.p, bench.jac, bench.rate)
        for count in range(1, MOST_STEPS + 1):
            last = h >= ALMOST_ALL * (stop - t)
            tried = stop - t if last else h
            done = step(t, bench.y, bench.p, tried, bench)
            norm = error(bench, rtol) if done else 1e30
            if norm <= 1.0:
                advance(bench, t, tried)
                t = stop if last else t + tried
                if t >= end:
                    return OK, count
                if last:
                    stop = enter(bench, u, t)
                jacobian(t, bench.y, bench.p, bench.jac, bench.rate)
            elif tried < SMALLEST_STEP * end:
                return (TOO_MANY_STEPS if isfinite(norm) else NOT_FINITE), count
            factor = min(growth, SAFETY * norm**-EXPONENT) if norm > 1e-12 else growth
            h = tried * (max(SMALLEST_FACTOR, factor) if isfinite(norm) else SMALLEST_FACTOR)
            growth = LARGEST_FACTOR if norm <= 1.0 else 1.0
        return TOO_MANY_STEPS, MOST_STEPS

    return stiff


def make_accept(
    leaves: Leaves, refine: Callable[[float, float, Bench], None], signs: Ints
) -> Callable[[Bench, float, float], None]:
    """Compiled ``accept(bench, t, h)``: take the new state over and look for extremes on the way to it."""
    slope, gauge, paths = leaves.slope, leaves.gauge, len(signs)

    @compiled
    def accept(bench: Bench, t: float, h: float) -> None:
        bench.y_before[:] = bench.y
        bench.y[:] = bench.stage[STATE]
        if paths > 0:
            bench.ends[2 * paths :] = bench.gauge
            slope(t + h, bench.y, bench.p, bench.f)
            gauge(t + h, bench.y, bench.f, bench.p, bench.gauge)
            bench.ends[: 2 * paths] = bench.gauge
            for j in range(paths):
                if signs[j] * bench.gauge[j] > signs[j] * bench.best[j]:
                    bench.best[j] = bench.gauge[j]
            refine(t, h, bench)
            bench.gauge[:] = bench.ends[: 2 * paths]

    return accept
