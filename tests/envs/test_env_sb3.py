"""The face for Stable-Baselines3 against the vector environment and against SB3's own."""

import numpy as np
import pytest
import torch
from env_toys import MIXED, toy
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor, VecNormalize

from rxnopt.envs import ReactionEnv, ReactionVectorEnv
from rxnopt.envs.sb3 import SB3VecEnv, make_vec_env
from rxnopt.errors import ConditionsError, UnknownNameError


@pytest.fixture(autouse=True)
def _one_thread():
    """Small networks train fastest on one thread, above all beside other work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("action_mode", ["box", "discrete", "multidiscrete"])
def test_steps_are_those_of_sb3s_own_vec_env(action_mode):
    kwargs = {"noise": False, "action_mode": action_mode, "budget": 3}
    reaction = toy(MIXED)
    ours = make_vec_env(reaction, 4, seed=0, **kwargs)
    theirs = DummyVecEnv([lambda: ReactionEnv(reaction, **kwargs)] * 4)
    theirs.seed(0)
    assert ours.action_space == theirs.action_space
    assert ours.observation_space == theirs.observation_space
    np.testing.assert_array_equal(ours.reset(), theirs.reset())
    ours.action_space.seed(1)
    for step in range(1, 8):
        actions = np.array([ours.action_space.sample() for _ in range(4)])
        a, b = ours.step(actions), theirs.step(actions)
        for mine, other in zip(a[:3], b[:3], strict=True):
            np.testing.assert_array_equal(mine, other)
            assert mine.dtype == other.dtype
        for mine, other in zip(a[3], b[3], strict=True):
            assert ("terminal_observation" in mine) == (step % 3 == 0)
            if mine:
                np.testing.assert_array_equal(mine["terminal_observation"], other["terminal_observation"])
                assert mine["TimeLimit.truncated"] is other["TimeLimit.truncated"] is False


def test_it_is_the_vector_env_with_the_same_seed():
    face, envs = make_vec_env(toy(), 5, seed=4), ReactionVectorEnv(toy(), 5)
    np.testing.assert_array_equal(face.reset(), envs.reset(seed=4)[0])
    for _ in range(8):
        actions = np.zeros((5, 2), np.float32)
        observations, rewards, *_ = envs.step(actions)
        a = face.step(actions)
        np.testing.assert_array_equal(a[0], observations)
        np.testing.assert_array_equal(a[1], rewards.astype(np.float32))
    assert set(face.last_infos) >= {"conditions", "outputs", "score", "trial"}


def test_infos_are_not_shared():
    face = make_vec_env(toy(), 2, seed=0)
    face.reset()
    infos = face.step(np.zeros((2, 2)))[3]
    infos[0]["mine"] = 1
    assert infos[1] == {}
    assert face.step(np.zeros((2, 2)))[3] == [{}, {}]


def test_attributes_and_methods_reach_the_vector_env():
    face = make_vec_env(toy(), 3)
    assert [task.budget for task in face.get_attr("task", [0, 2])] == [6, 6]
    assert face.env_is_wrapped(Monitor) == [False] * 3
    assert not face.has_attr("flavour")
    face.set_attr("flavour", "sweet")
    assert face.get_attr("flavour") == ["sweet"] * 3
    with pytest.raises(ConditionsError, match="cannot be set for some"):
        face.set_attr("flavour", "sour", indices=1)
    assert len(face.env_method("reset", seed=1)) == 3
    face.close()


def test_dict_actions_are_refused():
    with pytest.raises(UnknownNameError, match="choose box, discrete or multidiscrete"):
        SB3VecEnv(ReactionVectorEnv(toy(), 2, action_mode="dict"))


def test_images_of_all_copies_are_tiled():
    face = make_vec_env(toy(), 2, render_mode="rgb_array")
    face.reset()
    assert face.render().shape == (880, 1100, 3)


def test_training_twice_with_one_seed_gives_equal_policies_and_episodes_are_logged():
    def weights():
        envs = VecNormalize(VecMonitor(make_vec_env(toy(), 8)))
        model = PPO("MlpPolicy", envs, n_steps=12, batch_size=48, n_epochs=2, seed=1, device="cpu").learn(192)
        assert model.ep_info_buffer[-1]["l"] == 6
        return np.concatenate([p.detach().numpy().ravel() for p in model.policy.parameters()])

    np.testing.assert_array_equal(weights(), weights())


def test_ppo_learns_the_toy():
    """The optimum is 80 %; random conditions give 62 % on average, failures counting 0."""
    envs = VecNormalize(make_vec_env(toy(), 64, reward_mode="regret"), norm_obs=False)
    model = PPO(
        "MlpPolicy", envs, n_steps=12, batch_size=768, n_epochs=10, learning_rate=3e-3, gamma=0.5, seed=0, device="cpu"
    )
    model.learn(15_000)
    unseen = make_vec_env(toy(), 10, seed=1, noise=False)
    episode_return, _ = evaluate_policy(model, unseen, n_eval_episodes=10, warn=False)
    assert episode_return / 6 > 77.0
