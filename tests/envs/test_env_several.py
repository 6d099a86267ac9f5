"""Vector rewards, objectives put together, limits and constraints in the environments."""

import gymnasium as gym
import numpy as np
import pytest

import rxnopt  # noqa: F401 - registers the ids
from rxnopt.cards import ReactionCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.envs import ReactionEnv, ReactionVectorEnv
from rxnopt.envs.sb3 import SB3VecEnv
from rxnopt.errors import CardError, ConditionsError, UnknownNameError
from rxnopt.simulators import Outcome, Reaction, load
from rxnopt.simulators.scalar import Scalar
from rxnopt.space import Space

CARD = """
name: corner
id: Corner-v0
title: Two objectives over a triangle with a limit
budget: 3
parameters: {a: {low: 0, high: 1}, b: {low: 0, high: 1}}
model: {reactor: {type: batch, time: 1 h}, initial: {A: 1 mol/L}, reactions: [{equation: A -> B, k: 1 1/h}]}
outputs: {yield: {formula: B}, cost: {formula: B}, heat: {formula: B}}
objectives: {yield: {direction: maximize, reference: 0}, cost: {direction: minimize, reference: 1}}
limits: {heat: {high: 0.5}}
constraints: {triangle: a + b <= 1.5}
"""


def corner(**options) -> ReactionEnv:
    """yield = a + b, cost = a, heat = b; actions [0, 1] are a = 0.5, b = 1."""
    card = validate(parse(CARD, "corner.yaml"), ReactionCard)

    def simulate(X):
        return Outcome(np.column_stack([X.sum(axis=1), X]), np.zeros(len(X), bool))

    return ReactionEnv(Reaction(card, Space.of(card), simulate), **options)


def test_info_tells_limits_and_constraints():
    env = corner()
    env.reset(seed=0)
    _, reward, _, _, info = env.step(np.array([0, -0.5]))
    assert (reward, info["within_limits"], info["feasible"]) == (0.75, True, True)
    assert info["violation"] == {"heat": -0.25}
    assert info["cost"] == 0.0
    _, reward, _, _, info = env.step(np.array([0, 0.5]))
    assert (reward, info["within_limits"], info["cost"]) == (1.25, False, 0.5)
    assert info["violation"] == {"heat": 0.25}
    _, reward, terminated, _, info = env.step(np.array([1, 1]))
    assert (info["feasible"], info["failed"], info["failure"]) == (False, True, "infeasible")
    assert (reward, info["cost"], info["conditions"]) == (env.task.failed_score, 1.0, {"a": 1.0, "b": 1.0})
    assert terminated


def test_the_penalty_is_the_cost_times_its_weight():
    for mode, without in (("objective", 1.25), ("improvement", 1.25)):
        env = corner(limit_penalty=10, reward_mode=mode)
        env.reset(seed=0)
        assert env.step(np.array([0, 0.5]))[1] == without - 10 * 0.5
        assert env.step(np.array([-1, -1]))[1] == 0.0


def test_vector_rewards_are_objectives_turned_to_be_maximised():
    env = corner(reward_mode="vector")
    assert env.reward_space.shape == (2,)
    env.reset(seed=0)
    reward = env.step(np.array([0, -0.5]))[1]
    np.testing.assert_allclose(reward, [0.75, -0.5])
    assert reward.dtype == np.float32
    assert env.reward_space.contains(reward)
    np.testing.assert_array_equal(env.step(np.array([1, 1]))[1], [0.0, -1.0])  # failed: the reference
    assert not hasattr(corner(), "reward_space")


def test_ids_are_made_as_those_of_mo_gymnasium_are():
    """``mo_gymnasium.make`` is ``gymnasium.make`` without the checker, which wants a single number."""
    env = gym.make("rxnopt/SnAr-v0", reward_mode="vector", disable_env_checker=True, noise=False)
    envs = gym.make_vec("rxnopt/SnAr-v0", num_envs=3, reward_mode="vector", noise=False)
    env.reset(seed=0)
    envs.reset(seed=0)
    actions = np.array([[0, 0, 0, 0], [1, -1, 0.5, 0.2], [-0.3, 0.1, 0.2, 0.9]], np.float32)
    rewards = envs.step(actions)[1]
    assert rewards.shape == (3, 2)
    assert rewards.dtype == np.float32
    snar = load("snar")
    outcome = snar.outcome(snar.space.from_box(actions))
    np.testing.assert_allclose(rewards, snar.objectives(outcome), rtol=1e-6)  # float32
    for action, wanted in zip(actions, rewards, strict=True):
        reward = env.step(action)[1]
        np.testing.assert_array_equal(reward, wanted)
        assert env.get_wrapper_attr("reward_space").contains(reward)
    assert envs.reward_space.shape == (2,)


@pytest.mark.parametrize("method", ["weighted", "chebyshev"])
def test_objectives_put_together_are_an_objective_like_any(method):
    weights = {"space_time_yield": 0.7, "e_factor": 0.3}
    envs = ReactionVectorEnv("snar", 4, objective=method, weights=weights, reward_mode="regret")
    envs.reset(seed=0)
    actions = np.random.default_rng(0).uniform(-1, 1, (4, 4)).astype(np.float32)
    rewards = envs.step(actions)[1]
    snar, front = load("snar"), load("snar").pareto_front()
    scalar = Scalar(method, np.array([0.7, 0.3]), front.reference, front.ideal)
    score = scalar(snar.objectives(snar.outcome(snar.space.from_box(actions))))
    np.testing.assert_allclose(rewards, score - scalar(front.Y).max(), rtol=1e-9, atol=1e-12)
    assert envs.task.failed_score == 0.0  # the value at the reference


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"reward_mode": "vectr"}, UnknownNameError, "did you mean 'vector'?"),
        ({"objective": "sum"}, UnknownNameError, "objective='sum' is unknown"),
        ({"weights": [1, 1]}, ConditionsError, "weights belong to objective='weighted' or 'chebyshev'"),
        ({"limit_penalty": -1}, ConditionsError, "limit_penalty=-1 is not allowed; give a number from 0 on"),
        ({"limit_penalty": 1, "reward_mode": "vector"}, ConditionsError, "look at info['cost']"),
    ],
)
def test_wrong_arguments_are_told(options, error, said):
    with pytest.raises(error) as caught:
        ReactionEnv("snar", **options)
    assert said in str(caught.value)


def test_a_single_objective_gives_no_vector_and_sb3_takes_none():
    with pytest.raises(CardError, match="reaction 'lactose' has a single objective"):
        ReactionEnv("lactose", reward_mode="vector")
    with pytest.raises(UnknownNameError, match="unknown to stable-baselines3; give objective='weighted'"):
        SB3VecEnv(ReactionVectorEnv("snar", 2, reward_mode="vector"))
