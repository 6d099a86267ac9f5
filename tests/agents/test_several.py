"""Constraints of parameters, limits of outputs and several objectives, met by every agent of the catalogue."""

from __future__ import annotations

import numpy as np
import pytest

from rxnopt import catalogue
from rxnopt.agents import build, load
from rxnopt.agents.base import distinct, known
from rxnopt.campaign import Campaign
from rxnopt.cards import ReactionCard
from rxnopt.cards.agent import Bandit, Decoupled, Posterior, Pretrained, Sb3Trained
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.errors import CardError, ConditionsError, RxnoptError
from rxnopt.history import DONE, FAILED, History
from rxnopt.seeds import stream
from rxnopt.simulators import Outcome, Reaction
from rxnopt.space import Space

CARD = """
name: corner
id: Corner-v0
title: Two objectives over a triangle with a limit
budget: 16
parameters: {a: {low: 0, high: 1}, b: {low: 0, high: 1}, level: {levels: {p: {top: 0.9}, q: {top: 1.2}}}}
model: {reactor: {type: batch, time: 1 h}, initial: {A: 1 mol/L}, reactions: [{equation: A -> B, k: 1 1/h}]}
outputs: {yield: {formula: B}, cost: {formula: B}, heat: {formula: B}}
objectives: {yield: {direction: maximize, reference: 0}, cost: {direction: minimize, reference: 1}}
limits: {heat: {high: 0.4}}
constraints: {triangle: a + b <= level_top}
noise: {yield: {sd: 0.01}}
"""
OF_ONE_REACTION = Bandit | Decoupled | Posterior | Pretrained | Sb3Trained
"""Kinds of agents that need weights, an uncertainty or a finite space, which this reaction does not have."""
AGENTS = [name for name in catalogue.names("agents") if not isinstance(load(name).agent, OF_ONE_REACTION)]


def corner(old: str = "", new: str = "") -> Reaction:
    """yield = a + b, cost = a, heat = b - 0.1: the most is 0.5 + 0.7 with q, within the limit of b <= 0.5."""
    card = validate(parse(CARD.replace(old, new) if old else CARD, "corner.yaml"), ReactionCard)

    def simulate(X):
        a, b = X[:, 0], X[:, 1]
        return Outcome(np.column_stack([a + b, a, b - 0.1]), np.zeros(len(X), bool))

    return Reaction(card, Space.of(card), simulate)


@pytest.mark.parametrize("agent", AGENTS)
def test_agents_propose_only_what_keeps_the_constraints(agent):
    """Each proposal is checked by the campaign, which refuses any other; a rebuilt agent goes on alike."""
    budget = {"gp": 13, "logei": 11, "lognei": 11, "lognehvi": 11}.get(agent, 16)
    with Campaign(corner(), agent, budget=budget, seed=3, pareto=True) as campaign:
        campaign.run()
        X, Y = campaign.history.X, campaign.history.Y
        assert Y.shape == (budget, 2)
    assert campaign.space.feasible(X).all()
    y, status, violation = campaign.history.y, campaign.history.status, campaign.history.violation
    before = History(*(array[: budget - 1] for array in (X, y, status, Y, violation)))
    again = build(load(agent), campaign.reaction, budget=budget, seed=3)
    np.testing.assert_array_equal(again.propose(campaign.space, before, 1, stream(3, "agent", budget - 1))[0], X[-1])


@pytest.mark.parametrize("agent", ["tpe", "nsga2", "cmaes"])
def test_agents_learn_to_keep_limits(agent):
    """Of random points 36 % are within the limit (b <= 0.5); later trials of an agent that learns mostly are."""
    with Campaign(corner(), agent, budget=60, seed=1) as campaign:
        table = campaign.run()
    assert table["within_limits_noise_free"][30:].mean() > 0.6
    assert table["within_limits"].equals(table["heat"] <= 0.4)


def test_the_best_trial_is_the_best_within_the_limits():
    with Campaign(corner(), "random", budget=4, pareto=True) as campaign:
        with pytest.raises(RxnoptError, match="no trial has a result yet"):
            _ = campaign.best
        campaign.add({"a": 0.1, "b": 0.9, "level": "q"}, {"yield": 1.0, "cost": 0.1, "heat": 0.8})
        with pytest.raises(RxnoptError, match="no trial keeps the limits of heat yet"):
            _ = campaign.best
        assert campaign.front == []
        campaign.add({"a": 0.1, "b": 0.2, "level": "q"}, {"yield": 0.3, "cost": 0.1, "heat": 0.1})
        campaign.add({"a": 0.3, "b": 0.2, "level": "q"}, {"yield": 0.5, "cost": 0.3, "heat": 0.1})
        campaign.add({"a": 0.3, "b": 0.1, "level": "q"}, {"yield": 0.4, "cost": 0.3, "heat": 0.0})
        assert campaign.best.number == 2
        assert [trial.number for trial in campaign.front] == [1, 2]
        np.testing.assert_allclose(campaign.history.Y[2], [0.5, -0.3])
        np.testing.assert_allclose(campaign.history.violation[:, 0], [1.0, -0.75, -0.75, -1.0])
        with pytest.raises(ConditionsError, match="the outcome lacks the objective 'cost'"):
            campaign.add({"a": 0.3, "b": 0.1, "level": "q"}, {"yield": 0.4})
        with pytest.raises(ConditionsError, match="the constraint triangle"):
            campaign.add({"a": 0.9, "b": 0.9, "level": "q"}, None)


def test_a_journal_of_several_objectives_is_no_journal_of_one(tmp_path):
    with Campaign(corner(), "random", seed=1, journal=tmp_path / "j.db", pareto=True) as campaign:
        first = campaign.run()
    with Campaign(corner(), "random", seed=1, journal=tmp_path / "j.db", pareto=True) as campaign:
        assert campaign.trials.equals(first)
        assert campaign.history.Y.shape == (16, 2)
    with pytest.raises(RxnoptError, match="objectives"):
        Campaign(corner(), "random", seed=1, journal=tmp_path / "j.db")
    single = corner(
        "objectives: {yield: {direction: maximize, reference: 0}, cost: {direction: minimize, reference: 1}}"
    )
    with pytest.raises(CardError, match="has a single objective; add 'objectives'"):
        Campaign(single, "random", pareto=True)


def test_what_is_beyond_a_limit_is_worse_than_anything_within():
    space = corner().space
    X = np.array([[0.1, 0.1, 0.0]] * 5)
    y = np.array([5.0, 1.0, 9.0, 7.0, np.nan])
    status = np.array([DONE] * 4 + [FAILED], np.uint8)
    over = known(space, History(X, y, status, violation=np.array([[-1.0], [0.0], [0.5], [2.0], [np.nan]])))
    assert over.y[0] == 5.0
    assert over.y[1] == 1.0
    assert 1.0 > over.y[2] > over.y[3]
    assert over.y[4] == over.y[3]  # failed: the worst violation
    np.testing.assert_array_equal(over.violation[:, 0], [-1.0, 0.0, 0.5, 2.0, 2.0])
    np.testing.assert_array_equal(over.Y[:, 0], [5.0, 1.0, 9.0, 7.0, 1.0])


def test_a_small_space_with_a_constraint_is_gone_through_in_rounds():
    text = CARD.replace("{a: {low: 0, high: 1}, b: {low: 0, high: 1}, ", "{a: {kind: binary}, b: {kind: binary}, ")
    card = validate(parse(text, "corner.yaml"), ReactionCard)
    X = distinct(Space.of(card), np.zeros((6, 3)), np.random.default_rng(0))
    assert Space.of(card).feasible(X).all()
    assert len(np.unique(X[:4], axis=0)) == 4  # 00p, 00q, 01q, 10q
