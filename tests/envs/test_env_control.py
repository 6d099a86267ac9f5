"""Runs under control: checkers, rewards by hand, ends, failures, refusals; many at once against one at a time."""

import copy
import pickle
from functools import cache, partial
from typing import get_args

import gymnasium as gym
import numpy as np
import pytest
from control_toys import CHARGE, EXPLOSION, write
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3.common.env_checker import check_env as check_env_sb3

from rxnopt import envs
from rxnopt.envs import ControlEnv, ControlVectorEnv, ReactionEnv
from rxnopt.envs.actions import ActionMode
from rxnopt.envs.runs import ObservationMode, RewardMode
from rxnopt.envs.sb3 import make_vec_env
from rxnopt.errors import ConditionsError, RxnoptError, UnknownNameError
from rxnopt.simulators import load

envs.register()
IDS = sorted(key for key, spec in gym.registry.items() if spec.entry_point == "rxnopt.envs:ControlEnv")
MODES = [
    {"observation_mode": observation, "reward_mode": reward}
    for observation in get_args(ObservationMode)
    for reward in get_args(RewardMode)
]
every_id = pytest.mark.parametrize("env_id", IDS)


@cache
def reaction_of(env_id):
    return load(gym.spec(env_id).kwargs["reaction"])


@pytest.fixture(scope="module")
def charge(tmp_path_factory):
    return load(write(tmp_path_factory.mktemp("charge"), CHARGE))


@pytest.fixture(scope="module")
def explosion(tmp_path_factory):
    return load(write(tmp_path_factory.mktemp("explosion"), EXPLOSION, "push\n0\n"))


def begun(reaction, **kwargs):
    env = ControlEnv(reaction, **{"action_mode": "dict", "noise": False} | kwargs)
    env.reset(seed=0)
    return env


def flow(env, *inflows):
    return [env.step({"inflow": inflow}) for inflow in inflows]


def test_every_control_card_has_control_envs():
    assert len(IDS) >= 12
    assert all(gym.spec(key).vector_entry_point == "rxnopt.envs:ControlVectorEnv" for key in IDS)


@every_id
def test_both_checkers_accept_the_defaults(env_id):
    check_env(gym.make(env_id, render_mode="rgb_array").unwrapped)
    check_env_sb3(gym.make(env_id).unwrapped)


@pytest.mark.parametrize("modes", MODES, ids=lambda m: "-".join(m.values()))
@pytest.mark.parametrize("action_mode", get_args(ActionMode))
def test_both_checkers_accept_every_mode(modes, action_mode):
    env = ControlEnv(reaction_of("rxnopt/FoglerControl-v0"), action_mode=action_mode, **modes)
    check_env(env, skip_render_check=True)
    if action_mode != "dict":
        check_env_sb3(env)


@every_id
def test_the_number_of_intervals_is_an_argument_and_seeds_repeat(env_id):
    first, second = gym.make(env_id, intervals=6), gym.make(env_id, intervals=6)
    first.action_space.seed(1)
    for _ in range(2):
        a, b = first.reset(seed=3), second.reset(seed=3)
        for k in range(1, 7):
            np.testing.assert_array_equal(a[0], b[0])
            assert a[1:] == b[1:]
            action = first.action_space.sample()
            a, b = first.step(action), second.step(action)
            assert (a[2], a[4]["interval"]) == (k == 6, k)


def test_rewards_by_hand(charge):
    env = begun(charge)
    assert [step[1] for step in flow(env, 0.5, -1.0, 0.0, 1.0)] == pytest.approx([0, 0, 0, 3.5])
    env = begun(charge, reward_mode="running")
    assert [step[1] for step in flow(env, 0.5, -1.0, 0.0, 1.0)] == pytest.approx([3.5, -1, 0, 1])
    env = begun(charge, reward_mode="regret", noise=True)
    assert [step[1] for step in flow(env, 0.5, -1.0, 0.0, 1.0)] == pytest.approx([0, 0, 0, -0.5])


def test_limits_count_over_the_whole_run(charge):
    """A content of 5 in the middle is over the limit of 4 for good, by a quarter of it."""
    steps = flow(begun(charge), 2.0, -2.0, 0.0, 0.0)
    assert [step[4]["within_limits"] for step in steps] == [False] * 4
    assert [step[4]["cost"] for step in steps] == pytest.approx([0, 0, 0, 0.25])
    assert steps[-1][1] == pytest.approx(3 - 10 * 1)
    assert flow(begun(charge), 0.5, 0.0, 0.0, 0.0)[-1][4]["cost"] == 0.0


def test_info_and_observations_by_hand(charge):
    """Constant inflows of -2 to 2 lead to contents of -5 to 11 and peaks of 3 to 11: the scales of observations."""
    env = begun(charge)
    observation, *_, info = flow(env, 0.5)[0]
    assert info == {
        "conditions": {"inflow": 0.5},
        "outputs": {
            "content": pytest.approx(3.5),
            "fullest_so_far": pytest.approx(3.5),
            "worth": pytest.approx(3.5),
        },
        "score": pytest.approx(3.5),
        "score_noise_free": pytest.approx(3.5),
        "failed": False,
        "within_limits": True,
        "violation": {"fullest_so_far": pytest.approx(-0.5)},
        "cost": 0.0,
        "interval": 1,
    }
    # the largest of 256 draws of the inflow lies within 2 % of its bound
    assert observation == pytest.approx([0.25, (3.5 - 3) / 8, (3.5 - 7) / 4], abs=0.05)
    assert begun(charge, observation_mode="time").reset()[0] == pytest.approx([0.0])
    measured = begun(charge, observation_mode="measured", noise=True)
    first = [measured.reset()[0][1] for _ in range(200)]
    assert np.std(first) * 8 == pytest.approx(0.1, rel=0.25)  # 4 standard errors, and the scale


def test_a_run_that_cannot_be_integrated_ends_there_with_the_score_of_a_failure(explosion):
    env = begun(explosion, reward_mode="running")
    first = env.step({"push": 2.0})
    assert (first[1], first[2]) == (pytest.approx(-2.0), False)
    last = env.step({"push": 8.0})
    assert (last[1], last[2]) == (pytest.approx(-2.0 + 2.0, abs=1e-6), True)  # a failure scores optimum less its size
    assert last[4]["failed"]
    assert last[4]["outputs"] == {}
    assert (last[4]["score"], last[4]["cost"]) == (-2.0, 1.0)
    assert np.isfinite(last[0]).all()
    with pytest.raises(RxnoptError, match=r"the run of 4 intervals is over; call reset\(\)"):
        env.step({"push": 0.0})


def compare(ours, theirs, n):
    """Infos of a step: whatever the other shows under a mask, ours shows too."""
    for key, value in theirs.items():
        if key.startswith("_"):
            np.testing.assert_array_equal(ours[key], value)
        elif key == "final_info":
            compare(ours[key], value, n)
        elif key == "final_obs":
            for i in np.flatnonzero(theirs["_final_obs"]):
                np.testing.assert_array_equal(ours[key][i], value[i])
        elif key not in ("conditions", "outputs", "violation"):
            mask = theirs[f"_{key}"]
            np.testing.assert_array_equal(ours[key][mask], value[mask])


@pytest.mark.parametrize("observation_mode", get_args(ObservationMode))
def test_steps_are_those_of_gymnasiums_own_vector_env_also_where_single_runs_fail(explosion, observation_mode):
    kwargs = {"observation_mode": observation_mode, "reward_mode": "running"}
    native = ControlVectorEnv(explosion, 6, **kwargs)
    peer = SyncVectorEnv([partial(ControlEnv, explosion, **kwargs)] * 6, autoreset_mode=AutoresetMode.SAME_STEP)
    assert native.observation_space == peer.observation_space
    native.action_space.seed(0)
    np.testing.assert_array_equal(native.reset(seed=0)[0], peer.reset(seed=0)[0])
    apart = 0
    for _ in range(20):
        actions = native.action_space.sample()
        ours, theirs = native.step(actions), peer.step(actions)
        for mine, other in zip(ours[:4], theirs[:4], strict=True):
            np.testing.assert_array_equal(mine, other)
            assert mine.dtype == other.dtype
        compare(ours[4], theirs[4], 6)
        apart += 0 < ours[2].sum() < 6
    assert apart > 5


def test_the_face_for_sb3_tells_the_end_of_single_runs(explosion):
    face = make_vec_env(explosion, 2, seed=0)
    face.reset()
    _, _, dones, infos = face.step(np.array([[1.0], [-1.0]]))
    assert dones.tolist() == [True, False]
    assert set(infos[0]) == {"terminal_observation", "TimeLimit.truncated"}
    assert infos[1] == {}


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_in_mid_run_goes_on_alike(charge, clone):
    env = begun(charge, noise=True)
    flow(env, 0.5)
    twin = clone(env)
    for a, b in zip(flow(env, 0.1, 0.2, 0.3), flow(twin, 0.1, 0.2, 0.3), strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        assert a[1:] == b[1:]


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ({"inflow": np.nan}, "inflow = nan is not allowed"),
        ({"inflow": 2.1}, r"inflow = 2\.1 is not allowed; give a number in \[-2\.0, 2\.0\]"),
        ({"infow": 0.0}, "did you mean 'inflow'"),
    ],
)
def test_bad_actions_are_refused_and_cost_nothing(charge, action, message):
    env = begun(charge)
    with pytest.raises(ConditionsError, match=message):
        env.step(action)
    assert flow(env, 0.0)[0][4]["interval"] == 1
    boxed = ControlEnv(charge)
    boxed.reset()
    with pytest.raises(ConditionsError, match="entry 0 of the action is nan"):
        boxed.step(np.array([np.nan]))


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"observation_mode": "sate"}, UnknownNameError, "did you mean 'state'"),
        ({"reward_mode": "objective"}, UnknownNameError, "choose one of terminal, running, regret"),
        ({"intervals": 5}, ConditionsError, "intervals=5 does not fit a reaction loaded with 4"),
        ({"levels": 1}, ConditionsError, "levels=1"),
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(charge, kwargs, error, message):
    with pytest.raises(error, match=message):
        ControlEnv(charge, **kwargs)


def test_what_is_no_control_problem_is_refused_and_whole_profiles_make_a_campaign(charge):
    with pytest.raises(ConditionsError, match="snar is no control problem"):
        ControlEnv("snar")
    with pytest.raises(RxnoptError, match="no run has begun"):
        ControlEnv(charge).step(np.zeros(1))
    campaign = ReactionEnv(charge, noise=False)
    campaign.reset()
    step = campaign.step(np.zeros(4, np.float32))
    assert step[1] == pytest.approx(3.0)
    assert list(step[4]["conditions"]) == ["inflow_1", "inflow_2", "inflow_3", "inflow_4"]


def test_pictures_show_the_profile(charge):
    env = begun(charge, render_mode="rgb_array")
    first = env.render()
    assert first.shape == (440, 1100, 3)
    flow(env, 0.5, -0.5)
    assert (env.render() != first).any()
