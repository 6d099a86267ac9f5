"""Rate laws of the steps: mass action, other orders, free formulas, Arrhenius.

No step takes what is not there. Mass action of order one and above stops by itself; any other step that consumes a
species runs dry: below a trace of the species its rate is proportional to what is left. Where a reactant is exhausted
while more is fed, it stays at a share of the trace, and the rate is that of the feed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy

from rxnopt.cards.model import ReactionStep
from rxnopt.catalogue import Where
from rxnopt.errors import did_you_mean
from rxnopt.kinetics.equations import Side
from rxnopt.kinetics.scope import Scope
from rxnopt.kinetics.varied import Varied
from rxnopt.units import Dimension, describe, same_dimension, unit

if TYPE_CHECKING:
    from sympy import Expr, Symbol


@dataclass(frozen=True)
class RateLaws:
    """Rates of the steps of one card; ``trace`` gives the amount below which a step runs dry."""

    scope: Scope
    varied: Varied
    species: dict[str, Symbol]
    dimension: Dimension
    trace: Callable[[], Expr]
    temperature: Expr | None

    def rate(self, step: ReactionStep, name: str, sides: tuple[Side, Side], where: Where) -> Expr:
        """Return the rate of the step called ``name`` in SI; raise :class:`rxnopt.errors.CardError`."""
        left, right = sides
        consumed = [name for name in left if left[name] > right.get(name, 0.0)]
        if step.rate is None:
            return self._mass_action(step, name, left, consumed, where)
        rate = self.scope.expect(step.rate, self.dimension / unit("s").dimension, (*where, "rate"))
        for symbol in (self.species[key] for key in consumed):
            left_over = rate.subs(symbol, 0)
            if left_over != 0 and left_over.is_finite is not False:
                rate *= self._dry(symbol, 0)
        return rate

    def _mass_action(self, step: ReactionStep, name: str, left: Side, consumed: list[str], where: Where) -> Expr:
        orders = left | (step.orders or {})
        rate, dimension = self.scope.evaluate(step.k or "0", (*where, "k"))
        rate = self.varied.value(f"{name}.k", rate, dimension)
        needed = self.dimension / unit("s").dimension
        for key, order in orders.items():
            if key not in self.species:
                hint = did_you_mean(key, self.species)
                self.scope.fail((*where, "orders", key), f"{key!r} is no species{hint}")
            symbol, power = self.species[key], int(order) if order == int(order) else sympy.Float(order)
            rate *= self._dry(symbol, power) if key in consumed and 0 <= order < 1 else symbol**power
            needed = needed / self.dimension**order
        if not same_dimension(dimension, needed):
            self.scope.fail(
                (*where, "k"),
                f"{step.k!r} is in {describe(dimension)}, but this rate law of order "
                f"{sum(orders.values()):g} needs {describe(needed)}",
            )
        return rate if step.Ea is None else rate * self._arrhenius(step, f"{name}.Ea", where)

    def _dry(self, symbol: Symbol, power: Expr | int) -> Expr:
        """The power of a concentration, linear below the trace."""
        trace = self.trace()
        return sympy.Piecewise((symbol**power, symbol > trace), (symbol * trace ** (power - 1), True))

    def _arrhenius(self, step: ReactionStep, name: str, where: Where) -> Expr:
        if self.temperature is None:
            self.scope.fail((*where, "Ea"), "an activation energy needs 'temperature' in the reactor; add it")
        nominal, dimension = self.scope.evaluate(step.Ea or "0", (*where, "Ea"))
        barrier = self.varied.value(name, nominal, dimension)
        if dimension == unit("J/mol").dimension:
            nominal, barrier = nominal / self.scope.values["R_gas"], barrier / self.scope.values["R_gas"]
        elif dimension != unit("K").dimension:
            self.scope.fail((*where, "Ea"), f"{step.Ea!r} is in {describe(dimension)}; give kJ/mol, or K for Ea/R")
        own = 1 / self.scope.expect(step.at, unit("K").dimension, (*where, "at")) if step.at else sympy.Integer(0)
        held = self.varied.held(name, barrier - nominal, own)
        return sympy.exp(-barrier * (1 / self.temperature - own) + held)
