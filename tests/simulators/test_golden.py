"""The cards of the catalogue against golden numbers that were made outside the package."""

import csv
import json
import runpy
from math import floor, log10
from pathlib import Path

import numpy as np
import pytest

from rxnopt.catalogue import has_field, names
from rxnopt.errors import ConditionsError
from rxnopt.simulators import load
from rxnopt.simulators.ode import OdeSimulator

TESTS = Path(__file__).parents[1]
GOLDEN, IMAGINED = TESTS / "golden", TESTS / "cards" / "imagined"
STATED = 1e-6
"""Largest relative error that the simulator states for an output."""
EXACT = 1e-11
"""Tolerance of a step with which all digits that were published come back."""


def rows(place):
    with place.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def reaction():
    loaded = {}

    def find(name):
        place = IMAGINED / f"{name}.yaml"
        if name not in loaded:
            loaded[name] = load(place if place.exists() else name)
        return loaded[name]

    return find


def simulated(own, simulator, row):
    """One output; the golden points outside the box of a card go to the simulator below the gate."""
    conditions = json.loads(row["conditions"])
    try:
        X = own.space.to_array(conditions)
    except ConditionsError:
        X = np.array([[float(conditions[p.name]) for p in own.space]])
    outcome = simulator(X)
    assert not outcome.failed[0]
    return outcome.values[0, own.outputs.index(row["output"])]


@pytest.mark.parametrize(
    "row",
    rows(GOLDEN / "reactions.csv") + rows(GOLDEN / "imagined.csv"),
    ids=lambda row: f"{row['card']}-{row['output']}",
)
def test_reaction_agrees_with_golden_number(reaction, row):
    own = reaction(row["card"])
    expected = float(row["value"])
    assert simulated(own, own.simulator, row) == pytest.approx(expected, rel=STATED)
    exact = OdeSimulator(own.card, own.simulator.source, rtol=EXACT)
    last = 10.0 ** (floor(log10(abs(expected))) + 1 - int(row["digits"]))
    assert abs(simulated(own, exact, row) - expected) <= 0.5 * last


def test_every_reaction_of_the_catalogue_has_golden_numbers():
    known = rows(GOLDEN / "reactions.csv") + rows(GOLDEN / "profiles.csv")
    assert {row["card"] for row in known} == {name for name in names("envs") if not has_field("envs", name, "data")}


@pytest.mark.parametrize("name", ["reactions", "imagined", "profiles"])
def test_golden_numbers_are_those_of_their_maker(name, tmp_path):
    runpy.run_path(str(GOLDEN / f"make_{name}.py"))["main"](tmp_path / "again.csv")
    made, kept = rows(tmp_path / "again.csv"), rows(GOLDEN / f"{name}.csv")
    assert [{**row, "value": ""} for row in made] == [{**row, "value": ""} for row in kept]
    # the maker solves at relative 1e-11; another SciPy may take other steps
    np.testing.assert_allclose([float(r["value"]) for r in made], [float(r["value"]) for r in kept], rtol=1e-9)
