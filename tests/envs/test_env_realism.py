"""Realism as an argument of environments: plates, delayed results, failures, cost, streams of chance."""

import gymnasium as gym
import numpy as np
import pytest
from env_toys import NUMBERS, toy

import rxnopt  # noqa: F401  (registers the environments)
from rxnopt.envs import ReactionEnv, ReactionVectorEnv
from rxnopt.errors import CardError

EVERYTHING = {
    "constants": {"price": "3 USD/min"},
    "noise": {"yield": {"sd": 1.0, "relative": 0.02, "run": 0.5, "replicates": 3, "outliers": {"probability": 0.1}}},
    "drift": {"yield": {"walk": 0.5, "slope": -0.1}, "residence_time": {"walk": 0.01}},
    "failures": {"probability": 0.1, "rules": {"dirty": "impurity > 0.6 * yield"}},
    "plate": {"size": 3, "shared": ["temperature"]},
    "delay": 2,
    "cost": {"formula": "price * residence_time", "unit": "USD"},
}


def episode(env, actions, seed=0):
    """Return observations, rewards and infos of one episode."""
    env.reset(seed=seed)
    steps = [env.step(action) for action in actions]
    return [s[0] for s in steps], [s[1] for s in steps], [s[4] for s in steps]


def actions(n=6, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (n, 2)).astype(np.float32)


def test_a_plate_keeps_what_its_first_experiment_set():
    env = ReactionEnv(toy(), realism={"plate": {"size": 4, "shared": ["temperature"]}}, noise=False)
    observations, _, infos = episode(env, actions())
    ran = np.array([[i["conditions"]["temperature"], i["conditions"]["residence_time"]] for i in infos])
    wanted = env.reaction.space.from_box(actions())
    assert ran[:, 0].tolist() == [wanted[0, 0]] * 4 + [wanted[4, 0]] * 2
    np.testing.assert_array_equal(ran[:, 1], wanted[:, 1])
    # the agent sees what was run: the last two entries of a summary are the last conditions
    np.testing.assert_allclose(observations[2][-2:], [actions()[0, 0], actions()[2, 1]], atol=1e-6)


@pytest.mark.parametrize("mode", ["objective", "improvement", "regret"])
def test_a_delayed_reward_comes_with_its_result_and_the_rest_at_the_end(mode):
    at_once = episode(ReactionEnv(toy(), noise=False, reward_mode=mode), actions())
    late = episode(ReactionEnv(toy(), noise=False, reward_mode=mode, realism={"delay": 2}), actions())
    assert late[1][:2] == [0.0, 0.0]
    assert late[1][2:5] == at_once[1][:3]
    assert late[1][5] == pytest.approx(sum(at_once[1][3:]), rel=1e-12)
    np.testing.assert_array_equal(late[0][-1], at_once[0][-1])  # at the end all is known
    assert [i["score"] for i in late[2]] == [i["score"] for i in at_once[2]]  # infos are those of their own step


def test_an_observation_shows_only_results_that_have_come_back():
    kwargs = {"noise": False, "observation_mode": "history"}
    at_once = episode(ReactionEnv(toy(), **kwargs), actions())[0]
    late = episode(ReactionEnv(toy(), realism={"delay": 2}, **kwargs), actions())[0]
    assert not late[0].any()
    assert not late[1].any()
    for k in range(2, 5):
        np.testing.assert_array_equal(late[k], at_once[k - 2])


def test_failures_and_cost_are_in_the_infos():
    options = {name: EVERYTHING[name] for name in ("constants", "cost")}
    env = ReactionEnv(
        toy(), realism=options | {"failures": {"rules": {"dirty": "impurity > 0.7 * yield"}}}, noise=False
    )
    env.reset(seed=0)
    far = env.step(np.array([-1.0, 0.0], np.float32))  # 30 degC: yield 54.75 %, impurity 45.25 %
    assert (far[4]["failure"], far[4]["failed"], far[4]["outputs"], far[1]) == ("dirty", True, {}, 0.0)
    assert far[4]["experiment_cost"] == pytest.approx(3 * np.sqrt(0.5 * 20))
    near = env.step(np.array([0.0, 0.0], np.float32))
    assert (near[4]["failure"], near[4]["failed"]) == (None, False)
    assert "experiment_cost" not in episode(ReactionEnv(toy()), actions(1))[2][0]


def test_equal_seeds_give_equal_episodes_and_one_copy_is_the_single_environment():
    single = ReactionEnv(toy(), realism=EVERYTHING)
    first, again, other = (episode(single, actions(), seed) for seed in (3, 3, 4))
    assert first[1] == again[1] != other[1]
    vector = ReactionVectorEnv(toy(), 1, realism=EVERYTHING)
    vector.reset(seed=3)
    for k, action in enumerate(actions()):
        _, reward, _, _, infos = vector.step(action[None])
        infos = infos.get("final_info", infos)
        assert reward[0] == first[1][k]
        assert infos["failure"][0] == first[2][k]["failure"]
        assert infos["experiment_cost"][0] == first[2][k]["experiment_cost"]


def test_noise_is_the_same_whatever_else_is_on_and_drift_begins_anew():
    plain = ReactionEnv(toy(), realism={"noise": {"yield": {"sd": 1.0}}})
    more = ReactionEnv(
        toy(), realism={"noise": {"yield": {"sd": 1.0}}, "drift": {"yield": {"slope": 2.0, "walk": 0.5}}}
    )
    for seed in (0, None):  # without a seed the streams go on
        plain.reset(seed=seed)
        more.reset(seed=seed)
        for k, action in enumerate(actions()):
            drift = more.step(action)[1] - plain.step(action)[1]
            assert abs(drift - 2.0 * k) <= 5 * 0.5 * np.sqrt(k)  # a walk of k steps has variance 0.25 k


def test_copies_differ_and_false_makes_all_exact():
    envs = ReactionVectorEnv(toy(), 64, realism=EVERYTHING | {"delay": 0})
    envs.reset(seed=0)
    same = np.zeros((64, 2), np.float32)
    scores = [envs.step(same)[4]["score"] for _ in range(4)]
    assert len(np.unique(scores[3])) > 50
    exact = ReactionVectorEnv(toy(), 64, realism=False)
    exact.reset(seed=0)
    infos = exact.step(same)[4]
    assert (infos["score"] == infos["score_noise_free"]).all()


def test_gymnasium_hands_the_options_on_and_mistakes_are_one_sentence():
    envs = gym.make_vec(
        "rxnopt/SnAr-v0", num_envs=2, vectorization_mode="vector_entry_point", realism={"delay": 3}, noise=False
    )
    assert envs.reaction.options.delay == 3
    assert envs.reaction.options.noise == {}
    with pytest.raises(CardError, match=r"^realism\.delay: -1 must be greater than or equal to 0$"):
        gym.make("rxnopt/SnAr-v0", realism={"delay": -1})


def test_a_card_may_have_all_of_it():
    text = NUMBERS.replace("noise: {yield: {sd: 1.0}}", "delay: 1\nplate: {size: 2, shared: [temperature]}")
    assert toy(text).options.delay == 1
    assert episode(ReactionEnv(toy(text)), actions())[1][0] == 0.0
