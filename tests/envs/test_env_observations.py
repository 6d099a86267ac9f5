"""Observations: the definition by hand, and the running ones against it."""

import gymnasium as gym
import numpy as np
import pytest
from env_toys import MIXED, NUMBERS, toy

from rxnopt.envs import ReactionEnv, ReactionVectorEnv
from rxnopt.envs.observations import encode, encode_history, objective_scale
from rxnopt.errors import ConditionsError
from rxnopt.history import DONE, FAILED, PENDING, History

X = np.array([[75.0, 0.5], [30.0, 20.0], [120.0, 0.5]])
Y = np.array([40.0, 60.0, np.nan])
STATUS = np.array([DONE, DONE, FAILED], np.uint8)


def test_summary_by_hand():
    observation = encode_history("summary", toy().space, History(X, Y, STATUS), budget=6, scale=80.0)
    np.testing.assert_allclose(observation, [0.5, 1, 0.75, -1, 0, -1, 1, 1, -1], atol=1e-6)


def test_history_by_hand():
    observation = encode_history("history", toy().space, History(X, Y, STATUS), budget=4, scale=80.0)
    rows = [[0, -1, 0.5, 1], [-1, 1, 0.75, 1], [1, -1, 0, -1], [0, 0, 0, 0]]
    np.testing.assert_allclose(observation.reshape(4, 4), rows, atol=1e-6)


@pytest.mark.parametrize("mode", ["summary", "history"])
def test_nothing_seen_is_zeros_and_pending_is_left_out(mode):
    space = toy().space
    empty = encode_history(mode, space, History.empty(space), 6, 80.0)
    pending = encode_history(mode, space, History(X, Y, np.full(3, PENDING, np.uint8)), 6, 80.0)
    np.testing.assert_array_equal(empty, pending)
    assert empty.sum() == (1.0 if mode == "summary" else 0.0)


def test_only_failures_leave_the_best_empty():
    done = np.zeros((1, 2), bool)
    obs = encode("summary", toy().space, X[None, :2], np.full((1, 2), np.nan), done, 6, 80.0)[0]
    np.testing.assert_allclose(obs, [4 / 6, 0, 0, -1, 0, 0, 0, -1, 1], atol=1e-6)


def test_more_trials_than_the_budget_are_refused():
    with pytest.raises(ConditionsError, match="3 experiments do not fit"):
        encode_history("summary", toy().space, History(X, Y, STATUS), budget=2, scale=1.0)


def test_the_scale_is_the_size_of_the_optimum():
    assert objective_scale(toy().card) == 80.0
    assert objective_scale(toy(NUMBERS.replace("value: 80", "value: 0")).card) == 1.0


@pytest.mark.parametrize("mode", ["summary", "history"])
def test_running_observations_are_those_of_the_history(mode):
    reaction = toy(MIXED)
    env = ReactionEnv(reaction, observation_mode=mode, budget=30)
    env.action_space.seed(1)
    env.reset(seed=0)
    history = History.empty(reaction.space)
    failures = 0
    for _ in range(30):
        observation, _, _, _, info = env.step(env.action_space.sample())
        failures += info["failed"]
        history = History(
            np.vstack([history.X, reaction.space.to_array(info["conditions"])]),
            np.append(history.y, np.nan if info["failed"] else info["score"]),
            np.append(history.status, np.uint8(FAILED if info["failed"] else DONE)),
        )
        expected = encode_history(mode, reaction.space, history, 30, objective_scale(reaction.card))
        np.testing.assert_allclose(observation, expected, rtol=0, atol=1e-7)
    assert 0 < failures < 30


@pytest.mark.parametrize("mode", ["summary", "history"])
def test_batches_are_encoded_as_they_run(mode):
    reaction = toy(MIXED)
    vector = ReactionVectorEnv(reaction, 7, observation_mode=mode)
    vector.action_space.seed(1)
    vector.reset(seed=0)
    seen, scores, done = [], [], []
    for _ in range(5):
        observation, _, _, _, infos = vector.step(vector.action_space.sample())
        seen.append(infos["conditions"])
        scores.append(infos["score"])
        done.append(~infos["failed"])
        X, y, ok = (np.stack(rows, 1) for rows in (seen, scores, done))
        expected = encode(mode, reaction.space, X, y, ok, 6, objective_scale(reaction.card))
        np.testing.assert_allclose(observation, expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize("mode", ["summary", "history"])
def test_the_box_can_be_sampled_and_flattened(mode):
    env = ReactionEnv(toy(MIXED), observation_mode=mode, action_mode="dict")
    assert env.observation_space.contains(env.observation_space.sample())
    flat = gym.spaces.flatten_space(env.action_space)
    assert flat.contains(gym.spaces.flatten(env.action_space, env.action_space.sample()))
