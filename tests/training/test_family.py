"""Every algorithm of the family learns, and what it has learnt is what a campaign gets."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from agent_toys import history_of, toy

from rxnopt import catalogue
from rxnopt.agents import build, load
from rxnopt.agents.algorithm import KINDS
from rxnopt.agents.choice import remembered
from rxnopt.agents.policy import network
from rxnopt.campaign import Campaign
from rxnopt.cards import AgentCard
from rxnopt.cards.sb3 import Sb3Trained
from rxnopt.envs import ReactionVectorEnv
from rxnopt.envs.observations import Observer, objective_scale
from rxnopt.errors import AgentError
from rxnopt.seeds import stream
from rxnopt.training import train
from rxnopt.training.evaluation import player, practice

FAMILY = [name for name in catalogue.names("agents") if isinstance(load(name).agent, Sb3Trained)]
BUDGET = 4
QUICK = {"n_steps": BUDGET, "batch_size": 256}
OFF_POLICY = {"learning_starts": 640, "gradient_steps": 4, "batch_size": 128}


def changed(name: str, options: dict, env: dict, **others) -> AgentCard:
    """The card with other values of options that it has."""
    card = load(name)
    old = card.agent
    options = old.options | {key: value for key, value in options.items() if key in old.options}
    settings = {"options": options, "env": old.env.model_copy(update=env)} | others
    return card.model_copy(update={"agent": old.model_copy(update=settings)})


def quick(name: str, **others) -> AgentCard:
    """The card for campaigns of four experiments, with little practice."""
    off = "buffer_size" in load(name).agent.options
    card = changed(name, OFF_POLICY if off else QUICK, {"budget": BUDGET}, n_envs=64, steps=10_000 if off else 25_000)
    return card.model_copy(update={"agent": card.agent.model_copy(update=others)})


def test_the_catalogue_has_a_card_for_every_algorithm():
    assert {load(name).agent.algorithm for name in FAMILY} == set(KINDS)


@pytest.mark.parametrize("name", FAMILY)
def test_it_beats_random_search(tmp_path, name):
    """Four experiments: random search finds about 0.6 of the bell. Then a campaign, deployed both ways."""
    card = quick(name)
    done = train(card, toy("smooth"), out=tmp_path, progress=False)
    score = done.provenance["score"]
    print(name, score, done.provenance["wall_s"])
    assert score["sampled"] > score["random_search"] + 0.1
    assert score["deterministic"] > score["random_search"]
