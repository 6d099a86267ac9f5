"""Environments whose reactions are drawn at each reset: the same from one seed, and the ones that they say they are."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_env_sb3

from rxnopt.envs import ReactionEnv, ReactionVectorEnv
from rxnopt.envs.sb3 import make_vec_env
from rxnopt.errors import CardError, ConditionsError, UnknownNameError
from rxnopt.seeds import stream
from rxnopt.simulators import load

SNAR, FAMILY = load("snar"), load("random_reaction")
both = pytest.mark.parametrize("reaction", [SNAR, FAMILY], ids=["snar", "family"])


def played(env, seed, episodes=2, constants=None):
    """Play fixed actions; return observations, rewards and constants of some episodes."""
    found = []
    env.action_space.seed(3)
    for k in range(episodes):
        obs, info = env.reset(seed=seed if k == 0 else None, options=constants and {"constants": constants})
        seen, rewards, over = [obs], [], False
        while not over:
            obs, reward, over, _, _ = env.step(env.action_space.sample())
            seen.append(obs)
            rewards.append(reward)
        found.append((np.array(seen), np.array(rewards), info["constants"]))
    return found


@both
@pytest.mark.parametrize("mode", ["box", "dict"])
def test_both_checkers_accept(reaction, mode):
    env = ReactionEnv(reaction, uncertainty=True, action_mode=mode, budget=5)
    check_env(env, skip_render_check=True, skip_close_check=True)
    if mode == "box":
        check_env_sb3(env)


@both
def test_seeds_repeat_and_each_reset_has_another_reaction(reaction):
    env = ReactionEnv(reaction, uncertainty=True, budget=4)
    first, again, other = played(env, 5), played(env, 5), played(env, 6)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])
        assert a[2] == b[2]
    assert first[0][2] != first[1][2] != other[0][2] != first[0][2]
    assert list(first[0][2]) == list(reaction.population.names)


@both
def test_the_first_reaction_of_a_seed_is_the_task_of_that_seed(reaction):
    env = ReactionEnv(reaction, uncertainty=True, realism=False)
    _, info = env.reset(seed=7)
    task = load(f"{reaction.name}-7")
    assert task.card.drawn == tuple(info["constants"].values())
    for _ in range(5):
        _, reward, _, _, step = env.step(env.action_space.sample())
        alone = task.attempt(task.space.to_array(step["conditions"]))
        assert alone.failed[0] == step["failed"]
        assert step["failed"] or reward == task.score(alone)[0]


@both
def test_a_copy_of_the_vector_env_is_a_single_env_with_its_reaction(reaction):
    """The same conditions in the same reaction give the same numbers, to the bit, whatever stands beside them."""
    vector = ReactionVectorEnv(reaction, 6, uncertainty=True, realism=False, budget=3)
    singles = [ReactionEnv(reaction, uncertainty=True, realism=False, budget=3) for _ in range(6)]
    observations, infos = vector.reset(seed=9)
    rng = stream(0, "actions")
    for _ in range(2):
        rows = infos["constants"]
        assert len({tuple(row) for row in rows.tolist()}) == 6
        for i, env in enumerate(singles):
            np.testing.assert_array_equal(env.reset(options={"constants": rows[i]})[0], observations[i])
        for t in range(3):
            actions = rng.uniform(-1, 1, vector.action_space.shape).astype(np.float32)
            observations, rewards, _, _, infos = vector.step(actions)
            for i, env in enumerate(singles):
                obs, reward, over, _, info = env.step(actions[i])
                assert over == (t == 2)
                assert reward == rewards[i]
                last = infos["final_info"] if over else infos
                assert info["failed"] == last["failed"][i]
                np.testing.assert_array_equal(obs, infos["final_obs"][i] if over else observations[i])


@both
def test_the_first_copy_has_the_reactions_of_a_single_env(reaction):
    single, vector = (
        ReactionEnv(reaction, uncertainty=True, budget=2),
        make_vec_env(reaction, 3, 4, uncertainty=True, budget=2),
    )
    vector.reset()
    rows = [vector.last_infos["constants"][0]]
    for _ in range(2):
        vector.step(np.zeros((3, vector.action_space.shape[0]), np.float32))
    rows.append(vector.last_infos["constants"][0])
    for row, (_, _, constants) in zip(rows, played(single, 4), strict=True):
        assert list(constants.values()) == row.tolist()


def test_regret_is_counted_from_the_optimum_of_each_draw():
    vector = ReactionVectorEnv(SNAR, 3, uncertainty=True, reward_mode="regret", realism=False, budget=2)
    _, infos = vector.reset(seed=1)
    for i, row in enumerate(infos["constants"]):
        own = SNAR.with_constants(row)
        best = own.optimum()
        A = own.space.to_box(own.space.to_array(best.conditions))
        vector.reset(options={"constants": np.repeat(row[None], 3, axis=0)})
        _, rewards, _, _, _ = vector.step(np.repeat(A, 3, axis=0).astype(np.float32))
        # the action is float32, and the objective is flat at its optimum
        np.testing.assert_allclose(rewards, 0.0, atol=1e-3)
        assert i < 3


def test_without_uncertainty_nothing_changes():
    plain, off = ReactionEnv("snar"), ReactionEnv("snar", uncertainty=False)
    assert plain.reset(seed=1)[1] == off.reset(seed=1)[1] == {}
    assert plain.observation_space == off.observation_space
    action = np.zeros(plain.action_space.shape, np.float32)
    assert plain.step(action)[1] == off.step(action)[1]


def test_missing_levels_are_masked_in_a_box_and_fail_elsewhere():
    """A level that the task lacks has the largest column: the largest of those that exist is taken."""
    env = ReactionEnv(FAMILY, realism=False)
    space = FAMILY.space
    _, info = env.reset(seed=2)
    ligands = int(info["constants"]["levels.ligand"])
    assert ligands < 8
    action = np.full(space.width, -0.9, np.float32)
    action[[7, 1, 8, 12]] = 1.0, 0.5, 1.0, 1.0
    conditions = env.step(action)[4]["conditions"]
    assert [conditions[name] for name in ("ligand", "solvent", "base")] == ["L2", "S1", "B1"]
    natural = ReactionEnv(FAMILY, realism=False, action_mode="dict")
    _, told = natural.reset(seed=2)
    assert told == info
    chosen = {"ligand": 7, "solvent": 0, "base": 0, "temperature": 40.0, "reaction_time": 5.0}
    chosen |= {"catalyst_loading": 5.0, "equivalents": 2.0}
    assert natural.step(chosen)[4]["failed"]
    assert not natural.step(chosen | {"ligand": ligands - 1})[4]["failed"]


def test_a_solvent_is_not_heated_beyond_its_cap():
    env = ReactionEnv(FAMILY, realism=False, action_mode="dict")
    _, info = env.reset(seed=3)
    caps = [info["constants"][f"hottest.S{k}"] for k in (1, 2)]
    k = int(np.argmin(caps))
    assert caps[k] < 120
    chosen = {"ligand": 0, "solvent": k, "base": 0, "reaction_time": 5.0, "catalyst_loading": 5.0, "equivalents": 2.0}
    assert not env.step(chosen | {"temperature": caps[k]})[4]["failed"]
    assert env.step(chosen | {"temperature": caps[k] + 1e-6})[4]["failure"] == "infeasible"


def test_the_observation_of_a_family_tells_levels_and_caps():
    env = ReactionEnv(FAMILY)
    obs, info = env.reset(seed=4)
    width = 5 + 2 * FAMILY.space.width
    assert obs.shape == (width + 8 + 4 + 3 + 4,)
    sizes = [int(info["constants"][f"levels.{name}"]) for name in ("ligand", "solvent", "base")]
    masks = np.split(obs[width : width + 15], [8, 12])
    for mask, size in zip(masks, sizes, strict=True):
        np.testing.assert_array_equal(mask, np.arange(len(mask)) < size)
    caps = [info["constants"][f"hottest.S{k + 1}"] if k < sizes[1] else 80.0 for k in range(4)]
    np.testing.assert_allclose(obs[width + 15 :], (np.array(caps) - 80.0) / 40.0, rtol=1e-6)


def test_features_are_shown_on_request():
    env = ReactionEnv(FAMILY, uncertainty={"descriptors": 0.0})
    obs, info = env.reset(seed=4)
    assert obs[-27] == np.float32(info["constants"]["feature.L1.1"])


def test_what_is_wrong_is_told():
    with pytest.raises(ConditionsError, match=r"uncertainty=1 is not allowed; give True, False or a mapping"):
        ReactionEnv("snar", uncertainty=1)
    with pytest.raises(CardError, match="has no uncertain constants"):
        ReactionEnv("mit_case1", uncertainty=True)
    with pytest.raises(CardError, match=r"snar:1 uncertainty\.r1\.K: "):
        ReactionEnv("snar", uncertainty={"r1.K": {"relative": 0.3}})
    with pytest.raises(CardError, match=r"random_reaction:1 family\.split: 'tests' must be one of train, test"):
        ReactionEnv("random_reaction", uncertainty={"split": "tests"})
    with pytest.raises(ConditionsError, match="needs an environment made with uncertainty=True"):
        ReactionEnv("snar").reset(options={"constants": [1.0]})
    with pytest.raises(ConditionsError, match=r"constants of shape \(1,\) do not fit; give 8 finite numbers"):
        ReactionEnv("snar", uncertainty=True).reset(options={"constants": [1.0]})
    with pytest.raises(UnknownNameError):
        load("snarr-7")


def test_made_by_its_id():
    vector = gym.make_vec("rxnopt/RandomReaction-v0", num_envs=4, vectorization_mode="vector_entry_point")
    _, infos = vector.reset(seed=0)
    assert infos["constants"].shape == (4, len(FAMILY.population.names))
    env = gym.make("rxnopt/RandomReaction-v0", uncertainty={"split": "test"})
    assert env.reset(seed=0)[1]["constants"] != gym.make("rxnopt/RandomReaction-v0").reset(seed=0)[1]["constants"]
