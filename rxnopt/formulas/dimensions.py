"""Dimensions of formulas."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from rxnopt.errors import FormulaError, did_you_mean
from rxnopt.formulas.language import number, short
from rxnopt.units import Dimension, describe, dimensionless, same_dimension


def dimension(node: ast.expr, known: Mapping[str, Dimension], text: str) -> Dimension | None:
    """Return the dimension of a node; ``None`` for the number zero, which fits every dimension."""
    match node:
        case ast.Name(id=name):
            if name not in known:
                hint = did_you_mean(name, known)
                raise FormulaError(
                    f"formula {short(text)} uses unknown name {name!r}"
                    f"{hint or '; known are ' + ', '.join(sorted(known))}"
                )
            return known[name]
        case ast.Constant(value=value):
            return None if value == 0 else dimensionless()
        case ast.UnaryOp(operand=operand):
            return dimension(operand, known, text)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power_dimension(left, right, known, text)
        case ast.BinOp(left=left, op=op, right=right):
            a, b = dimension(left, known, text), dimension(right, known, text)
            if isinstance(op, ast.Add | ast.Sub):
                return _same([a, b], text)
            one = dimensionless()
            if isinstance(op, ast.Div) and b is None:
                raise FormulaError(f"formula {short(text)} divides by zero")
            a, b = one if a is None else a, one if b is None else b
            return a * b if isinstance(op, ast.Mult) else a / b
        case ast.Call(func=ast.Name(id=name), args=args):
            inner = [dimension(arg, known, text) for arg in args]
            return _call_dimension(name, inner, text)
        case ast.Compare(left=left, comparators=[right]):
            return _same([dimension(left, known, text), dimension(right, known, text)], text)
    raise AssertionError(node)  # reading lets nothing else through


def _call_dimension(name: str, inner: list[Dimension | None], text: str) -> Dimension | None:
    if name in ("min", "max", "abs"):
        return _same(inner, text)
    if name == "where":
        return _same(inner[1:], text)
    if name == "sqrt":
        return None if inner[0] is None else inner[0] ** 0.5
    if inner[0] is not None and not same_dimension(inner[0], dimensionless()):
        raise FormulaError(
            f"formula {short(text)} takes {name} of a value in {describe(inner[0])}; "
            "only plain numbers have one, divide by a reference"
        )
    return dimensionless()


def _power_dimension(base: ast.expr, power: ast.expr, known: Mapping[str, Dimension], text: str) -> Dimension | None:
    a, b = dimension(base, known, text), dimension(power, known, text)
    one = dimensionless()
    if b is not None and not same_dimension(b, one):
        raise FormulaError(f"formula {short(text)} has an exponent in {describe(b)}; exponents are plain numbers")
    if a is None or same_dimension(a, one):
        return one
    if not isinstance(power, ast.Constant):
        raise FormulaError(
            f"formula {short(text)} raises a value in {describe(a)} to a power that is no fixed number; "
            "divide by a reference first"
        )
    return a ** number(power)


def _same(inner: list[Dimension | None], text: str) -> Dimension | None:
    given = [d for d in inner if d is not None]
    for other in given[1:]:
        if not same_dimension(other, given[0]):
            raise FormulaError(
                f"formula {short(text)} adds or compares {describe(given[0])} with {describe(other)}; units must agree"
            )
    return given[0] if given else None
