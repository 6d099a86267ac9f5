"""Pareto fronts and hypervolumes against brute force, Monte Carlo and closed forms; the fronts of the catalogue."""

from pathlib import Path

import numpy as np
import pytest

from rxnopt.catalogue import catalogue, names
from rxnopt.errors import CardError, ConditionsError, UnknownNameError
from rxnopt.seeds import stream
from rxnopt.simulators import load
from rxnopt.simulators.pareto import Front, find_front, hypervolume, nondominated
from rxnopt.simulators.scalar import Scalar

STORED = sorted(Path(place.name).stem for place in (catalogue("envs") / "fronts").iterdir())


def dominated(Y, i):
    return any((Y[j] >= Y[i]).all() and (Y[j] > Y[i]).any() for j in range(len(Y)))


@pytest.mark.parametrize("k", [1, 2, 3])
def test_nondominated_is_the_definition(k):
    Y = np.random.default_rng(k).integers(0, 6, (60, k)).astype(float)
    kept = nondominated(Y)
    assert {tuple(y) for y in Y[kept]} == {tuple(Y[i]) for i in range(60) if not dominated(Y, i)}
    assert len(np.unique(Y[kept], axis=0)) == kept.sum()
    Y[3] = np.nan
    assert not nondominated(Y)[3]
    assert nondominated(np.empty((0, k))).shape == (0,)


def test_hypervolumes_in_closed_form():
    assert hypervolume(np.array([[2.0, 3.0]]), np.array([1.0, 1.0])) == 2.0
    assert hypervolume(np.array([[2.0, 3.0], [3.0, 2.0], [1.5, 1.5], [9.0, 1.0]]), np.array([1.0, 1.0])) == 3.0
    assert hypervolume(np.array([[3.0, 1.0, 1.0], [1.0, 2.0, 1.0], [1.0, 1.0, 2.0]]), np.zeros(3)) == 5.0
    assert hypervolume(np.array([[np.nan, 1.0], [-1.0, 5.0]]), np.zeros(2)) == 0.0
    angle = np.linspace(0, np.pi / 2, 2001)  # a quarter of a disc, missed by about half a step
    disc = hypervolume(np.column_stack([np.cos(angle), np.sin(angle)]), np.zeros(2))
    assert np.pi / 4 - 1e-3 < disc < np.pi / 4


@pytest.mark.parametrize("k", [2, 3, 4])
def test_hypervolume_agrees_with_monte_carlo(k):
    rng = np.random.default_rng(k)
    Y, points = rng.random((12, k)), rng.random((200_000, k))
    share = (points[:, None] <= Y).all(axis=2).any(axis=1).mean()
    assert hypervolume(Y, np.zeros(k)) == pytest.approx(share, abs=5e-3)  # 4.5 standard deviations


def test_optuna_agrees():
    from optuna._hypervolume import compute_hypervolume

    Y = np.random.default_rng(0).random((40, 3))
    assert hypervolume(Y, np.zeros(3)) == pytest.approx(compute_hypervolume(-Y, np.zeros(3)), rel=1e-12)


SEVERAL = {name: reaction.card for name in names("envs") if (reaction := load(name)).card.objectives}
TABLES = [name for name, card in SEVERAL.items() if card.model.kind == "table"]
SEARCHED = [
    pytest.param(name, marks=[pytest.mark.data] if card.data else []) for name, card in SEVERAL.items()
    if name not in TABLES
]  # fmt: skip


@pytest.mark.parametrize("name", SEARCHED)
def test_the_known_front_is_reproduced_and_not_beaten(name):
    """The points give the numbers of the file, none dominates another, and 100,000 random points cover less."""
    assert name in STORED
    reaction = load(name)
    front = reaction.pareto_front()
    outcome = reaction.outcome(front.X)
    np.testing.assert_allclose(reaction.objectives(outcome), front.Y, rtol=1e-6)  # the accuracy of the simulator
    assert (reaction.excess(outcome) <= 1e-6).all()  # likewise
    assert nondominated(front.Y).all()
    assert (front.Y > front.reference).all()
    assert len(front.X) >= 24
    chance = Front.of(reaction, reaction.space.sample(100_000, stream(0, "random")))
    assert chance.hypervolume < front.hypervolume
    union = np.vstack([front.Y, chance.Y])
    assert hypervolume(union, front.reference) < 1.01 * front.hypervolume  # what lies between the points


@pytest.mark.data
@pytest.mark.parametrize("name", TABLES)
def test_the_front_of_a_table_is_that_of_all_its_experiments(name):
    reaction = load(name)
    exact, front = Front.of(reaction, reaction.simulator.grid), reaction.pareto_front()
    np.testing.assert_allclose(np.unique(front.Y, axis=0), np.unique(exact.Y, axis=0), rtol=1e-6)
    np.testing.assert_allclose(reaction.objectives(reaction.outcome(front.X)), front.Y, rtol=1e-6)


def test_every_stored_front_belongs_to_a_card():
    assert set(STORED) <= set(names("envs"))


def test_a_front_is_found_where_none_is_stored(tmp_path):
    """A and B share what is fed: yield and rest add up to 1, the front is a straight line from (0, 1) to (1, 0)."""
    path = tmp_path / "line.yaml"
    path.write_text("""
name: line
id: Line-v0
title: What is made and what is left
parameters: {time: {low: 0, high: 20, unit: min}}
constants: {charge: 1 mol/L}
model: {reactor: {type: batch, time: time}, initial: {A: charge}, reactions: [{equation: A -> B, k: 1 1/min}]}
outputs: {yield: {formula: B / charge}, rest: {formula: A / charge}}
objectives: {yield: {direction: maximize, reference: 0}, rest: {direction: maximize, reference: 0}}
limits: {rest: {high: 0.9}}
""")
    reaction = load(path)
    front = find_front(reaction, points=11)
    np.testing.assert_allclose(front.Y.sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(front.ideal, [1.0, 0.9], atol=1e-3)  # yields below 0.1 are beyond the limit
    assert (front.Y[:, 0] >= 0.1 - 1e-9).all()
    assert 0.43 < front.hypervolume < 0.495  # 1/2 - 0.1 * 0.1 / 2 less the steps between 11 points


def test_scalars_are_what_their_formulas_say():
    reference, ideal = np.array([0.0, -10.0]), np.array([4.0, 0.0])
    Y = np.array([[0.0, -10.0], [4.0, 0.0], [2.0, -2.5], [np.nan, 0.0]])
    weighted = Scalar("weighted", np.array([3.0, 1.0]), reference, ideal)(Y)
    np.testing.assert_allclose(weighted, [0.0, 1.0, 0.75 * 0.5 + 0.25 * 0.75, np.nan])
    lost = max(0.75 * 0.5, 0.25 * 0.25) + 0.05 * (0.75 * 0.5 + 0.25 * 0.25)
    chebyshev = Scalar("chebyshev", np.array([0.75, 0.25]), reference, ideal)(Y)
    np.testing.assert_allclose(chebyshev, [0.0, 1.0, 1 - lost / 0.8, np.nan])


def test_a_scalarised_reaction_is_a_reaction():
    snar = load("snar")
    both = snar.scalarised("chebyshev", {"e_factor": 3, "space_time_yield": 1})
    X = snar.space.sample(200, stream(0, "points"))
    outcome = both.outcome(X)
    np.testing.assert_array_equal(outcome.values[:, :-1], snar.outcome(X).values)
    front = snar.pareto_front()
    scalar = Scalar("chebyshev", np.array([0.25, 0.75]), front.reference, front.ideal)
    np.testing.assert_allclose(both.score(outcome), scalar(snar.objectives(snar.outcome(X))))
    assert both.objective == "chebyshev"
    assert both.score(outcome).max() <= both.optimum().value < 1.0
    assert both.card.digest() != snar.card.digest()
    again = both.simulate(both.optimum().conditions)
    assert again["chebyshev"] == pytest.approx(both.optimum().value, rel=1e-6)
    noisy = both.outcome(X, stream(1, "noise"))
    np.testing.assert_allclose(noisy.values[:, -1], scalar(snar.objectives(noisy)))


@pytest.mark.parametrize(
    ("weights", "error", "said"),
    [
        ({"e_facto": 1}, UnknownNameError, "did you mean 'e_factor'?"),
        ([1, -1], ConditionsError, "are not allowed; give a number from 0 on for each of space_time_yield, e_factor"),
        ([1], ConditionsError, "are not allowed"),
        ([0, 0], ConditionsError, "not all zero"),
        (["a", 1], ConditionsError, "are not allowed"),
    ],
)
def test_wrong_weights_are_told(weights, error, said):
    with pytest.raises(error) as caught:
        load("snar").scalarised("weighted", weights)
    assert said in str(caught.value)


def test_a_card_with_one_objective_has_no_front():
    with pytest.raises(CardError, match="reaction 'lactose' has a single objective; add 'objectives'"):
        load("lactose").pareto_front()
    with pytest.raises(UnknownNameError, match="objective='cheby' is unknown"):
        load("snar").scalarised("cheby")
