"""Where the margin of a run falls below zero inside a step, which ends the run.

As with extremes, Hermite's cubic gives a place, the system is integrated to it from the start of the step, and the
cubic is drawn once more on the part that holds the fall. Its error is of order four and one end of the part lies closer
each time, so a few places are enough. The run is then taken back to the start of the step and integrated to the time
that was found, so that the state at the end and the extremes on the way are as accurate as any.
"""

from __future__ import annotations

from rxnopt.kinetics.runtime.extremes import EDGE, look, peak
from rxnopt.kinetics.runtime.jit import compiled
from rxnopt.kinetics.runtime.leaves import Floats, Table, jacobian
from rxnopt.kinetics.runtime.table import BEST, BEST_BEFORE, ENDS, GAUGE, PATHS, Y_BEFORE, N, Y

PLACES = 20
"""Points inside the step at which the system is integrated anew, at most."""
ROOT = 1e-11
"""Share of the step to which the time of the fall is found."""
HALVINGS = 60
"""Of a part, to find where its cubic is zero: more would be lost in rounding."""


@compiled
def fall(width: float, v0: float, d0: float, v1: float, d1: float) -> float:
    """Place in (0, 1) where Hermite's cubic falls through zero, for values v0 >= 0 > v1."""
    m0, m1, low, high = width * d0, width * d1, 0.0, 1.0
    c, e = 3.0 * (v1 - v0) - 2.0 * m0 - m1, m0 + m1 - 2.0 * (v1 - v0)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if v0 + middle * (m0 + middle * (c + middle * e)) >= 0.0:
            low = middle
        else:
            high = middle
    return min(max(0.5 * (low + high), EDGE), 1.0 - EDGE)


@compiled
def may_fall(width: float, v0: float, d0: float, v1: float, d1: float) -> bool:
    """True where a margin with these values and rates at both ends falls, or dips as far as its rates allow."""
    return v0 >= 0.0 and (v1 < 0.0 or (d0 < 0.0 and d1 > 0.0 and min(v0, v1) < width * max(-d0, d1)))


@compiled
def cross(t: float, h: float, w: Floats, q: Table) -> float:
    """Time at which the margin fell in the step from ``t``, or ``t + h``."""
    paths = q[PATHS]
    ends, value = q[ENDS] + paths - 1, q[GAUGE] + paths - 1
    low, high, width = 0.0, 1.0, h
    v0, d0, v1, d1 = w[ends + 2 * paths], w[ends + 3 * paths], w[ends], w[ends + paths]
    if may_fall(width, v0, d0, v1, d1):
        jacobian(t, q[Y_BEFORE], w, q)
    for _ in range(PLACES):
        if not may_fall(width, v0, d0, v1, d1):
            break
        found = v1 < 0.0
        place = fall(width, v0, d0, v1, d1) if found else peak(width, -v0, -d0, -v1, -d1)[0]
        here = low + place * (high - low)
        if not look(t, here * h, w, q):
            break
        v, d = w[value], w[value + paths]
        if v < 0.0 or (not found and d > 0.0):
            high, v1, d1 = here, v, d
        else:
            low, v0, d0 = here, v, d
        if found and abs(v) <= ROOT * h * abs(d):
            return t + here * h
        width = (high - low) * h
    return t + high * h if v1 < 0.0 else t + h


@compiled
def rewind(w: Floats, q: Table) -> None:
    """Back to the start of the last step."""
    for k in range(q[N]):
        w[q[Y] + k] = w[q[Y_BEFORE] + k]
    for j in range(q[PATHS]):
        w[q[BEST] + j] = w[q[BEST_BEFORE] + j]
    for j in range(2 * q[PATHS]):
        w[q[GAUGE] + j] = w[q[ENDS] + 2 * q[PATHS] + j]
