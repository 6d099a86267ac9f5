"""Where the margin of a run falls below zero inside a step, which ends the run.

As with extremes, Hermite's cubic gives a place, the system is integrated to it from the start of the step, and the
cubic is drawn once more on the part that holds the fall. Its error is of order four and one end of the part lies closer
each time, so a few places are enough. The run is then taken back to the start of the step and integrated to the time
that was found, so that the state at the end and the extremes on the way are as accurate as any.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rxnopt.kinetics.layout import Layout
from rxnopt.kinetics.runtime.extremes import EDGE, Step, peak
from rxnopt.kinetics.runtime.jit import compiled
from rxnopt.kinetics.runtime.leaves import Leaves
from rxnopt.kinetics.runtime.linear import Floats
from rxnopt.kinetics.runtime.rosenbrock import SLOPE, STATE

PLACES = 20
"""Points inside the step at which the system is integrated anew, at most."""
ROOT = 1e-11
"""Share of the step to which the time of the fall is found."""
HALVINGS = 60
"""Of a part, to find where its cubic is zero: more would be lost in rounding."""


class Events(NamedTuple):
    """Compiled functions around the end of a run by its margin."""

    cross: Callable[[float, float, Floats], float]
    """``cross(t, h, w)``: time at which the margin fell in the step from ``t``, or ``t + h``."""
    rewind: Callable[[Floats], None]
    """``rewind(w)``: back to the start of the last step."""


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


def make_cross(leaves: Leaves, layout: Layout, step: Step) -> Callable[[float, float, Floats], float]:
    """See :class:`Events`."""
    slope, gauge, jacobian, b, last = leaves.slope, leaves.gauge, leaves.jacobian, layout.bench, layout.paths - 1
    state, f, before = b.stage + STATE * layout.kept, b.stage + SLOPE * layout.kept, b.y_before
    value, rate = b.gauge + last, b.gauge + layout.paths + last
    v_end, d_end = b.ends + last, b.ends + layout.paths + last
    v_start, d_start = v_end + 2 * layout.paths, d_end + 2 * layout.paths

    @compiled
    def cross(t: float, h: float, w: Floats) -> float:
        low, high, width = 0.0, 1.0, h
        v0, d0, v1, d1 = float(w[v_start]), float(w[d_start]), float(w[v_end]), float(w[d_end])
        if may_fall(width, v0, d0, v1, d1):
            jacobian(t, before, w)
        for _ in range(PLACES):
            if not may_fall(width, v0, d0, v1, d1):
                break
            found = v1 < 0.0
            place = fall(width, v0, d0, v1, d1) if found else peak(width, -v0, -d0, -v1, -d1)[0]
            here = low + place * (high - low)
            if not step(t, before, here * h, w):
                break
            slope(t + here * h, state, f, w)
            gauge(t + here * h, state, f, w)
            v, d = float(w[value]), float(w[rate])
            if v < 0.0 or (not found and d > 0.0):
                high, v1, d1 = here, v, d
            else:
                low, v0, d0 = here, v, d
            if found and abs(v) <= ROOT * h * abs(d):
                return t + here * h
            width = (high - low) * h
        return t + high * h if v1 < 0.0 else t + h

    return cross


def make_rewind(layout: Layout) -> Callable[[Floats], None]:
    """See :class:`Events`."""
    n, m, b = layout.kept, layout.paths, layout.bench
    y, before, best, best_before, gauge, ends = b.y, b.y_before, b.best, b.best_before, b.gauge, b.ends

    @compiled
    def rewind(w: Floats) -> None:
        for k in range(n):
            w[y + k] = w[before + k]
        for j in range(m):
            w[best + j] = w[best_before + j]
        for j in range(2 * m):
            w[gauge + j] = w[ends + 2 * m + j]

    return rewind


@compiled
def _never(t: float, h: float, _w: Floats) -> float:
    return t + h


@compiled
def _stay(_w: Floats) -> None:
    pass


_NO_EVENTS = Events(_never, _stay)


def make_events(leaves: Leaves, layout: Layout, step: Step, signs: tuple[int, ...]) -> Events:
    """The functions of one reaction; they do nothing without a margin (sign 0)."""
    return Events(make_cross(leaves, layout, step), make_rewind(layout)) if 0 in signs else _NO_EVENTS
