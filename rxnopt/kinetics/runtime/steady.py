"""Steady states of stirred tanks in series.

Each tank starts at its inlet and follows its own transient by linearly implicit Euler steps that grow as the
residual falls (switched evolution relaxation, C. T. Kelley & D. E. Keyes, SIAM J. Numer. Anal. 35 (1998) 508), so
that of several steady states the one is found that a tank reaches when it starts at its inlet. Newton's method ends it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, nan, sqrt
from typing import Any, NamedTuple

import numpy as np

from rxnopt.kinetics.runtime.jit import compiled
from rxnopt.kinetics.runtime.linear import Floats, Ints, factorise, substitute
from rxnopt.kinetics.status import NOT_CONVERGED, NOT_FINITE, OK, TOO_MANY_STEPS

FIRST_MOVE = 0.1
"""Share of the scale of the states that the first step may move them."""
LARGEST_MOVE = 0.3
"""Share of the scale that any step may move a state; a longer step is tried again, shorter."""
SHRINK = 0.25
LARGEST_GROWTH = 10.0
NEWTON = 1e4
"""Growth of the step, from the first one, after which Newton's method takes over."""
CONVERGED = 1e-13
"""Relative correction of the states at which Newton's method ends."""
STALLED = 1e-8
"""Relative correction below which rounding may keep Newton's method from getting better."""
FLOOR = 1e-6
"""Share of the scale below which a state is measured against this share."""
MOST_STEPS = 500
MOST_TANKS = 10_000
NEGATIVE_SHARE = 1e-9
"""Share of the scale by which a nonnegative state may fall below zero and be set to zero."""


class Tank(NamedTuple):
    """Working memory for one tank."""

    s: Floats
    z: Floats
    p: Floats
    y: Floats
    f: Floats
    scale: Floats
    move: Floats
    trial: Floats
    jac: Floats
    lu: Floats
    rate: Floats
    order: Ints


def make_tank(states: int, constants: int) -> Callable[[], Tank]:
    """A compiled function that allocates the working memory."""

    @compiled
    def tank() -> Tank:
        return Tank(
            np.zeros(1 + states),
            np.zeros(states),
            np.zeros(constants),
            np.zeros(states),
            np.zeros(states),
            np.zeros(states),
            np.zeros(states),
            np.zeros(states),
            np.zeros((states, states)),
            np.zeros((states, states)),
            np.zeros(states),
            np.zeros(states, np.int64),
        )

    return tank


@compiled
def residual(tank: Tank) -> float:
    """Root mean square of the slopes over the scale of the states, 1/s."""
    total = 0.0
    for i in range(tank.f.shape[0]):
        total += (tank.f[i] / tank.scale[i]) ** 2
    return sqrt(total / tank.f.shape[0])


@compiled
def propose(tank: Tank, inverse_step: float) -> bool:
    """Solve ``(inverse_step I - J) move = f`` and set the trial state."""
    n = tank.y.shape[0]
    for i in range(n):
        for k in range(n):
            tank.lu[i, k] = -tank.jac[i, k]
        tank.lu[i, i] += inverse_step
        tank.move[i] = tank.f[i]
    if not factorise(tank.lu, tank.order):
        return False
    substitute(tank.lu, tank.order, tank.move)
    for i in range(n):
        if not abs(tank.move[i]) <= LARGEST_MOVE * max(tank.scale[i], abs(tank.y[i])):
            return False
        tank.trial[i] = tank.y[i] + tank.move[i]
    return True


@compiled
def correction(tank: Tank) -> float:
    """Largest relative change of a state in the last step."""
    largest = 0.0
    for i in range(tank.y.shape[0]):
        largest = max(largest, abs(tank.move[i]) / max(abs(tank.y[i]), FLOOR * tank.scale[i]))
    return largest


def make_solve(slope: Callable[..., None], jacobian: Callable[..., None]) -> Callable[[Tank], tuple[int, int]]:
    """Compiled ``solve(tank)``: from ``tank.y`` to the steady state in place; returns status and steps."""

    @compiled
    def solve(tank: Tank) -> tuple[int, int]:
        slope(0.0, tank.y, tank.p, tank.f)
        jacobian(0.0, tank.y, tank.p, tank.jac, tank.rate)
        norm = residual(tank)
        if not isfinite(norm):
            return NOT_FINITE, 0
        if norm == 0.0:
            return OK, 0
        step = first = FIRST_MOVE / norm
        previous = 1.0
        for count in range(1, MOST_STEPS + 1):
            newton = step >= NEWTON * first
            if not propose(tank, 0.0 if newton else 1.0 / step):
                step = SHRINK * min(step, NEWTON * first)
                continue
            slope(0.0, tank.trial, tank.p, tank.f)
            following = residual(tank)
            if not isfinite(following):
                step = SHRINK * min(step, NEWTON * first)
                slope(0.0, tank.y, tank.p, tank.f)
                continue
            tank.y[:] = tank.trial
            change = correction(tank)
            if newton and (change <= CONVERGED or (change <= STALLED and change > 0.5 * previous) or following == 0.0):
                return OK, count
            previous = change if newton else 1.0
            jacobian(0.0, tank.y, tank.p, tank.jac, tank.rate)
            growth = min(norm / following, LARGEST_GROWTH) if following > 0.0 else LARGEST_GROWTH
            if not (newton and change < LARGEST_MOVE * FIRST_MOVE):
                step *= growth
            norm = following
        return NOT_CONVERGED, MOST_STEPS

    return solve


def make_cascade(
    prepare: Callable[..., None], solve: Callable[[Tank], tuple[int, int]], nonnegative: Ints
) -> Callable[[Tank, Floats], tuple[int, int]]:
    """Compiled ``cascade(tank, u)``: tank after tank, each fed by the one before; returns status and steps."""
    states = len(nonnegative)

    @compiled
    def settle(tank: Tank) -> int:
        for i in range(states):
            if nonnegative[i] and tank.y[i] < 0.0:
                if tank.y[i] < -NEGATIVE_SHARE * tank.scale[i]:
                    return NOT_CONVERGED
                tank.y[i] = 0.0
        return OK

    @compiled
    def cascade(tank: Tank, u: Floats) -> tuple[int, int]:
        steps = 0
        tanks = tank.s[0]
        if tanks > MOST_TANKS:
            return TOO_MANY_STEPS, 0
        tank.y[:] = tank.s[1:]
        for _ in range(max(1, int(np.floor(tanks + 0.5)))):
            tank.z[:] = tank.y
            prepare(u, tank.z, tank.p)
            code, count = solve(tank)
            steps += count
            code = settle(tank) if code == OK else code
            if code != OK:
                return code, steps
        return OK, steps

    return cascade


def make_batch(
    begin: Callable[..., None],
    prepare: Callable[..., None],
    slope: Callable[..., None],
    jacobian: Callable[..., None],
    finish: Callable[..., None],
    *,
    nonnegative: tuple[int, ...],
    constants: int,
) -> Callable[..., Any]:
    """Compiled ``batch(inputs, outputs, status, steps, stiff, rtol)``; outputs must be filled with nan."""
    states = len(nonnegative)
    flags = np.array(nonnegative)
    allocate, start = make_tank(states, constants), make_start(begin, flags)
    cascade = make_cascade(prepare, make_solve(slope, jacobian), flags)

    @compiled
    def batch(inputs, outputs, status, steps, stiff, rtol):  # type: ignore[no-untyped-def]
        tank, none = allocate(), np.zeros(0)
        for i in range(inputs.shape[0]):
            u, out = inputs[i], outputs[i]
            status[i] = start(tank, u)
            if status[i] == OK:
                status[i], steps[i] = cascade(tank, u)
            if status[i] != OK:
                continue
            finish(u, tank.y, none, out)
            for value in out:
                if not isfinite(value):
                    status[i] = NOT_FINITE
            if status[i] != OK:
                out[:] = nan

    return batch


def make_start(begin: Callable[..., None], nonnegative: Ints) -> Callable[[Tank, Floats], int]:
    """Compiled ``start(tank, u)``: number of tanks, inlet of the first one and the scale of the states."""
    states = len(nonnegative)

    @compiled
    def start(tank: Tank, u: Floats) -> int:
        for value in u:
            if not isfinite(value):
                return NOT_FINITE
        begin(u, tank.s)
        for value in tank.s:
            if not isfinite(value):
                return NOT_FINITE
        largest = [0.0, 0.0]
        for i in range(states):
            largest[nonnegative[i]] = max(largest[nonnegative[i]], abs(tank.s[1 + i]))
        for i in range(states):
            kind = largest[nonnegative[i]]
            kind = kind if kind > 0.0 else max(largest[0], largest[1])
            tank.scale[i] = kind if kind > 0.0 else 1.0
        return OK

    return start
