"""The steady state of one stirred tank by Newton's method, and whether it is one that the tank can be in.

The tank starts at its inlet and follows its own transient by linearly implicit Euler steps that grow as the
residual falls (switched evolution relaxation, C. T. Kelley & D. E. Keyes, SIAM J. Numer. Anal. 35 (1998) 508), so
that of several steady states the one is found that a tank reaches when it starts at its inlet. Newton's method ends it.
"""

from __future__ import annotations

from math import exp, inf, log, sqrt

from rxnopt.kinetics.runtime.jit import compiled, finite
from rxnopt.kinetics.runtime.leaves import Floats, Table, jacobian, slope
from rxnopt.kinetics.runtime.linear import factorise, substitute
from rxnopt.kinetics.runtime.table import ATOL, F_BEFORE, JAC, KINDS, LU, ORDER, WORK, Y_BEFORE, F, N, Y
from rxnopt.kinetics.status import NOT_CONVERGED, NOT_FINITE, OK

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
NEGATIVE_SHARE = 1e-9
"""Share of the scale by which a nonnegative state may fall below zero and be set to zero."""
TINY = 1e-300
"""Keeps a division by a residual of zero finite."""


SQUARINGS, UNBOUNDED = 60, 1e100
"""When powers of a matrix are given up, and from where on they count as growing."""


@compiled
def propose(inverse_step: float, w: Floats, q: Table) -> bool:
    """A trial state by ``(inverse_step I - J) move = f``; False if the move is too long."""
    n, jac, lu, order, move, f = q[N], q[JAC], q[LU], q[ORDER], q[F_BEFORE], q[F]
    y, trial, scale = q[Y], q[Y_BEFORE], q[ATOL]
    for i in range(n * n):
        w[lu + i] = -w[jac + i]
    for i in range(n):
        w[lu + i * n + i] += inverse_step
        w[move + i] = w[f + i]
    if not factorise(w, lu, order, n):
        return False
    substitute(w, lu, order, move, n)
    for i in range(n):
        if not abs(w[move + i]) <= LARGEST_MOVE * max(w[scale + i], abs(w[y + i])):
            return False
        w[trial + i] = w[y + i] + w[move + i]
    return True


@compiled
def residual(w: Floats, q: Table) -> float:
    """Root mean square of the slopes over the scale of the states, 1/s."""
    n, f, scale, total = q[N], q[F], q[ATOL], 0.0
    for i in range(n):
        total += (w[f + i] / w[scale + i]) ** 2
    return sqrt(total / n)


@compiled
def correction(w: Floats, q: Table) -> float:
    """Largest relative change of a state in the last step."""
    y, move, scale, largest = q[Y], q[F_BEFORE], q[ATOL], 0.0
    for i in range(q[N]):
        largest = max(largest, abs(w[move + i]) / max(abs(w[y + i]), FLOOR * w[scale + i]))
    return largest


@compiled
def lifted(w: Floats, q: Table) -> bool:
    """Set nonnegative states below zero in the trial to zero; True if there are any.

    Where a step of order zero has used a species up, Newton's method would otherwise jump from one side of the kink to
    the other for ever.
    """
    found = False
    for j in range(q[N]):
        if q[q[KINDS] + j] and w[q[Y_BEFORE] + j] < 0.0:
            w[q[Y_BEFORE] + j] = 0.0
            found = True
    return found


@compiled
def solve(w: Floats, q: Table) -> tuple[int, int]:
    """From the state of a tank to a steady state, in place; returns status and steps."""
    n, y, f, trial = q[N], q[Y], q[F], q[Y_BEFORE]
    slope(0.0, y, f, w, q)
    norm, previous = residual(w, q), 1.0
    if not finite(norm):
        return NOT_FINITE, 0
    step = first = FIRST_MOVE / max(norm, TINY)
    jacobian(0.0, y, w, q)
    for count in range(1, MOST_STEPS + 1):
        newton = step >= NEWTON * first
        following = inf
        if propose(0.0 if newton else 1.0 / step, w, q):
            slope(0.0, trial, f, w, q)
            following = residual(w, q)
            if following > norm and lifted(w, q):
                slope(0.0, trial, f, w, q)
                following = residual(w, q)
        if not finite(following):
            slope(0.0, y, f, w, q)
            step = SHRINK * min(step, NEWTON * first)
            continue
        for i in range(n):
            w[y + i] = w[trial + i]
        change = correction(w, q)
        jacobian(0.0, y, w, q)
        if newton and (change <= CONVERGED or (change <= STALLED and change > 0.5 * previous)):
            return OK, count
        previous = change if newton else 1.0
        growth = LARGEST_GROWTH if newton else min(norm / max(following, TINY), LARGEST_GROWTH)
        step *= max(growth, LEAST_GROWTH) if following <= norm else max(growth, SHRINK)
        norm = following
    return NOT_CONVERGED, MOST_STEPS


@compiled
def physical(w: Floats, q: Table) -> bool:
    """False if a nonnegative state is below zero; what rounding left there becomes zero."""
    for j in range(q[N]):
        if q[q[KINDS] + j] and w[q[Y] + j] < 0.0:
            if w[q[Y] + j] < -NEGATIVE_SHARE * w[q[ATOL] + j]:
                return False
            w[q[Y] + j] = 0.0
    return True


@compiled
def dominant(w: Floats, q: Table) -> bool:
    """True if the diagonal of each column of the Jacobian is negative and outweighs the rest.

    After Gershgorin all eigenvalues then have negative real parts; so it is with first-order steps in a tank.
    """
    n, jac = q[N], q[JAC]
    for k in range(n):
        total = w[jac + k * n + k]
        for i in range(n):
            total += abs(w[jac + i * n + k]) if i != k else 0.0
        if not total < 0.0:
            return False
    return True


@compiled
def stable(w: Floats, q: Table) -> bool:
    """True if all eigenvalues of the Jacobian on the bench have negative real parts.

    That is so if and only if the powers of its Cayley transform ``(c - J)^-1 (c + J)``, c > 0, go to zero. They are
    taken by squaring, which needs a few products where the eigenvalues are alike; c is their geometric mean.
    """
    n, jac, lu, scale, power = q[N], q[JAC], q[LU], q[ATOL], q[WORK]
    if dominant(w, q):
        return True
    for i in range(n):
        for k in range(n):
            w[lu + i * n + k] = w[jac + i * n + k] * w[scale + k] / w[scale + i]
            w[power + k * n + i] = w[lu + i * n + k]  # columns, one after the other
    if not factorise(w, lu, q[ORDER], n):
        return False
    mean = 0.0
    for i in range(n):
        mean += log(abs(w[lu + i * n + i])) / n
    c = exp(mean)
    for i in range(n):
        for k in range(n):
            w[lu + i * n + k] = -w[power + k * n + i]
    for i in range(n):
        w[lu + i * n + i] += c
        w[power + i * n + i] += c
    if not factorise(w, lu, q[ORDER], n):
        return False
    for k in range(n):
        substitute(w, lu, q[ORDER], power + k * n, n)
    return vanishes(w, power, power + n * n, n)


@compiled
def vanishes(w: Floats, a: int, b: int, n: int) -> bool:
    """True if the powers of the matrix at ``a`` go to zero; ``b`` is room for another one."""
    for _ in range(SQUARINGS):
        norm = 0.0
        for i in range(n):
            row = 0.0
            for k in range(n):
                row += abs(w[a + i * n + k])
            norm = max(norm, row)
        if norm < 1.0:
            return True
        if not norm < UNBOUNDED:
            return False
        for i in range(n):
            for k in range(n):
                total = 0.0
                for j in range(n):
                    total += w[a + i * n + j] * w[a + j * n + k]
                w[b + i * n + k] = total
        a, b = b, a
    return False
