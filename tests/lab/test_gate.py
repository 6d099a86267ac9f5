"""The gate refuses what breaks a limit and changes nothing: against inequalities written out by hand."""

from __future__ import annotations

import copy
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxnopt.cards.base import validate
from rxnopt.cards.lab import LabCard
from rxnopt.cards.parameters import Categorical, Continuous, Integer
from rxnopt.catalogue import parse
from rxnopt.errors import CardError, UnitError
from rxnopt.lab.gate import Gate
from rxnopt.lab.interface import Quantity, Range
from rxnopt.parameter import Parameter
from rxnopt.space import Space

CARD = """
name: rig
title: A rig with every kind of limit
adapter: {kind: filedrop, folder: x}
constants: {margin: 5 K, most: 12 mL/min}
parameters:
  temperature: {low: 20, high: 150, unit: degC, max_step: 50}
  flow_a: {low: 0.1, high: 10, unit: mL/min}
  flow_b: {low: 0.1, high: 10, unit: mL/min}
  tanks: {kind: integer, low: 1, high: 8}
  solvent: {levels: {THF: {boiling: 66 degC}, DMSO: {boiling: 189 degC}}}
  base: {levels: [NaH, DBU]}
constraints:
  boiling: temperature + margin <= solvent_boiling
  total: flow_a + flow_b <= most
forbidden: [{solvent: DMSO, base: NaH}]
reagents: {A: {stock: 100 mL, use: flow_a * 5 * minute}}
plate: {size: 2, shared: [temperature]}
outputs: {yield: {unit: "%"}}
""".replace("margin: 5 K", "margin: 5 K, minute: 1 min")


def card(text: str = CARD) -> LabCard:
    return validate(parse(text, "rig.yaml"), LabCard)


RIG = card()
SPACE = Space((
    Parameter("temperature", Continuous(low=293.15, high=400.0, unit="K")),
    Parameter("flow_a", Continuous(low=0.5, high=8.0, unit="mL/min")),
    Parameter("flow_b", Continuous(low=0.1, high=10.0, unit="mL/min")),
    Parameter("tanks", Integer(kind="integer", low=1, high=6)),
    Parameter("solvent", Categorical(levels=["THF", "DMSO"])),
    Parameter("base", Categorical(levels=["NaH", "DBU"])),
))  # fmt: skip
DEVICE = {
    "temperature": Range("K", 280.0, 410.0),
    "flow_a": Range("mL/min", 0.0, 9.0),
    "base": Range(levels=("DBU", "NaH")),
}
GATE = Gate(RIG, SPACE, DEVICE)

numbers = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 200)
setting = st.fixed_dictionaries({
    "temperature": st.builds(Quantity, st.floats(20, 120) | numbers, st.just("degC")),
    "flow_a": st.builds(Quantity, st.floats(0.4, 9) | numbers, st.just("mL/min")),
    "flow_b": st.builds(Quantity, st.floats(0, 9), st.just("mL/min")),
    "tanks": st.builds(Quantity, st.integers(1, 6).map(float) | st.floats(0, 9), st.just("1")),
    "solvent": st.sampled_from(["THF", "DMSO", "DMSO", "water"]),
    "base": st.sampled_from(["NaH", "DBU"]),
})  # fmt: skip
NEAR = 1e-6


def allowed(s, previous) -> bool | None:
    """What must hold, written out in the units of the rig; None where rounding decides."""
    T, a, b, n = (s[name].value for name in ("temperature", "flow_a", "flow_b", "tanks"))
    if not all(map(math.isfinite, (T, a, b, n))) or s["solvent"] == "water" or n not in (1, 2, 3, 4, 5, 6):
        return False
    hottest = min(126.85, {"THF": 61, "DMSO": 184}[s["solvent"]])
    edges = [T - 20, hottest - T, 12 - a - b, a - 0.5, 8 - a, b - 0.1, 10 - b]
    if previous is not None:
        edges.append(50 - abs(T - previous["temperature"].value))
    if min(map(abs, edges)) < NEAR:
        return None
    return min(edges) > 0 and (s["solvent"], s["base"]) != ("DMSO", "NaH")


@settings(max_examples=400, deadline=None)
@given(setting, st.none() | setting)
def test_it_lets_pass_what_holds_and_nothing_else(asked, previous):
    if previous is not None and not previous["temperature"].finite:
        previous = None
    before = copy.deepcopy(asked)
    found = GATE.violations([asked], previous)
    assert repr(asked) == repr(before)  # nothing is clamped or moved
    expected = allowed(asked, previous)
    if expected is not None:
        assert (found == ()) == expected, (found, asked)
    assert all(isinstance(each, str) and each for each in found)


@settings(max_examples=100, deadline=None)
@given(setting, st.floats(-0.1, 0.3))
def test_reagents_are_counted(asked, used):
    if GATE.violations([asked], None) == ():
        short = list(GATE.shortages([asked], {"A": used * 1e-3}))
        need = asked["flow_a"].value * 5
        left = 100 - 1000 * used
        if abs(need - left) > 1e-6:
            assert bool(short) == (need > left)


GOOD = {
    "temperature": Quantity(50.0, "degC"), "flow_a": Quantity(1.0, "mL/min"), "flow_b": Quantity(1.0, "mL/min"),
    "tanks": Quantity(2.0), "solvent": "THF", "base": "DBU",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"temperature": Quantity(85.0, "1")}, "cannot be given in 'degC'"),  # 85 without a unit
        ({"temperature": Quantity(math.nan, "degC")}, "no finite number"),
        ({"temperature": "hot"}, "is no number"),
        ({"solvent": Quantity(1.0)}, "is no level"),
        ({"temperature": Quantity(323.15, "K")}, None),
        ({"flow_a": Quantity(60.0, "mL/h")}, None),
        ({"temperature": Quantity(300.0, "degC")}, "beyond the limits of the rig"),
        ({"flow_a": Quantity(0.2, "mL/min")}, "beyond the limits of the campaign"),
        ({"pressure": Quantity(1.0, "bar")}, "no parameter 'pressure'"),
        ({"tanks": Quantity(2.5)}, "no whole number"),
        ({"temperature": Quantity(64.0, "degC")}, "boiling"),
        ({"flow_a": Quantity(7.0, "mL/min"), "flow_b": Quantity(7.0, "mL/min")}, "total"),
        ({"solvent": "DMSO", "base": "NaH"}, "must not meet"),
    ],
)
def test_every_kind_of_limit_has_its_sentence(change, said):
    found = GATE.violations([GOOD | change], None)
    assert (found == ()) if said is None else any(said in each for each in found)


def test_plates_and_steps_and_missing_values():
    other = GOOD | {"temperature": Quantity(60.0, "degC")}
    assert "shared by the plate" in GATE.violations([GOOD, other], None)[0]
    assert GATE.violations([GOOD, GOOD], None) == ()
    assert "the rig does 1 to 2" in GATE.violations([GOOD] * 3, None)[0]
    hot = GOOD | {"solvent": "DMSO", "temperature": Quantity(110.0, "degC")}
    assert "temperature would change by 60 at once" in GATE.violations([hot], GOOD)[0]
    assert "is missing" in GATE.violations([{k: v for k, v in GOOD.items() if k != "base"}], None)[0]


def test_the_version_changes_with_whatever_decides():
    versions = {
        GATE.version,
        Gate(card(CARD.replace("high: 150", "high: 140")), SPACE, DEVICE).version,
        Gate(card(CARD.replace("folder: x", "folder: y")), SPACE, DEVICE).version,
        Gate(RIG, SPACE, DEVICE | {"flow_b": Range("mL/min", 0, 3)}).version,
        Gate(RIG, Space(SPACE.parameters[:1]), DEVICE).version,
    }
    assert len(versions) == 5
    assert GATE.version == Gate(card(CARD.replace("A rig with", "The rig with")), SPACE, DEVICE).version


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("folder: x}", "folder: x, pasword: y}"), "no field 'pasword'"),
        (("solvent: DMSO, base: NaH", "solvent: water"), "no level of solvent"),
        (("solvent: DMSO, base: NaH", "solvant: DMSO"), "did you mean 'solvent'"),
        (("stock: 100 mL", "stock: 100 K"), "must be"),
        (("boiling: temperature", "boiling: temperatur"), "did you mean 'temperature'"),
        (("shared: [temperature]", "shared: [heat]"), "no parameter"),
        (("outputs:", "timeouts: {poll: 3}\noutputs:"), "no time above 0"),
        (("outputs:", "timeouts: {run: flow_a}\noutputs:"), "must be s"),
    ],
)
def test_mistakes_in_a_lab_file_are_told_with_their_place(change, said):
    with pytest.raises(CardError, match=said) as caught:
        card(CARD.replace(*change))
    assert str(caught.value).startswith("rig.yaml:")


def test_quantities_convert_once_and_refuse_another_dimension():
    assert Quantity(25.0, "degC").to("K").value == pytest.approx(298.15)
    assert Quantity(1.0, "L/min").to("mL/min").value == pytest.approx(1000)
    with pytest.raises(UnitError, match="cannot be given in 'bar'"):
        Quantity(1.0, "K").to("bar")
