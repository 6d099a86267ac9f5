"""The largest value of a path inside a step, where its rate changes sign.

Hermite's cubic through value and rate at both ends gives a first place; there the system is integrated anew from
the start of the step, and the cubic is drawn once more on the part that holds the extreme. Near an extreme the
value depends on the square of the error of its place, so the value is as accurate as the integration.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

from rxnopt.kinetics.layout import Layout
from rxnopt.kinetics.runtime.jit import compiled
from rxnopt.kinetics.runtime.leaves import Leaves
from rxnopt.kinetics.runtime.linear import Floats
from rxnopt.kinetics.runtime.rosenbrock import SLOPE, STATE

PLACES = 3
"""Points inside the step at which the system is integrated anew."""
NOISE = 1e-11
"""A step over which a path could change by less than this share of its extreme is not searched."""
EDGE = 1e-9
"""How close to the ends of a part its extreme may lie, as a share."""

Refine = Callable[[float, float, Floats], None]
Step = Callable[[float, int, float, Floats], bool]


@compiled
def peak(width: float, v0: float, d0: float, v1: float, d1: float) -> tuple[float, float]:
    """Place in (0, 1) and value of the maximum of Hermite's cubic, for rates d0 > 0 > d1."""
    m0, m1 = width * d0, width * d1
    a = 3.0 * (m0 + m1 - 2.0 * (v1 - v0))
    b = 2.0 * (3.0 * (v1 - v0) - 2.0 * m0 - m1)
    place = 2.0 * m0 / (sqrt(max(b * b - 4.0 * a * m0, 0.0)) - b)
    place = min(max(place, EDGE), 1.0 - EDGE)
    return place, v0 + place * (m0 + place * (b / 2.0 + place * a / 3.0))


def make_search(leaves: Leaves, layout: Layout, step: Step) -> Callable[[float, float, Floats, int, float], float]:
    """Compiled ``search(t, h, w, j, sign)``: largest value so far of path j times its sign."""
    slope, gauge, paths, b = leaves.slope, leaves.gauge, layout.paths, layout.bench
    state, f = b.stage + STATE * layout.kept, b.stage + SLOPE * layout.kept
    best_at, ends, gauge_at, before = b.best, b.ends, b.gauge, b.y_before

    @compiled
    def search(t: float, h: float, w: Floats, j: int, sign: float) -> float:
        best, low, high = float(sign * w[best_at + j]), 0.0, 1.0
        v1, d1 = float(sign * w[ends + j]), float(sign * w[ends + paths + j])
        v0, d0 = float(sign * w[ends + 2 * paths + j]), float(sign * w[ends + 3 * paths + j])
        reach = h * max(d0, -d1)
        if not (d0 > 0.0 and d1 < 0.0) or max(v0, v1) + reach <= best or reach <= NOISE * abs(best):
            return best
        for _ in range(PLACES):
            place, value = peak((high - low) * h, v0, d0, v1, d1)
            here = low + place * (high - low)
            if not step(t, before, here * h, w):
                return max(best, value)
            slope(t + here * h, state, f, w)
            gauge(t + here * h, state, f, w)
            v, d = float(sign * w[gauge_at + j]), float(sign * w[gauge_at + paths + j])
            best = max(best, v)
            if d > 0.0:
                low, v0, d0 = here, v, d
            elif d < 0.0:
                high, v1, d1 = here, v, d
            else:
                return best
        return max(best, peak((high - low) * h, v0, d0, v1, d1)[1])

    return search


def make_refine(leaves: Leaves, layout: Layout, step: Step, signs: tuple[int, ...]) -> Refine:
    """Compiled ``refine(t, h, w)``: take the extremes inside the step from ``t`` into the best values."""
    search, jacobian = make_search(leaves, layout, step), leaves.jacobian
    best_at, before = layout.bench.best, layout.bench.y_before

    @compiled
    def refine(t: float, h: float, w: Floats) -> None:
        jacobian(t, before, w)
        for j, sign in enumerate(signs):
            if sign != 0:
                w[best_at + j] = sign * search(t, h, w, j, float(sign))

    @compiled
    def nothing(t: float, h: float, w: Floats) -> None:
        pass

    return refine if any(signs) else nothing
