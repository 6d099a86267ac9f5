"""What the language holds: operators, functions, comparisons and their limits."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any

MAX_LENGTH, MAX_NODES, MAX_DEPTH, MAX_POWER = 2000, 500, 60, 100
FUNCTIONS: dict[str, tuple[int, int]] = {
    "exp": (1, 1), "log": (1, 1), "log10": (1, 1), "sqrt": (1, 1), "abs": (1, 1), "min": (2, 8), "max": (2, 8),
    "where": (3, 3),
}  # fmt: skip
"""Known functions with the least and the most arguments; ``log`` is the natural logarithm."""

OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
}
NUMERIC: dict[str, Callable[..., float]] = {
    "exp": math.exp, "log": math.log, "log10": math.log10, "sqrt": math.sqrt, "abs": abs, "min": min, "max": max,
}  # fmt: skip


def number(node: ast.Constant) -> float:
    """Return the number of a constant."""
    return float(node.value)  # type: ignore[arg-type]  # reading lets only int and float through


def short(text: str) -> str:
    """Return a text for a message."""
    return repr(text if len(text) <= 60 else text[:57] + "...")
