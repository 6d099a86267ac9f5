"""Names that the formulas of a card may use, with their dimensions and values."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from rxnopt.catalogue import Source, Where
from rxnopt.errors import CardError, FormulaError, UnitError
from rxnopt.formulas import Formula, parse, parse_condition
from rxnopt.units import Dimension, describe, quantity, same_dimension

if TYPE_CHECKING:
    from sympy import Expr, Symbol


MAX_SIZE, MAX_EXTREMES = 5000, 36
"""What one formula may hold when every name in it is written out: terms, and calls and arguments of min, max, abs
and where (with which sympy is slow). Beyond that the card of a stranger could keep a computer busy for days."""

_EXTREMES = ("min", "max", "abs", "where")


@dataclass
class Scope:
    """A growing table of names; every error names file, line and field."""

    source: Source
    dimensions: dict[str, Dimension] = field(default_factory=dict)
    values: dict[str, Expr] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    places: dict[str, Where] = field(default_factory=dict)

    def fail(self, where: Where, message: str) -> NoReturn:
        """Raise :class:`CardError` at a field."""
        raise CardError(f"{self.source.place(where)}: {message}")

    def define(self, name: str, dimension: Dimension, value: Expr, where: Where) -> None:
        """Add a name; refuse one that is taken."""
        if name in self.values:
            self.fail(where, f"the name {name!r} is taken by {self.source.place(self.places[name])}; choose another")
        self.dimensions[name] = dimension
        self.values[name] = value
        self.sizes[name], self.places[name] = _size(value), where

    def symbol(self, name: str, dimension: Dimension, where: Where) -> Symbol:
        """Add a name that stands for itself and return its symbol."""
        import sympy

        symbol = sympy.Symbol(name, real=True)
        self.define(name, dimension, symbol, where)
        return symbol

    def evaluate(self, text: str, where: Where) -> tuple[Expr, Dimension]:
        """Return the value (SI) and the dimension of a quantity or a formula."""
        import sympy

        try:
            known = quantity(text)
        except UnitError as error:
            self.fail(where, str(error))
        if known is not None:
            return sympy.Float(known.si) if known.si else sympy.Integer(0), known.dimension
        try:
            return self._value(parse(text), where)
        except FormulaError as error:
            self.fail(where, str(error))

    def excess(self, text: str, where: Where) -> Expr:
        """Return what is below zero (SI) where an inequality holds."""
        try:
            return self._value(parse_condition(text).excess, where)[0]
        except FormulaError as error:
            self.fail(where, str(error))

    def _value(self, formula: Formula, where: Where) -> tuple[Expr, Dimension]:
        dimension = formula.dimension(self.dimensions)
        self._check_size(formula, where)
        return formula.sympy(self.values), dimension

    def _check_size(self, formula: Formula, where: Where) -> None:
        size = extremes = 0
        for node in ast.walk(formula.tree):
            own = (1, 0)
            if isinstance(node, ast.Name):
                own = self.sizes.get(node.id, own)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _EXTREMES:
                own = (1, 1 + len(node.args))
            size, extremes = size + own[0], extremes + own[1]
        if size > MAX_SIZE or extremes > MAX_EXTREMES:
            self.fail(
                where,
                f"written out this formula has {size:,} terms, {extremes} of them in min, max, abs and where; "
                f"at most {MAX_SIZE:,} and {MAX_EXTREMES} are allowed",
            )

    def expect(self, text: str, dimension: Dimension, where: Where) -> Expr:
        """Return the value of a quantity or formula that must have ``dimension`` (zero always has)."""
        value, found = self.evaluate(text, where)
        if value != 0 and not same_dimension(found, dimension):
            self.fail(where, f"{text!r} is in {describe(found)}; this field needs {describe(dimension)}")
        return value

    def expect_input(self, text: str, dimension: Dimension, where: Where, inputs: set[Symbol]) -> Expr:
        """Like :meth:`expect`, for fields that are known before the reaction starts."""
        value = self.expect(text, dimension, where)
        foreign = sorted(str(symbol) for symbol in value.free_symbols - inputs)
        if foreign:
            self.fail(where, f"{text!r} depends on {foreign[0]!r}; only parameters and constants are known here")
        return value


def _size(value: Expr) -> tuple[int, int]:
    """Return the terms of an expression and how many of them are calls and arguments of min, max, abs and where."""
    import sympy

    nodes, kinds = list(sympy.preorder_traversal(value)), sympy.Max | sympy.Min | sympy.Abs | sympy.Piecewise
    return len(nodes), sum(1 + len(node.args) for node in nodes if isinstance(node, kinds))
