"""Every algorithm of the family learns, and what it has learnt is what a campaign gets."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rxnopt import catalogue
from rxnopt.agents import build, load
from rxnopt.agents.algorithm import KINDS
from rxnopt.agents.choice import remembered
from rxnopt.agents.policy import network, policy
from rxnopt.campaign import Campaign
from rxnopt.cards import AgentCard
from rxnopt.cards.sb3 import Sb3Trained
from rxnopt.envs import ReactionVectorEnv
from rxnopt.envs.observations import Observer, objective_scale
from rxnopt.errors import AgentError
from rxnopt.history import History
from rxnopt.seeds import stream
from rxnopt.simulators import load as load_reaction
from rxnopt.testing import history_of, toy
from rxnopt.training import train
from rxnopt.training.evaluation import player, practice

FAMILY = [name for name in catalogue.names("agents") if isinstance(load(name).agent, Sb3Trained)]
BUDGET = 4
QUICK = {"n_steps": BUDGET, "batch_size": 256}
OFF_POLICY = {"learning_starts": 640, "gradient_steps": 3, "batch_size": 128}


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
    card = changed(name, OFF_POLICY if off else QUICK, {"budget": BUDGET}, n_envs=64, steps=8_000 if off else 15_000)
    return card.model_copy(update={"agent": card.agent.model_copy(update=others)})


def test_the_catalogue_has_a_card_for_every_algorithm():
    assert {load(name).agent.algorithm for name in FAMILY} == set(KINDS)


@pytest.mark.parametrize("name", FAMILY)
def test_it_beats_random_search(tmp_path, name):
    """Four experiments: random search finds 0.58 of the bell, draws of the trained 0.80 and more, most of them 0.95."""
    done = train(quick(name), toy("smooth"), out=tmp_path, progress=False)
    score = done.provenance["score"]
    assert score["random_search"] < 0.65
    assert score["sampled"] > 0.75
    assert score["deterministic"] > 0.9
    assert score["budget"] == BUDGET
    deployed = build(quick(name, deterministic=True), toy("smooth"), budget=BUDGET, seed=0, weights=done.weights)
    with Campaign(toy("smooth"), deployed, budget=BUDGET) as campaign:
        campaign.run()
        assert max(trial.noise_free for trial in campaign) / 90 == pytest.approx(score["deterministic"], abs=0.1)


@pytest.mark.parametrize("mode", ["summary", "history"])
@pytest.mark.parametrize("reaction", ["smooth", "mixed"])
def test_the_memory_of_a_recurrent_policy_is_a_function_of_the_history(reaction, mode):
    """What it chooses from the whole history is what it chooses step by step in its environment."""
    settings = changed("recurrent-ppo", {}, {"observation_mode": mode, "noise": False}).agent
    toyed = toy(reaction)
    net, envs = network(settings, toyed.space, 25), ReactionVectorEnv(toyed, 1, **practice(settings))
    net.set_training_mode(False)
    act, observations = player(settings, net, None), envs.reset(seed=0)[0]
    observer = Observer(mode, toyed.space, 25, objective_scale(toyed.card), 1)
    seen = [observer.observe()]
    for _ in range(6):
        action = act(observations)
        assert np.allclose(remembered(settings, net, torch.as_tensor(np.concatenate(seen))).best(), action, atol=1e-6)
        observations, _, _, _, infos = envs.step(action)
        observer.add(infos["conditions"], infos["score"], ~infos["failed"])
        seen.append(observer.observe())


def test_an_lstm_tells_histories_apart_that_end_alike():
    settings = changed("recurrent-ppo", {}, {}).agent
    net = network(settings, toy("smooth").space, 25)
    long = torch.as_tensor(np.random.default_rng(0).normal(size=(5, 11)).astype(np.float32))
    assert not np.allclose(remembered(settings, net, long).best(), remembered(settings, net, long[-1:]).best())


@pytest.mark.parametrize("name", ["sac", "td3", "dqn", "maskable-ppo"])
def test_draws_vary_and_the_best_action_does_not(name):
    reaction = toy("smooth")
    history = history_of(reaction, reaction.space.sample(3, stream(0, "past")))
    settings = changed(name, {}, {}).agent
    net = network(settings, reaction.space, 25)
    net.set_training_mode(False)

    def proposals(deterministic: bool) -> set[tuple[float, ...]]:
        agent = policy(settings.model_copy(update={"deterministic": deterministic}), net, reaction, 25)
        return {tuple(agent.propose(reaction.space, history, 1, stream(k, "agent"))[0]) for k in range(60)}

    assert len(proposals(True)) == 1
    assert len(proposals(False)) > 1


def test_dqn_explores_as_often_as_its_card_says():
    """With 0.1 of 125 actions at random, 0.9008 of all draws are the best action; three standard errors are 0.02."""
    settings = changed("dqn", {}, {}).agent
    net = network(settings, toy("smooth").space, 25)
    choice = remembered(settings, net, torch.zeros(1, 11))
    draws = np.concatenate([choice.draw(np.random.default_rng(k)) for k in range(2000)])
    assert (draws == choice.best()).mean() == pytest.approx(0.9008, abs=0.02)


def test_a_grid_too_large_for_dqn_is_refused():
    card = changed("dqn", {}, {"levels": 40})
    with pytest.raises(AgentError) as refused:
        train(card, toy("smooth"))
    assert str(refused.value) == (
        "agent 'dqn': DQN would need a value for each of 64,000 actions on this space, more than 20,000; give fewer "
        "than 40 levels in its env, or take an algorithm for action_mode 'box' or 'multidiscrete'"
    )


@pytest.mark.parametrize(
    ("name", "mode", "modes"),
    [("sac", "discrete", "box"), ("dqn", "box", "discrete"), ("maskable-ppo", "box", "multidiscrete or discrete")],
)
def test_an_action_mode_that_the_algorithm_does_not_take(name, mode, modes):
    with pytest.raises(AgentError, match=f"takes no action_mode='{mode}'; leave it out or choose {modes}$"):
        train(changed(name, {}, {"action_mode": mode}), toy("smooth"))


@pytest.mark.parametrize("mode", ["multidiscrete", "discrete"])
def test_ppo_takes_every_mode(tmp_path, mode):
    card = changed("ppo", {"batch_size": 400}, {"action_mode": mode}, n_envs=16, steps=400)
    done = train(card, toy("mixed"), out=tmp_path, progress=False)
    agent = build(card, toy("mixed"), budget=25, seed=0, weights=done.weights)
    X = agent.propose(
        toy("mixed").space, history_of(toy("mixed"), toy("mixed").space.sample(2, stream(0, "x"))), 3, stream(0, "a")
    )
    toy("mixed").space.check(X)


@pytest.mark.parametrize("name", ["tqc", "recurrent-ppo"])
def test_without_sb3_contrib_the_extra_is_named(monkeypatch, name):
    import sys

    monkeypatch.setitem(sys.modules, "sb3_contrib", None)
    with pytest.raises(
        AgentError, match=r"comes from sb3-contrib, which is not installed; run \"pip install '\.\[contrib\]'\""
    ):
        train(name, toy("smooth"))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("sac", {"policy_kwargs": {"lstm_hidden_size": 8}}, "policy_kwargs of SAC has no option 'lstm_hidden_size'"),
        ("td3", {"action_noise": "much"}, "TD3 refuses its options"),
        ("dqn", {"learning_rat": 1}, "DQN has no option 'learning_rat'; did you mean 'learning_rate'"),
        ("sac", {"replay_buffer_class": "x"}, "SAC has no option 'replay_buffer_class'"),
    ],
)
def test_options_that_an_algorithm_does_not_have(name, options, message):
    card = load(name)
    card = card.model_copy(update={"agent": card.agent.model_copy(update={"options": card.agent.options | options})})
    with pytest.raises(AgentError, match=message):
        train(card, toy("smooth"), progress=False)


def test_a_policy_trained_on_a_family_meets_its_reactions(tmp_path):
    """Campaigns on drawn reactions, with the context and the levels that the environment of training has."""
    card = changed("ppo", QUICK, {"budget": BUDGET}, n_envs=64, steps=256)
    family = load_reaction("random_reaction")
    done = train(card, family, out=tmp_path, progress=False)
    drawn = family.task(7)
    agent = build(card, drawn, budget=BUDGET, seed=0, weights=done.weights)
    with Campaign(drawn, agent, budget=BUDGET) as campaign:
        campaign.run()
    envs = ReactionVectorEnv(family, 1, **practice(card.agent))
    observations = envs.reset(seed=7)[0]  # the constants of the task
    empty = History.empty(drawn.space)
    assert np.array_equal(agent._seen(family.space, empty), observations)
    x = agent.propose(drawn.space, empty, 1, stream(0, "agent"))
    action = remembered(card.agent, agent._net, torch.as_tensor(observations)).draw(stream(0, "agent"))
    assert np.allclose(envs.step(action)[4]["conditions"], x, rtol=1e-6)
