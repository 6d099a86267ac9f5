"""One campaign: rewards by hand, seeds, ends, refusals, pickles."""

import copy
import pickle

import numpy as np
import pytest
from env_toys import COST, MIXED, NUMBERS, simulate, toy

from rxnopt.envs import ReactionEnv
from rxnopt.errors import CardError, ConditionsError, RxnoptError, UnknownNameError

TOP = {"temperature": 75.0, "residence_time": 20.0}
"""80 % yield."""
MIDDLE = {"temperature": 65.0, "residence_time": 0.5}
"""69 %."""
BROKEN = {"temperature": 115.0, "residence_time": 1.0}
"""Fails."""


def begun(reaction=None, **kwargs):
    env = ReactionEnv(reaction or toy(), **{"action_mode": "dict", "noise": False} | kwargs)
    env.reset(seed=0)
    return env


def pickled(env):
    return pickle.loads(pickle.dumps(env))


def rewards(env, *conditions):
    return [env.step(c)[1] for c in conditions]


def test_objective_is_the_score_and_a_failure_scores_optimum_less_its_size():
    assert rewards(begun(), MIDDLE, TOP, BROKEN) == pytest.approx([69.0, 80.0, 0.0])
    assert rewards(begun(toy(COST)), MIDDLE, TOP, BROKEN) == pytest.approx([-69.0, -80.0, -99.5])


def test_improvement_counts_from_the_score_of_a_failure_and_adds_up_to_the_best():
    assert rewards(begun(reward_mode="improvement"), MIDDLE, BROKEN, TOP, MIDDLE) == pytest.approx([69, 0, 11, 0])
    lowest = {"temperature": 30.0, "residence_time": 0.5}  # 49.75 %
    found = rewards(begun(toy(COST), reward_mode="improvement"), MIDDLE, lowest)
    assert found == pytest.approx([99.5 - 69.0, 69.0 - 49.75])


def test_regret_is_free_of_noise_and_at_most_zero():
    env = begun(reward_mode="regret", noise=True)
    assert rewards(env, MIDDLE, TOP, BROKEN) == pytest.approx([-11.0, 0.0, -80.0])


def test_regret_needs_a_known_optimum():
    unknown = toy("\n".join(line for line in NUMBERS.splitlines() if not line.startswith("optimum")))
    with pytest.raises(CardError, match="no known optimum"):
        ReactionEnv(unknown, reward_mode="regret")
    assert rewards(begun(unknown), BROKEN) == [0.0]


def test_noise_is_that_of_the_card():
    env = begun(noise=True, budget=2000)
    scores = [env.step(TOP)[4]["score"] for _ in range(2000)]
    assert np.mean(scores) == pytest.approx(80.0, abs=4 / np.sqrt(2000))  # 4 standard errors of sd 1
    assert np.std(scores) == pytest.approx(1.0, abs=4 / np.sqrt(4000))


def test_info_tells_the_experiment():
    env = begun(toy(MIXED))
    action = {"temperature": 75.0, "residence_time": 20.0, "catalyst": 1, "tanks": 3, "stirring": 1}
    info = env.step(action)[4]
    assert info == {
        "conditions": action | {"catalyst": "Ni"},
        "outputs": {"yield": pytest.approx(85.0), "impurity": pytest.approx(15.0)},
        "score": pytest.approx(85.0),
        "score_noise_free": pytest.approx(85.0),
        "failed": False,
        "failure": None,
        "within_limits": False,
        "violation": {"impurity": pytest.approx(10.0)},
        "cost": pytest.approx(2.0),  # 10 beyond a limit of 5
        "feasible": True,
        "trial": 1,
    }
    failed = env.step(action | {"temperature": 115.0})[4]
    assert failed["outputs"] == {}
    assert failed["failed"]
    assert failed["failure"] == "model"
    assert failed["score"] == 0.0
    assert not failed["within_limits"]


def test_the_episode_is_terminated_with_the_budget_and_a_step_after_it_is_refused():
    env = begun(budget=2)
    assert [env.step(TOP)[2:4] for _ in range(2)] == [(False, False), (True, False)]
    with pytest.raises(RxnoptError, match="budget of 2 experiments is spent"):
        env.step(TOP)
    env.reset()
    assert env.step(TOP)[4]["trial"] == 1


def test_a_step_before_the_first_reset_is_refused():
    with pytest.raises(RxnoptError, match="no episode has begun"):
        ReactionEnv(toy()).step(np.zeros(2, np.float32))


@pytest.mark.parametrize("reward_mode", ["objective", "improvement", "regret"])
@pytest.mark.parametrize("observation_mode", ["summary", "history"])
def test_nothing_is_ever_nan_when_everything_fails(reward_mode, observation_mode):
    env = begun(reward_mode=reward_mode, observation_mode=observation_mode)
    for _ in range(6):
        obs, reward, *_ = env.step(BROKEN)
        assert np.isfinite(obs).all()
        assert np.isfinite(reward)
        assert env.observation_space.contains(obs)


def test_box_edges_are_bounds_and_levels_are_argmax():
    env = begun(toy(MIXED), action_mode="box")
    assert env.action_space.shape == (7,)
    low = env.step(np.array([-1, -1, 0, 1, 0.5, -1, -1], np.float32))[4]["conditions"]
    assert low == {"temperature": 30.0, "residence_time": 0.5, "catalyst": "Ni", "tanks": 2, "stirring": 0}
    high = env.step(np.array([0, np.nextafter(np.float32(1), np.float32(2)), 0, 0, 1, 1, 1], np.float32))[4]
    assert high["conditions"] == {
        "temperature": 75.0,
        "residence_time": 20.0,
        "catalyst": "Cu",
        "tanks": 5,
        "stirring": 1,
    }


def test_multidiscrete_and_discrete_walk_the_same_grid():
    multi, one = begun(action_mode="multidiscrete", levels=3), begun(action_mode="discrete", levels=3)
    assert multi.action_space.nvec.tolist() == [3, 3]
    assert one.action_space.n == 9
    a = multi.step(np.array([1, 2]))[4]["conditions"]
    assert a == pytest.approx(one.step(5)[4]["conditions"])
    assert a == pytest.approx({"temperature": 75.0, "residence_time": 20.0})
    middle = multi.step([0, 1])[4]["conditions"]
    assert middle == pytest.approx({"temperature": 30.0, "residence_time": np.sqrt(10.0)})  # geometric mean


def test_the_grid_of_all_values_of_discrete_parameters():
    env = begun(toy(MIXED), action_mode="discrete", levels=2)
    assert env.action_space.n == 2 * 2 * 3 * 4 * 2
    last = env.step(env.action_space.n - 1 - 48)[4]["conditions"]
    assert last == {
        "temperature": 30.0,
        "residence_time": pytest.approx(20.0),
        "catalyst": "Cu",
        "tanks": 5,
        "stirring": 1,
    }


@pytest.mark.parametrize(
    ("mode", "action", "message"),
    [
        ("box", [0.0, 1.01], "entry 1 of the action is 1.01"),
        ("box", [np.nan, 0.0], "entry 0 of the action is nan"),
        ("box", [0.0], r"shape \(1, 1\); give shape \(1, 2\)"),
        ("box", ["hot", "long"], "not made of numbers"),
        ("multidiscrete", [0, 5], r"index 5 of residence_time is not allowed; give a whole number in \[0, 4\]"),
        ("multidiscrete", [-1, 0], "index -1 of temperature"),
        ("multidiscrete", [0.0, 1.0], "not made of whole numbers"),
        ("discrete", 25, r"index 25 is not allowed; give a whole number in \[0, 24\]"),
        ("discrete", True, "not made of whole numbers"),
        ("dict", {"temperature": 75.0}, "residence_time is missing"),
        ("dict", TOP | {"temprature": 75.0}, "did you mean 'temperature'"),
        ("dict", TOP | {"temperature": 120.5}, r"temperature = 120\.5 is not allowed"),
        ("dict", TOP | {"temperature": np.nan}, "temperature = nan"),
        ("dict", [75.0, 20.0], "needs a dict"),
    ],
)
def test_bad_actions_are_refused_and_cost_nothing(mode, action, message):
    env = begun(action_mode=mode)
    with pytest.raises(ConditionsError, match=message):
        env.step(action)
    assert env.step(env.action_space.sample())[4]["trial"] == 1


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"action_mode": "multi_discrete"}, UnknownNameError, "did you mean 'multidiscrete'"),
        ({"observation_mode": "histori"}, UnknownNameError, "did you mean 'history'"),
        ({"reward_mode": "yield"}, UnknownNameError, "choose one of objective, improvement, regret"),
        ({"render_mode": "rgb"}, UnknownNameError, "render_mode='rgb' is unknown"),
        ({"budget": 0}, ConditionsError, "budget=0 is not allowed; give a whole number from 1 on"),
        ({"budget": 2.5}, ConditionsError, "budget=2.5"),
        ({"levels": 1}, ConditionsError, "levels=1"),
        ({"action_mode": "discrete", "levels": 1001}, ConditionsError, "grid of 1,002,001 points"),
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(kwargs, error, message):
    with pytest.raises(error, match=message):
        ReactionEnv(toy(), **kwargs)


def test_an_unknown_reaction_is_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'snar'"):
        ReactionEnv("snarr")


@pytest.mark.parametrize("clone", [copy.deepcopy, pickled])
@pytest.mark.parametrize("action_mode", ["box", "discrete", "multidiscrete", "dict"])
def test_a_copy_in_mid_campaign_goes_on_alike(clone, action_mode):
    env = begun(toy(MIXED), action_mode=action_mode, noise=True)
    env.action_space.seed(3)
    env.step(env.action_space.sample())
    twin = clone(env)
    for _ in range(3):
        action = env.action_space.sample()
        a, b = env.step(action), twin.step(action)
        np.testing.assert_array_equal(a[0], b[0])
        assert a[1:] == b[1:]


def test_the_toy_simulator_gives_what_the_tests_say():
    X = np.array([[75.0, 20.0], [65.0, 0.5], [30.0, 0.5]])
    np.testing.assert_allclose(simulate(X).values[:, 0], [80.0, 69.0, 49.75])
