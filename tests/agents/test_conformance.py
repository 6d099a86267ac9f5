"""What every agent of the catalogue promises, and that the suite finds agents that break a promise."""

from __future__ import annotations

import time
from functools import cache

import numpy as np
import pytest
import torch
from population_toys import bells

from rxnopt import catalogue
from rxnopt.agents import Agent, build, load, policy, transformer
from rxnopt.agents import weights as weights_module
from rxnopt.agents.base import distinct
from rxnopt.cards.agent import Bandit, Decoupled, Posterior, Pretrained, Sb3Trained
from rxnopt.errors import AgentError
from rxnopt.simulators import Reaction
from rxnopt.simulators.general import generalised
from rxnopt.testing import FINITE, HORIZON, AgentConformance, check_agent, toy

ANY_ORDER = ("random", "sobol", "lhs", "gp", "gp-prior", "logei", "lognei", "lognehvi", "posterior", "few-shot")
SLOW = {"nsga2": 1_000, "ppo-online": 1_000}
"""Agents that learn anew from every trial at each proposal: 10,000 take them 19 and 25 s, too long for a test."""


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
            "budget": HORIZON,
        }
        if isinstance(card.agent, Pretrained):
            net: torch.nn.Module = transformer.network(card.agent, toyed.space)
        else:
            net = policy.network(card.agent, toyed.space, HORIZON)
        weights_module.write(path, net.state_dict(), provenance)
        return path

    return make


@pytest.fixture
def two_threads():
    """Whatever the machine has: an agent that leaves torch with one thread is found."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


class TestCatalogue(AgentConformance):
    @pytest.fixture(autouse=True, params=catalogue.names("agents"))
    def _card(self, request, untrained):
        self.card, self.untrained = load(request.param), untrained
        self.any_order = request.param in ANY_ORDER
        self.seeded = request.param != "posterior"  # its first trials promise most for all that may be the case
        self.many = SLOW.get(request.param, self.many)
        self.problems = FINITE if isinstance(self.card.agent, Bandit) else self.problems
        self.problems = FINITE[:2] if isinstance(self.card.agent, Decoupled) else self.problems

    def make(self, reaction: Reaction, seed: int) -> Agent:
        if isinstance(self.card.agent, Posterior):
            reaction = bells(reaction.name)
        if isinstance(self.card.agent, Decoupled):
            if reaction.card.constraints:
                pytest.skip("generality is not possible with constraints")
            reaction = generalised(reaction, {"over": [reaction.space.names[-1]], "chosen": True})
        trained = isinstance(self.card.agent, Pretrained | Sb3Trained)
        weights = self.untrained(self.card.name, reaction.name) if trained else None
        return build(self.card, reaction, budget=HORIZON, seed=seed, weights=weights)

    @pytest.mark.usefixtures("two_threads")
    def test_the_history_and_the_global_generators_are_left_as_they_are(self):
        super().test_the_history_and_the_global_generators_are_left_as_they_are()


class Mine:
    """Draws evenly, and breaks one promise."""

    def __init__(self, broken: str = "") -> None:
        self.broken, self.calls = broken, 0

    def propose(self, space, history, n, rng):
        self.calls += 1
        X = distinct(space, space.sample(n, rng), rng)
        match self.broken:
            case "shape":
                return X[0]
            case "type":
                return X.tolist()
            case "bounds" if len(history):
                return X + history.X[0]
            case "empty":
                return X + 0.0 * len(history.X[0])
            case "copies":
                return np.repeat(X[:1], n, axis=0)
            case "seed":
                return space.sample(n, np.random.default_rng())
            case "memory" if self.calls > 1:
                return space.sample(n, np.random.default_rng(self.calls))
            case "global":
                np.random.random()  # noqa: NPY002
            case "threads":
                torch.set_num_threads(3 - torch.get_num_threads())
            case "history":
                history.y[:1] += 1.0
            case "order" if len(history) and np.isfinite(history.y[-1]):
                return space.sample(n, np.random.default_rng(int(abs(history.y[-1]) * 1e6)))
            case "slow" if len(history) > 900:
                time.sleep(0.3)
            case "refuses" if len(history) > 900:
                raise AgentError("too many trials")
        return X


def test_a_good_agent_passes_without_pytest():
    check_agent(lambda reaction, seed: Mine(), any_order=True)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("shape", "have shape"),
        ("type", "an array of floats, not"),
        ("bounds", "outside the space"),
        ("copies", "3 proposals at once hold 1 different ones, not 3"),
        ("seed", "equal seeds and histories give different proposals"),
        ("memory", "a corrected trial is not seen as by a fresh agent"),
        ("global", "a global generator or number of threads was changed"),
        ("threads", "a global generator or number of threads was changed"),
        ("history", "the history was changed"),
        ("order", "the order of past trials changes the proposal"),
        ("slow", "a proposal after 1,000 trials takes"),
        ("refuses", "1,000 past trials are refused without a word of their number: too many trials"),
    ],
)
def test_a_broken_promise_is_found(broken, message, two_threads):
    with pytest.raises(AssertionError, match=message):
        check_agent(lambda reaction, seed: Mine(broken), any_order=True, many=1_000, patience=0.2)


def test_an_agent_that_needs_a_past_is_found():
    with pytest.raises(IndexError):
        check_agent(lambda reaction, seed: Mine("empty"))
