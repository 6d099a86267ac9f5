"""Designs by clusters, against all possible ones where these can be counted, and against random ones where not."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from rxnopt.agents import OnPlates, build, load
from rxnopt.agents.medoids import Coding, candidates, medoids
from rxnopt.campaign import Campaign
from rxnopt.cards.agent import AgentCard
from rxnopt.cards.base import validate
from rxnopt.cards.medoids import Medoids
from rxnopt.catalogue import parse
from rxnopt.errors import AgentError, JournalError
from rxnopt.history import History
from rxnopt.seeds import stream
from rxnopt.testing import toy

PLAIN = Medoids(kind="kmedoids")


def far(reaction, X: np.ndarray) -> float:
    """The sum of the distances of all candidates to the nearest of ``X``."""
    code = Coding(reaction.space, {})
    return float(cdist(code(candidates(reaction.space, 2048, stream(9, "far"))), code(X)).min(axis=1).sum())


def design(reaction, budget: int, agent: str = "kmedoids", seed: int = 0) -> np.ndarray:
    built = build(load(agent), reaction, budget=budget, seed=seed)
    return built.propose(reaction.space, History.empty(reaction.space), budget, stream(seed, "agent", 0))


@pytest.mark.parametrize(("m", "k"), [(9, 2), (10, 3), (12, 4)])
def test_swaps_end_where_no_single_swap_helps_and_mostly_at_the_best_of_all(m, k):
    """Of eight starts on random points most reach the best of all choices of k, and all are within 5 % of it."""
    rng = np.random.default_rng(m)
    Z = rng.random((m, 2))
    D = cdist(Z, Z)
    best = min(D[list(chosen)].min(axis=0).sum() for chosen in combinations(range(m), k))
    found = np.array([D[medoids(D, k, np.random.default_rng(i))].min(axis=0).sum() for i in range(8)])
    assert (found >= best - 1e-12).all()
    assert (found < best + 1e-9).sum() >= 5
    assert found.max() < 1.05 * best
    for i in range(8):
        places = medoids(D, k, np.random.default_rng(i))
        total = D[places].min(axis=0).sum()
        swapped = [[*places[:j], other, *places[j + 1 :]] for j in range(k) for other in range(m)]
        assert min(D[list(rows)].min(axis=0).sum() for rows in swapped) > total - 1e-9


def test_one_medoid_is_the_point_with_the_least_sum():
    D = cdist(*[np.random.default_rng(1).random((30, 3))] * 2)
    assert medoids(D, 1, np.random.default_rng(2)).tolist() == [D.sum(axis=0).argmin()]
    assert sorted(medoids(D, 30, np.random.default_rng(2))) == list(range(30))


@pytest.mark.parametrize("name", ["smooth", "mixed", "grid"])
def test_medoids_stand_for_the_space_better_than_other_designs(name):
    reaction = toy(name)
    mine = far(reaction, design(reaction, 24))
    assert mine < 0.95 * min(far(reaction, design(reaction, 24, "random", seed)) for seed in range(20))
    assert mine < min(far(reaction, design(reaction, 24, other)) for other in ("sobol", "lhs"))


def test_two_conditions_are_at_most_one_apart_along_each_parameter():
    reaction = toy("mixed")
    X = np.array([[30.0, 1, 0, 0], [120.0, 1, 0, 0], [30.0, 1, 3, 0], [30.0, 1, 1, 0]])
    Z = Coding(reaction.space, {})(X)
    np.testing.assert_allclose(cdist(Z, Z)[0], [0.0, 1.0, 1.0, 1.0])


def test_levels_that_are_alike_by_their_descriptors_are_grouped():
    """Four catalysts of which two and two are alike: two medoids take one of each pair."""
    settings = "{kind: kmedoids, descriptors: {catalyst: {none: [0], Pd: [1], Ni: [0.9], Cu: [0.1]}}}"
    card = validate(parse(f"name: mine\ntitle: Mine\nagent: {settings}\n", "mine.yaml"), AgentCard)
    reaction = toy("levels")
    for seed in range(5):
        X = build(card, reaction, budget=2, seed=seed).propose(
            reaction.space, History.empty(reaction.space), 2, stream(seed, "agent", 0)
        )
        assert {int(x) in (0, 3) for x in X[:, 0]} == {True, False}
    short = f"name: mine\ntitle: Mine\nagent: {settings.replace(', Cu: [0.1]', '')}\n"
    card = validate(parse(short, "mine.yaml"), AgentCard)
    with pytest.raises(AgentError, match="lack the level 'Cu'"):
        build(card, reaction, budget=2, seed=0)


def test_plates_share_and_are_spread_over_what_they_share():
    reaction = toy("mixed").with_realism({"plate": {"size": 8, "shared": ["temperature"]}})
    with Campaign(reaction, "kmedoids", budget=24, seed=1) as campaign:
        campaign.run()
        X = campaign.history.X
    assert [len(np.unique(X[i : i + 8, 0])) for i in (0, 8, 16)] == [1, 1, 1]
    hot = np.sort(X[::8, 0])
    np.testing.assert_allclose(hot, [45, 75, 105], atol=4)  # the middles of the thirds of 30 to 120
    assert len(np.unique(X, axis=0)) == 24
    plain = OnPlates(build(load("random"), reaction, budget=8, seed=1), ["temperature"])
    other = plain.propose(reaction.space, History.empty(reaction.space), 8, stream(1, "agent", 0))
    assert far(reaction, X[:8]) < far(reaction, other)


def test_few_conditions_are_gone_through_and_a_sobol_sequence_follows():
    reaction = toy("levels")
    assert len(np.unique(design(reaction, 12), axis=0)) == 12
    assert len(np.unique(design(reaction, 20), axis=0)) == 12
    with Campaign(toy("smooth"), "kmedoids", budget=5, seed=1) as campaign:
        campaign.run()
        X = campaign.agent.propose(campaign.space, campaign.history, 3, stream(1, "agent", 5))
    assert len(np.unique(X, axis=0)) == 3


def test_the_budget_belongs_to_the_design(tmp_path):
    with Campaign(toy("levels"), "kmedoids", budget=5, journal=tmp_path / "j.db") as campaign:
        campaign.run()
    with pytest.raises(JournalError, match="what its agent proposes depends on it"):
        Campaign(toy("levels"), "kmedoids", budget=6, journal=tmp_path / "j.db")
