"""Generality, against means and orders worked out from the table itself."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from general_toys import YIELDS, couplings, general

from rxnopt.campaign import Campaign
from rxnopt.cards import ReactionCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.envs import ReactionEnv, ReactionVectorEnv
from rxnopt.errors import CardError, ConditionsError, JournalError
from rxnopt.simulators import load
from rxnopt.simulators.general import generalised, recommended

MEANS = np.nanmean(YIELDS, axis=0)


def best() -> tuple[float, dict[str, str]]:
    ligand, base = np.unravel_index(MEANS.argmax(), MEANS.shape)
    return MEANS.max(), {"ligand": f"L{ligand + 1}", "base": f"b{base + 1}"}


def test_the_space_holds_conditions_and_the_objective_is_the_mean_over_the_substrates():
    reaction = general()
    assert reaction.name == "couplings-general"
    assert reaction.space.names == ("ligand", "base")
    X = np.array([[i, j] for i in range(3) for j in range(2)], float)
    outcome = reaction.outcome(X)
    np.testing.assert_allclose(outcome.values[:, 0], MEANS.ravel())  # without the missing cell
    assert not outcome.failed.any()
    value, conditions = best()
    assert reaction.optimum().value == pytest.approx(value)
    assert reaction.optimum().conditions == conditions


def test_no_substrate_is_run_again_before_all_were():
    with Campaign(general(), lambda space, history, n, rng: np.zeros((n, 2)), budget=12, seed=5) as campaign:
        table = campaign.run(batch=3)
    drawn = table["halide"].tolist()
    assert sorted(drawn[:5]) == sorted(drawn[5:10]) == ["h1", "h2", "h3", "h4", "h5"]
    assert drawn[10] != drawn[11]
    np.testing.assert_array_equal(table["yield"], [YIELDS[int(name[1]) - 1, 0, 0] for name in drawn])
    np.testing.assert_allclose(table["objective_noise_free"], MEANS[0, 0])


def test_chance_depends_on_seed_and_trial_and_not_on_the_agent():
    """Two agents that propose in another order meet the same substrates as long as no pair repeats."""

    def forth(space, history, n, rng):
        return np.array([[len(history) % 3, len(history) // 3 % 2]], float)

    def back(space, history, n, rng):
        return np.array([[2 - len(history) % 3, 1 - len(history) // 3 % 2]], float)

    def halides(agent, seed):
        with Campaign(general(), agent, budget=6, seed=seed) as campaign:
            return campaign.run()["halide"].tolist()

    assert halides(forth, 1) == halides(back, 1) == halides(forth, 1)
    assert halides(forth, 1) != halides(forth, 2)


def test_substrates_are_drawn_evenly():
    """Of 400 first trials each of five halides has a fifth (binomial, four standard deviations)."""
    reaction = general()
    chance = reaction.measurement.chance
    first = [reaction.draw_substrates(np.zeros((1, 2)), chance.of_trials(seed, [0]))[0] for seed in range(400)]
    assert np.abs(np.bincount(first, minlength=5) - 80).max() < 4 * np.sqrt(400 * 0.2 * 0.8)


def test_a_missing_cell_is_a_failed_trial():
    with Campaign(general(), lambda space, history, n, rng: np.array([[1.0, 0.0]]), budget=5) as campaign:
        table = campaign.run().set_index("halide")
    assert table["status"]["h4"] == "failed"
    assert (table["status"].drop("h4") == "done").all()


def test_the_journal_keeps_substrates_and_a_person_tells_them(tmp_path):
    path, reaction = tmp_path / "c.db", general()
    with Campaign(reaction, "ucb1", budget=9, seed=2, journal=path) as campaign:
        [trial] = campaign.ask()
        assert set(trial.substrate) == {"halide"}
        campaign.add({"ligand": "L2", "base": "b2", "halide": "h3"}, {"yield": 44.0})
        assert campaign.history.substrate[1].tolist() == [2.0]
        with pytest.raises(ConditionsError, match="halide is missing"):
            campaign.add({"ligand": "L2", "base": "b2"}, {"yield": 44.0})
        with pytest.raises(ConditionsError, match="h9"):
            campaign.add({"ligand": "L2", "base": "b2", "halide": "h9"}, {"yield": 44.0})
    with Campaign(reaction, "ucb1", budget=9, seed=2, journal=path) as campaign:
        assert campaign.history.substrate[1].tolist() == [2.0]
        parts = campaign.run()
    with Campaign(reaction, "ucb1", budget=9, seed=2) as campaign:
        campaign.ask()
        campaign.add({"ligand": "L2", "base": "b2", "halide": "h3"}, {"yield": 44.0})
        assert campaign.run().equals(parts)
    with pytest.raises(JournalError, match="another campaign"):
        Campaign(couplings(), "ucb1", budget=9, seed=2, journal=path)
    drawn = parts["halide"][parts["ligand"].eq("L2") & parts["base"].eq("b2")].tolist()
    assert len(set(drawn)) == len(drawn)  # the one that was added by hand counts


def test_where_the_agent_chooses_the_substrate_the_mean_is_still_what_counts():
    reaction = general(over=["halide"], chosen=True)
    assert reaction.space.names == ("halide", "ligand", "base")
    with Campaign(reaction, "random", budget=20, seed=0) as campaign:
        table = campaign.run()
    rows = campaign.history.X.astype(int)
    np.testing.assert_allclose(table["objective"], YIELDS[tuple(rows.T)])
    done = table["status"] == "done"
    np.testing.assert_allclose(table["objective_noise_free"][done], MEANS[tuple(rows[:, 1:].T)][done])
    assert reaction.optimum().value == pytest.approx(MEANS.max())


def test_environments_draw_for_each_copy_and_count_regret_from_the_best_mean():
    env = ReactionEnv(couplings(), generality=True, action_mode="multidiscrete", reward_mode="regret", budget=10)
    env.reset(seed=3)
    steps = [env.step(np.array([2, 1])) for _ in range(10)]
    drawn = [info["substrate"]["halide"] for *_, info in steps]
    assert sorted(drawn[:5]) == sorted(drawn[5:]) == ["h1", "h2", "h3", "h4", "h5"]
    np.testing.assert_allclose([reward for _, reward, *_ in steps], MEANS[2, 1] - MEANS.max(), atol=1e-9)
    np.testing.assert_allclose([i["score"] for *_, i in steps], [YIELDS[int(name[1]) - 1, 2, 1] for name in drawn])
    again = ReactionEnv(couplings(), generality=True, action_mode="multidiscrete", budget=10)
    again.reset(seed=3)
    assert [again.step(np.array([2, 1]))[-1]["substrate"]["halide"] for _ in range(10)] == drawn
    many = ReactionVectorEnv(couplings(), 7, generality=True, action_mode="multidiscrete", budget=6)
    many.reset(seed=3)
    rows = [many.step(np.tile([2, 1], (7, 1)))[-1]["substrate"] for _ in range(5)]
    copies = np.array([[row["halide"] for row in step] for step in rows])
    assert all(len(set(copies[:, i])) == 5 for i in range(7))
    assert len({tuple(copies[:, i]) for i in range(7)}) > 1


def test_the_environment_keeps_the_rules_of_gymnasium():
    from gymnasium.utils.env_checker import check_env

    env = ReactionEnv(couplings(), generality=True)
    assert isinstance(env.action_space, gym.spaces.Box)
    assert env.action_space.shape == (5,)
    check_env(env, skip_render_check=True)


def test_realism_meets_the_reaction_with_its_substrate():
    reaction = general("noise: {yield: {sd: 2.0}}\ncost: {formula: halide_price, unit: USD}\n")
    noisy = reaction.with_realism({"failures": {"probability": 0.5}})
    with Campaign(noisy, "random", budget=40, seed=1) as campaign:
        table = campaign.run()
    assert 8 < (table["failure"] == "dropout").sum() < 32
    done = table[table["status"] == "done"]
    where = [
        YIELDS[int(h[1]) - 1, int(a[1]) - 1, int(b[1]) - 1] for h, a, b in done[["halide", "ligand", "base"]].values
    ]
    assert 0.5 < np.std(done["yield"] - where) < 4.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"over": ["halid"]}, "'halid' is no parameter; did you mean 'halide'?"),
        ({"over": ["halide", "ligand", "base"]}, "no parameter is left for conditions"),
        ({"ovr": ["halide"]}, "generality.ovr: there is no field 'ovr' here; did you mean 'over'?"),
        (3, "generality=3 is not allowed"),
    ],
)
def test_wrong_arguments_are_refused(given, message):
    with pytest.raises(CardError) as caught:
        generalised(couplings(), given)
    assert message in str(caught.value)


def test_wrong_cards_are_refused():
    from general_toys import CARD

    with pytest.raises(CardError, match=r"couplings.yaml:\d+ generality.over: 'halid' is no parameter"):
        validate(parse(CARD.replace("over: [halide]", "over: [halid]"), "couplings.yaml"), ReactionCard)
    silent = validate(parse(CARD.replace("generality: {over: [halide]}", ""), "couplings.yaml"), ReactionCard)
    with pytest.raises(CardError, match="couplings does not say which parameters are substrates"):
        generalised(couplings().__class__(silent, couplings().space, couplings().simulator), True)
    assert silent.digest() == couplings().card.digest()
    assert general().card.digest() != general(over=["base"]).card.digest()


@pytest.mark.parametrize("name", ["snar-general", "rxnopt/SnArGeneral-v0", "SnArGeneral-v0"])
def test_a_reaction_without_substrates_says_so(name):
    with pytest.raises(CardError, match="snar has no substrates: these are levels, and none of its parameters has"):
        load(name)
    with pytest.raises(CardError, match=r"mit_case1 does not say which .*generality=\{'over': \['catalyst'\]\}"):
        load("mit_case1-general")


def test_a_single_lucky_result_recommends_nothing():
    """Four results of the mean of all are added to each: 75 thrice is better than 80 once, where others give 20."""
    conditions, y = np.array([0, 0, 0, 2, 2, 2, 1]), np.array([75.0, 76.0, 74.0, 20.0, 20.0, 20.0, 80.0])
    mean = y.mean()
    assert (225 + 4 * mean) / 7 > (80 + 4 * mean) / 5
    assert recommended(conditions, y) == 0
    assert recommended(np.array([3, 1]), np.array([5.0, 4.0])) == 3


KINETIC = """
name: kinetic
id: Kinetic-v0
title: Two substrates that want another temperature each
budget: 20
constants: {charge: 1 mol/L}
parameters:
  substrate: {levels: {s1: {speed: 1 1/min}, s2: {speed: 3 1/min}}}
  base: {levels: {b1: {help: 1}, b2: {help: 2}}}
  time: {low: 0.1, high: 5, unit: min}
generality: {over: [substrate]}
model:
  reactor: {type: batch, time: time}
  initial: {A: charge}
  reactions:
    - {equation: A -> B, k: substrate_speed * base_help}
    - {equation: B -> C, k: 0.5 1/min}
outputs: {yield: {formula: B / charge, unit: "%"}}
"""


def test_a_card_of_ones_own_and_continuous_conditions(tmp_path):
    """With A -> B -> C the yield is k (e^(-t/2) - e^(-k t)) / (k - 1/2); conditions are a level and a time."""
    (tmp_path / "own.yaml").write_text(KINETIC)
    reaction = load(f"{tmp_path}/own.yaml-general")
    assert reaction.name == "kinetic-general"
    assert reaction.space.names == ("base", "time")

    def mean(help_, t):
        return np.mean([100 * k * (np.exp(-t / 2) - np.exp(-k * t)) / (k - 0.5) for k in (help_, 3 * help_)])

    found = reaction.simulate({"base": "b2", "time": 0.7})["yield"]
    assert found == pytest.approx(mean(2, 0.7), rel=1e-5)
    assert reaction.card.optimum is None
    assert reaction.optimum().value == pytest.approx(max(mean(2, t) for t in np.linspace(0.1, 5, 2000)), rel=1e-4)
    with Campaign(reaction, "tpe", budget=6, seed=1) as campaign:
        table = campaign.run()
    assert set(table["substrate"]) == {"s1", "s2"}
