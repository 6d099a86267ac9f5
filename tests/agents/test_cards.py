"""Cards that are wrong are refused in one sentence that names the remedy."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from rxnopt import catalogue
from rxnopt.agents import build, load
from rxnopt.cards import AgentCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.errors import AgentError, CardError, ConditionsError
from rxnopt.history import History
from rxnopt.seeds import stream
from rxnopt.testing import history_of, toy


def card(agent: str) -> AgentCard:
    return validate(parse(f"name: mine\ntitle: Mine\nagent: {agent}\n", "mine.yaml"), AgentCard)


@pytest.mark.parametrize("name", catalogue.names("agents"))
def test_every_card_says_what_it_is_and_where_it_comes_from(name):
    found = load(name)
    assert found.name == name
    assert found.description
    assert found.source.citation


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        ("{kind: desing, method: lhs}", "desing"),
        ("{kind: design, method: sobl}", "did you mean 'sobol'"),
        ("{kind: optuna, sampler: tpe}", "mine.yaml:3"),
        ("{kind: cmaes, sgma: 1}", "did you mean 'sigma'"),
        ("{kind: cmaes, sigma: 0}", "greater than 0"),
        ("{kind: sb3-online, algorithm: SAC}", "PPO, A2C"),
        ("{kind: sb3-trained, algorithm: PPO, env: {noise: true}}", "missing"),
    ],
)
def test_what_the_card_knows_is_checked_with_file_and_line(agent, message):
    with pytest.raises(CardError, match=r"mine\.yaml:3") as caught:
        card(agent)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        ("{kind: optuna, sampler: TEPSampler}", "did you mean 'TPESampler'"),
        ("{kind: optuna, sampler: BaseSampler}", "has no sampler 'BaseSampler'"),
        ("{kind: optuna, sampler: TPESampler, options: {n_startup_trails: 3}}", "did you mean 'n_startup_trials'"),
        ("{kind: optuna, sampler: TPESampler, options: {seed: 3}}", "remove 'seed'"),
        ("{kind: optuna, sampler: TPESampler, options: {multivariate: false, group: true}}", "refuses its options"),
        ("{kind: optuna, sampler: PartialFixedSampler}", "refuses its options"),
        ("{kind: sb3-online, algorithm: PPO, options: {lerning_rate: 3}}", "did you mean 'learning_rate'"),
        ("{kind: sb3-online, algorithm: PPO, options: {seed: 3}}", "from the campaign"),
        ("{kind: sb3-online, algorithm: PPO, options: {policy_kwargs: {net_arc: []}}}", "did you mean 'net_arch'"),
    ],
)
def test_what_the_library_knows_is_checked_when_the_agent_is_built(agent, message):
    with pytest.raises(AgentError, match=r"^agent 'mine'") as caught:
        build(card(agent), toy("smooth"), budget=10, seed=0)
    assert message in str(caught.value)


def test_a_value_that_the_algorithm_refuses_is_an_agent_error():
    built = build(card("{kind: sb3-online, algorithm: PPO, options: {n_steps: 1}}"), toy("smooth"), budget=5, seed=0)
    reaction = toy("smooth")
    with pytest.raises(AgentError, match="PPO refuses its options"):
        built.propose(reaction.space, history_of(reaction, reaction.space.sample(3, stream(0, "x"))), 1, stream(0, "y"))


def test_weights_belong_to_trained_agents_only(tmp_path):
    with pytest.raises(AgentError, match="takes no weights"):
        build(load("tpe"), toy("smooth"), budget=10, seed=0, weights=tmp_path / "x.pt")


@pytest.mark.parametrize("numbers", [{"budget": 0}, {"budget": 2.5}, {"budget": "9"}, {"seed": -1}, {"seed": True}])
@pytest.mark.parametrize("agent", ["random", "sobol", "tpe", "cmaes", "ppo-online"])
def test_budget_and_seed_are_whole_numbers(agent, numbers):
    ((name, value),) = numbers.items()
    with pytest.raises(ConditionsError, match=f"^{name}={value!r} is not allowed; give a whole number from "):
        build(load(agent), toy("smooth"), **({"budget": 10, "seed": 0} | numbers))


@pytest.mark.parametrize("name", ["QMCSampler", "NSGAIISampler", "NSGAIIISampler", "RandomSampler", "CmaEsSampler"])
def test_samplers_that_keep_notes_are_rebuilt_by_asking_again(name):
    """Built anew at every trial or kept: the same campaign."""
    reaction = toy("smooth")
    options = "{population_size: 4}" if name.startswith("NSGA") else "{}"
    settings = card(f"{{kind: optuna, sampler: {name}, options: {options}}}")
    live = build(settings, reaction, budget=10, seed=0)
    history = history_of(reaction, reaction.space.sample(0, stream(0, "x")))
    for k in range(10):
        X = live.propose(reaction.space, history, 1, stream(0, "agent", k))
        fresh = build(settings, reaction, budget=10, seed=0)
        assert (X == fresh.propose(reaction.space, history, 1, stream(0, "agent", k))).all()
        history = history_of(reaction, np.vstack([history.X, X]))
    assert len(np.unique(history.X, axis=0)) >= 6  # crossing few parents may repeat one


def test_experimental_options_that_a_card_names_do_not_warn():
    settings = card("{kind: optuna, sampler: TPESampler, options: {group: true, multivariate: true}}")
    build(settings, toy("smooth"), budget=5, seed=0)


def test_the_import_stays_light():
    heavy = "{'torch', 'optuna', 'cmaes', 'scipy', 'stable_baselines3', 'numba', 'pandas'}"
    code = f"import rxnopt.agents, sys; print(sorted({heavy} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_a2c_learns_from_the_trials_too():
    """Its policy moves with what it is told: the same history upside down gives another proposal."""
    reaction = toy("smooth")
    built = build(card("{kind: sb3-online, algorithm: A2C, options: {n_steps: 4}}"), reaction, budget=10, seed=0)
    history = history_of(reaction, reaction.space.sample(8, stream(0, "past")))
    turned = History(history.X, -history.y, history.status)
    one, other = (built.propose(reaction.space, h, 1, stream(0, "agent", 8)) for h in (history, turned))
    assert not np.array_equal(one, other)
