"""Constraints of parameters: a sealed vial with three solvents, whose boiling points are facts of a table."""

import pickle

import numpy as np
import pytest

from rxnopt.cards import ReactionCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.errors import CardError, ConditionsError
from rxnopt.simulators import Outcome, Reaction
from rxnopt.simulators.search import find_optimum
from rxnopt.space import Space

CARD = """
name: vial
id: Vial-v0
title: A sealed vial
constants: {margin: 10 K}
parameters:
  temperature: {low: 20, high: 150, unit: degC}
  solvent:
    levels:
      ether: {boiling_point: 34.6 degC}
      ethanol: {boiling_point: 78.4 degC}
      toluene: {boiling_point: 110.6 degC}
model: {reactor: {type: batch, time: 1 h}, initial: {A: 1 mol/L}, reactions: [{equation: A -> B, k: 1 1/h}]}
outputs: {yield: {formula: B, unit: "%"}, heat: {formula: B}}
limits: {heat: {low: -50, high: 100}}
constraints:
  sealed_vial: temperature <= solvent_boiling_point + margin
"""
BOILING = np.array([34.6, 78.4, 110.6])


def card(old: str = "", new: str = "") -> ReactionCard:
    assert old in CARD
    return validate(parse(CARD.replace(old, new) if old else CARD, "vial.yaml"), ReactionCard)


def vial(old: str = "", new: str = "") -> Reaction:
    """Hotter is better, and heat is the temperature."""
    made = card(old, new)
    return Reaction(made, Space.of(made), lambda X: Outcome(X[:, [0, 0]].copy(), np.zeros(len(X), bool)))


def test_feasible_is_what_the_inequality_says():
    X = np.column_stack([np.tile(np.linspace(20, 150, 261), 3), np.repeat([0.0, 1.0, 2.0], 261)])
    space = vial().space
    np.testing.assert_array_equal(space.feasible(X), X[:, 0] <= BOILING[X[:, 1].astype(int)] + 10 + 1e-9)
    excess = space.constraints.excess(X)
    assert excess.shape == (783, 1)
    np.testing.assert_allclose(excess[:, 0], X[:, 0] - BOILING[X[:, 1].astype(int)] - 10, atol=1e-9)


def test_samples_are_feasible_and_even_among_the_feasible():
    space = vial().space
    X = space.sample(20_000, np.random.default_rng(0))
    assert len(X) == 20_000
    assert space.feasible(X).all()
    space.check(X)
    widths = BOILING + 10 - 20
    share = np.bincount(X[:, 1].astype(int)) / len(X)
    np.testing.assert_allclose(share, widths / widths.sum(), atol=0.012)  # 3 standard deviations of 20,000 draws
    assert len(space.sample(0, np.random.default_rng(0))) == 0


def test_infeasible_conditions_are_refused_in_one_sentence():
    reaction = vial()
    with pytest.raises(ConditionsError) as caught:
        reaction.simulate({"temperature": 90, "solvent": "ether"})
    assert str(caught.value) == (
        "the constraint sealed_vial (temperature <= solvent_boiling_point + margin) is broken: "
        "363.15 against 317.75 K; choose other conditions"
    )
    with pytest.raises(ConditionsError, match=r"row 1: the constraint sealed_vial"):
        reaction.outcome(np.array([[20.0, 0.0], [90.0, 0.0]]))
    with pytest.raises(ConditionsError, match=r"temperature = 900.0 is not allowed"):
        reaction.outcome(np.array([[900.0, 0.0]]))


def test_an_attempt_fails_where_it_cannot_be_run():
    outcome = vial().attempt(np.array([[40.0, 0.0], [90.0, 0.0], [88.0, 1.0]]))
    assert outcome.failed.tolist() == [False, True, False]
    np.testing.assert_array_equal(outcome.values[:, 0], [40.0, np.nan, 88.0])


def test_the_optimum_keeps_constraints_and_limits():
    found = find_optimum(vial())
    assert found.conditions["solvent"] == "toluene"
    assert 99.99 < found.value <= 100  # the limit of heat; the constraint alone would allow 120.6
    free = find_optimum(vial("limits: {heat: {low: -50, high: 100}}", ""))
    assert 120.59 < free.value <= 120.6
    with pytest.raises(ConditionsError, match="no experiment on vial succeeds within its limits"):
        find_optimum(vial("{low: -50, high: 100}", "{high: 10}"))


def test_violation_and_cost_of_limits():
    reaction = vial("temperature: {low: 20,", "temperature: {low: -100,")
    outcome = reaction.outcome(np.array([[-60.0, 0.0], [-50.0, 0.0], [70.0, 2.0], [110.0, 2.0]]))
    np.testing.assert_allclose(reaction.violation(outcome)[:, 0], [10.0, 0.0, -30.0, 10.0])
    np.testing.assert_allclose(reaction.cost(outcome), [0.1, 0.0, 0.0, 0.1])  # over 100, the larger limit
    assert reaction.within_limits(outcome).tolist() == [False, True, True, False]
    lost = Outcome(np.full((1, 2), np.nan), np.array([True]))
    assert np.isnan(reaction.violation(lost)).all()
    assert reaction.cost(lost) == [1.0]
    assert not reaction.within_limits(lost)


def test_a_space_without_feasible_points_is_told():
    space = vial("margin: 10 K", "margin: -100 K").space
    with pytest.raises(ConditionsError, match=r"random conditions broke the constraints \(sealed_vial\); loosen them"):
        space.sample(3, np.random.default_rng(0))


def test_spaces_with_constraints_can_be_sent_to_workers():
    space = vial().space
    again = pickle.loads(pickle.dumps(space))
    X = np.array([[40.0, 0.0], [90.0, 0.0]])
    np.testing.assert_array_equal(again.feasible(X), space.feasible(X))


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (
            "temperature <= solvent_boiling + margin",
            "uses unknown name 'solvent_boiling'; did you mean 'solvent_boiling",
        ),
        ("temperature <= margin * margin", "adds or compares K with"),
        ("temperature + margin", "is no inequality; write it like 'T < T_max'"),
        ("margin <= margin", "'margin <= margin' names no parameter, so that no conditions could keep it"),
        ("temperature <= yield", "uses unknown name 'yield'"),
    ],
)
def test_a_wrong_constraint_is_told_with_its_line(new, said):
    with pytest.raises(CardError) as caught:
        card("temperature <= solvent_boiling_point + margin", new)
    assert str(caught.value).startswith("vial.yaml:17 constraints.sealed_vial: ")
    assert said in str(caught.value)
