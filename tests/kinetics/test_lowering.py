"""Lowering of cards, checked without the compiled kernel: the mathematics is solved by SciPy and compared with golden
numbers that were made from equations written down a second time."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp
from scipy.optimize import fsolve

from rxnopt.cards import ReactionCard, load_card
from rxnopt.cards.parameters import Categorical, Continuous, Integer
from rxnopt.catalogue import names
from rxnopt.kinetics.inputs import as_quantity, input_names
from rxnopt.kinetics.lowering import lower
from rxnopt.units import unit

GOLDEN = Path(__file__).parents[1] / "golden" / "reactions.csv"
IMAGINED = Path(__file__).parents[1] / "cards" / "imagined"


def golden_rows():
    with GOLDEN.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


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
    end, paths = _steady(system, given) if system.duration is None else _transient(system, given)
    known = given | dict(zip(system.states, end, strict=True)) | paths
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
    solved = solve_ivp(
        lambda t, x: rhs(t, *x), (0, duration), start, method="LSODA", rtol=1e-11, atol=1e-10, max_step=duration / 100,
        events=[lambda t, x, both=both: both(t, *x)[1] for _, both in found],
    )  # fmt: skip
    assert solved.success
    end = solved.y[:, -1]
    paths = {}
    for i, (path, both) in enumerate(found):
        turning = zip(solved.t_events[i], solved.y_events[i], strict=True)
        values = [both(t, *x)[0] for t, x in [(0.0, start), (duration, end), *turning]]
        paths[path.symbol] = max(values) if path.kind == "max" else min(values)
    return end, paths


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
    card, source = load_card("envs", row["card"], ReactionCard)
    value = solve(card, source, json.loads(row["conditions"]))[row["output"]]
    # both sides are solved at relative 1e-11; 2e-8 leaves room for what accumulates and still holds 7 of 8 digits
    assert value == pytest.approx(float(row["value"]), rel=2e-8)


def imagined(name):
    return load_card("envs", IMAGINED / f"{name}.yaml", ReactionCard)


def esterified(time, temperature, excess, shift, equilibrium):
    """Closed form of A + B <-> E + W from nothing: Riccati's equation between its two roots."""
    T = temperature + 273.15
    k = 2e-5 * math.exp(-(55e3 + shift) / 8.314462618 * (1 / T - 1 / 298.15))
    a, b, q = 2.0, 2.0 * excess, 1 - 1 / equilibrium
    root = math.sqrt((a + b) ** 2 - 4 * q * a * b)
    low, high = ((a + b) - root) / (2 * q), ((a + b) + root) / (2 * q)
    grown = math.exp(-k * q * (high - low) * time * 60)
    return low * high * (1 - grown) / (high - low * grown)


@pytest.mark.parametrize(
    ("solvent", "shift", "equilibrium"), [("toluene", 0, 6), ("dioxane", 1200, 4), ("neat", -800, 3.6)]
)
def test_a_reversible_step_with_a_choice_of_solvents(solvent, shift, equilibrium):
    conditions = {"reaction_time": 90.0, "temperature": 60.0, "excess": 2.5, "solvent": solvent}
    found = solve(*imagined("ester"), conditions)
    ester = esterified(90.0, 60.0, 2.5, shift, equilibrium)
    # closed form against LSODA at relative 1e-11
    assert found["yield"] == pytest.approx(100 * ester / 2.0, rel=1e-8)
    assert found["profit"] == pytest.approx(100 * (ester / 2.0 - 0.03 - 0.01 * math.log10(90)), rel=1e-8)


@pytest.mark.parametrize("tanks", [1, 2, 6])
def test_a_free_rate_law_in_a_cascade_whose_feed_is_called_like_an_inlet(tanks):
    found = solve(*imagined("enzyme"), {"residence_time": 120.0, "S_in": 60.0, "tanks": tanks})
    s = 60.0
    for _ in range(tanks):  # every tank is a quadratic: the substrate that is left, in mmol/L
        fed, load = s, 0.8 * 120.0 / tanks
        made_before = 60.0 - fed
        # (fed - s) (5 (1 + (made_before + fed - s) / 40) + s) = load s
        a, b = -(1 - 5 / 40), (1 - 5 / 40) * fed - 5 * (1 + (made_before + fed) / 40) - load
        c = fed * 5 * (1 + (made_before + fed) / 40)
        s = (-b - math.sqrt(b * b - 4 * a * c)) / (2 * a)
    # closed form against fsolve at 1e-13
    assert found["yield"] == pytest.approx(100 * (60.0 - s) / 60.0, rel=1e-9)
    assert found["space_time_yield"] == pytest.approx((60.0 - s) / 1000 / (120.0 / 3600), rel=1e-9)
    assert found["last_rate"] == pytest.approx(0.8 * s / (5 * (1 + (60.0 - s) / 40) + s), rel=1e-9)


@pytest.mark.parametrize("inhibited", [0, 1])
def test_a_custom_reactor_with_a_ramp_and_paths(inhibited):
    found = solve(*imagined("autocatalysis"), {"hours": 5.0, "ramp": 12.0, "inhibited": inhibited})

    def slope(t, x):  # t in hours
        T = 300 + 12.0 * t
        k = 3600 * 1e-4 * math.exp(-6000 * (1 / T - 1 / 300)) / (1 + 2 * inhibited)
        return [k * (1 - x[0]) * (x[0] + 0.001)]

    solved = solve_ivp(slope, (0, 5), [0.01], method="DOP853", rtol=1e-11, atol=1e-13, max_step=0.001)
    rates = [slope(t, x)[0] for t, x in zip(solved.t, solved.y.T, strict=True)]
    made = solved.y[0, -1]
    assert found["yield"] == pytest.approx(100 * made, rel=1e-8)
    assert found["warming"] == pytest.approx(20 * (made - 0.01), rel=1e-8)
    # the largest of 5000 points of the reference lies within (step / width of the peak)^2 of the true peak
    assert found["top_rate"] == pytest.approx(max(rates), rel=1e-6)
    assert found["end_temperature"] == pytest.approx(300 + 60 - 273.15, rel=1e-12)
    assert found["lowest_temperature"] == pytest.approx(300 - 273.15, rel=1e-12)


def test_inputs_are_the_parameters_and_the_numeric_properties_of_levels():
    card, source = imagined("ester")
    assert [str(symbol) for symbol in lower(card, source).inputs] == [
        "reaction_time", "temperature", "excess", "solvent_shift", "solvent_equilibrium",
    ]  # fmt: skip


@pytest.mark.parametrize("name", [*names("envs"), "ester", "enzyme", "autocatalysis"])
def test_expressions_hold_only_the_symbols_that_are_promised(name):
    card, source = imagined(name) if (IMAGINED / f"{name}.yaml").exists() else load_card("envs", name, ReactionCard)
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
        assert value.free_symbols <= inputs | states | {path.symbol for path in system.paths}
    assert len(system.derivatives) == len(system.initial) == len(system.states) == len(system.nonnegative)
    assert len(system.inlets) == (len(system.states) if steady else 0)
    assert not inlets & inputs


def test_mass_action_follows_the_orders_and_not_only_the_equation():
    card, source = load_card("envs", "vandevusse_isothermal", ReactionCard)
    system = lower(card, source)
    symbols = {str(s): s for s in system.states}
    change_of_d = system.derivatives[system.states.index(symbols["D"])]
    assert change_of_d.diff(symbols["A"], 2) != 0  # second order in A although the equation says A -> 0.5 D
    assert change_of_d.diff(symbols["A"], 3) == 0
