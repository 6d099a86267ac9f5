"""Wrong cards are answered with file, line, field, the given value and what is allowed."""

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rxnopt.cards import ReactionCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import catalogue, names, parse
from rxnopt.errors import CardError
from rxnopt.simulators.ode import OdeSimulator
from rxnopt.simulators.reaction import simulator_of

HERE = Path(__file__).parent
GOOD = (HERE / "good.yaml").read_text(encoding="utf-8")
EDITS = yaml.safe_load((HERE / "errors.yaml").read_text(encoding="utf-8"))


def checked(text):
    """Read, validate and lower a card."""
    source = parse(text, "good.yaml")
    return used(validate(source, ReactionCard), source)


def used(card, source):
    """Look at all that is looked at before the first experiment."""
    simulator = simulator_of(card, source)
    return card, simulator.lower() if isinstance(simulator, OdeSimulator) else None


def test_the_card_that_is_edited_below_is_good():
    card, system = checked(GOOD)
    assert card.name == "good"
    assert [str(s) for s in system.states] == ["A", "B", "C", "D", "heat"]
    assert len(system.outputs) == len(card.outputs)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: (edit["to"] or f"without {edit['edit']}").strip()[:50])
def test_a_wrong_card_is_answered_with_place_and_remedy(edit):
    assert edit["edit"] in GOOD
    with pytest.raises(CardError) as caught:
        checked(GOOD.replace(edit["edit"], edit["to"], 1))
    assert str(caught.value) == edit["says"]


def test_every_answer_of_the_table_is_one_line_with_file_and_line():
    assert len(EDITS) > 100
    for edit in EDITS:
        assert edit["says"].startswith("good.yaml:")
        assert edit["says"].removeprefix("good.yaml:")[0].isdigit()
        assert "\n" not in edit["says"]
        assert "Traceback" not in edit["says"]
        assert "pydantic" not in edit["says"]


CARDS = [GOOD, *((catalogue("envs") / f"{name}.yaml").read_text(encoding="utf-8") for name in names("envs"))]
TOKENS = [
    "",
    "0",
    "-1",
    "1e999",
    ".nan",
    "null",
    "true",
    "[]",
    "{}",
    "''",
    "A",
    "A -> B",
    "30 kJ/mol",
    "mol/L",
    "t",
    "V",
]
TOKENS += [
    "r1",
    "yield",
    "k: 1",
    "- x",
    "batch",
    "cstr",
    "custom",
    "exp(",
    "** 99",
    "\t",
    "&a",
    "*a",
    "!!str",
    "\x00",
    "é",
]


@settings(deadline=None, max_examples=250)
@given(data=st.data())
def test_a_card_with_random_edits_is_valid_or_a_card_error(data):
    text = data.draw(st.sampled_from(CARDS))
    for _ in range(data.draw(st.integers(1, 3))):
        text = data.draw(st.sampled_from([_cut, _replaced_word, _moved_line, _inserted]))(text, data)
    said = "good.yaml:"
    started = time.perf_counter()
    try:
        checked(text)
    except CardError as error:
        said = str(error)
    assert said.startswith("good.yaml:")
    assert "\n" not in said
    assert time.perf_counter() - started < 5.0


def _cut(text, data):
    lines = text.split("\n")
    del lines[data.draw(st.integers(0, len(lines) - 1))]
    return "\n".join(lines)


def _moved_line(text, data):
    lines = text.split("\n")
    line = lines[data.draw(st.integers(0, len(lines) - 1))]
    lines.insert(data.draw(st.integers(0, len(lines))), line)
    return "\n".join(lines)


def _replaced_word(text, data):
    words = text.split(" ")
    place = data.draw(st.integers(0, len(words) - 1))
    words[place] = data.draw(st.sampled_from(TOKENS) | st.sampled_from(words) | st.text(max_size=5))
    return " ".join(words)


def _inserted(text, data):
    place = data.draw(st.integers(0, len(text)))
    return text[:place] + data.draw(st.sampled_from(TOKENS) | st.characters()) + text[place:]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(TOKENS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, max_examples=250)
@given(data=st.data())
def test_a_card_with_any_value_at_any_place_is_valid_or_a_card_error(data):
    text = data.draw(st.sampled_from(CARDS))
    source = parse(text, "good.yaml")
    where = data.draw(st.sampled_from(sorted((w for w in source.lines if w), key=str)))
    inner = source.data
    for part in where[:-1]:
        inner = inner[part]
    inner[where[-1]] = data.draw(VALUES)
    said = "good.yaml:"
    try:
        used(validate(source, ReactionCard), source)
    except CardError as error:
        said = str(error)
    assert said.startswith("good.yaml:")
    assert "\n" not in said


def test_a_key_cannot_write_to_the_terminal():
    with pytest.raises(CardError, match=r"^good.yaml:6 constants.\\x1b\[31mred\\n: "):
        checked(GOOD.replace("A_0: 1 mol/L", r'"\x1b[31mred\n": 1 mol/L'))


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("v{before} * exp(v{before} * 1e-3)", "written out this formula has"),
        ("(v{before} + v{before}) ** 90", "beyond 1e300"),
        ("max(v{before}, 1, v{before} * 2)", "in min, max, abs and where"),
        ("abs(v{before} - 1)", "in min, max, abs and where"),
    ],
)
def test_a_card_cannot_keep_the_computer_busy(step, said):
    variables = "    v0: boost\n" + "".join(f"    v{i + 1}: {step.format(before=i)}\n" for i in range(60))
    started = time.perf_counter()
    with pytest.raises(CardError, match=said):
        checked(GOOD.replace("  reactions:\n", f"{variables}  reactions:\n"))
    assert time.perf_counter() - started < 10.0  # doubling sixty times would not end in the life of the universe
