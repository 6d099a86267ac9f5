"""Hoisting: what depends on the inputs alone is computed once and becomes a constant ``p0, p1, ...``."""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

from rxnopt.kinetics.codegen.network import expanded


def generated(prefix: str, count: int) -> tuple[sp.Symbol, ...]:
    """Symbols ``prefix0, prefix1, ...`` for the generated source."""
    return tuple(sp.Symbol(f"{prefix}{i}", real=True) for i in range(count))


class Hoist:
    """Collects the constants of a system; ``varying`` are the symbols that change during integration."""

    def __init__(self, varying: Iterable[sp.Symbol]) -> None:
        self.varying = frozenset(varying)
        self.values: list[sp.Expr] = []
        self._known: dict[sp.Expr, sp.Symbol] = {}

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """The constants found so far."""
        return generated("p", len(self.values))

    def constant(self, expr: sp.Expr) -> sp.Expr:
        """The constant that stands for ``expr``; a number or a constant stands for itself."""
        if expr.is_number or expr in self._known.values():
            return expr
        if expr not in self._known:
            self._known[expr] = sp.Symbol(f"p{len(self.values)}", real=True)
            self.values.append(expr)
        return self._known[expr]

    def fixed(self, expr: sp.Basic) -> bool:
        """True if ``expr`` does not change during integration."""
        return not (expr.free_symbols & self.varying)

    def hoist(self, expr: sp.Basic) -> sp.Basic:
        """``expr`` with its largest fixed parts replaced by constants."""
        if not expr.args:
            return expr if expr.is_number or not self.fixed(expr) or expr in (sp.true, sp.false) else self._leaf(expr)
        if self.fixed(expr) and isinstance(expr, sp.Expr):
            return self._scaled(expr)
        if isinstance(expr, (sp.Add, sp.Mul)):
            numbers = [arg for arg in expr.args if arg.is_number]
            fixed = [arg for arg in expr.args if not arg.is_number and self.fixed(arg)]
            rest = [self.hoist(arg) for arg in expr.args if not self.fixed(arg)]
            parts = numbers + ([self._scaled(expr.func(*fixed))] if fixed else []) + rest
            return expr.func(*parts)
        return expr.func(*(self.hoist(arg) for arg in expr.args))

    def _leaf(self, expr: sp.Basic) -> sp.Basic:
        return self.constant(expr) if isinstance(expr, sp.Expr) else expr

    def _scaled(self, expr: sp.Expr) -> sp.Expr:
        """A constant with its numeric factor kept outside, so that ``k`` and ``-2 k`` are one constant."""
        factor, rest = expr.as_coeff_Mul()
        return factor * self.constant(rest)

    def collected(self, expr: sp.Expr) -> sp.Expr:
        """``expr`` as a sum with one constant for each varying factor, where that is shorter."""
        groups: dict[sp.Expr, sp.Expr] = {}
        for term, coefficient in expanded(expr).items():
            fixed, moving = term.as_independent(*self.varying, as_Add=False)
            groups[moving] = groups.get(moving, sp.S.Zero) + coefficient * fixed
        shape = sp.Add(*(sp.Dummy() * moving for moving in groups))
        if sp.count_ops(shape) >= sp.count_ops(expr):
            return expr
        return sp.Add(*(self._signed(fixed) * moving for moving, fixed in groups.items()))

    def _signed(self, expr: sp.Expr) -> sp.Expr:
        """A constant that takes its numeric factor with it, so that the slopes multiply once less."""
        return -self.constant(-expr) if expr.as_coeff_Mul()[0].is_negative else self.constant(expr)
