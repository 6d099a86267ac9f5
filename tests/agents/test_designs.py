"""Designs, seen as point sets."""

from __future__ import annotations

import numpy as np
import pytest

from rxnopt.agents import build, load
from rxnopt.agents.base import distinct
from rxnopt.history import History
from rxnopt.seeds import stream
from rxnopt.testing import history_of, toy


def design(agent: str, budget: int, points: int, seed: int = 0) -> np.ndarray:
    """Points of a campaign in the unit cube, proposed one by one."""
    reaction = toy("smooth")
    built, X = build(load(agent), reaction, budget=budget, seed=seed), np.empty((0, 3))
    for k in range(points):
        X = np.vstack([X, built.propose(reaction.space, history_of(reaction, X), 1, stream(seed, "agent", k))])
    return reaction.space.to_unit(X)


def test_a_latin_hypercube_has_one_point_in_each_slice_and_is_followed_by_another():
    U = design("lhs", 10, 20)
    for half in (U[:10], U[10:]):
        assert np.array_equal(np.sort(np.floor(half * 10), axis=0), np.repeat(np.arange(10.0)[:, None], 3, axis=1))
    assert not np.allclose(U[:10], U[10:])


def test_sobol_points_are_balanced_and_go_on_beyond_the_budget():
    """Each half of each axis has half of the first 2^m points."""
    U = design("sobol", 5, 16)
    assert ((U < 0.5).sum(axis=0) == 8).all()
    assert ((U[:8] < 0.25).sum(axis=0) == 2).all()


@pytest.mark.parametrize("agent", ["sobol", "lhs"])
def test_one_call_for_all_points_gives_what_single_calls_give(agent):
    reaction = toy("smooth")
    built = build(load(agent), reaction, budget=8, seed=3)
    X = built.propose(reaction.space, History.empty(reaction.space), 8, stream(3, "agent", 0))
    assert np.array_equal(reaction.space.to_unit(X), design(agent, 8, 8, seed=3))


def test_a_space_with_fewer_conditions_is_gone_through_in_rounds():
    space = toy("tiny").space
    X = distinct(space, np.zeros((5, 1)), stream(0, "test"))
    assert X[:, 0].tolist() in ([0, 1, 0, 1, 0], [0, 1, 1, 0, 0], [0, 1, 0, 1, 0])
    assert sorted(np.unique(X, return_counts=True)[1].tolist()) == [2, 3]
