"""Lowering of cards, checked without the compiled kernel: the mathematics is solved by SciPy and compared with golden
numbers that were made from equations written down a second time."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp
from scipy.optimize import fsolve

from rxnopt.cards import ReactionCard, load_card
from rxnopt.cards.base import validate
from rxnopt.cards.inputs import as_quantity, input_names
from rxnopt.cards.parameters import Categorical, Continuous, Integer
from rxnopt.catalogue import has_field, names, parse
from rxnopt.errors import CardError
from rxnopt.kinetics.lowering import lower
from rxnopt.units import unit

GOLDEN = Path(__file__).parents[1] / "golden"
IMAGINED = Path(__file__).parents[1] / "cards" / "imagined"
KINETIC = [name for name in names("envs") if not has_field("envs", name, "data")]


def golden_rows():
    rows = []
    for place in ("reactions.csv", "imagined.csv"):
        with (GOLDEN / place).open(encoding="utf-8") as file:
            rows += csv.DictReader(file)
    return rows


def loaded(name):
    place = IMAGINED / f"{name}.yaml"
    return load_card("envs", place if place.exists() else name, ReactionCard)


def inputs_of(card, conditions):
    """SI inputs of the kernel, found from the card alone."""
    found = []
    for name, key in input_names(card):
        parameter, value = card.parameters[name], conditions[name]
        if isinstance(parameter, Categorical):
            found.append(as_quantity(parameter.levels[value][key]).si)
        elif isinstance(parameter, Continuous | Integer):
            found.append(unit(parameter.unit).to_si(value))
        else:
            found.append(value)
    return found


def solve(card, source, conditions):
    """Outputs of a card in its units, by sympy.lambdify and SciPy."""
    system = lower(card, source)
    given = dict(zip(system.inputs, inputs_of(card, conditions), strict=True))
    end, others = _steady(system, given) if system.duration is None else _transient(system, given)
    known = given | dict(zip(system.states, end, strict=True)) | others
    units = [unit(output.unit) for output in card.outputs.values()]
    values = [own.from_si(_number(value, known)) for own, value in zip(units, system.outputs, strict=True)]
    return dict(zip(card.outputs, values, strict=True))


def _number(expression, known):
    return float(sympy.lambdify(list(known), expression, "numpy")(*known.values()))


def _transient(system, given):
    start = [_number(value, given) for value in system.initial]
    duration = _number(system.duration, given)
    slopes = [f.subs(given) for f in system.derivatives]
    rhs = sympy.lambdify([system.time, *system.states], slopes, "numpy")
    found = [
        (path, sympy.lambdify([system.time, *system.states], [
            path.value.subs(given),
            path.value.subs(given).diff(system.time)
            + sum(path.value.subs(given).diff(s) * f for s, f in zip(system.states, slopes, strict=True)),
        ], "numpy"))
        for path in system.paths
    ]  # fmt: skip
    events = [lambda t, x, both=both: both(t, *x)[1] for _, both in found]
    if system.until is not None:
        left = sympy.lambdify([system.time, *system.states], system.until.subs(given), "numpy")
        events.append(lambda t, x: left(t, *x))
        events[-1].terminal, events[-1].direction = True, -1
    # LSODA makes no way where slopes jump at a value of a state
    method = "DOP853" if any(f.has(sympy.Piecewise) for f in system.derivatives) else "LSODA"
    solved = solve_ivp(
        lambda t, x: rhs(t, *x), (0, duration), start, method=method, rtol=1e-11, atol=1e-10, max_step=duration / 100,
        events=events,
    )  # fmt: skip
    assert solved.success
    end, last = solved.y[:, -1], solved.t[-1]
    others = {system.time: last}
    for i, (path, both) in enumerate(found):
        turning = zip(solved.t_events[i], solved.y_events[i], strict=True)
        values = [both(t, *x)[0] for t, x in [(0.0, start), (last, end), *turning]]
        others[path.symbol] = max(values) if path.kind == "max" else min(values)
    return end, others


def _steady(system, given):
    inlet = [_number(value, given) for value in system.initial]
    slopes = sympy.lambdify([*system.inlets, *system.states], [f.subs(given) for f in system.derivatives], "numpy")
    tanks = 1 if system.tanks is None else round(_number(system.tanks, given))
    for _ in range(tanks):
        fed = inlet
        started = solve_ivp(lambda _, x, fed=fed: slopes(*fed, *x), (0, 1e6), fed, method="LSODA", rtol=1e-9, atol=1e-9)
        assert started.success
        scale = np.maximum(np.abs(started.y[:, -1]), 1e-6)
        # xtol is relative to the states; the residual is left to rounding of the rates
        root = fsolve(lambda z, fed=fed, scale=scale: slopes(*fed, *(z * scale)), started.y[:, -1] / scale, xtol=1e-13)
        inlet = (root * scale).tolist()
    return inlet, {}


@pytest.mark.parametrize("row", golden_rows(), ids=lambda row: f"{row['card']}-{row['output']}")
def test_card_means_what_was_published(row):
    card, source = loaded(row["card"])
    value = solve(card, source, json.loads(row["conditions"]))[row["output"]]
    # both sides are solved at relative 1e-11; 2e-8 leaves room for what accumulates and still holds 7 of 8 digits
    assert value == pytest.approx(float(row["value"]), rel=2e-8)


def test_inputs_are_the_parameters_and_the_numeric_properties_of_levels():
    card, source = loaded("ester")
    assert [str(symbol) for symbol in lower(card, source).inputs] == [
        "reaction_time", "temperature", "excess", "solvent_shift", "solvent_equilibrium",
    ]  # fmt: skip


@pytest.mark.parametrize("name", [*KINETIC, "ester", "enzyme", "autocatalysis"])
def test_expressions_hold_only_the_symbols_that_are_promised(name):
    card, source = loaded(name)
    system = lower(card, source)
    inputs, states, inlets = set(system.inputs), set(system.states), set(system.inlets)
    steady = system.duration is None
    for f in system.derivatives:
        assert f.free_symbols <= inputs | states | (inlets if steady else {system.time})
    for value in (*system.initial, *filter(None, [system.duration, system.tanks])):
        assert value.free_symbols <= inputs
    for path in system.paths:
        assert path.value.free_symbols <= inputs | states | {system.time}
    for value in system.outputs:
        assert value.free_symbols <= inputs | states | {system.time} | {path.symbol for path in system.paths}
    assert len(system.derivatives) == len(system.initial) == len(system.states) == len(system.nonnegative)
    assert len(system.inlets) == (len(system.states) if steady else 0)
    assert not inlets & inputs


def test_mass_action_follows_the_orders_and_not_only_the_equation():
    card, source = loaded("vandevusse_isothermal")
    system = lower(card, source)
    symbols = {str(s): s for s in system.states}
    change_of_d = system.derivatives[system.states.index(symbols["D"])]
    assert change_of_d.diff(symbols["A"], 2) != 0  # second order in A although the equation says A -> 0.5 D
    assert change_of_d.diff(symbols["A"], 3) == 0


def test_a_variable_may_be_the_temperature():
    text = (IMAGINED / "ester.yaml").read_text(encoding="utf-8")
    text = text.replace("temperature: temperature}", "temperature: T}").replace(
        "  reactions:", "  variables: {T: temperature + 1 * slope * t}\n  reactions:"
    )
    source = parse(text.replace("  price: 0.02", "  price: 0.02\n  slope: 0 K/s"), "ester.yaml")
    card, original = validate(source, ReactionCard), loaded("ester")
    at = {"reaction_time": 90.0, "temperature": 60.0, "excess": 2.5, "solvent": "toluene"}
    assert solve(card, source, at)["yield"] == pytest.approx(solve(*original, at)["yield"], rel=1e-9)


def cascade(tanks):
    text = (IMAGINED / "enzyme.yaml").read_text(encoding="utf-8")
    text = text.replace("tanks: tanks}", f"tanks: '{tanks}'}}").replace("  K_i:", "  two: 2\n  half: 0.5\n  K_i:")
    source = parse(
        text.replace("  tanks: {kind", "  share: {low: 0, high: 1}\n  on: {kind: binary}\n  tanks: {kind"), "e.yaml"
    )
    return validate(source, ReactionCard), source


@pytest.mark.parametrize("tanks", ["3", "tanks", "tanks + 1", "two * tanks", "max(tanks, 2)", "1 + on"])
def test_tanks_are_whole_numbers(tanks):
    assert lower(*cascade(tanks)).tanks is not None


@pytest.mark.parametrize("tanks", ["1.5", "share", "tanks / 2", "half * tanks", "1 + share * tanks", "sqrt(tanks)"])
def test_fractions_of_tanks_are_refused(tanks):
    with pytest.raises(CardError, match=r"^e.yaml:\d+ model.reactor.tanks: .* may be a fraction; use whole numbers"):
        lower(*cascade(tanks))
