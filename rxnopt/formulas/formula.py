"""Checked formulas and conditions."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rxnopt.errors import FormulaError
from rxnopt.formulas.dimensions import dimension
from rxnopt.formulas.language import short
from rxnopt.formulas.values import array, symbolic
from rxnopt.units import Dimension, dimensionless

if TYPE_CHECKING:
    from sympy import Expr, Symbol


@dataclass(frozen=True)
class Formula:
    """A checked formula."""

    text: str
    tree: ast.expr
    names: frozenset[str]

    def dimension(self, dimensions: Mapping[str, Dimension]) -> Dimension:
        """Return the dimension of the value; raise :class:`FormulaError` where dimensions disagree."""
        found = dimension(self.tree, dimensions, self.text)
        return dimensionless() if found is None else found

    def sympy(self, values: Mapping[str, Expr | Symbol]) -> Expr:
        """Return the formula as a sympy expression; raise :class:`FormulaError` for 1 / (A - A) and the like."""
        import sympy

        try:
            found = symbolic(self.tree, values)
        except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
            raise FormulaError(f"formula {short(self.text)} has no real value") from error
        if found.has(sympy.I, sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
            raise FormulaError(f"formula {short(self.text)} has no real value; look for 1 / 0 or the root of -1")
        if any(abs(number) > 1e300 for number in found.atoms(sympy.Number)):
            raise FormulaError(f"formula {short(self.text)} has a number beyond 1e300; use other units")
        return found

    def numpy(self, values: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return the value over numbers or arrays (n,) in SI; NaN or infinite where it has no real value."""
        with np.errstate(all="ignore"):
            return np.asarray(array(self.tree, values), float)


@dataclass(frozen=True)
class Condition:
    """A checked inequality.

    ``excess``: left side less right side, turned so that the inequality holds below zero, and at zero too unless it is
    ``strict``.
    """

    text: str
    excess: Formula
    strict: bool

    def holds(self, values: Mapping[str, Any]) -> NDArray[np.bool_]:
        """Return where the inequality holds, over numbers or arrays (n,) in SI; nowhere where a side is NaN."""
        excess = self.excess.numpy(values)
        return excess < 0.0 if self.strict else excess <= 0.0
