"""Scores against hand computation and against SciPy called directly."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import bootstrap, trim_mean

from rxnopt.experiments.scores import NEVER, Scale, agent_scores, by_reaction, curves, interval, iqm, median, needed


def table(runs):
    """``runs``: (reaction, agent, seed) -> noise-free objectives."""
    rows = [
        {"reaction": r, "agent": a, "seed": s, "trial": t, "objective_noise_free": y, "within_limits_noise_free": True}
        for (r, a, s), values in runs.items()
        for t, y in enumerate(values)
    ]
    return pd.DataFrame(rows)


def manifest(scales, agents, target=0.95):
    return {
        "reactions": {
            name: {"baseline": s.baseline, "optimum": s.optimum, "front": None} for name, s in scales.items()
        },
        "agents": dict.fromkeys(agents),
        "experiment": {"target": target},
    }


@pytest.mark.parametrize(
    ("scale", "best", "score"),
    [
        (Scale(40, 80), [40, 60, 80, 20, 84], [0, 0.5, 1, 0, 1.1]),
        (Scale(10, 2), [10, 6, 2, 12, 1], [0, 0.5, 1, 0, 1.125]),  # minimised
        (Scale(-50, -10), [-50, -30, -10, -60, -6], [0, 0.5, 1, 0, 1.1]),  # an optimum below zero
        (Scale(4, 0), [4, 1, 0, 5, -1], [0, 0.75, 1, 0, 1.25]),  # minimised to zero
    ],
)
def test_the_score_is_0_for_a_random_experiment_and_1_for_the_optimum(scale, best, score):
    np.testing.assert_allclose(scale.score(np.array(best)), score, rtol=1e-15)
    assert scale.score(np.array([np.nan])) == [0.0], "nothing has succeeded"


@pytest.mark.parametrize(
    ("scale", "target"),
    [(Scale(40, 80), 76), (Scale(10, 2), 2.1), (Scale(-50, -10), -10.5), (Scale(4, 0), 0), (Scale(40, 80, 0.9), 72)],
)
def test_the_target_is_a_share_of_the_optimum_itself(scale, target):
    assert scale.target == pytest.approx(target, rel=1e-15)


def test_best_so_far_leaves_experiments_beyond_limits_out():
    trials = table({("up", "a", 1): [9, 2, 8, 3, 7]}).assign(within_limits_noise_free=[False, True, False, True, True])
    found = curves(trials, {"up": Scale(0, 10)})
    np.testing.assert_array_equal(found["best"], [np.nan, 2, 2, 3, 7])
    np.testing.assert_allclose(found["score"], [0, 0.2, 0.2, 0.3, 0.7])


def test_the_hypervolume_is_the_score_of_campaigns_after_a_front():
    """Reference (0, 1), to be minimised in the second; one campaign dominates 2, then 2 + 1, the other nothing."""
    outputs = [{"a": 2, "b": 0.0}, {"a": 1, "b": -1.0}, {"a": 9, "b": -9}, {"a": 1, "b": 0.5}]
    front = {
        "goals": [{"name": "a", "unit": "1", "sign": 1.0}, {"name": "b", "unit": "1", "sign": -1.0}],
        "reference": [0.0, -1.0], "points": [[2.0, 1.0]], "hypervolume": 4.0,
    }  # fmt: skip
    trials = table({("r", "a", 1): [1.0] * 4, ("r", "a", 2): [np.nan] * 4}).assign(
        within_limits_noise_free=[True, True, False, True] + [False] * 4,
        outputs_noise_free=[json.dumps(row) for row in outputs] + [None] * 4,
    )
    found = curves(trials, {"r": Scale(0.0, 1.0, 0.7, front)})
    np.testing.assert_allclose(found["score"], [0.5, 0.75, 0.75, 0.75, 0, 0, 0, 0])
    assert found["reached"].tolist() == [False, True, True, True, False, False, False, False]


def test_best_so_far_leaves_failed_experiments_out():
    nan = np.nan
    scales = {"up": Scale(0, 10), "down": Scale(10, 0)}
    up, other, down = [nan, 2, nan, 1, 5], [3, 9, 1, 2, 3], [8, nan, 9, 4, 5]
    found = curves(table({("up", "a", 1): up, ("up", "a", 2): other, ("down", "a", 1): down}), scales)
    up = found[found["reaction"] == "up"]
    np.testing.assert_array_equal(up[up["seed"] == 1]["best"], [nan, 2, 2, 2, 5])
    np.testing.assert_allclose(up[up["seed"] == 1]["score"], [0, 0.2, 0.2, 0.2, 0.5])
    np.testing.assert_array_equal(up[up["seed"] == 2]["best"], [3, 9, 9, 9, 9])
    down = found[found["reaction"] == "down"]
    np.testing.assert_array_equal(down["best"], [8, 8, 8, 4, 4])
    np.testing.assert_allclose(down["score"], [0.2, 0.2, 0.2, 0.6, 0.6])


def test_interquartile_mean_is_the_mean_of_the_middle_half():
    assert iqm(np.array([9.0, 1, 2, 3]), np.array([100.0, 4, 5, -50])) == (2 + 3 + 4 + 5) / 4
    rng = np.random.default_rng(1)
    a, b = rng.random(7), rng.random(8)
    assert iqm(a, b) == trim_mean(np.concatenate([a, b]), 0.25)


def test_intervals_are_those_of_scipy_with_campaigns_drawn_within_reactions():
    rng = np.random.default_rng(2)
    strata = [rng.normal(0.2, 0.01, 12), rng.normal(0.9, 0.05, 9)]
    ours = interval(strata, iqm)
    theirs = bootstrap(
        tuple(strata), lambda x, y, axis: trim_mean(np.concatenate([x, y], axis=axis), 0.25, axis=axis),
        n_resamples=20_000, method="percentile", rng=np.random.default_rng(3),
    ).confidence_interval  # fmt: skip
    np.testing.assert_allclose(ours, theirs, atol=0.01)  # sampling error of 2,000 resamples of a quantity within 0.1
    pooled = np.concatenate(strata)
    free = interval([pooled], iqm)
    assert ours[1] - ours[0] < 0.5 * (free[1] - free[0]), "drawing across reactions would give a far wider one"
    assert interval(strata, iqm) == ours, "the same each time"


def test_intervals_cover_the_truth():
    """A 95 % percentile bootstrap of 20 campaigns covers a bit less than 95 %: 85 % is far below chance."""
    rng = np.random.default_rng(4)
    inside = 0
    for _ in range(60):
        low, high = interval([rng.normal(0, 1, 10), rng.normal(0, 1, 10)], iqm)
        inside += low <= 0 <= high
    assert inside >= 0.85 * 60


def test_no_interval_from_a_single_campaign():
    assert np.isnan(interval([np.array([0.5]), np.array([0.5, 0.6])], iqm)).all()


def test_experiments_to_the_target():
    up = {("up", "a", s): y for s, y in enumerate([[1, 95, 96], [96, 96, 97], [1, 2, 94.9]])}
    down = {("down", "a", s): y for s, y in enumerate([[50, 10.5, 9], [10.4, 20, 20], [50, 40, 10.6]])}
    found = curves(table(up | down), {"up": Scale(50, 100), "down": Scale(50, 10)})
    for reached in by_reaction(found, "a", "reached").values():
        np.testing.assert_array_equal(needed(reached), [2, 1, NEVER])
        assert median(needed(reached)) == 2


def test_summary_of_agents():
    scales = {"up": Scale(0, 10), "down": Scale(20, 10)}
    runs = {}
    for seed, (up, down) in enumerate([([1, 10], [14, 10]), ([2, 8], [10.2, 10.2]), ([9.9, 9.9], [15, 14])]):
        runs["up", "both", seed], runs["down", "both", seed] = up, down
        runs["up", "one", seed] = up
        runs["up", "late", seed], runs["down", "late", seed] = [1, 2], [19, 18]
    found = curves(table(runs), scales)
    both, one, late, none = agent_scores(found, manifest(scales, ["both", "one", "late", "none"]))
    # final scores 1, .8, .99 and 1, .98, .6: sorted .6 .8 .98 .99 1 1; a quarter of 6 is 1.5, so that 1 is cut on
    # each side and 4 are left
    assert both.score == pytest.approx((0.8 + 0.98 + 0.99 + 1) / 4, rel=1e-15)
    assert both.low < both.score < both.high
    assert (both.runs, both.reached) == (6, 4 / 6)
    assert both.experiments == 2, "of 2, >2, 1 and 2, 1, >2: the middle of 1 1 2 2 > >"
    assert both.experiments_low >= 1
    assert both.experiments_high == np.inf
    assert (late.experiments, late.experiments_low, late.reached) == (np.inf, np.inf, 0)
    assert (one.runs, one.complete, none.runs, none.complete) == (3, False, 0, False)
    assert {name: array.shape for name, array in by_reaction(found, "one").items()} == {"up": (3, 2)}


def test_where_many_substrates_count_the_recommended_conditions_are_scored():
    """By hand, with four results of the mean so far added to each: c2 leads until c1 has been good twice."""
    rows = [("c3", "h1", 20.0), ("c2", "h1", 80.0), ("c1", "h2", 75.0), ("c1", "h3", 76.0), ("c1", "h4", np.nan)]
    true = {"c1": 60.0, "c2": 50.0, "c3": 10.0}
    trials = pd.DataFrame(
        [
            {
                "reaction": "r", "agent": "a", "seed": 0, "trial": t, "objective": y,
                "within_limits_noise_free": y == y,
                "objective_noise_free": true[c] if y == y else np.nan,
                "conditions": json.dumps({"ligand": c, "halide": h}),
            }
            for t, (c, h, y) in enumerate(rows)
        ]
    )  # fmt: skip
    found = curves(trials, {"r": Scale(20.0, 60.0, over=("halide",))})
    assert found["best"].tolist() == [10.0, 50.0, 50.0, 60.0, 60.0]
    assert found["score"].tolist() == [0.0, 0.75, 0.75, 1.0, 1.0]
    assert curves(trials, {"r": Scale(20.0, 60.0)})["best"].tolist() == [10.0, 50.0, 60.0, 60.0, 60.0]
