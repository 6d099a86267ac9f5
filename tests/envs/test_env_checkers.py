"""Every id of a campaign, in every pair of modes, passes the checkers of Gymnasium and Stable-Baselines3."""

from functools import cache
from typing import get_args

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_env_sb3

from rxnopt import envs
from rxnopt.catalogue import has_field, names
from rxnopt.envs.actions import ActionMode
from rxnopt.envs.observations import ObservationMode
from rxnopt.envs.rewards import RewardMode
from rxnopt.errors import CardError
from rxnopt.simulators import load

envs.register()
CAMPAIGN = "rxnopt.envs:ReactionEnv"
FOUND = sorted(key for key in gym.registry if key.startswith("rxnopt/") and gym.spec(key).entry_point == CAMPAIGN)
NAMES = {key: gym.spec(key).kwargs["reaction"] for key in FOUND}
MEASURED = {key for key in FOUND if NAMES[key] not in names("envs") or has_field("envs", NAMES[key], "data")}
IDS = [
    pytest.param(key, marks=[pytest.mark.data] if key in MEASURED else [])
    for key in FOUND
    if NAMES[key] in names("envs") or NAMES[key].endswith("-cf3_br")  # of all parts one, with a missing cell
]
SCALAR = [reward for reward in get_args(RewardMode) if reward != "vector"]  # the checkers want one number
MODES = [
    {"action_mode": action, "observation_mode": observation, "reward_mode": reward}
    for i, action in enumerate(get_args(ActionMode))
    for j, reward in enumerate(SCALAR)
    for observation in [get_args(ObservationMode)[(i + j) % 2]]
]
"""Every pair of two modes."""

every_id = pytest.mark.parametrize("env_id", IDS)
every_mode = pytest.mark.parametrize("modes", MODES, ids=lambda m: "-".join(m.values()))


@cache
def reaction_of(env_id):
    """Return the reaction of an id, read once for all tests."""
    return load(gym.spec(env_id).kwargs["reaction"])


def make(env_id, **kwargs):
    """Return the bare environment; where the card has no optimum, assert that 'regret' is refused, and take another."""
    kwargs["reaction"] = reaction_of(env_id)
    if kwargs.get("reward_mode") == "regret" and kwargs["reaction"].card.optimum is None:
        with pytest.raises(CardError, match="no known optimum"):
            gym.make(env_id, **kwargs)
        kwargs["reward_mode"] = "objective"
    return gym.make(env_id, **kwargs).unwrapped


@every_id
@every_mode
def test_gymnasium_accepts(env_id, modes):
    check_env(make(env_id, **modes), skip_render_check=True, skip_close_check=True)


@every_id
@every_mode
def test_sb3_accepts_all_but_dict_actions(env_id, modes):
    env = make(env_id, **modes)
    if modes["action_mode"] == "dict":
        with pytest.warns(UserWarning, match="not based off a numpy array"):
            check_env_sb3(env)
    else:
        check_env_sb3(env)


@every_id
def test_gymnasium_accepts_the_defaults_all_render_modes_and_close(env_id):
    check_env(gym.make(env_id, render_mode="rgb_array").unwrapped)


@every_id
def test_two_copies_with_one_seed_agree_for_50_steps(env_id):
    first, second = make(env_id), make(env_id)
    first.action_space.seed(7)
    a, b = first.reset(seed=11), second.reset(seed=11)
    for _ in range(50):
        np.testing.assert_array_equal(a[0], b[0])
        assert a[1:] == b[1:]
        action = first.action_space.sample()
        a, b = first.step(action), second.step(action)
        if a[2]:
            assert b[2]
            a, b = first.reset(), second.reset()


@every_id
def test_vector_env_steps(env_id):
    vector = gym.make_vec(env_id, num_envs=5, vectorization_mode="vector_entry_point", budget=3)
    vector.action_space.seed(0)
    vector.reset(seed=0)
    for k in range(1, 7):
        obs, reward, terminated, truncated, infos = vector.step(vector.action_space.sample())
        assert vector.observation_space.contains(obs)
        assert np.isfinite(reward).all()
        assert terminated.all() == (k % 3 == 0)
        assert not truncated.any()
        assert ("final_obs" in infos) == (k % 3 == 0)
