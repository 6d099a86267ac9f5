"""The formula language of cards: arithmetic over names, and nothing else.

``parse`` reads the text with Python's own grammar and keeps only numbers, names, ``+ - * / **`` and the functions of
:data:`FUNCTIONS`; it never evaluates card text. A :class:`Formula` can tell its names, check its dimension and turn
itself into sympy.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from rxnopt.errors import FormulaError, did_you_mean
from rxnopt.units import Dimension, describe, dimensionless, same_dimension

if TYPE_CHECKING:
    from sympy import Expr, Symbol

MAX_LENGTH, MAX_NODES, MAX_DEPTH, MAX_POWER = 2000, 500, 60, 100
FUNCTIONS: dict[str, tuple[int, int]] = {
    "exp": (1, 1), "log": (1, 1), "log10": (1, 1), "sqrt": (1, 1), "abs": (1, 1), "min": (2, 8), "max": (2, 8),
}  # fmt: skip
"""Known functions with the least and the most arguments; ``log`` is the natural logarithm."""

_KEYWORD = re.compile(rf"\b({'|'.join(set(keyword.kwlist) - {'True', 'False', 'None'})})\b")
_MARK = "·"  # may end an identifier; keeps names such as `yield` apart from Python's keywords

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}
_NUMERIC: dict[str, Callable[..., float]] = {
    "exp": math.exp, "log": math.log, "log10": math.log10, "sqrt": math.sqrt, "abs": abs, "min": min, "max": max,
}  # fmt: skip


@dataclass(frozen=True)
class Formula:
    """A checked formula."""

    text: str
    tree: ast.expr
    names: frozenset[str]

    def dimension(self, dimensions: Mapping[str, Dimension]) -> Dimension:
        """Return the dimension of the value; raise :class:`FormulaError` where dimensions disagree."""
        found = _dimension(self.tree, dimensions, self.text)
        return dimensionless() if found is None else found

    def sympy(self, values: Mapping[str, Expr | Symbol]) -> Expr:
        """Return the formula as a sympy expression; raise :class:`FormulaError` for 1 / (A - A) and the like."""
        import sympy

        try:
            found = _sympy(self.tree, values)
        except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
            raise FormulaError(f"formula {_short(self.text)} has no real value") from error
        if found.has(sympy.I, sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
            raise FormulaError(f"formula {_short(self.text)} has no real value; look for 1 / 0 or the root of -1")
        if any(abs(number) > 1e300 for number in found.atoms(sympy.Number)):
            raise FormulaError(f"formula {_short(self.text)} has a number beyond 1e300; use other units")
        return found


@cache
def parse(text: str) -> Formula:
    """Check ``text`` and return it as a :class:`Formula`; raise :class:`FormulaError` otherwise."""
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"formula {text[:30]!r}... has {len(text)} characters; at most {MAX_LENGTH} are allowed")
    strange = next((letter for letter in text if not letter.isascii() or letter == "#"), None)
    if strange is not None:
        raise FormulaError(f"formula {_short(text)} holds {strange!r}; write ASCII letters, digits and + - * / ** ( )")
    try:
        tree = ast.parse(_marked(text), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise FormulaError(
            f"formula {_short(text)} is not arithmetic; write it like 'k1 * A * B ** 2', "
            "and numbers with units under 'constants'"
        ) from error
    names: set[str] = set()
    _check(tree, text, names, MAX_DEPTH, [MAX_NODES])
    folded = _fold(tree, text)
    _check_powers(folded, text, 1.0)
    return Formula(text, folded, frozenset(names))


def _marked(text: str) -> str:
    return _KEYWORD.sub(rf"\1{_MARK}", " ".join(text.split()))


def _segment(node: ast.expr, text: str) -> str:
    return (ast.get_source_segment(_marked(text), node) or text).replace(_MARK, "")


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _check(node: ast.expr, text: str, names: set[str], depth: int, budget: list[int]) -> None:
    budget[0] -= 1
    if depth == 0 or budget[0] < 0:
        raise FormulaError(
            f"formula {_short(text)} is too long or too deep; "
            f"at most {MAX_NODES} terms nested {MAX_DEPTH} deep are allowed"
        )
    for child in _children(node, text):
        _check(child, text, names, depth - 1, budget)
    if isinstance(node, ast.Name):
        names.add(node.id)


def _children(node: ast.expr, text: str) -> list[ast.expr]:
    """Return the operands of an allowed node; raise for every other kind of node."""
    match node:
        case ast.Name():
            node.id = node.id.removesuffix(_MARK)
            return []
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as value):
            if abs(value) > 1e300 or not math.isfinite(value):
                raise FormulaError(f"formula {_short(text)} has a number beyond 1e300; use other units")
            return []
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return [operand]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return [left, right]
        case ast.BinOp(op=ast.BitXor()):
            raise FormulaError(f"formula {_short(text)} uses '^'; write powers as '**'")
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            _check_call(name, len(args), text)
            return list(args)
    raise FormulaError(
        f"formula {_short(text)} holds {_short(_segment(node, text))}, which is not arithmetic; "
        f"allowed are numbers, names, + - * / ** and {', '.join(FUNCTIONS)}"
    )


def _check_powers(node: ast.expr, text: str, product: float) -> None:
    """Refuse fixed exponents whose product is large: ``((2 * A) ** 99) ** 99`` would be worked out digit by digit."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
        product *= max(1.0, abs(_number(node.right)))
        if product > MAX_POWER:
            raise FormulaError(f"formula {_short(text)} takes a power beyond {MAX_POWER}; write it as exp(n * log(x))")
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            _check_powers(child, text, product)


def _check_call(name: str, count: int, text: str) -> None:
    if name not in FUNCTIONS:
        hint = did_you_mean(name, FUNCTIONS)
        raise FormulaError(
            f"formula {_short(text)} calls unknown function {name!r}; allowed are {', '.join(FUNCTIONS)}{hint}"
        )
    least, most = FUNCTIONS[name]
    if not least <= count <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise FormulaError(f"formula {_short(text)} gives {name} {count} arguments; it takes {wanted}")


def _fold(node: ast.expr, text: str) -> ast.expr:
    """Replace every part without names by its number, so that later steps never meet ``9**9**9``."""
    match node:
        case ast.UnaryOp(op=op, operand=operand):
            inner = _fold(operand, text)
            if isinstance(inner, ast.Constant):
                return ast.Constant(-_number(inner) if isinstance(op, ast.USub) else _number(inner))
            return ast.UnaryOp(op, inner)
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _fold(left, text), _fold(right, text)
            if isinstance(a, ast.Constant) and isinstance(b, ast.Constant):
                return _constant(lambda: _OPERATORS[type(op)](_number(a), _number(b)), text)
            return ast.BinOp(a, op, b)
        case ast.Call(func=ast.Name(id=name), args=args):
            folded = [_fold(arg, text) for arg in args]
            numbers = [_number(arg) for arg in folded if isinstance(arg, ast.Constant)]
            if len(numbers) == len(folded):
                return _constant(lambda: _NUMERIC[name](*numbers), text)
            return ast.Call(ast.Name(name), folded, [])
    return node


def _number(node: ast.Constant) -> float:
    return float(node.value)  # type: ignore[arg-type]  # _children let only int and float through


def _constant(compute: Callable[[], Any], text: str) -> ast.Constant:
    try:
        value = compute()
        if not isinstance(value, complex) and math.isfinite(value):
            return ast.Constant(float(value))
    except (ArithmeticError, ValueError):
        pass
    raise FormulaError(f"formula {_short(text)} has a part that is no finite real number, such as 1 / 0; mend it")


def _dimension(node: ast.expr, known: Mapping[str, Dimension], text: str) -> Dimension | None:
    """Return the dimension of a node; ``None`` for the number zero, which fits every dimension."""
    match node:
        case ast.Name(id=name):
            if name not in known:
                hint = did_you_mean(name, known)
                raise FormulaError(
                    f"formula {_short(text)} uses unknown name {name!r}"
                    f"{hint or '; known are ' + ', '.join(sorted(known))}"
                )
            return known[name]
        case ast.Constant(value=value):
            return None if value == 0 else dimensionless()
        case ast.UnaryOp(operand=operand):
            return _dimension(operand, known, text)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power_dimension(left, right, known, text)
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _dimension(left, known, text), _dimension(right, known, text)
            if isinstance(op, ast.Add | ast.Sub):
                return _same([a, b], text)
            one = dimensionless()
            if isinstance(op, ast.Div) and b is None:
                raise FormulaError(f"formula {_short(text)} divides by zero")
            a, b = one if a is None else a, one if b is None else b
            return a * b if isinstance(op, ast.Mult) else a / b
        case ast.Call(func=ast.Name(id=name), args=args):
            inner = [_dimension(arg, known, text) for arg in args]
            return _call_dimension(name, inner, text)
    raise AssertionError(node)  # _children let nothing else through


def _call_dimension(name: str, inner: list[Dimension | None], text: str) -> Dimension | None:
    if name in ("min", "max", "abs"):
        return _same(inner, text)
    if name == "sqrt":
        return None if inner[0] is None else inner[0] ** 0.5
    if inner[0] is not None and not same_dimension(inner[0], dimensionless()):
        raise FormulaError(
            f"formula {_short(text)} takes {name} of a value in {describe(inner[0])}; "
            "only plain numbers have one, divide by a reference"
        )
    return dimensionless()


def _power_dimension(base: ast.expr, power: ast.expr, known: Mapping[str, Dimension], text: str) -> Dimension | None:
    a, b = _dimension(base, known, text), _dimension(power, known, text)
    one = dimensionless()
    if b is not None and not same_dimension(b, one):
        raise FormulaError(f"formula {_short(text)} has an exponent in {describe(b)}; exponents are plain numbers")
    if a is None or same_dimension(a, one):
        return one
    if not isinstance(power, ast.Constant):
        raise FormulaError(
            f"formula {_short(text)} raises a value in {describe(a)} to a power that is no fixed number; "
            "divide by a reference first"
        )
    return a ** _number(power)


def _same(inner: list[Dimension | None], text: str) -> Dimension | None:
    given = [d for d in inner if d is not None]
    for other in given[1:]:
        if not same_dimension(other, given[0]):
            raise FormulaError(
                f"formula {_short(text)} adds or compares {describe(given[0])} with {describe(other)}; units must agree"
            )
    return given[0] if given else None


def _sympy(node: ast.expr, values: Mapping[str, Any]) -> Any:
    import sympy

    match node:
        case ast.Name(id=name):
            return values[name]
        case ast.Constant():
            value = _number(node)
            return sympy.Integer(int(value)) if value == int(value) and abs(value) < 1e6 else sympy.Float(value)
        case ast.UnaryOp(op=op, operand=operand):
            inner = _sympy(operand, values)
            return -inner if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=0.5)):
            return sympy.sqrt(_sympy(left, values))
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_sympy(left, values), _sympy(right, values))
        case ast.Call(func=ast.Name(id=name), args=args):
            inner = [_sympy(arg, values) for arg in args]
            if name == "log10":
                return sympy.log(inner[0]) / sympy.Float(math.log(10.0))
            return {"exp": sympy.exp, "log": sympy.log, "sqrt": sympy.sqrt, "abs": sympy.Abs,
                    "min": sympy.Min, "max": sympy.Max}[name](*inner)  # fmt: skip
    raise AssertionError(node)  # _children let nothing else through
