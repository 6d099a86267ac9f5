"""Dense linear equations with partial pivoting, for the few unknowns of a reaction network.

Matrices (n, n) lie row by row in the working memory ``w``; arguments are their first cells.
"""

from __future__ import annotations

from rxnopt.kinetics.runtime.jit import compiled
from rxnopt.kinetics.runtime.leaves import Floats


@compiled
def factorise(w: Floats, a: int, order: int, n: int) -> bool:
    """Replace the matrix at ``a`` by its factors L and U, the row exchanges go to ``order``; False if singular."""
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(w[a + i * n + k]) > abs(w[a + best * n + k]):
                best = i
        w[order + k] = best
        if not abs(w[a + best * n + k]) > 0.0:
            return False
        for j in range(n):
            w[a + k * n + j], w[a + best * n + j] = w[a + best * n + j], w[a + k * n + j]
        for i in range(k + 1, n):
            ratio = w[a + i * n + k] / w[a + k * n + k]
            w[a + i * n + k] = ratio
            for j in range(k + 1, n):
                w[a + i * n + j] -= ratio * w[a + k * n + j]
    return True


@compiled
def substitute(w: Floats, a: int, order: int, b: int, n: int) -> None:
    """Replace the vector at ``b`` by the solution of the factorised equations."""
    for k in range(n):
        other = b + int(w[order + k])
        w[b + k], w[other] = w[other], w[b + k]
    for k in range(n):
        for i in range(k + 1, n):
            w[b + i] -= w[a + i * n + k] * w[b + k]
    for k in range(n - 1, -1, -1):
        for j in range(k + 1, n):
            w[b + k] -= w[a + k * n + j] * w[b + j]
        w[b + k] /= w[a + k * n + k]
