"""Values of formulas: symbols of sympy, arrays of numpy."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rxnopt.formulas.language import COMPARISONS, OPERATORS, number

_ARRAYS: dict[str, Callable[..., Any]] = {
    "exp": np.exp, "log": np.log, "log10": np.log10, "sqrt": np.sqrt, "abs": np.abs, "where": np.where,
    "min": lambda *parts: np.minimum.reduce(np.broadcast_arrays(*parts)),
    "max": lambda *parts: np.maximum.reduce(np.broadcast_arrays(*parts)),
}  # fmt: skip


def symbolic(node: ast.expr, values: Mapping[str, Any]) -> Any:
    """Return a node as a sympy expression."""
    import sympy

    match node:
        case ast.Name(id=name):
            return values[name]
        case ast.Constant():
            value = number(node)
            return sympy.Integer(int(value)) if value == int(value) and abs(value) < 1e6 else sympy.Float(value)
        case ast.UnaryOp(op=op, operand=operand):
            inner = symbolic(operand, values)
            return -inner if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=0.5)):
            return sympy.sqrt(symbolic(left, values))
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATORS[type(op)](symbolic(left, values), symbolic(right, values))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return COMPARISONS[type(op)](symbolic(left, values), symbolic(right, values))
        case ast.Call(func=ast.Name(id=name), args=args):
            inner = [symbolic(arg, values) for arg in args]
            if name == "log10":
                return sympy.log(inner[0]) / sympy.Float(math.log(10.0))
            if name == "where":
                return sympy.Piecewise((inner[1], inner[0]), (inner[2], True))
            return {"exp": sympy.exp, "log": sympy.log, "sqrt": sympy.sqrt, "abs": sympy.Abs,
                    "min": sympy.Min, "max": sympy.Max}[name](*inner)  # fmt: skip
    raise AssertionError(node)  # reading lets nothing else through


def array(node: ast.expr, values: Mapping[str, Any]) -> Any:
    """Return the value of a node over arrays; NaN or infinite where it has no real value."""
    match node:
        case ast.Name(id=name):
            return values[name]
        case ast.Constant():
            return number(node)
        case ast.UnaryOp(op=op, operand=operand):
            inner = array(operand, values)
            return -inner if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATORS[type(op)](array(left, values), array(right, values))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return COMPARISONS[type(op)](array(left, values), array(right, values))
        case ast.Call(func=ast.Name(id=name), args=args):
            return _ARRAYS[name](*(array(arg, values) for arg in args))
    raise AssertionError(node)  # reading lets nothing else through
