"""Batches, plates and trials that are being run, for every agent of the catalogue."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from population_toys import uncertain

from rxnopt import catalogue
from rxnopt.agents import Agent, OnPlates, build, load, transformer
from rxnopt.agents.base import distinct
from rxnopt.agents.policy import network, policy
from rxnopt.cards import ReactionCard
from rxnopt.cards.agent import Posterior, Pretrained, Sb3Trained
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.history import DONE, PENDING, History
from rxnopt.seeds import stream
from rxnopt.simulators import Outcome, Reaction
from rxnopt.space import Space
from rxnopt.testing import history_of, toy

REPEATING = ("bandit", "decoupled")
"""Kinds of agents that propose conditions again on purpose."""
AGENTS = [name for name in catalogue.names("agents") if load(name).agent.kind not in REPEATING] + ["ppo deterministic"]
"""All agents but those that repeat on purpose."""
CARD = """
name: squares
id: Squares-v0
title: Nine conditions
budget: 25
parameters: {row: {levels: [a, b, c]}, column: {kind: integer, low: 1, high: 3}}
model: {reactor: {type: batch, time: 1 h}, initial: {A: 1 mol/L}, reactions: [{equation: A -> B, k: 1 1/h}]}
outputs: {yield: {formula: B}}
noise: {yield: {sd: 0.01}}
"""
ALL = np.array([[row, column] for row in range(3) for column in range(1, 4)], float)


def squares(more: str = "") -> Reaction:
    described = validate(parse(CARD + more, "squares.yaml"), ReactionCard)
    return Reaction(described, Space.of(described), lambda X: Outcome(X[:, :1] + X[:, 1:], np.zeros(len(X), bool)))


def made(name: str, reaction: Reaction) -> Agent:
    """An agent of the catalogue; a trained one has the network that it starts from."""
    settings = load(name.removesuffix(" deterministic")).agent
    if isinstance(settings, Sb3Trained):
        settings = settings.model_copy(update={"deterministic": name.endswith("deterministic")})
        return policy(settings, network(settings, reaction.space, 25), reaction, 25)
    if isinstance(settings, Pretrained):
        return transformer.FewShot(settings, transformer.network(settings, reaction.space), 1.0)
    if isinstance(settings, Posterior):
        reaction = uncertain(reaction)
    return build(load(name), reaction, budget=25, seed=1)


def running(reaction: Reaction, X: np.ndarray, rows: list[int]) -> History:
    """Measured trials at ``X``, but those of ``rows`` have no result yet."""
    history = history_of(reaction, X)
    status = np.full(len(X), DONE, np.uint8)
    status[rows] = PENDING
    return replace(history, y=np.where(status == DONE, history.y, np.nan), status=status)


@pytest.mark.parametrize("name", AGENTS)
def test_conditions_that_are_being_run_are_not_proposed_again(name):
    """Seven of nine conditions are being run: a batch of two holds the two others."""
    reaction = squares()
    free = [1, 5]
    history = running(reaction, ALL, [i for i in range(9) if i not in free])
    X = made(name, reaction).propose(reaction.space, history, 2, stream(1, "agent", 9))
    assert sorted(X.tolist()) == ALL[free].tolist()


@pytest.mark.parametrize("name", AGENTS)
def test_plates_share_and_repeat_nothing_that_is_being_run(name):
    reaction = squares("plate: {size: 3, shared: [row]}\n")
    history = running(reaction, ALL, [2, 5, 8])
    agent = OnPlates(made(name, reaction), ["row"])
    X = agent.propose(reaction.space, history, 2, stream(1, "agent", 9))
    assert X[0, 0] == X[1, 0]
    assert sorted(X[:, 1]) == [1.0, 2.0]  # 3 is being run in every row


@pytest.mark.parametrize("name", AGENTS)
def test_a_deterministic_agent_goes_elsewhere_while_its_proposal_is_being_run(name):
    """Also where only its result could make it propose anything else."""
    reaction = toy("smooth")
    history = history_of(reaction, reaction.space.sample(12, stream(5, "past")))
    agent = made(name, reaction)
    first = agent.propose(reaction.space, history, 1, stream(1, "agent", 0))
    X = np.vstack([history.X, first])
    second = agent.propose(reaction.space, running(reaction, X, [12]), 1, stream(1, "agent", 0))
    assert np.abs(reaction.space.to_unit(first) - reaction.space.to_unit(second)).max() > 0.003


def test_a_space_that_is_all_being_run_is_gone_through_in_rounds():
    space, rng = squares().space, np.random.default_rng(0)
    X = distinct(space, np.tile(ALL[0], (10, 1)), rng, running=ALL[:8])
    assert X[0].tolist() == ALL[8].tolist()
    assert sorted(X[1:].tolist()) == ALL.tolist()
    X = distinct(space, np.tile(ALL[3], (3, 1)), rng, running=ALL[:8], fixed=[0])
    assert sorted(X.tolist()) == ALL[3:6].tolist()
