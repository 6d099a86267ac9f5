"""Steady states of stirred tanks in series.

Each tank starts at its inlet and follows its own transient by linearly implicit Euler steps that grow as the
residual falls (switched evolution relaxation, C. T. Kelley & D. E. Keyes, SIAM J. Numer. Anal. 35 (1998) 508), so
that of several steady states the one is found that a tank reaches when it starts at its inlet. Newton's method ends it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan, sqrt
from typing import Any

import numpy as np

from rxnopt.kinetics.layout import Layout
from rxnopt.kinetics.runtime.jit import compiled, finite
from rxnopt.kinetics.runtime.linear import Floats, factorise, substitute
from rxnopt.kinetics.status import NOT_CONVERGED, NOT_FINITE, OK, TOO_MANY_STEPS

FIRST_MOVE = 0.1
"""Share of the scale of the states that the first step may move them."""
LARGEST_MOVE = 0.3
"""Share of the scale that any step may move a state; a longer step is tried again, shorter."""
SHRINK = 0.25
LARGEST_GROWTH = 10.0
LEAST_GROWTH = 2.0
"""Growth of the step where the residual does not rise, although it may be all rounding."""
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
TINY = 1e-300
"""Keeps a division by a residual of zero finite."""


@compiled
def _propose(w: Floats, y: int, lu: int, order: int, move: int, trial: int, scale: int, n: int) -> bool:
    """Solve the prepared equations for the move and set the trial state; False if the move is too long."""
    if not factorise(w, lu, order, n):
        return False
    substitute(w, lu, order, move, n)
    for i in range(n):
        if not abs(w[move + i]) <= LARGEST_MOVE * max(w[scale + i], abs(w[y + i])):
            return False
        w[trial + i] = w[y + i] + w[move + i]
    return True


def make_propose(layout: Layout) -> Callable[[float, Floats], bool]:
    """Compiled ``propose(inverse_step, w)``: a trial state by ``(inverse_step I - J) move = f``."""
    b, n = layout.bench, layout.states
    y, f, jac, lu, move = b.y, b.f, b.jac, b.lu, b.f_before
    order, trial, scale = b.order, b.y_before, b.atol

    @compiled
    def propose(inverse_step: float, w: Floats) -> bool:
        for i in range(n * n):
            w[lu + i] = -w[jac + i]
        for i in range(n):
            w[lu + i * n + i] += inverse_step
            w[move + i] = w[f + i]
        return _propose(w, y, lu, order, move, trial, scale, n)

    return propose


@compiled
def residual(w: Floats, f: int, scale: int, n: int) -> float:
    """Root mean square of the slopes over the scale of the states, 1/s."""
    total = 0.0
    for i in range(n):
        total += (w[f + i] / w[scale + i]) ** 2
    return sqrt(total / n)


@compiled
def correction(w: Floats, y: int, move: int, scale: int, n: int) -> float:
    """Largest relative change of a state in the last step."""
    largest = 0.0
    for i in range(n):
        largest = max(largest, abs(w[move + i]) / max(abs(w[y + i]), FLOOR * w[scale + i]))
    return largest


def make_solve(
    slope: Callable[..., None], jacobian: Callable[..., None], layout: Layout
) -> Callable[[Floats], tuple[int, int]]:
    """Compiled ``solve(w)``: from the state of a tank to its steady state, in place; returns status and steps."""
    b, n, propose = layout.bench, layout.states, make_propose(layout)
    y, f, trial, move, scale = b.y, b.f, b.y_before, b.f_before, b.atol

    @compiled
    def solve(w: Floats) -> tuple[int, int]:
        slope(0.0, y, f, w)
        norm, previous = residual(w, f, scale, n), 1.0
        if not finite(norm):
            return NOT_FINITE, 0
        step = first = FIRST_MOVE / max(norm, TINY)
        jacobian(0.0, y, w)
        for count in range(1, MOST_STEPS + 1):
            newton = step >= NEWTON * first
            following = inf
            if propose(0.0 if newton else 1.0 / step, w):
                slope(0.0, trial, f, w)
                following = residual(w, f, scale, n)
            if not finite(following):
                slope(0.0, y, f, w)
                step = SHRINK * min(step, NEWTON * first)
                continue
            for i in range(n):
                w[y + i] = w[trial + i]
            change = correction(w, y, move, scale, n)
            if newton and (change <= CONVERGED or (change <= STALLED and change > 0.5 * previous)):
                return OK, count
            previous = change if newton else 1.0
            jacobian(0.0, y, w)
            growth = LARGEST_GROWTH if newton else min(norm / max(following, TINY), LARGEST_GROWTH)
            step *= max(growth, LEAST_GROWTH) if following <= norm else max(growth, SHRINK)
            norm = following
        return NOT_CONVERGED, MOST_STEPS

    return solve


def make_cascade(
    prepare: Callable[..., None],
    solve: Callable[[Floats], tuple[int, int]],
    layout: Layout,
    nonnegative: tuple[bool, ...],
) -> Callable[[Floats, int, Floats], tuple[int, int]]:
    """Compiled ``cascade(u, i, w)``: tank after tank, each fed by the one before; returns status and steps."""
    b, n, kinds = layout.bench, layout.states, np.array(nonnegative)
    s, v, y, scale = b.s, b.v, b.y, b.atol

    @compiled
    def settle(w: Floats) -> int:
        for j in range(n):
            if kinds[j] and w[y + j] < 0.0:
                if w[y + j] < -NEGATIVE_SHARE * w[scale + j]:
                    return NOT_CONVERGED
                w[y + j] = 0.0
        return OK

    @compiled
    def cascade(u: Floats, i: int, w: Floats) -> tuple[int, int]:
        steps, code = 0, OK
        if w[s] > MOST_TANKS:
            return TOO_MANY_STEPS, 0
        for j in range(n):
            w[y + j] = w[s + 1 + j]
        for _ in range(max(1, int(w[s] + 0.5))):
            for j in range(n):
                w[v + j] = w[y + j]
            prepare(u, i, w)
            code, count = solve(w)
            steps += count
            code = settle(w) if code == OK else code
            if code != OK:
                break
        return code, steps

    return cascade


def make_start(
    begin: Callable[..., None], layout: Layout, nonnegative: tuple[bool, ...]
) -> Callable[[Floats, int, Floats], int]:
    """Compiled ``start(u, i, w)``: number of tanks, inlet of the first one and the scale of the states.

    The scale of a state is the largest inlet among the states of its kind (nonnegative or not).
    """
    s, scale, n, kinds = layout.bench.s, layout.bench.atol, layout.states, np.array(nonnegative)

    @compiled
    def start(u: Floats, i: int, w: Floats) -> int:
        for j in range(u.shape[1]):
            if not finite(u[i, j]):
                return NOT_FINITE
        begin(u, i, w)
        loose, positive = 0.0, 0.0
        for j in range(n):
            size = abs(w[s + 1 + j])
            if kinds[j]:
                positive = max(positive, size)
            else:
                loose = max(loose, size)
        for j in range(n):
            kind = positive if kinds[j] else loose
            kind = kind if kind > 0.0 else max(positive, loose)
            w[scale + j] = kind if kind > 0.0 else 1.0
            if not finite(w[s + 1 + j]):
                return NOT_FINITE
        return OK if finite(w[s]) else NOT_FINITE

    return start


def make_batch(
    begin: Callable[..., None],
    prepare: Callable[..., None],
    slope: Callable[..., None],
    jacobian: Callable[..., None],
    finish: Callable[..., None],
    layout: Layout,
    *,
    nonnegative: tuple[bool, ...],
) -> Callable[..., None]:
    """Compiled ``batch(inputs, outputs, status, steps, stiff, w, rtol)``.

    ``w``: working memory, zeros; ``outputs``: filled with nan; ``stiff`` and ``rtol`` have no meaning here.
    """
    start = make_start(begin, layout, nonnegative)
    cascade = make_cascade(prepare, make_solve(slope, jacobian, layout), layout, nonnegative)

    @compiled
    def batch(inputs: Floats, outputs: Floats, status: Any, steps: Any, _stiff: Any, w: Floats, _rtol: float) -> None:
        for i in range(inputs.shape[0]):
            code = start(inputs, i, w)
            if code == OK:
                code, steps[i] = cascade(inputs, i, w)
            if code == OK:
                finish(inputs, i, w, outputs)
                for j in range(outputs.shape[1]):
                    code = code if finite(outputs[i, j]) else NOT_FINITE
                if code != OK:
                    for j in range(outputs.shape[1]):
                        outputs[i, j] = nan
            status[i] = code

    return batch
