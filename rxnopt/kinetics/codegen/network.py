"""Conservation laws of a reaction network, found exactly.

The derivatives are written as ``f = S r`` with rational numbers ``S`` and different terms ``r``. A row vector
``w`` with ``w S = 0`` is a conservation law: ``w y`` keeps its initial value. Runge-Kutta and Rosenbrock methods
keep linear laws too, so a state that follows from one need not be integrated (Hairer, Lubich & Wanner,
Geometric Numerical Integration, IV.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import sympy as sp

LARGEST_COEFFICIENT = 10**6
LARGEST_EXPANSION = 400


def expanded(expr: sp.Expr) -> dict[sp.Expr, sp.Expr]:
    """Terms of a sum with their numeric coefficients; products of sums are multiplied out if they are short."""
    opened = sp.expand(expr, power_base=False, power_exp=False, log=False, multinomial=True)
    if sp.count_ops(opened) > LARGEST_EXPANSION:
        opened = expr
    terms: dict[sp.Expr, sp.Expr] = {}
    for arg in sp.Add.make_args(opened):
        coefficient, term = arg.as_coeff_Mul()
        terms[term] = terms.get(term, sp.S.Zero) + coefficient
    return {term: coefficient for term, coefficient in terms.items() if coefficient != 0}


def dependent_states(derivatives: Sequence[sp.Expr], states: Sequence[sp.Symbol]) -> dict[int, dict[int, Fraction]]:
    """States that follow from the others.

    The result maps the index of each such state ``d`` to ``{j: a}`` over the other states, meaning
    ``y_d + sum(a * y_j) = constant``. At least one state is left to be integrated.
    """
    rows = [expanded(f) for f in derivatives]
    laws = _left_null_space(rows)
    used = set().union(*(term.free_symbols for row in rows for term in row))
    # a state that no rate needs costs nothing to drop; then the one whose derivative is longest
    wish = sorted(range(len(states)), key=lambda i: (states[i] in used, -len(rows[i]), i))
    chosen = _reduce(laws, wish)
    while len(chosen) >= len(states):
        chosen.pop(next(reversed(chosen)))
    return chosen


def _left_null_space(rows: Sequence[dict[sp.Expr, sp.Expr]]) -> list[list[Fraction]]:
    """Basis of all ``w`` with ``w S = 0``, by elimination on ``[S | I]``."""
    terms = list(dict.fromkeys(term for row in rows for term in row))
    n = len(rows)
    table = [[_exact(row.get(term, sp.S.Zero)) for term in terms] for row in rows]
    for i in range(n):
        table[i] += [Fraction(int(i == j)) for j in range(n)]
    top = 0
    for column in range(len(terms)):
        pivot = next((i for i in range(top, n) if table[i][column]), None)
        if pivot is None:
            continue
        table[top], table[pivot] = table[pivot], table[top]
        for i in range(top + 1, n):
            if table[i][column]:
                ratio = table[i][column] / table[top][column]
                table[i] = [a - ratio * b for a, b in zip(table[i], table[top], strict=True)]
        top += 1
    return [row[len(terms) :] for row in table[top:]]


def _reduce(laws: list[list[Fraction]], wish: Sequence[int]) -> dict[int, dict[int, Fraction]]:
    """Gauss-Jordan elimination of the laws, with pivots in the order of ``wish``."""
    open_laws = list(laws)
    solved: dict[int, list[Fraction]] = {}
    for column in wish:
        pivot = next((law for law in open_laws if law[column]), None)
        if pivot is None:
            continue
        open_laws.remove(pivot)
        unit = [a / pivot[column] for a in pivot]
        open_laws = [[a - law[column] * b for a, b in zip(law, unit, strict=True)] for law in open_laws]
        solved = {k: [a - v[column] * b for a, b in zip(v, unit, strict=True)] for k, v in solved.items()}
        solved[column] = unit
    return {
        d: {j: a for j, a in enumerate(law) if a and j != d}
        for d, law in solved.items()
        if all(max(abs(a.numerator), a.denominator) <= LARGEST_COEFFICIENT for a in law)
    }


def _exact(coefficient: sp.Expr) -> Fraction:
    rational = sp.Rational(coefficient)
    return Fraction(int(rational.p), int(rational.q))
