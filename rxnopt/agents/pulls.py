r"""Bandits: which arm to pull next, from what the arms have given so far.

All arrays have a last axis of K arms; axes before it, such as one of simulations, are carried along. With n_j pulls of
arm j, x_j the mean of its rewards (from 0 to 1), s_j^2 their variance, and n pulls in all, the arm with the largest
index is pulled, by chance where several have it:

=====================  =================================================================================================
algorithm              index
=====================  =================================================================================================
round-robin            -n_j
explore-then-commit    -n_j until all arms have m pulls; then that of the arm with the largest x_j for good
                       (Robbins, Bull. Am. Math. Soc. 1952, 58, 527, 10.1090/S0002-9904-1952-09620-8)
epsilon-greedy         x_j, 0 for an arm without a pull; with probability epsilon an arm by chance
                       (Watkins, thesis, Cambridge 1989; Sutton and Barto, Reinforcement Learning, 2nd ed., 2.2)
ucb1                   x_j + sqrt(2 ln n / n_j), each arm once first
                       (Auer, Cesa-Bianchi, Fischer, Mach. Learn. 2002, 47, 235, 10.1023/A:1013689704352, figure 1)
ucb1-tuned             x_j + sqrt(ln n / n_j min(1/4, V_j)), V_j = s_j^2 + sqrt(2 ln n / n_j), each arm once first
                       (the same, section 4)
thompson-normal        a draw from N(n_j x_j / (n_j + 1), sd^2 / (n_j + 1))
                       (Agrawal and Goyal, AISTATS 2013, algorithm 2, 10.48550/arXiv.1209.3353; there sd is 1)
thompson-beta          a draw from Beta(1 + n_j x_j, 1 + n_j (1 - x_j))
                       (the same, algorithm 1; rewards between 0 and 1 count as shares of a success)
bayes-ucb-normal       the quantile 1 - 1/t of N(x_j, sd^2 / n_j), t = n + 1, each arm once first
                       (Kaufmann, Cappe, Garivier, AISTATS 2012, PMLR 22, 592; known variance, flat prior, c = 0)
bayes-ucb-beta         the quantile 1 - 1/t of Beta(1 + n_j x_j, 1 + n_j (1 - x_j)), t = n + 1
                       (the same, c = 0)
=====================  =================================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rxnopt.cards.bandit import Bandit
from rxnopt.space import Array


@dataclass(frozen=True)
class Pulls:
    """``count``, ``total`` of the rewards and of their ``squares``, each (..., K)."""

    count: Array
    total: Array
    squares: Array

    @classmethod
    def of(cls, arms: NDArray[np.intp], rewards: Array, k: int) -> Pulls:
        """Return the pulls of one campaign: an arm and a reward each, (n,), of ``k`` arms."""
        return cls(*(np.bincount(arms, weights, k).astype(float) for weights in (None, rewards, rewards**2)))

    @property
    def mean(self) -> Array:
        """Mean reward of each arm, 0 without a pull."""
        return self.total / np.maximum(self.count, 1.0)

    @property
    def variance(self) -> Array:
        """Variance of the rewards of each arm: the mean square less the square of the mean."""
        return np.maximum(self.squares / np.maximum(self.count, 1.0) - self.mean**2, 0.0)

    def expecting(self, arm: int) -> Pulls:
        """Return the pulls of one campaign with one more of ``arm``, which gives its mean.

        The first pull of an arm gives the mean of all pulls, the very first one 0.
        """
        reward = self.mean[arm] if self.count[arm] else self.total.sum() / max(self.count.sum(), 1.0)
        one = (np.arange(len(self.count)) == arm).astype(float)
        return Pulls(self.count + one, self.total + reward * one, self.squares + reward**2 * one)


def indices(settings: Bandit, pulls: Pulls, rng: np.random.Generator) -> Array:
    """Return the index of each arm (..., K)."""
    count, mean = pulls.count, pulls.mean
    match settings.algorithm:
        case "round-robin":
            return -count
        case "explore-then-commit":
            return _committed(settings.explore or 1, pulls)
        case "epsilon-greedy":
            greedy = rng.random((*count.shape[:-1], 1)) >= (settings.epsilon or 0.0)
            return np.where(greedy, mean, 0.0)
        case "thompson-normal":
            return rng.normal(pulls.total / (count + 1.0), (settings.sd or 1.0) / np.sqrt(count + 1.0))
        case "thompson-beta":
            return rng.beta(1.0 + pulls.total, 1.0 + count - pulls.total)
        case "bayes-ucb-beta":
            from scipy.special import betaincinv

            level = 1.0 - 1.0 / (count.sum(axis=-1, keepdims=True) + 1.0)
            bound: Array = betaincinv(1.0 + pulls.total, 1.0 + count - pulls.total, level)
            return bound
        case _:
            return np.where(count > 0, mean + _bonus(settings, pulls), np.inf)


def _bonus(settings: Bandit, pulls: Pulls) -> Array:
    """Return how far an upper confidence bound is above the mean."""
    count, all_of_them = np.maximum(pulls.count, 1.0), pulls.count.sum(axis=-1, keepdims=True)
    log = np.log(np.maximum(all_of_them, 1.0)) / count
    if settings.algorithm == "ucb1":
        return np.asarray(np.sqrt(2.0 * log))
    if settings.algorithm == "ucb1-tuned":
        return np.asarray(np.sqrt(log * np.minimum(0.25, pulls.variance + np.sqrt(2.0 * log))))
    from scipy.special import ndtri

    bound: Array = ndtri(1.0 - 1.0 / (all_of_them + 1.0)) * (settings.sd or 1.0) / np.sqrt(count)
    return bound


def _committed(explore: int, pulls: Pulls) -> Array:
    """Return the indices of explore-then-commit; the arm with more than ``explore`` pulls is the chosen one."""
    count = pulls.count
    exploring = count.min(axis=-1, keepdims=True) < explore
    chosen = count.max(axis=-1, keepdims=True) > explore
    return np.where(exploring, -count, np.where(chosen, count, pulls.mean))


def best(indices: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the arm with the largest index (...,), by chance where several have it."""
    among = indices == indices.max(axis=-1, keepdims=True)
    return np.asarray(np.where(among, rng.random(indices.shape), -1.0).argmax(axis=-1))
