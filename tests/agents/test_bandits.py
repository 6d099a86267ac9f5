"""Bandits against the formulas of their papers, worked out by hand, and against what theory says of them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from rxnopt.agents import OnPlates, build, load
from rxnopt.agents.pulls import Pulls, best, indices
from rxnopt.campaign import Campaign
from rxnopt.cards.agent import AgentCard
from rxnopt.cards.bandit import Bandit
from rxnopt.cards.base import validate
from rxnopt.catalogue import names, parse
from rxnopt.errors import AgentError, CardError
from rxnopt.history import DONE, FAILED, PENDING, History
from rxnopt.seeds import stream
from rxnopt.testing import toy

BANDITS = [name for name in names("agents") if load(name).agent.kind == "bandit"]
REWARDS = ([0.2, 0.6], [0.5], [0.1, 0.1, 0.4])
"""Of three arms; means 0.4, 0.5, 0.2, six pulls."""
PULLS = Pulls.of(np.repeat([0, 1, 2], [2, 1, 3]), np.concatenate(REWARDS), 3)


def settings(algorithm: str, **options) -> Bandit:
    return Bandit(kind="bandit", algorithm=algorithm, **options)


def index(algorithm: str, pulls: Pulls = PULLS, **options) -> np.ndarray:
    return indices(settings(algorithm, **options), pulls, stream(0, "test"))


def test_pulls_are_counted():
    np.testing.assert_array_equal(PULLS.count, [2, 1, 3])
    np.testing.assert_allclose(PULLS.mean, [0.4, 0.5, 0.2])
    np.testing.assert_allclose(PULLS.variance, [0.04, 0.0, 0.02], atol=1e-15)


def test_ucb1_is_that_of_auer_and_others():
    wanted = [
        0.4 + math.sqrt(2 * math.log(6) / 2),
        0.5 + math.sqrt(2 * math.log(6)),
        0.2 + math.sqrt(2 * math.log(6) / 3),
    ]
    np.testing.assert_allclose(index("ucb1"), wanted)


def test_ucb1_tuned_bounds_the_variance_by_a_quarter():
    """With 6 pulls V is above 1/4 for all arms; with 60,000 of arms that scatter little it is not."""
    wanted = [m + math.sqrt(math.log(6) / n / 4) for m, n in ((0.4, 2), (0.5, 1), (0.2, 3))]
    np.testing.assert_allclose(index("ucb1-tuned"), wanted)
    many = Pulls(*(10_000 * part for part in vars(PULLS).values()))
    n, log = 20_000, math.log(60_000)
    first = 0.4 + math.sqrt(log / n * (0.04 + math.sqrt(2 * log / n)))
    assert index("ucb1-tuned", many)[0] == pytest.approx(first)


def test_bayes_ucb_takes_quantiles_of_the_posterior():
    normal = [stats.norm.ppf(1 - 1 / 7, m, 0.25 / math.sqrt(n)) for m, n in ((0.4, 2), (0.5, 1), (0.2, 3))]
    np.testing.assert_allclose(index("bayes-ucb-normal", sd=0.25), normal)
    beta = [stats.beta.ppf(1 - 1 / 7, 1 + a, 1 + b) for a, b in ((0.8, 1.2), (0.5, 0.5), (0.6, 2.4))]
    np.testing.assert_allclose(index("bayes-ucb-beta"), beta)


@pytest.mark.parametrize(
    ("algorithm", "options", "mean", "sd"),
    [
        ("thompson-normal", {"sd": 0.3}, [0.8 / 3, 0.25, 0.15], [0.3 / math.sqrt(3), 0.3 / math.sqrt(2), 0.15]),
        (
            "thompson-beta",
            {},
            [1.8 / 4, 1.5 / 3, 1.6 / 5],
            [math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1))) for a, b in ((1.8, 2.2), (1.5, 1.5), (1.6, 3.4))],
        ),
    ],
)
def test_thompson_draws_from_the_posterior(algorithm, options, mean, sd):
    """20,000 draws at once: the leading axes are carried along."""
    m = 20_000
    pulls = Pulls(*(np.tile(part, (m, 1)) for part in vars(PULLS).values()))
    drawn = index(algorithm, pulls, **options)
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=5 * max(sd) / math.sqrt(m))
    np.testing.assert_allclose(drawn.std(axis=0), sd, rtol=0.03)


def test_epsilon_greedy_explores_as_often_as_it_says():
    m = 20_000
    pulls = Pulls(*(np.tile(part, (m, 1)) for part in vars(PULLS).values()))
    chosen = best(index("epsilon-greedy", pulls, epsilon=0.3), stream(1, "ties"))
    np.testing.assert_allclose(np.bincount(chosen) / m, [0.1, 0.8, 0.1], atol=0.015)


def test_explore_then_commit_stays_with_the_best_of_its_exploration():
    def next_of(count, mean):
        count, mean = np.array(count, float), np.array(mean)
        pulls = Pulls(count, count * mean, count * mean**2)
        return int(best(index("explore-then-commit", pulls, explore=2), stream(0, "ties")))

    assert next_of([2, 1, 2], [0.9, 0.5, 0.1]) == 1
    assert next_of([2, 2, 2], [0.9, 0.5, 0.1]) == 0
    assert next_of([9, 2, 2], [0.2, 0.5, 0.1]) == 0  # worse by now, but chosen


def test_round_robin_and_first_rounds_leave_no_arm_out():
    for algorithm in ("round-robin", "ucb1", "ucb1-tuned"):
        with Campaign(toy("levels"), algorithm, budget=12, seed=4) as campaign:
            campaign.run()
            assert len(np.unique(campaign.history.X, axis=0)) == 12


@pytest.mark.parametrize("name", BANDITS)
def test_regret_is_less_than_that_of_chance(name):
    """Bernoulli arms of 0.2 and 0.8, 400 pulls: chance has a regret of 120; all but round robin have a third of it."""
    pulls, rng, chosen = Pulls.of(np.empty(0, int), np.empty(0), 2), stream(7, name), []
    for _ in range(400):
        arm = int(best(indices(load(name).agent, pulls, rng), rng))
        y = float(rng.random() < (0.2, 0.8)[arm])
        one = np.eye(2)[arm]
        pulls, chosen = Pulls(pulls.count + one, pulls.total + y * one, pulls.squares + y * one), [*chosen, arm]
    regret = 0.6 * chosen.count(0)
    assert regret == 120 if name == "round-robin" else regret < 40


def history(space, rows, y, status) -> History:
    return History(np.array(rows, float), np.array(y, float), np.array(status, np.uint8))


def test_the_history_becomes_rewards():
    """A yield in % is a share, beyond 0 and 100 cut off; a failed trial counts as the worst result."""
    reaction = toy("levels")
    agent = build(load("ucb1"), reaction, budget=9, seed=0)
    past = history(reaction.space, [[0, 1], [0, 1], [3, 2], [1, 0]], [50, 110, -5, np.nan], [DONE, DONE, DONE, FAILED])
    pulls = agent.pulls(reaction.space, past)
    assert (pulls.count[1], pulls.total[1], pulls.count[11], pulls.total[11]) == (2, 1.5, 1, 0)
    assert (pulls.count[3], pulls.total[3], pulls.count.sum()) == (1, 0, 4)
    free = build(load("ucb1"), None, budget=9, seed=0).pulls(reaction.space, past)
    np.testing.assert_allclose(free.total[[1, 3, 11]], [55 / 115 + 1, 0, 0])


def test_a_trial_that_is_being_run_counts_as_its_mean():
    reaction = toy("levels")
    agent = build(load("ucb1"), reaction, budget=9, seed=0)
    rows, y = [[0, 1], [0, 1], [3, 2], [1, 1]], [40, np.nan, 20, np.nan]
    pulls = agent.pulls(reaction.space, history(reaction.space, rows, y, [DONE, PENDING, DONE, PENDING]))
    np.testing.assert_allclose(pulls.count[[1, 11, 4]], [2, 1, 1])
    np.testing.assert_allclose(pulls.mean[[1, 11, 4]], [0.4, 0.2, 1.0 / 3.0])


def test_a_batch_spreads_where_confidence_bounds_want_it_and_repeats_where_not():
    reaction = toy("levels")
    X = build(load("ucb1"), reaction, budget=24, seed=0).propose(
        reaction.space, History.empty(reaction.space), 24, stream(0, "agent", 0)
    )
    assert (np.unique(X, axis=0, return_counts=True)[1] == 2).all()
    plate = OnPlates(build(load("ucb1"), reaction, budget=8, seed=0), ["solvent"]).propose(
        reaction.space, History.empty(reaction.space), 8, stream(0, "agent", 0)
    )
    assert len(np.unique(plate[:, 1])) == 1


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        ("{kind: bandit, algorithm: ucb}", "did you mean 'ucb1'"),
        ("{kind: bandit, algorithm: ucb1, epsilon: 0.1}", "'ucb1' takes no 'epsilon'; remove it"),
        ("{kind: bandit, algorithm: epsilon-greedy}", "'epsilon-greedy' needs 'epsilon'; add it"),
        ("{kind: bandit, algorithm: ucb1, rewards: [1, 1]}", "give two different ones"),
    ],
)
def test_wrong_cards_are_refused(agent, message):
    with pytest.raises(CardError) as caught:
        validate(parse(f"name: mine\ntitle: Mine\nagent: {agent}\n", "mine.yaml"), AgentCard)
    assert message in str(caught.value)


def test_spaces_without_arms_are_refused():
    with pytest.raises(AgentError, match=r"^agent 'ucb1' chooses among a finite number of .* 'temperature'"):
        build(load("ucb1"), toy("smooth"), budget=9, seed=0)
    space = toy("grid").space
    wide = replace(space, parameters=tuple(replace(p, name=f"{p.name}{i}") for i in range(4) for p in space))
    with pytest.raises(AgentError, match=r"takes up to 100,000 conditions and this space has 5,308,416$"):
        build(load("ucb1"), None, budget=9, seed=0).propose(wide, History.empty(wide), 1, stream(0, "agent", 0))
