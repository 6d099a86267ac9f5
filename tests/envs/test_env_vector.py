"""Many campaigns at once against one at a time, and against what Gymnasium lays down for vector environments."""

import copy
import pickle
from functools import partial

import gymnasium as gym
import numpy as np
import pytest
from env_toys import MIXED, toy
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics

from rxnopt.envs import ReactionEnv, ReactionVectorEnv
from rxnopt.errors import ConditionsError, RxnoptError, UnknownNameError

MODES = [
    ("box", "summary", "objective"),
    ("multidiscrete", "history", "improvement"),
    ("discrete", "summary", "regret"),
    ("dict", "history", "objective"),
]


def pickled(env):
    return pickle.loads(pickle.dumps(env))


def arguments(modes, **more):
    return dict(zip(("action_mode", "observation_mode", "reward_mode"), modes, strict=True)) | more


@pytest.mark.parametrize("modes", MODES, ids="-".join)
def test_steps_are_those_of_gymnasiums_own_vector_env(modes):
    """Noise-free, over two episode ends: observations, rewards, ends and final observations are equal."""
    kwargs = arguments(modes, noise=False, budget=4)
    reaction = toy(MIXED)
    native = ReactionVectorEnv(reaction, 5, **kwargs)
    peer = SyncVectorEnv([partial(ReactionEnv, reaction, **kwargs)] * 5, autoreset_mode=AutoresetMode.SAME_STEP)
    assert native.action_space == peer.action_space
    assert native.observation_space == peer.observation_space
    assert native.metadata["autoreset_mode"] == peer.metadata["autoreset_mode"]
    native.action_space.seed(2)
    np.testing.assert_array_equal(native.reset(seed=0)[0], peer.reset(seed=0)[0])
    for step in range(1, 10):
        actions = native.action_space.sample()
        ours, theirs = native.step(actions), peer.step(actions)
        for mine, other in zip(ours[:4], theirs[:4], strict=True):
            np.testing.assert_array_equal(mine, other)
            assert mine.dtype == other.dtype
        compare_infos(reaction, ours[4], theirs[4], over=step % 4 == 0)


def compare_infos(reaction, ours, theirs, over):
    if over:
        assert set(ours) == set(theirs) == {"final_obs", "_final_obs", "final_info", "_final_info"}
        assert ours["final_obs"].shape == theirs["final_obs"].shape == (5,)
        assert ours["final_obs"].dtype == object
        for mine, other in zip(ours["final_obs"], theirs["final_obs"], strict=True):
            np.testing.assert_array_equal(mine, other)
        assert ours["_final_obs"].all()
        assert ours["_final_info"].all()
        ours, theirs = ours["final_info"], theirs["final_info"]
    assert set(ours) == set(theirs)
    for key in ("score", "score_noise_free", "failed", "within_limits", "cost", "feasible", "trial"):
        np.testing.assert_array_equal(ours[key], theirs[key])
        np.testing.assert_array_equal(ours[f"_{key}"], theirs[f"_{key}"])
    for j, name in enumerate(("temperature", "residence_time")):
        np.testing.assert_array_equal(ours["conditions"][:, j], theirs["conditions"][name])
    done = ~ours["failed"]
    if done.any():
        np.testing.assert_array_equal(ours["outputs"][done, 0], theirs["outputs"]["yield"][done])


@pytest.mark.parametrize("modes", MODES, ids="-".join)
def test_a_batch_of_one_is_the_single_env_noise_and_all(modes):
    kwargs = arguments(modes)
    single, vector = ReactionEnv(toy(MIXED), **kwargs), ReactionVectorEnv(toy(MIXED), 1, **kwargs)
    vector.action_space.seed(5)
    np.testing.assert_array_equal(single.reset(seed=9)[0], vector.reset(seed=9)[0][0])
    for _ in range(15):
        actions = vector.action_space.sample()
        action = {k: v[0] for k, v in actions.items()} if isinstance(actions, dict) else actions[0]
        one, many = single.step(action), vector.step(actions)
        last = many[4]["final_obs"][0] if one[2] else many[0][0]
        np.testing.assert_array_equal(one[0], last)
        assert (one[1], one[2], one[3]) == (many[1][0], many[2][0], many[3][0])
        if one[2]:
            np.testing.assert_array_equal(single.reset()[0], many[0][0])


def test_equal_seeds_give_equal_batches_and_copies_differ():
    first, second = ReactionVectorEnv(toy(), 4), ReactionVectorEnv(toy(), 4)
    first.reset(seed=3)
    second.reset(seed=3)
    for _ in range(50):
        actions = np.zeros((4, 2), np.float32)
        a, b = first.step(actions), second.step(actions)
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])
        assert len(set(a[1])) == 4


def test_what_was_returned_stays_as_it_is():
    env = ReactionVectorEnv(toy(), 3)
    first, _ = env.reset(seed=0)
    second, reward, *_, infos = env.step(np.zeros((3, 2), np.float32))
    kept = copy.deepcopy((first, second, reward, infos))
    for _ in range(8):
        env.step(np.ones((3, 2), np.float32))
    np.testing.assert_equal((first, second, reward, infos), kept)
    assert not np.shares_memory(reward, infos["score"])


def test_gymnasiums_wrappers_work_on_it():
    env = DictInfoToList(RecordEpisodeStatistics(ReactionVectorEnv(toy(), 3, noise=False)))
    env.reset(seed=0)
    total = np.zeros(3)
    for _ in range(6):
        _, reward, _, _, infos = env.step(env.action_space.sample())
        total += reward
    assert isinstance(infos, list)
    assert [info["episode"]["r"] for info in infos] == pytest.approx(list(total))
    assert all(info["episode"]["l"] == 6 for info in infos)


@pytest.mark.parametrize("clone", [copy.deepcopy, pickled])
def test_a_copy_in_mid_campaign_goes_on_alike(clone):
    env = ReactionVectorEnv(toy(MIXED), 3)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    twin = clone(env)
    for _ in range(7):
        actions = env.action_space.sample()
        for a, b in zip(env.step(actions)[:4], twin.step(actions)[:4], strict=True):
            np.testing.assert_array_equal(a, b)


def test_bad_actions_name_the_environment_and_cost_nothing():
    env = ReactionVectorEnv(toy(), 3)
    env.reset(seed=0)
    actions = np.zeros((3, 2), np.float32)
    actions[2, 1] = -1.5
    with pytest.raises(ConditionsError, match=r"entry 1 of the action of environment 2 is -1\.5; give numbers"):
        env.step(actions)
    with pytest.raises(ConditionsError, match=r"shape \(2, 2\); give shape \(3, 2\)"):
        env.step(actions[:2])
    assert env.step(np.zeros((3, 2)))[4]["trial"].tolist() == [1, 1, 1]


def test_misuse_is_refused_in_a_sentence():
    with pytest.raises(ConditionsError, match="num_envs=0"):
        ReactionVectorEnv(toy(), 0)
    with pytest.raises(UnknownNameError, match="render_mode='human' is unknown; choose one of rgb_array"):
        ReactionVectorEnv(toy(), 2, render_mode="human")
    env = ReactionVectorEnv(toy(), 2)
    with pytest.raises(RxnoptError, match="no episode has begun"):
        env.step(np.zeros((2, 2)))
    with pytest.raises(ConditionsError, match="reset_mask"):
        env.reset(options={"reset_mask": np.ones(2, bool)})


def test_failed_experiments_are_nan_in_the_outputs_and_nowhere_else():
    env = ReactionVectorEnv(toy(), 2)
    env.reset(seed=0)
    obs, reward, _, _, infos = env.step(np.array([[1.0, 0.0], [0.0, 0.0]]))
    assert infos["failed"].tolist() == [True, False]
    assert np.isnan(infos["outputs"]).all(axis=1).tolist() == [True, False]
    for array in (obs, reward, infos["score"], infos["score_noise_free"]):
        assert np.isfinite(array).all()


def test_make_vec_reaches_it_and_its_spec_makes_it_again():
    env = gym.make_vec("rxnopt:rxnopt/SnAr-v0", num_envs=3, vectorization_mode="vector_entry_point", budget=2)
    assert isinstance(env, ReactionVectorEnv)
    again = gym.make_vec(env.spec)
    assert (again.num_envs, again.task.budget) == (3, 2)
