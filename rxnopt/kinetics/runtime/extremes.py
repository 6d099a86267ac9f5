"""The largest value of a path inside a step, where its rate changes sign.

Hermite's cubic through value and rate at both ends gives a first place; there the system is integrated anew from
the start of the step, and the cubic is drawn once more on the part that holds the extreme. Near an extreme the
value depends on the square of the error of its place, so the value is as accurate as the integration.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

from rxnopt.kinetics.runtime.bench import Bench, Leaves
from rxnopt.kinetics.runtime.jit import compiled
from rxnopt.kinetics.runtime.linear import Ints
from rxnopt.kinetics.runtime.rosenbrock import SLOPE, STATE

PLACES = 3
"""Points inside the step at which the system is integrated anew."""
NOISE = 1e-11
"""A step over which a path could change by less than this share of its extreme is not searched."""


@compiled
def peak(width: float, v0: float, d0: float, v1: float, d1: float) -> tuple[float, float]:
    """Place in (0, 1) and value of the maximum of Hermite's cubic, for rates d0 > 0 > d1."""
    m0, m1 = width * d0, width * d1
    a = 3.0 * (m0 + m1 - 2.0 * (v1 - v0))
    b = 2.0 * (3.0 * (v1 - v0) - 2.0 * m0 - m1)
    place = 2.0 * m0 / (sqrt(max(b * b - 4.0 * a * m0, 0.0)) - b)
    place = min(max(place, 1e-9), 1.0 - 1e-9)
    return place, v0 + place * (m0 + place * (b / 2.0 + place * a / 3.0))


def make_refine(
    leaves: Leaves, step: Callable[..., bool], signs: Ints
) -> Callable[[float, float, Bench], None]:
    """Compiled ``refine(t, h, bench)``: update ``bench.best`` with the extremes inside the step from ``t``."""
    slope, gauge, jacobian, paths = leaves.slope, leaves.gauge, leaves.jacobian, len(signs)

    if paths == 0:

        @compiled
        def nothing(t: float, h: float, bench: Bench) -> None:
            pass

        return nothing

    @compiled
    def search(t: float, h: float, bench: Bench, j: int, sign: float) -> float:
        v1, d1 = sign * bench.ends[j], sign * bench.ends[paths + j]
        v0, d0 = sign * bench.ends[2 * paths + j], sign * bench.ends[3 * paths + j]
        best, low, high = sign * bench.best[j], 0.0, 1.0
        reach = h * max(d0, -d1)
        if not (d0 > 0.0 and d1 < 0.0) or max(v0, v1) + reach <= best or reach <= NOISE * abs(best):
            return best
        for _ in range(PLACES):
            place, value = peak((high - low) * h, v0, d0, v1, d1)
            here = low + place * (high - low)
            if not step(t, bench.y_before, bench.p, here * h, bench):
                return max(best, value)
            slope(t + here * h, bench.stage[STATE], bench.p, bench.stage[SLOPE])
            gauge(t + here * h, bench.stage[STATE], bench.stage[SLOPE], bench.p, bench.gauge)
            v, d = sign * bench.gauge[j], sign * bench.gauge[paths + j]
            best = max(best, v)
            if d > 0.0:
                low, v0, d0 = here, v, d
            elif d < 0.0:
                high, v1, d1 = here, v, d
            else:
                return best
        return max(best, peak((high - low) * h, v0, d0, v1, d1)[1])

    @compiled
    def refine(t: float, h: float, bench: Bench) -> None:
        jacobian(t, bench.y_before, bench.p, bench.jac, bench.rate)
        for j in range(paths):
            sign = float(signs[j])
            bench.best[j] = sign * search(t, h, bench, j, sign)

    return refine
