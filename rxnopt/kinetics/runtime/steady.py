"""Steady states of stirred tanks in series.

Newton's method finds the state of a tank. If it finds none, or one that is unphysical or unstable, the tank is followed
in time by the implicit method until nothing moves.
"""

from __future__ import annotations

from typing import Any

from rxnopt.kinetics.runtime.jit import compiled, finite
from rxnopt.kinetics.runtime.leaves import Floats, Table, begin, jacobian, pointer, prepare, shifted, slope
from rxnopt.kinetics.runtime.rosenbrock import STAGES, STATE, step
from rxnopt.kinetics.runtime.segments import outputs_of
from rxnopt.kinetics.runtime.table import ATOL, FULL, INPUTS, KINDS, OUTPUTS, STAGE, F, N, S, V, Y
from rxnopt.kinetics.runtime.tank import FIRST_MOVE, TINY, physical, residual, solve, stable
from rxnopt.kinetics.status import NOT_CONVERGED, NOT_FINITE, OK, TOO_MANY_STEPS

MOST_TANKS = 10_000
MOST_STEPS = 2_000
"""Steps in time before a tank counts as one that does not settle."""
TOLERANCE = 1e-6
"""Error of a step in time, as a share of the scale of the states."""
SETTLED = 1e-3
"""A tank has settled when it would move by less than this share of the scale in as long as it took so far."""
CLOSER = 0.1
"""By which the share falls where Newton's method finds another state than the one that the tank is near to."""
NEAR = 0.1
"""Share of the scale within which Newton's method must find the state."""
SMALLEST_FACTOR, LARGEST_FACTOR, SAFETY, EXPONENT = 0.2, 6.0, 0.9, 0.2


@compiled
def error(w: Floats, q: Table) -> float:
    """Largest error of a step in time over its tolerance."""
    n, largest = q[N], 0.0
    for k in range(n):
        size = max(w[q[ATOL] + k], abs(w[q[Y] + k]))
        largest = max(largest, abs(w[q[STAGE] + (STAGES - 1) * n + k]) / (TOLERANCE * size))
        if not finite(w[q[STAGE] + STATE * n + k]):
            return 1.0 / TINY
    return largest


@compiled
def polish(w: Floats, q: Table) -> tuple[int, int]:
    """Newton's method from where the tank has settled; RUNNING (-1) and the state as it was if it leads elsewhere."""
    n, y, kept = q[N], q[Y], q[FULL]
    for k in range(n):
        w[kept + k] = w[y + k]
    code, count = solve(w, q)
    near = code == OK
    for k in range(n):
        size = max(w[q[ATOL] + k], abs(w[kept + k]))
        near = near and abs(w[y + k] - w[kept + k]) <= NEAR * size
    if near and not physical(w, q):
        return NOT_CONVERGED, count
    if near and stable(w, q):
        return OK, count
    for k in range(n):
        w[y + k] = w[kept + k]
    return -1, count


@compiled
def follow(w: Floats, q: Table) -> tuple[int, int]:
    """From the state of a tank in time to where nothing moves; returns status and steps."""
    n, y, state = q[N], q[Y], q[STAGE] + STATE * q[N]
    slope(0.0, y, q[F], w, q)
    t, share, total = 0.0, SETTLED, 0
    h = FIRST_MOVE / max(residual(w, q), TINY)
    jacobian(0.0, y, w, q)
    for _ in range(MOST_STEPS):
        total += 1
        wrong = error(w, q) if step(0.0, y, h, w, q) else 1.0 / TINY
        if wrong <= 1.0:
            for k in range(n):
                w[y + k] = w[state + k]
            t += h
            slope(0.0, y, q[F], w, q)
            norm = residual(w, q)
            if not finite(norm * t):
                return NOT_FINITE, total
            if norm * t <= share:
                code, count = polish(w, q)
                total += count
                if code >= 0:
                    return code, total
                share *= CLOSER
            jacobian(0.0, y, w, q)
        factor = SAFETY * wrong**-EXPONENT if wrong > TINY else LARGEST_FACTOR
        h *= min(max(factor, SMALLEST_FACTOR), LARGEST_FACTOR)
    return NOT_CONVERGED, total


@compiled
def cascade(u: Floats, w: Floats, q: Table) -> tuple[int, int, bool]:
    """Tank after tank, each fed by the one before; returns status, steps and whether one was followed in time."""
    n, s, v, y = q[N], q[S], q[V], q[Y]
    steps, followed, code = 0, False, OK
    if w[s] > MOST_TANKS:
        return TOO_MANY_STEPS, 0, False
    for j in range(n):
        w[y + j] = w[s + 1 + j]
    for _ in range(max(1, int(w[s] + 0.5))):
        for j in range(n):
            w[v + j] = w[y + j]
        prepare(u, w, q)
        code, count = solve(w, q)
        steps += count
        if code != OK or not physical(w, q) or not stable(w, q):
            followed = True
            for j in range(n):
                w[y + j] = w[v + j]
            code, count = follow(w, q)
            steps += count
        if code != OK:
            break
    return code, steps, followed


@compiled
def start(u: Floats, w: Floats, q: Table) -> int:
    """Number of tanks, inlet of the first one and the scale of the states.

    The scale of a state is the largest inlet among the states of its kind (nonnegative or not).
    """
    s, n, kinds = q[S], q[N], q[KINDS]
    for j in range(q[INPUTS]):
        if not finite(u[j]):
            return NOT_FINITE
    begin(u, w, q)
    loose, positive = 0.0, 0.0
    for j in range(n):
        size = abs(w[s + 1 + j])
        if q[kinds + j]:
            positive = max(positive, size)
        else:
            loose = max(loose, size)
    for j in range(n):
        kind = positive if q[kinds + j] else loose
        kind = kind if kind > 0.0 else max(positive, loose)
        w[q[ATOL] + j] = kind if kind > 0.0 else 1.0
        if not finite(w[s + 1 + j]):
            return NOT_FINITE
    return OK if finite(w[s]) else NOT_FINITE


@compiled
def run(
    inputs: Floats, outputs: Floats, status: Any, steps: Any, stiff: Any, memory: Floats, _rtol: float, table: Table
) -> None:
    """Run a batch. ``memory``: zeros; ``outputs``: filled with nan; ``stiff``: followed in time."""
    w, q = pointer(memory), pointer(table)
    for i in range(inputs.shape[0]):
        u, out = shifted(pointer(inputs), i * q[INPUTS]), shifted(pointer(outputs), i * q[OUTPUTS])
        code = start(u, w, q)
        if code == OK:
            code, steps[i], stiff[i] = cascade(u, w, q)
        status[i] = outputs_of(u, w, out, q) if code == OK else code
