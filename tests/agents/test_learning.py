"""Agents that look at results find better conditions than those that do not."""

from __future__ import annotations

import tempfile

import numpy as np
import pytest

from rxnopt.agents import build, load
from rxnopt.history import DONE, FAILED, PENDING, History
from rxnopt.seeds import stream
from rxnopt.testing import history_of, toy

BUDGET, PEAK = 25, 90.0


def best(agent: str, seed: int, name: str = "smooth") -> float:
    """The best noise-free yield (%) of a campaign with noise."""
    reaction = toy(name)
    found, history = build(load(agent), reaction, budget=BUDGET, seed=seed), History.empty(toy(name).space)
    for k in range(BUDGET):
        x = found.propose(reaction.space, history, 1, stream(seed, "agent", k))
        y = reaction.score(reaction.outcome(x, stream(seed, "noise", k)))
        history = History(np.vstack([history.X, x]), np.append(history.y, y), np.append(history.status, np.uint8(DONE)))
    return float(reaction.score(reaction.outcome(history.X)).max())


RANDOM = float(np.mean([best("random", seed) for seed in range(40)]))
"""76 of 90; means of ten campaigns lie within 1.5 of it."""


@pytest.mark.parametrize(
    ("agent", "seeds", "at_least"),
    # thresholds lie between random search and means over twelve seeds (gp: four): 89.9, 85.1, 85.9 and 86.2
    [("gp", 2, 88.0), ("cmaes", 6, 81.0), ("tpe", 6, 82.0), ("ppo-online", 4, 81.0)],
)
def test_it_beats_random_search_on_a_bell(agent, seeds, at_least):
    assert RANDOM < 78.5
    assert np.mean([best(agent, seed) for seed in range(seeds)]) > at_least


def test_the_order_of_measured_trials_teaches_a_gaussian_process_nothing():
    """Up to rounding, since sums are taken in another order."""
    reaction = toy("smooth")
    history = history_of(reaction, reaction.space.sample(12, stream(0, "past")))
    turned = History(history.X[::-1], history.y[::-1], history.status)
    built = build(load("gp"), reaction, budget=BUDGET, seed=0)
    one, other = (built.propose(reaction.space, h, 1, stream(0, "agent", 12)) for h in (history, turned))
    assert np.allclose(reaction.space.to_unit(one), reaction.space.to_unit(other), atol=0.01)


@pytest.mark.parametrize("agent", ["gp", "tpe"])
def test_conditions_that_are_being_run_are_not_proposed_again(agent):
    """The only trial that differs is the pending one, at the conditions that would be proposed without it."""
    reaction = toy("smooth")
    history = history_of(reaction, reaction.space.sample(14, stream(0, "past")))
    built = build(load(agent), reaction, budget=BUDGET, seed=0)
    x = built.propose(reaction.space, history, 1, stream(0, "agent", 14))
    waiting = History(
        np.vstack([history.X, x]), np.append(history.y, np.nan), np.append(history.status, np.uint8(PENDING))
    )
    y = built.propose(reaction.space, waiting, 1, stream(0, "agent", 14))
    assert np.linalg.norm(reaction.space.to_unit(x) - reaction.space.to_unit(y)) > 0.05


@pytest.mark.parametrize("agent", ["gp", "tpe", "cmaes", "ppo-online"])
def test_a_failure_counts_as_the_worst_result(agent):
    reaction = toy("smooth")
    history = history_of(reaction, reaction.space.sample(18, stream(0, "past")))
    k, worst = int(np.argmax(history.y)), history.y.min()
    status, y, bad = history.status.copy(), history.y.copy(), history.y.copy()
    status[k], y[k], bad[k] = FAILED, np.nan, worst
    assert worst == np.delete(history.y, k).min()

    def propose(h):
        built = build(load(agent), reaction, budget=BUDGET, seed=0)
        return built.propose(reaction.space, h, 1, stream(0, "agent", 18))

    assert np.array_equal(propose(History(history.X, y, status)), propose(History(history.X, bad, history.status)))


def test_learning_leaves_no_folder_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    reaction = toy("smooth")
    history = history_of(reaction, reaction.space.sample(8, stream(0, "past")))
    build(load("ppo-online"), reaction, budget=BUDGET, seed=0).propose(reaction.space, history, 1, stream(0, "agent"))
    assert not list(tmp_path.iterdir())


def test_trials_outside_the_space_are_left_out():
    reaction = toy("mixed")
    history = history_of(reaction, reaction.space.sample(12, stream(0, "past")))
    outside = history.X[:1] + np.array([[500.0, 0.0, 0.0, 0.0]])
    longer = History(np.vstack([history.X, outside]), np.append(history.y, 99.0), np.append(history.status, 0))
    for agent in ("gp", "tpe"):
        built = build(load(agent), reaction, budget=BUDGET, seed=0)
        one, other = (built.propose(reaction.space, h, 1, stream(0, "agent", 1)) for h in (history, longer))
        assert np.array_equal(one, other)
