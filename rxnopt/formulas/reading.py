"""From text to checked formulas, by Python's own grammar; card text is never evaluated."""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from rxnopt.errors import FormulaError, did_you_mean
from rxnopt.formulas.formula import Condition, Formula
from rxnopt.formulas.language import (
    COMPARISONS,
    FUNCTIONS,
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_NODES,
    MAX_POWER,
    NUMERIC,
    OPERATORS,
    number,
    short,
)

_KEYWORD = re.compile(rf"\b({'|'.join(set(keyword.kwlist) - {'True', 'False', 'None'})})\b")
_MARK = "·"  # may end an identifier; keeps names such as `yield` apart from Python's keywords


@cache
def parse(text: str) -> Formula:
    """Check ``text`` and return it as a :class:`Formula`; raise :class:`FormulaError` otherwise."""
    return _checked(_tree(text), text)


@cache
def parse_condition(text: str) -> Condition:
    """Check ``text``, an inequality such as ``'T < T_max'``; raise :class:`FormulaError` otherwise."""
    match _tree(text):
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARISONS:
            low, high = (left, right) if isinstance(op, ast.Lt | ast.LtE) else (right, left)
            return Condition(text, _checked(ast.BinOp(low, ast.Sub(), high), text), isinstance(op, ast.Lt | ast.Gt))
    raise FormulaError(f"condition {short(text)} is no inequality; write it like 'T < T_max', with <, <=, > or >=")


def _tree(text: str) -> ast.expr:
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"formula {text[:30]!r}... has {len(text)} characters; at most {MAX_LENGTH} are allowed")
    strange = next((letter for letter in text if not letter.isascii() or letter == "#"), None)
    if strange is not None:
        raise FormulaError(f"formula {short(text)} holds {strange!r}; write ASCII letters, digits and + - * / ** ( )")
    try:
        return ast.parse(_marked(text), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise FormulaError(
            f"formula {short(text)} is not arithmetic; write it like 'k1 * A * B ** 2', "
            "and numbers with units under 'constants'"
        ) from error


def _checked(tree: ast.expr, text: str) -> Formula:
    names: set[str] = set()
    _check(tree, text, names, MAX_DEPTH, [MAX_NODES])
    folded = _fold(tree, text)
    _check_powers(folded, text, 1.0)
    return Formula(text, folded, frozenset(names))


def _marked(text: str) -> str:
    return _KEYWORD.sub(rf"\1{_MARK}", " ".join(text.split()))


def _segment(node: ast.expr, text: str) -> str:
    return (ast.get_source_segment(_marked(text), node) or text).replace(_MARK, "")


def _check(node: ast.expr, text: str, names: set[str], depth: int, budget: list[int]) -> None:
    budget[0] -= 1
    if depth == 0 or budget[0] < 0:
        raise FormulaError(
            f"formula {short(text)} is too long or too deep; "
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
                raise FormulaError(f"formula {short(text)} has a number beyond 1e300; use other units")
            return []
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return [operand]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return [left, right]
        case ast.BinOp(op=ast.BitXor()):
            raise FormulaError(f"formula {short(text)} uses '^'; write powers as '**'")
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            _check_call(name, len(args), text)
            return [*_sides(args[0], text), *args[1:]] if name == "where" else list(args)
    raise FormulaError(
        f"formula {short(text)} holds {short(_segment(node, text))}, which is not arithmetic; "
        f"allowed are numbers, names, + - * / ** and {', '.join(FUNCTIONS)}"
    )


def _sides(node: ast.expr, text: str) -> list[ast.expr]:
    """Return both sides of the comparison in ``where``."""
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARISONS:
            return [left, right]
    raise FormulaError(
        f"formula {short(text)} gives where {short(_segment(node, text))}, which is no comparison; "
        "write it like 'where(T < T_max, a, b)', with <, <=, > or >="
    )


def _check_powers(node: ast.expr, text: str, product: float) -> None:
    """Refuse fixed exponents whose product is large: ``((2 * A) ** 99) ** 99`` would be worked out digit by digit."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
        product *= max(1.0, abs(number(node.right)))
        if product > MAX_POWER:
            raise FormulaError(f"formula {short(text)} takes a power beyond {MAX_POWER}; write it as exp(n * log(x))")
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            _check_powers(child, text, product)


def _check_call(name: str, count: int, text: str) -> None:
    if name not in FUNCTIONS:
        hint = did_you_mean(name, FUNCTIONS)
        raise FormulaError(
            f"formula {short(text)} calls unknown function {name!r}; allowed are {', '.join(FUNCTIONS)}{hint}"
        )
    least, most = FUNCTIONS[name]
    if not least <= count <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise FormulaError(f"formula {short(text)} gives {name} {count} arguments; it takes {wanted}")


def _fold(node: ast.expr, text: str) -> ast.expr:
    """Replace every part without names by its number, so that later steps never meet ``9**9**9``."""
    match node:
        case ast.UnaryOp(op=op, operand=operand):
            inner = _fold(operand, text)
            if isinstance(inner, ast.Constant):
                return ast.Constant(-number(inner) if isinstance(op, ast.USub) else number(inner))
            return ast.UnaryOp(op, inner)
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _fold(left, text), _fold(right, text)
            if isinstance(a, ast.Constant) and isinstance(b, ast.Constant):
                return _constant(lambda: OPERATORS[type(op)](number(a), number(b)), text)
            return ast.BinOp(a, op, b)
        case ast.Call(func=ast.Name(id="where"), args=[ast.Compare(left=left, ops=[sign], comparators=[right]), *args]):
            sides, branches = ([_fold(part, text) for part in parts] for parts in ((left, right), args))
            numbers = [number(side) for side in sides if isinstance(side, ast.Constant)]
            if len(numbers) == 2:
                return branches[0] if COMPARISONS[type(sign)](*numbers) else branches[1]
            return ast.Call(ast.Name("where"), [ast.Compare(sides[0], [sign], sides[1:]), *branches], [])
        case ast.Call(func=ast.Name(id=name), args=args):
            folded = [_fold(arg, text) for arg in args]
            numbers = [number(arg) for arg in folded if isinstance(arg, ast.Constant)]
            if len(numbers) == len(folded):
                return _constant(lambda: NUMERIC[name](*numbers), text)
            return ast.Call(ast.Name(name), folded, [])
    return node


def _constant(compute: Callable[[], Any], text: str) -> ast.Constant:
    try:
        value = compute()
        if not isinstance(value, complex) and math.isfinite(value):
            return ast.Constant(float(value))
    except (ArithmeticError, ValueError):
        pass
    raise FormulaError(f"formula {short(text)} has a part that is no finite real number, such as 1 / 0; mend it")
