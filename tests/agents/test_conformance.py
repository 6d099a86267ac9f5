"""What every agent of the catalogue promises, on a continuous, a mixed and a tiny space."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from agent_toys import SPACES, history_of, toy

from rxnopt import catalogue
from rxnopt.agents import Agent, build, load
from rxnopt.agents import weights as weights_module
from rxnopt.agents.policy import network
from rxnopt.cards.agent import Sb3Trained
from rxnopt.history import DONE, FAILED, PENDING, History
from rxnopt.seeds import stream
from rxnopt.simulators import Reaction
from rxnopt.space import Array

AGENTS = catalogue.names("agents")
BUDGET = 13


@pytest.fixture(scope="session")
def untrained(tmp_path_factory):
    """Weights of networks as they are made, so that trained agents can be asked without a training."""
    folder = tmp_path_factory.mktemp("weights")

    @cache
    def make(agent: str, reaction: str):
        card, toyed = load(agent), toy(reaction)
        path = folder / f"{agent}-{reaction}.pt"
        provenance = {
            "agent": {"name": agent, "digest": weights_module.settings_digest(card)},
            "reaction": {"name": reaction, "digest": toyed.card.digest()},
            "budget": BUDGET,
        }
        weights_module.write(path, network(card.agent, toyed.space, BUDGET).state_dict(), provenance)
        return path

    return make


@pytest.fixture(params=SPACES)
def reaction(request) -> Reaction:
    return toy(request.param)


@pytest.fixture(params=AGENTS)
def make(request, reaction, untrained):
    """Builds one agent of the catalogue on one toy, again and again."""
    card = load(request.param)
    trained = isinstance(card.agent, Sb3Trained)
    weights = untrained(card.name, reaction.name) if trained else None

    def made(seed: int = 1) -> Agent:
        return build(card, reaction, budget=BUDGET, seed=seed, weights=weights)

    return made


def ask(agent: Agent, reaction: Reaction, history: History, n: int = 1, seed: int = 1) -> Array:
    X = agent.propose(reaction.space, history, n, stream(seed, "agent", len(history)))
    assert X.shape == (n, len(reaction.space))
    assert X.dtype == float
    reaction.space.check(X)
    return X


def past(reaction: Reaction, m: int = BUDGET - 2) -> History:
    """A history of m measured trials, none of them proposed by the agent."""
    return history_of(reaction, reaction.space.sample(m, stream(5, "past")))


def changed(history: History, k: int, status: int) -> History:
    now, y = history.status.copy(), history.y.copy()
    now[k] = status
    y[k] = np.nan if status != DONE else y[k]
    return History(history.X, y, now)


def test_proposes_inside_an_empty_and_a_full_history(make, reaction):
    agent = make()
    for m in (0, 1, BUDGET - 2, BUDGET + 3, 100):
        ask(agent, reaction, past(reaction, m))


def test_several_proposals_differ_where_the_space_allows(make, reaction):
    X = ask(make(), reaction, past(reaction), n=3)
    size = 2 if reaction.name == "tiny" else 3
    assert len(np.unique(X, axis=0)) == size


def test_equal_seeds_give_equal_proposals_and_others_differ(make, reaction):
    for history in (History.empty(reaction.space), past(reaction)):
        first = ask(make(), reaction, history, n=2)
        assert np.array_equal(first, ask(make(), reaction, history, n=2))
    if reaction.name == "smooth":
        empty = History.empty(reaction.space)
        assert not np.array_equal(ask(make(), reaction, empty, n=3), ask(make(2), reaction, empty, n=3, seed=2))


def test_an_agent_built_anew_goes_on_like_the_lost_one(make, reaction):
    live, history = make(), History.empty(reaction.space)
    for k in range(BUDGET):
        X = ask(live, reaction, history)
        if k % 4 == 3:
            assert np.array_equal(X, ask(make(), reaction, history))
        history = history_of(reaction, np.vstack([history.X, X]))


def test_it_asks_nothing_of_what_came_before(make, reaction):
    """A live agent that has seen a result corrected, and other histories, proposes like a fresh one."""
    live, history = make(), past(reaction)
    ask(live, reaction, history)
    ask(live, reaction, history_of(reaction, history.X[::-1]))
    y = history.y.copy()
    y[3] += 50.0
    corrected = History(history.X, y, history.status)
    assert np.array_equal(ask(live, reaction, corrected), ask(make(), reaction, corrected))


@pytest.mark.parametrize("status", [FAILED, PENDING])
def test_trials_without_a_result_are_no_obstacle(make, reaction, status):
    history = past(reaction)
    ask(make(), reaction, changed(history, 2, status), n=2)
    without = History(history.X, np.full(len(history), np.nan), np.full(len(history), status, np.uint8))
    ask(make(), reaction, without, n=2)


def test_the_history_is_left_as_it_is(make, reaction):
    history = past(reaction)
    before = history.X.copy(), history.y.copy(), history.status.copy()
    ask(make(), reaction, history, n=2)
    for array, copy in zip((history.X, history.y, history.status), before, strict=True):
        assert np.array_equal(array, copy)


def test_global_generators_are_given_back(make, reaction):
    import random

    import torch

    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    threads = torch.get_num_threads()
    ask(make(), reaction, past(reaction))
    assert random.getstate() == before[0]
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002
    assert torch.get_rng_state().tolist() == before[2]
    assert torch.get_num_threads() == threads
