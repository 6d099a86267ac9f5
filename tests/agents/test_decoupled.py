"""The Gaussian process over conditions and substrates, against a dense one over all pairs."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from rxnopt.agents import build, load
from rxnopt.agents.decoupled import Process, Trials
from rxnopt.campaign import Campaign
from rxnopt.errors import AgentError
from rxnopt.history import History
from rxnopt.seeds import stream
from rxnopt.testing import toy

sys.path.append(str(Path(__file__).parents[1] / "simulators"))
from general_toys import YIELDS, general

RNG = np.random.default_rng(4)
CONDITIONS = np.array([[i, j] for i in range(3) for j in range(2)], float)
SUBSTRATES = np.arange(5.0)[:, None]


def trials(m: int) -> Trials:
    c, s = RNG.integers(6, size=m), RNG.integers(5, size=m)
    return Trials(CONDITIONS, SUBSTRATES, c, s, RNG.normal(size=m) + c)


def dense(process: Process) -> tuple[np.ndarray, np.ndarray]:
    """Mean (30,) and covariance (30, 30) of all pairs by the textbook formula."""
    told = process.trials
    prior = np.kron(process.conditions, process.substrates)
    at = told.c * 5 + told.s
    z = told.y - told.y.mean()
    inverse = np.linalg.inv(prior[np.ix_(at, at)] + process.noise * np.eye(len(at)))
    v = z @ inverse @ z / len(z)
    mean = told.y.mean() + prior[:, at] @ inverse @ z
    return mean, v * (prior - prior[:, at] @ inverse @ prior[at])


def test_the_mean_over_the_substrates_is_that_of_the_dense_process():
    process = Process.fit(trials(14))
    mean, covariance = dense(process)
    average = np.kron(np.eye(6), np.full((1, 5), 0.2))
    np.testing.assert_allclose(process.mean[0], average @ mean, atol=1e-9)
    np.testing.assert_allclose(process.mean[1] ** 2, np.diag(average @ covariance @ average.T), atol=1e-9)
    spread = np.diag(covariance).reshape(6, 5)
    for c in range(6):
        assert spread[c, process.uncertain(c, RNG)] == pytest.approx(spread[c].max())


def test_the_hyperparameters_have_the_largest_likelihood_of_the_grid():
    from scipy.stats import multivariate_normal

    from rxnopt.agents.decoupled import LENGTHS, NOISES

    told = trials(20)
    z = told.y - told.y.mean()

    def likelihood(lc: float, ls: float, noise: float) -> float:
        conditions = (CONDITIONS[told.c][:, None] != CONDITIONS[told.c]).sum(axis=2)
        K = np.exp(-conditions / lc - (told.s[:, None] != told.s) / ls) + noise * np.eye(20)
        return multivariate_normal.logpdf(z, cov=K * (z @ np.linalg.solve(K, z) / 20))

    best = max(likelihood(a, b, n) for a in LENGTHS for b in LENGTHS for n in NOISES)
    process = Process.fit(told)
    a, b = (-1.0 / np.log(kernel[0, 1]) for kernel in (process.conditions, process.substrates))
    assert likelihood(a, b, process.noise) == pytest.approx(best)


@pytest.mark.parametrize("given", [{}, {"over": ["halide"], "chosen": True}])
def test_it_finds_conditions_that_are_good_for_all(given):
    """25 of 30 pairs at the most, and the one that is held for best is among the best."""
    reaction = general(**given)
    means = np.nanmean(YIELDS, axis=0).ravel()
    found = []
    for seed in range(6):
        with Campaign(reaction, "decoupled-gp", budget=25, seed=seed) as campaign:
            campaign.run(batch=2)
            expected = campaign.agent.means(campaign.space, campaign.history)
        found.append(means[expected.argmax()])
    assert np.mean(found) > means.max() - 0.25 * np.ptp(means)


def test_it_begins_with_chance_and_needs_substrates():
    reaction = general()
    built = build(load("decoupled-gp"), reaction, budget=5, seed=0)
    nothing = History.empty(reaction.space)
    assert len({tuple(built.propose(reaction.space, nothing, 1, stream(i, "x"))[0]) for i in range(20)}) > 3
    assert not built.means(reaction.space, nothing).any()
    for other in (toy("grid"), None):
        with pytest.raises(AgentError, match="seeks conditions for many substrates; give it one such as 'amidation-g"):
            build(load("decoupled-gp"), other, budget=5, seed=0)
