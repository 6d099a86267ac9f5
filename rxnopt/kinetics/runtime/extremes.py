"""The largest value of a path inside a step, where its rate changes sign.

Hermite's cubic through value and rate at both ends gives a first place; there the system is integrated anew from
the start of the step, and the cubic is drawn once more on the part that holds the extreme. Near an extreme the
value depends on the square of the error of its place, so the value is as accurate as the integration.
"""

from __future__ import annotations

from math import sqrt

from rxnopt.kinetics.runtime.jit import compiled
from rxnopt.kinetics.runtime.leaves import Floats, Table, gauge, jacobian, slope
from rxnopt.kinetics.runtime.rosenbrock import SLOPE, STATE, step
from rxnopt.kinetics.runtime.table import BEST, ENDS, GAUGE, PATHS, SIGNS, STAGE, Y_BEFORE, N

PLACES = 3
"""Points inside the step at which the system is integrated anew."""
NOISE = 1e-11
"""A step over which a path could change by less than this share of its extreme is not searched."""
EDGE = 1e-9
"""How close to the ends of a part its extreme may lie, as a share."""


@compiled
def peak(width: float, v0: float, d0: float, v1: float, d1: float) -> tuple[float, float]:
    """Place in (0, 1) and value of the maximum of Hermite's cubic, for rates d0 > 0 > d1."""
    m0, m1 = width * d0, width * d1
    a = 3.0 * (m0 + m1 - 2.0 * (v1 - v0))
    b = 2.0 * (3.0 * (v1 - v0) - 2.0 * m0 - m1)
    place = 2.0 * m0 / (sqrt(max(b * b - 4.0 * a * m0, 0.0)) - b)
    place = min(max(place, EDGE), 1.0 - EDGE)
    return place, v0 + place * (m0 + place * (b / 2.0 + place * a / 3.0))


@compiled
def look(t: float, h: float, w: Floats, q: Table) -> bool:
    """Paths of the state after a step from the state before the last one; False if it cannot be made."""
    state, f = q[STAGE] + STATE * q[N], q[STAGE] + SLOPE * q[N]
    if not step(t, q[Y_BEFORE], h, w, q):
        return False
    slope(t + h, state, f, w, q)
    gauge(t + h, state, f, w, q)
    return True


@compiled
def search(t: float, h: float, w: Floats, j: int, sign: float, q: Table) -> float:
    """Largest value so far of path j times its sign, the step from ``t`` included."""
    best, low, high, paths, ends = float(sign * w[q[BEST] + j]), 0.0, 1.0, q[PATHS], q[ENDS]
    v1, d1 = float(sign * w[ends + j]), float(sign * w[ends + paths + j])
    v0, d0 = float(sign * w[ends + 2 * paths + j]), float(sign * w[ends + 3 * paths + j])
    reach = h * max(d0, -d1)
    if not (d0 > 0.0 and d1 < 0.0) or max(v0, v1) + reach <= best or reach <= NOISE * abs(best):
        return best
    for _ in range(PLACES):
        place, value = peak((high - low) * h, v0, d0, v1, d1)
        here = low + place * (high - low)
        if not look(t, here * h, w, q):
            return max(best, value)
        v, d = float(sign * w[q[GAUGE] + j]), float(sign * w[q[GAUGE] + paths + j])
        best = max(best, v)
        if d > 0.0:
            low, v0, d0 = here, v, d
        elif d < 0.0:
            high, v1, d1 = here, v, d
        else:
            return best
    return max(best, peak((high - low) * h, v0, d0, v1, d1)[1])


@compiled
def refine(t: float, h: float, w: Floats, q: Table) -> None:
    """Take the extremes inside the step from ``t`` into the best values."""
    jacobian(t, q[Y_BEFORE], w, q)
    for j in range(q[PATHS]):
        sign = float(q[q[SIGNS] + j])
        if sign != 0.0:
            w[q[BEST] + j] = sign * search(t, h, w, j, sign, q)
