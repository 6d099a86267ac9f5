"""Masks of the two discrete modes: what is done, what is forbidden, what a reaction lacks."""

import gymnasium as gym
import numpy as np
import pytest

from rxnopt import agents, load
from rxnopt.agents.policy import network, policy
from rxnopt.envs import ReactionEnv, ReactionVectorEnv
from rxnopt.envs.sb3 import make_vec_env
from rxnopt.errors import UnknownNameError
from rxnopt.history import DONE, PENDING, History
from rxnopt.seeds import stream

CARD = """name: small
id: Small-v0
title: A small table
parameters:
  ligand: {levels: {A: {hottest: 60 degC}, B: {hottest: 90 degC}, C: {hottest: 90 degC}}}
  temperature: {levels: {"60": {value: 60 degC}, "80": {value: 80 degC}}}
data: {grid: {path: grid.csv}}
model: {kind: table, files: [grid], columns: {ligand: L, temperature: T}, measured: {found: {column: y, unit: "%"}}}
outputs: {yield: {formula: found, unit: "%"}}
constraints: {cool: temperature_value <= ligand_hottest}
optimum: {value: 60, conditions: {ligand: C, temperature: "80"}}
budget: 6
"""


@pytest.fixture
def small(tmp_path):
    rows = [f"{ligand},{t},{10 * i}" for i, (ligand, t) in enumerate((x, t) for x in "ABC" for t in (60, 80))]
    (tmp_path / "grid.csv").write_text("\n".join(["L,T,y", *rows]), encoding="utf-8")
    (tmp_path / "small.yaml").write_text(CARD, encoding="utf-8")
    return load(tmp_path / "small.yaml")


def test_what_was_done_and_what_is_forbidden_is_masked(small):
    env = ReactionEnv(small, action_mode="discrete")
    env.reset(seed=0)
    assert env.action_masks().tolist() == [True, False, True, True, True, True]
    for action in (4, 0, 4):
        env.step(action)
    assert env.action_masks().tolist() == [False, False, True, True, False, True]
    for action in (2, 3, 5):
        env.step(action)
    assert env.action_masks().tolist() == [True, False, True, True, True, True]  # nothing new is left
    env.reset()
    assert env.action_masks().sum() == 5


def test_each_campaign_of_a_batch_has_its_own(small):
    envs = ReactionVectorEnv(small, 3, action_mode="discrete")
    envs.reset(seed=0)
    envs.step(np.array([2, 3, 4]))
    masks = envs.action_masks()
    assert masks.shape == (3, 6)
    assert np.argwhere(~masks[:, 2:]).tolist() == [[0, 0], [1, 1], [2, 2]]
    vec = make_vec_env(small, 3, action_mode="discrete", seed=0)
    vec.reset()
    vec.step(np.array([2, 3, 4]))
    np.testing.assert_array_equal(np.stack(vec.env_method("action_masks")), masks)
    np.testing.assert_array_equal(vec.env_method("action_masks", indices=[2])[0], masks[2])


def test_numbers_are_masked_on_their_grid():
    env = ReactionEnv("snar", action_mode="discrete", levels=3)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    done = rng.choice(81, 10, replace=False)
    for action in done:
        env.step(int(action))
    assert np.flatnonzero(~env.action_masks()).tolist() == sorted(done)


def test_levels_that_a_reaction_of_a_family_lacks_are_masked():
    envs = ReactionVectorEnv("random_reaction", 5, action_mode="multidiscrete")
    _, infos = envs.reset(seed=3)
    masks, start = envs.action_masks(), 0
    assert masks.shape == (5, int(envs.single_action_space.nvec.sum()))
    for name, count in zip(envs.reaction.space.names, envs.single_action_space.nvec, strict=True):
        block, start = masks[:, start : start + count], start + count
        if name in ("ligand", "solvent", "base"):
            sizes = infos["constants"][:, ("ligand", "solvent", "base").index(name)]
            np.testing.assert_array_equal(block.sum(axis=1), sizes)
        else:
            assert block.all()
    env = gym.make("rxnopt/RandomReaction-v0", action_mode="discrete", levels=2).unwrapped
    env.reset(seed=3)
    mask = env.action_masks()
    assert 0 < mask.sum() < len(mask)
    env.step(int(np.flatnonzero(mask)[0]))
    assert env.action_masks().sum() == mask.sum() - 1


def test_other_modes_have_none(small):
    env = ReactionEnv(small)
    env.reset(seed=0)
    with pytest.raises(UnknownNameError, match="action_mode='box' has no masks; choose discrete or multidiscrete"):
        env.action_masks()


def test_only_maskable_ppo_takes_masks():
    card = agents.load("ppo")
    env = card.agent.env.model_copy(update={"mask": True})
    with pytest.raises(ValueError, match="PPO takes no masks"):
        type(card.agent).model_validate(card.agent.model_dump() | {"env": env.model_dump()})


def test_a_masked_policy_proposes_only_what_is_new(small):
    card = agents.load("maskable-ppo")
    env = card.agent.env.model_copy(update={"action_mode": "discrete"})
    settings = card.agent.model_copy(update={"env": env})
    agent = policy(settings, network(settings, small.space, 6), small, 6)
    X = small.space.to_array([{"ligand": "B", "temperature": "60"}, {"ligand": "C", "temperature": "80"}])
    history = History(X, np.array([20.0, np.nan]), np.array([DONE, PENDING], np.uint8))
    for k in range(20):
        [x] = agent.propose(small.space, history, 1, stream(k, "agent"))
        assert x.tolist() not in X.tolist()
        assert small.space.feasible(x[None])[0]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_maskable_ppo_of_the_library_learns_on_it(small):
    from sb3_contrib import MaskablePPO
    from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported

    vec = make_vec_env(small, 4, action_mode="discrete", reward_mode="improvement", seed=0)
    assert is_masking_supported(vec)
    model = MaskablePPO("MlpPolicy", vec, n_steps=5, batch_size=20, seed=0, device="cpu")
    model.learn(20)
    observations = vec.reset()
    for k in range(1, 5):
        actions, _ = model.predict(observations, action_masks=get_action_masks(vec))
        observations, *_ = vec.step(actions)
        assert get_action_masks(vec).sum(axis=1).tolist() == [5 - k] * 4
