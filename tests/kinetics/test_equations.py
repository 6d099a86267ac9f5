import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxnopt.kinetics.equations import parse_equation

SPECIES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
SIDES = st.dictionaries(SPECIES, st.integers(1, 9) | st.floats(0.25, 9.0).map(lambda x: round(x, 2)), max_size=4)


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("A -> B", {"A": 1}, {"B": 1}),
        ("A + 2 B -> C", {"A": 1, "B": 2}, {"C": 1}),
        ("2A->0.5B+.5C", {"A": 2}, {"B": 0.5, "C": 0.5}),
        ("A + A -> B", {"A": 2}, {"B": 1}),
        ("A + B -> 2 B", {"A": 1, "B": 1}, {"B": 2}),
        ("A ->", {"A": 1}, {}),
        ("A -> 0", {"A": 1}, {}),
        ("NO + O2 -> NO2", {"NO": 1, "O2": 1}, {"NO2": 1}),
        ("H2SO4_aq -> e4", {"H2SO4_aq": 1}, {"e4": 1}),
    ],
)
def test_equations(text, left, right):
    assert parse_equation(text) == (left, right)


@settings(deadline=None, max_examples=100)
@given(SIDES.filter(bool), SIDES)
def test_what_is_written_is_read(left, right):
    def side(terms):
        return " + ".join(f"{count} {name}" for name, count in terms.items())

    assert parse_equation(f"{side(left)} -> {side(right)}") == (left, right)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A <-> B", "needs one '->'; write a reversible step as two steps"),
        ("A = B", "needs one '->'"),
        ("A -> B -> C", "needs one '->'"),
        ("-> B", "has nothing on its left side"),
        ("0 -> B", "has nothing on its left side"),
        ("A + -> B", "'' is no species"),
        ("A * B -> C", "'A * B' is no species; write it like 'A' or '2 B'"),
        ("A -> B+", "'' is no species"),
        ("-1 A -> B", "'-1 A' is no species"),
        ("A -> C-", "'C-' is no species"),
        ("0 A -> B", "the coefficient 0 must lie between 0 and 1000"),
        ("9" * 290 + " A -> B", "must lie between 0 and 1000"),
    ],
)
def test_what_is_no_equation_is_refused(text, said):
    with pytest.raises(ValueError, match=r"^equation ") as caught:
        parse_equation(text)
    assert said in str(caught.value)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=40) | st.text(alphabet="AB12 .+->0_", max_size=30))
def test_arbitrary_text_is_an_equation_or_a_value_error(text):
    try:
        left, right = parse_equation(text)
    except ValueError:
        return
    assert left
    assert all(count > 0 for count in (*left.values(), *right.values()))
