"""Constants of a card that are inputs of a kernel instead of numbers in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy

from rxnopt.cards.uncertainty import UncertainConstant
from rxnopt.units import Dimension, describe, same_dimension

if TYPE_CHECKING:
    from sympy import Expr, Symbol

    from rxnopt.kinetics.scope import Scope


class Varied:
    """The constants that are varied; errors are those of the scope."""

    def __init__(self, constants: Sequence[UncertainConstant], scope: Scope) -> None:
        self._constants = {constant.name: constant for constant in constants}
        self._scope = scope

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The inputs, in the order of the constants."""
        return tuple(_symbol(constant) for constant in self._constants.values())

    def value(self, name: str, value: Expr, dimension: Dimension) -> Expr:
        """Return the value of a constant; where it is varied its symbol, or a factor or shift of its formula."""
        constant = self._constants.get(name)
        if constant is None:
            return value
        if not constant.formula:
            return _symbol(constant)
        if constant.relative:
            return value * _symbol(constant)
        if not same_dimension(constant.unit.dimension, dimension):
            self._scope.fail(
                ("uncertainty", name, "absolute"),
                f"the difference is in {describe(constant.unit.dimension)}, the formula in {describe(dimension)}",
            )
        return value + _symbol(constant)

    def held(self, name: str, moved: Expr, own: Expr) -> Expr:
        """Return the exponent by which the pre-exponential factor makes up for a barrier (over R) that ``moved``.

        ``own`` is one over the temperature at which the step itself holds its rate constant, 0 where it has none.
        """
        constant = self._constants.get(name)
        if constant is None or constant.at is None:
            return sympy.Integer(0)
        return moved * (sympy.Float(1 / constant.at) - own) if 1 / constant.at else -moved * own


def _symbol(constant: UncertainConstant) -> Symbol:
    return sympy.Symbol(constant.symbol, real=True)
