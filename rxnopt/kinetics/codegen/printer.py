"""Sympy expressions to Python source text, by whitelist.

Every symbol must be one of the generator's own; every node type must be known here. Nothing else of an
expression reaches the text, so the generated source contains nothing but arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import sympy as sp

from rxnopt.errors import RxnoptError

LARGEST_UNROLLED_POWER = 8


class UnknownNodeError(RxnoptError):
    """An expression holds something that a kernel cannot compute."""


FUNCTIONS: Mapping[type[sp.Basic], str] = {
    sp.exp: "exp",
    sp.log: "log",
    sp.sin: "sin",
    sp.cos: "cos",
    sp.tanh: "tanh",
    sp.Abs: "abs",
    sp.Max: "larger",
    sp.Min: "smaller",
}
RELATIONS: Mapping[type[sp.Basic], str] = {
    sp.StrictGreaterThan: ">",
    sp.GreaterThan: ">=",
    sp.StrictLessThan: "<",
    sp.LessThan: "<=",
    sp.Equality: "==",
    sp.Unequality: "!=",
}
TRANSCENDENTAL = (sp.exp, sp.log, sp.sin, sp.cos, sp.tanh)
"""Functions that call the C library, one number at a time."""


class Printer:
    """Prints expressions over a fixed set of generated symbols."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = set(names)

    def allow(self, name: str) -> None:
        """Add a generated symbol (of a common subexpression)."""
        self._names.add(name)

    def text(self, node: sp.Basic) -> str:
        """Python text of a whole expression, in parentheses where it is not an atom.

        Raises UnknownNodeError for a symbol that is not the generator's and for an unknown kind of node.
        """
        if isinstance(node, sp.Symbol):
            return self._symbol(node.name)
        if isinstance(node, (sp.Number, sp.NumberSymbol)):
            return number(node)
        special = self._special().get(type(node))
        if special is not None:
            return special(node)
        if type(node) in FUNCTIONS:
            return self._call(FUNCTIONS[type(node)], node.args)
        if type(node) in RELATIONS:
            left, right = (self.text(side) for side in node.args)
            return f"({left} {RELATIONS[type(node)]} {right})"
        raise UnknownNodeError(f"a kernel cannot compute {type(node).__name__}: {str(node)[:80]}")

    def _special(self) -> Mapping[type[sp.Basic], Callable[[sp.Basic], str]]:
        return {
            sp.Add: self._sum,
            sp.Mul: self._product,
            sp.Pow: self._power,
            sp.Piecewise: self._piecewise,
            sp.And: lambda node: "(" + " and ".join(self._sorted(node)) + ")",
            sp.Or: lambda node: "(" + " or ".join(self._sorted(node)) + ")",
            sp.Not: lambda node: f"(not {self.text(node.args[0])})",
            sp.ITE: lambda node: "({1} if {0} else {2})".format(*(self.text(arg) for arg in node.args)),
            type(sp.true): repr,
            type(sp.false): repr,
        }

    def _sorted(self, node: sp.Basic) -> list[str]:
        return sorted(self.text(arg) for arg in node.args)

    def _symbol(self, name: str) -> str:
        if name not in self._names:
            raise UnknownNodeError(f"symbol {name!r} is not an input, a state, the time, an inlet or a path")
        return name

    def _call(self, name: str, args: Sequence[sp.Basic]) -> str:
        texts = [self.text(arg) for arg in args]
        if name not in ("larger", "smaller"):
            return f"{name}({texts[0]})"
        folded = texts[0]
        for text in texts[1:]:
            folded = f"{name}({folded}, {text})"
        return folded

    def _sum(self, node: sp.Basic) -> str:
        return "(" + " + ".join(self.text(arg) for arg in node.args) + ")"

    def _product(self, node: sp.Basic) -> str:
        over = [arg for arg in node.args if not _is_reciprocal(arg)]
        under = [sp.Pow(arg.args[0], -arg.args[1]) for arg in node.args if _is_reciprocal(arg)]
        numerator = " * ".join(self.text(arg) for arg in over) if over else "1.0"
        if not under:
            return f"({numerator})"
        return f"({numerator} / ({' * '.join(self.text(arg) for arg in under)}))"

    def _power(self, node: sp.Basic) -> str:
        base, exponent = node.args
        if exponent is sp.S.Half:
            return f"sqrt({self.text(base)})"
        if _is_reciprocal(node):
            return f"(1.0 / {self.text(sp.Pow(base, -exponent))})"
        if isinstance(exponent, sp.Integer) and 2 <= int(exponent) <= LARGEST_UNROLLED_POWER:
            return "(" + " * ".join([self.text(base)] * int(exponent)) + ")"
        return f"({self.text(base)} ** {self.text(exponent)})"

    def _piecewise(self, node: sp.Basic) -> str:
        text = "nan"
        for value, condition in reversed([pair.args for pair in node.args]):
            if condition is sp.true:
                text = self.text(value)
            else:
                text = f"({self.text(value)} if {self.text(condition)} else {text})"
        return text


def number(node: sp.Basic) -> str:
    """A finite real number as float text; raises UnknownNodeError for infinity, nan and the like."""
    value = float(node) if node.is_extended_real else math.nan
    if not math.isfinite(value):
        raise UnknownNodeError(f"a kernel cannot compute with the number {node}")
    return repr(value) if value >= 0.0 else f"({value!r})"


def is_plain(expr: sp.Basic) -> bool:
    """True where an expression needs only arithmetic and comparison, which a processor does on many lanes."""
    for node in sp.preorder_traversal(expr):
        if isinstance(node, TRANSCENDENTAL):
            return False
        if isinstance(node, sp.Pow) and not _is_cheap(node.args[1]):
            return False
    return True


def _is_cheap(exponent: sp.Basic) -> bool:
    if abs(exponent) is sp.S.Half:
        return True
    return isinstance(exponent, sp.Integer) and abs(int(exponent)) <= LARGEST_UNROLLED_POWER


def _is_reciprocal(node: sp.Basic) -> bool:
    return isinstance(node, sp.Pow) and bool(node.args[1].is_number and node.args[1] < 0)
