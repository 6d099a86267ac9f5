"""An agent that knows the kinetics of a reaction but not its constants: Bayesian inference over simulated reactions."""

from __future__ import annotations

import logging
from math import log

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from rxnopt.agents.base import distinct
from rxnopt.agents.belief import Belief
from rxnopt.agents.ensemble import Ensemble, ensemble
from rxnopt.cards.posterior import Posterior as Settings
from rxnopt.history import DONE, FAILED, PENDING, History
from rxnopt.simulators import Reaction
from rxnopt.space import Array, Space

_logger = logging.getLogger(__name__)

FAILS_TOO = 0.95
"""Probability of a failed trial where the simulated one fails too; what is left where it does not."""
FAR = 5.0
"""Standard deviations, root mean square over trials, beyond which no simulated reaction explains what was measured."""
TINY = 1e-12
"""Keeps a division and a logarithm finite."""
TIE = 1e-6
"""Weight of the expected share itself, which decides where no candidate promises an improvement."""
ROOM = 0.1
"""Share of the optimum that a score is at least counted as, where the error of the model is a share of it."""


class Posterior:
    """Reactions drawn from the uncertainty of the card, each weighted by how well it explains the trials so far.

    A trial is explained with the noise of the card and an error of the model, a share of the score. Proposed is what
    promises most over what has been tried and what is being run, as a share of the optimum of each reaction: the
    expected improvement, exact over the ensemble. With ``thompson`` it is the best of a reaction drawn by its weight.
    """

    def __init__(self, settings: Settings, reaction: Reaction) -> None:
        self._settings = settings
        self._ensemble: Ensemble = ensemble(reaction, settings.reactions, settings.candidates)
        self._seen: dict[bytes, Array] = {}

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return n conditions (n, d): the best known ones of simulated reactions."""
        own, inside = self._ensemble, space.inside(history.X)
        scores, weights = self._learnt(history, inside)
        if self._settings.acquisition == "thompson":
            X = own.X[rng.choice(len(weights), size=n, p=weights)]
        else:
            X = self._promising(space, history.X[inside], own.share(scores), weights, n)
        return distinct(space, X, rng, history.X[inside & (history.status == PENDING)])

    def believe(self, space: Space, history: History, X: Array, rng: np.random.Generator) -> Belief:  # noqa: ARG002
        """Return mean and standard deviation over the simulated reactions, and the expected improvement."""
        own = self._ensemble
        scores, weights = self._learnt(history, space.inside(history.X))
        asked = own.scores(X)
        works = np.isfinite(asked)
        total = np.maximum(weights @ works, TINY)
        mean = weights @ np.where(works, asked, 0.0) / total
        spread = np.where(works, asked - mean, 0.0)
        top = own.share(scores).max(axis=1, initial=-1.0)[:, None]
        improvement = weights @ np.maximum(own.share(asked) - top, 0.0)
        sd = np.sqrt(weights @ spread**2 / total)
        return Belief(mean, sd, np.log(np.maximum(improvement, TINY)), None)

    def _learnt(self, history: History, inside: NDArray[np.bool_]) -> tuple[Array, Array]:
        """Return scores (N, m) of the trials ``inside`` the space and the weights (N,) of the reactions."""
        over = inside & (history.status != PENDING)
        scores = self._scores(history.X[inside])
        return scores, self._weights(scores[:, over[inside]], history.y[over], history.status[over])

    def _scores(self, X: Array) -> Array:
        """Return scores (N, m) of conditions ``X`` (m, d); each is simulated once."""
        new = {row.tobytes(): row for row in X if row.tobytes() not in self._seen}
        if new:
            found = self._ensemble.scores(np.array(list(new.values())))
            self._seen |= dict(zip(new, found.T, strict=True))
        return np.stack([self._seen[row.tobytes()] for row in X], axis=1) if len(X) else np.empty((self._count, 0))

    @property
    def _count(self) -> int:
        return len(self._ensemble.best)

    def _weights(self, scores: Array, y: Array, status: Array) -> Array:
        """Return the weight (N,) of each reaction, given scores (N, t) and what was measured (t,)."""
        measured = (status == DONE) & np.isfinite(y)
        works = np.isfinite(scores)
        size = np.maximum(np.abs(scores), ROOM * np.abs(self._ensemble.best)[:, None])
        size = np.where(works, size, 0.0)
        a, b = self._ensemble.noise
        variance = np.where(works, a + b * size**2 + (self._settings.error * size) ** 2, 1.0)
        miss = np.where(works, (y - np.where(works, scores, 0.0)) / np.sqrt(variance), FAR)
        explained = np.where(measured, -0.5 * miss**2 - 0.5 * np.log(variance), 0.0)
        failed = (status == FAILED) & ~measured
        explained += np.where(failed, np.where(works, log(1.0 - FAILS_TOO), log(FAILS_TOO)), 0.0)
        if measured.any():
            nearest = np.sqrt((miss[:, measured] ** 2).mean(axis=1)).min()
            if nearest > FAR:
                _logger.warning(
                    "no simulated reaction explains what was measured: the nearest is %.0f standard deviations away; "
                    "widen the 'uncertainty' of the card or raise 'error' of the agent", nearest,
                )  # fmt: skip
        total = explained.sum(axis=1)
        weights: Array = np.exp(total - logsumexp(total))
        weights /= weights.sum()
        return weights

    def _promising(self, space: Space, done: Array, shares: Array, weights: Array, n: int) -> Array:
        """Return n candidates (n, d), one after the other by their expected improvement over all before.

        None is repeated as long as there are others.
        """
        own = self._ensemble
        candidates = own.X[: own.shares.shape[1]]
        free = space.feasible(candidates) & ~(candidates[:, None] == done[None]).all(axis=2).any(axis=1)
        top = shares.max(axis=1, initial=-1.0)
        chosen = []
        for _ in range(n):
            improvement = weights @ np.maximum(own.shares - top[:, None], 0.0) + TIE * (weights @ own.shares)
            place = int(np.argmax(np.where(free if free.any() else space.feasible(candidates), improvement, -np.inf)))
            chosen.append(place)
            free &= ~(candidates == candidates[place]).all(axis=1)
            top = np.maximum(top, own.shares[:, place])
        return candidates[chosen]
