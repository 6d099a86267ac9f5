import math
import time

import numpy as np
import pytest
import sympy
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from rxnopt.errors import FormulaError
from rxnopt.formulas import FUNCTIONS, parse, parse_condition
from rxnopt.units import same_dimension, unit

NAMES = ("A", "B", "yield", "lambda", "k1")
VALUES = {"A": 1.25, "B": 0.5, "yield": 2.0, "lambda": 0.75, "k1": 3.0}
SYMBOLS = {name: sympy.Symbol(f"x{i}", real=True) for i, name in enumerate(NAMES)}

PYTHON = {
    "exp": math.exp, "log": math.log, "log10": math.log10, "sqrt": math.sqrt, "abs": abs, "min": min, "max": max,
    "where": lambda below, above, a, b: a if below < above else b,
}  # fmt: skip


def binary(parts):
    return st.tuples(st.sampled_from(["+", "-", "*", "/", "**"]), parts, parts)


def call(parts):
    one = st.tuples(st.sampled_from(["exp", "log", "log10", "sqrt", "abs"]), parts)
    more = st.tuples(st.sampled_from(["min", "max"]), parts, parts) | st.tuples(
        st.sampled_from(["min", "max"]), parts, parts, parts
    )
    return one | more | st.tuples(st.just("where"), parts, parts, parts, parts)


TREES = st.recursive(
    st.sampled_from(NAMES) | st.floats(0.1, 9.0).map(lambda x: round(x, 3)) | st.integers(1, 4),
    lambda parts: binary(parts) | call(parts) | st.tuples(st.just("neg"), parts),
    max_leaves=12,
)


def written(tree):
    """The text of a tree, as a card would hold it."""
    match tree:
        case (("+" | "-" | "*" | "/" | "**") as operator, a, b):
            return f"({written(a)} {operator} {written(b)})"
        case ("neg", a):
            return f"(-{written(a)})"
        case ("where", below, above, a, b):
            return f"where({written(below)} < {written(above)}, {written(a)}, {written(b)})"
        case (str() as function, *parts):
            return f"{function}({', '.join(written(part) for part in parts)})"
    return str(tree)


def worked_out(tree, sizes):
    """The value of a tree by plain Python, without rxnopt and sympy; ``sizes`` collects all values on the way."""
    match tree:
        case ("+", a, b):
            value = worked_out(a, sizes) + worked_out(b, sizes)
        case ("-", a, b):
            value = worked_out(a, sizes) - worked_out(b, sizes)
        case ("*", a, b):
            value = worked_out(a, sizes) * worked_out(b, sizes)
        case ("/", a, b):
            value = worked_out(a, sizes) / worked_out(b, sizes)
        case ("**", a, b):
            value = worked_out(a, sizes) ** worked_out(b, sizes)
        case ("neg", a):
            value = -worked_out(a, sizes)
        case (str() as function, *parts):
            value = PYTHON[function](*(worked_out(part, sizes) for part in parts))
        case _:
            value = VALUES[tree] if isinstance(tree, str) else float(tree)
    if isinstance(value, complex) or not 1e-9 < abs(value) < 1e9:
        raise ValueError("complex, infinite, or so large or small that rounding decides the result")
    sizes.append(abs(value))
    return value


@settings(deadline=None, max_examples=300)
@given(TREES)
def test_a_formula_has_the_value_that_python_gives(tree):
    sizes = []
    try:
        expected = worked_out(tree, sizes)
        found = parse(written(tree)).sympy(SYMBOLS).subs({SYMBOLS[name]: value for name, value in VALUES.items()})
    except (ArithmeticError, ValueError, TypeError):
        assume(False)
    except FormulaError as error:
        if "takes a power beyond" not in str(error):
            raise
        assume(False)
    # sympy reorders: a difference carries the rounding (1e-16) of its largest term, and powers up to 100 stretch it
    assert float(found) == pytest.approx(expected, rel=1e-6, abs=1e-12 * max(sizes))


@settings(deadline=None, max_examples=300)
@given(TREES)
def test_a_formula_has_the_same_value_over_arrays(tree):
    sizes = []
    try:
        expected = worked_out(tree, sizes)
        found = parse(written(tree)).numpy({name: np.full(2, value) for name, value in VALUES.items()})
    except (ArithmeticError, ValueError, TypeError, FormulaError):
        assume(False)
    # numpy works out the same operations in the same order as Python, with other routines for exp, log and powers
    assert np.broadcast_to(found, 2) == pytest.approx([expected, expected], rel=1e-9, abs=1e-15 * max(sizes))


@pytest.mark.parametrize(
    ("text", "holds", "excess"),
    [
        ("A < B", [True, False, False], [-1.0, 0.0, 1.0]),
        ("A <= B", [True, True, False], [-1.0, 0.0, 1.0]),
        ("A > B", [False, False, True], [1.0, 0.0, -1.0]),
        ("A >= 1 * B", [False, True, True], [1.0, 0.0, -1.0]),
        ("A - B < 0", [True, False, False], [-1.0, 0.0, 1.0]),
        ("sqrt(A - B) < 5", [False, True, True], [np.nan, -5.0, -4.0]),
    ],
)
def test_a_condition_says_where_it_holds_and_by_how_much_it_does_not(text, holds, excess):
    condition = parse_condition(text)
    values = {"A": np.array([1.0, 2.0, 3.0]), "B": 2.0}
    assert condition.holds(values).tolist() == holds
    assert condition.excess.numpy(values) == pytest.approx(excess, nan_ok=True)
    assert condition.excess.names <= {"A", "B"}


@pytest.mark.parametrize("text", ["A", "A == B", "A != B", "A < B < C", "A < B and C < B", "", "1 < 2 mol/L"])
def test_what_is_no_inequality_is_refused_in_one_sentence(text):
    with pytest.raises(FormulaError) as caught:
        parse_condition(text)
    assert "\n" not in str(caught.value)


def test_the_branches_of_where_are_taken_by_the_comparison():
    formula = parse("where(A > 2, 10 * A, where(A >= 1, 0, -A))")
    assert formula.numpy({"A": np.array([0.5, 1.0, 2.0, 3.0])}).tolist() == [-0.5, 0.0, 0.0, 30.0]
    assert [float(formula.sympy({"A": sympy.Float(a)})) for a in (0.5, 1.0, 2.0, 3.0)] == [-0.5, 0.0, 0.0, 30.0]
    assert parse("where(1 < 2, A, B) + where(2 <= 1, A, 0)").numpy({"A": 3.0, "B": 4.0}) == 3.0


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("2 * A", {"A"}),
        ("yield - 0.002 * (tanks - 1)", {"yield", "tanks"}),
        ("max(0, T - T_limit)", {"T", "T_limit"}),
        ("in + not + class", {"in", "not", "class"}),
        ("exp(exp)", {"exp"}),
        ("1e-3", set()),
        ("A\n  + B", {"A", "B"}),
    ],
)
def test_names_of_a_formula_may_be_python_keywords(text, names):
    assert parse(text).names == names


@pytest.mark.parametrize(
    ("text", "dimension"),
    [
        ("c * k * c", "mol/L/s"),
        ("c / c", "1"),
        ("k * c * t", "1"),
        ("sqrt(c)", "mol^0.5/L^0.5"),
        ("c ** 2", "mol^2/L^2"),
        ("c ** 0.5 * c ** 0.5", "mol/L"),
        ("c ** -1", "L/mol"),
        ("max(0, T - T)", "K"),
        ("c + 0", "mol/L"),
        ("exp(k * c * t)", "1"),
        ("2 ** (c / c)", "1"),
        ("abs(-T)", "K"),
        ("0", "1"),
        ("min(T, 3 * T)", "K"),
        ("where(T < 3 * T, c, 0)", "mol/L"),
    ],
)
def test_dimension_of_a_formula(text, dimension):
    known = {name: unit(of).dimension for name, of in (("c", "mol/L"), ("k", "L/mol/s"), ("t", "s"), ("T", "K"))}
    assert same_dimension(parse(text).dimension(known), unit(dimension).dimension)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("c + T", "adds or compares mol/L with K; units must agree"),
        ("c - 1", "adds or compares mol/L with 1 (a plain number); units must agree"),
        ("max(c, T, 0)", "adds or compares mol/L with K; units must agree"),
        ("exp(T)", "takes exp of a value in K; only plain numbers have one, divide by a reference"),
        ("log10(c)", "takes log10 of a value in mol/L; only plain numbers have one, divide by a reference"),
        ("2 ** T", "has an exponent in K; exponents are plain numbers"),
        ("c ** (c / c)", "raises a value in mol/L to a power that is no fixed number; divide by a reference first"),
        ("c * temp", "uses unknown name 'temp'"),
        ("cc * 2", "uses unknown name 'cc'"),
        ("T / 0", "divides by zero"),
        ("where(T < c, T, T)", "adds or compares K with mol/L; units must agree"),
        ("where(T > 0, T, c)", "adds or compares K with mol/L; units must agree"),
    ],
)
def test_dimensions_that_disagree_are_refused(text, said):
    known = {name: unit(of).dimension for name, of in (("c", "mol/L"), ("T", "K"))}
    with pytest.raises(FormulaError) as caught:
        parse(text).dimension(known)
    assert str(caught.value).startswith(f"formula {text!r} {said}")


def as_sympy(text):
    formula = parse(text)
    return formula.sympy({name: sympy.Symbol(name, real=True) for name in formula.names})


FORBIDDEN = [
    ("__import__('os').system('true')", "holds"),
    ("__import__('os')", "calls unknown function '__import__'"),
    ("open('x')", "calls unknown function 'open'"),
    ("expp(A)", "did you mean 'exp'?"),
    ("A.real", "holds 'A.real'"),
    ("A[0]", "holds 'A[0]'"),
    ("lambda x: x", "is not arithmetic"),
    ("[x for x in A]", "is not arithmetic"),
    ("[A, B]", "holds '[A, B]'"),
    ("(A, B)", "holds '(A, B)'"),
    ("{A: B}", "holds '{A: B}'"),
    ("'A'", "holds \"'A'\""),
    ("b'A'", "holds"),
    ("f'{A}'", "holds"),
    ("True", "holds 'True'"),
    ("None", "holds 'None'"),
    ("...", "holds '...'"),
    ("1j", "holds '1j'"),
    ("A ^ 2", "uses '^'; write powers as '**'"),
    ("(A := 1)", "holds"),
    ("A if B else C", "is not arithmetic"),
    ("A < B", "holds 'A < B'"),
    ("where(A, 1, 2)", "gives where 'A', which is no comparison"),
    ("where(A < B < C, 1, 2)", "which is no comparison"),
    ("where(A == B, 1, 2)", "which is no comparison"),
    ("where(A < B, 1)", "gives where 2 arguments; it takes 3"),
    ("max(A < B, 1)", "holds 'A < B'"),
    ("A and B", "is not arithmetic"),
    ("not A", "is not arithmetic"),
    ("~A", "holds '~A'"),
    ("A // B", "holds 'A // B'"),
    ("A % B", "holds 'A % B'"),
    ("A @ B", "holds 'A @ B'"),
    ("A << B", "holds 'A << B'"),
    ("exp(*A)", "holds '*A'"),
    ("max(A, B, key=C)", "holds 'max(A, B, key=C)'"),
    ("exp(A)(B)", "holds 'exp(A)(B)'"),
    ("exp(A, B)", "gives exp 2 arguments; it takes 1"),
    ("max(A)", "gives max 1 arguments; it takes 2 to 8"),
    ("await A", "is not arithmetic"),
    ("yield A", "is not arithmetic"),
    ("A; B", "is not arithmetic"),
    ("A = B", "is not arithmetic"),
    ("2 mol/L * A", "numbers with units under 'constants'"),
    ("30 degC - 5", "numbers with units under 'constants'"),
    ("A # + B", "holds '#'"),
    ("A × B", "holds '×'"),
    ("ﬁ", "holds 'ﬁ'"),
    ("A\x00", "is not arithmetic"),
    ("\ud800", "holds"),
    ("", "is not arithmetic"),
    ("1e400", "has a number beyond 1e300"),
    ("9" * 400, "has a number beyond 1e300"),
    ("9**9**9", "no finite real number"),
    ("9**9**9**9", "no finite real number"),
    ("exp(exp(exp(9)))", "no finite real number"),
    ("1 / 0", "no finite real number"),
    ("0 ** -1", "no finite real number"),
    ("log(0)", "no finite real number"),
    ("(-8) ** 0.5", "no finite real number"),
    ("A ** 9 ** 9", "takes a power beyond 100"),
    ("(2 * A) ** 999999", "takes a power beyond 100"),
    ("(((A + A) ** 99) ** 99) ** 99", "takes a power beyond 100"),
    ("(" * 1500 + "A" + ")" * 499, "is not arithmetic"),
    ("-" * 1999 + "A", ""),
    ("+".join(["A"] * 1000), "too long or too deep"),
    ("exp(" * 100 + "A" + ")" * 100, "too long or too deep"),
    ("A" * 2001, "has 2001 characters; at most 2000 are allowed"),
    ("1 / (A - A)", "has no real value"),
    ("sqrt(-A ** 2)", "has no real value"),
    ("max(sqrt(-A ** 2), 1)", "has no real value"),
    ("log(A - A)", "has no real value"),
]


@pytest.mark.parametrize(("text", "said"), FORBIDDEN, ids=[text[:20] for text, _ in FORBIDDEN])
def test_what_is_no_arithmetic_is_refused_in_one_sentence_and_at_once(text, said):
    started = time.perf_counter()
    with pytest.raises(FormulaError) as caught:
        as_sympy(text)
    assert time.perf_counter() - started < 1.0
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("formula ")


WORDS = ["**", "//", ":=", "exp", "max", "lambda", "if", "else", "for", "in", "not", "is", "yield", "await", "None"]
WORDS += ["True", "__", "f'", "0x", "1_", "1e", "j", "é", "\x00"]
PIECES = st.lists(st.sampled_from([*"AB()+-*/,.[]{}:=<>!&|^~%@'\"\\;# \n\t0123456789e", *WORDS]), max_size=25).map(
    "".join
)


@settings(deadline=None, max_examples=500)
@given(st.text(max_size=80) | PIECES)
@example("1if 2else 3")
@example("0x1for x in y")
@example("'\\d'")
@example("1 is 1")
@example("max(A**50, A**50) ** 2")
def test_arbitrary_text_is_a_formula_or_a_formula_error(text):
    started, said = time.perf_counter(), ""
    try:
        formula = parse(text)
        formula.dimension({name: unit("1").dimension for name in formula.names})
        as_sympy(text)
    except FormulaError as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < 1000
    assert time.perf_counter() - started < 1.0


def test_every_function_is_tested_above():
    assert set(FUNCTIONS) == set(PYTHON)
