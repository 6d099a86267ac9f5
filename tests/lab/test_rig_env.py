"""The rig as a Gymnasium environment: agents of other libraries act on it."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from rig_toys import breaks, lab, reaction, starts, truth

import rxnopt  # noqa: F401 - registers
from rxnopt.envs import ReactionEnv, ReactionVectorEnv
from rxnopt.errors import ConditionsError, LabError
from rxnopt.lab.settings import to_setting


@pytest.fixture
def env(tmp_path):
    made = ReactionEnv(reaction(), lab=lab(tmp_path / "rig"), journal=tmp_path / "env.db", budget=3)
    yield made
    made.close()


def test_a_step_is_an_experiment_on_the_rig(tmp_path, env):
    env.reset(seed=1)
    env.action_space.seed(1)
    over = False
    while not over:
        _, reward, over, _, info = env.step(env.action_space.sample())
        setting = to_setting(env.reaction.space, env.rig.lab.card, info["conditions"])
        assert reward == pytest.approx(100 * truth(setting))
        assert info["outputs"]["yield"] == pytest.approx(reward)
    assert starts(tmp_path / "rig") == list(env.rig.ledger.runs)
    assert len(env.rig) == 3
    env.reset()
    env.step(env.action_space.sample())
    assert len(starts(tmp_path / "rig")) == 4


def test_what_has_no_data_has_failed(tmp_path, env):
    breaks(tmp_path / "rig", result="nan")
    env.reset(seed=1)
    _, reward, _, _, info = env.step(np.zeros(env.action_space.shape, np.float32))
    assert info["failed"]
    assert info["failure"] == "measurement"
    assert reward == env.task.failed_score


def test_an_sb3_agent_acts_on_the_rig(tmp_path, env):
    from stable_baselines3 import PPO

    PPO("MlpPolicy", env, n_steps=4, batch_size=4, n_epochs=1, seed=0, device="cpu").learn(4)
    assert len(starts(tmp_path / "rig")) == 4


def test_a_vector_environment_fills_plates(tmp_path):
    rig = {"lab": lab(tmp_path / "rig", "plate: {size: 2, shared: [temperature]}"), "journal": tmp_path / "env.db"}
    envs = ReactionVectorEnv(reaction(), 3, budget=2, **rig)
    envs.reset(seed=1)
    _, rewards, *_, infos = envs.step(np.zeros(envs.action_space.shape, np.float32))
    settings = [to_setting(envs.reaction.space, envs.rig.lab.card, trial.conditions) for trial in envs.rig]
    assert rewards == pytest.approx([100 * truth(setting) for setting in settings])
    assert infos["outputs"][:, 0] == pytest.approx(rewards)
    assert [run.trials for run in envs.rig.ledger.runs.values()] == [(0, 1), (2,)]
    assert len(starts(tmp_path / "rig")) == 2
    envs.close()
    with pytest.raises(LabError, match="no parameter 'solvent'"):
        gym.make_vec("rxnopt/SnAr-v0", num_envs=2, **rig)


def test_arguments_that_do_not_go_together(tmp_path):
    rig = {"lab": lab(tmp_path / "rig"), "journal": tmp_path / "env.db"}
    with pytest.raises(LabError, match="needs a journal"):
        ReactionEnv(reaction(), lab=rig["lab"])
    with pytest.raises(ConditionsError, match="belongs to lab"):
        ReactionEnv(reaction(), journal="x.db")
    with pytest.raises(ConditionsError, match="regret"):
        ReactionEnv(reaction(), reward_mode="regret", **rig)
    with pytest.raises(ConditionsError, match="simulations"):
        ReactionEnv(reaction(), realism={"delay": 3}, **rig)
    with pytest.raises(LabError, match="no parameter 'solvent'"):
        gym.make("rxnopt/SnAr-v0", **rig)
