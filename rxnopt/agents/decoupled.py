r"""Bayesian optimisation of the mean over substrates, in which conditions and substrate are chosen one after the other.

The result with conditions c and substrate s is f(c, s) plus noise, f a Gaussian process with the covariance
v exp(-H(c, c') / l_c) exp(-H(s, s') / l_s), where H counts the parameters that differ. The mean over all substrates is
Gaussian too, and its mean and variance follow in closed form. Length scales and noise have the largest marginal
likelihood of a grid, v then has it in closed form (Rasmussen and Williams, Gaussian processes for machine learning, MIT
Press 2006, 5.4.1). Choosing conditions first and the substrate second does as well as choosing both at once (Schmid et
al. 2025, 10.48550/arXiv.2502.18966).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from rxnopt.agents.base import known
from rxnopt.agents.seeking import expected_improvement
from rxnopt.agents.whitening import whitened
from rxnopt.cards.agent import AgentCard
from rxnopt.cards.decoupled import Decoupled
from rxnopt.errors import AgentError
from rxnopt.history import PENDING, History
from rxnopt.simulators import Reaction
from rxnopt.simulators.general import GeneralReaction
from rxnopt.simulators.grid import Grid
from rxnopt.space import Array, Space

LENGTHS, NOISES = (0.3, 0.7, 1.5, 4.0), (0.02, 0.15)
"""Length scales, in parameters that differ, and variances of the noise, as shares of v, among which is chosen."""
MOST_TRIALS, MOST_CONDITIONS = 200, 20_000
"""Latest trials that are fitted, and conditions that are looked at."""


class DecoupledAgent:
    """Bayesian optimisation on a :class:`rxnopt.simulators.general.GeneralReaction`.

    Trials that are being run, and those of a batch, count as if they had given what is expected of them.
    """

    repeats = True

    def __init__(self, card: AgentCard, reaction: Reaction | None) -> None:
        if not isinstance(card.agent, Decoupled):
            raise AgentError(f"agent {card.name!r} is none for generality")
        if not isinstance(reaction, GeneralReaction):
            own = reaction if reaction is not None and reaction.card.generality is not None else None
            name = "amidation" if own is None else own.place or own.name
            raise AgentError(
                f"agent {card.name!r} seeks conditions for many substrates; give it one such as '{name}-general'"
            )
        if Grid.size(reaction.conditions) > MOST_CONDITIONS:
            raise AgentError(f"agent {card.name!r} takes up to {MOST_CONDITIONS:,} conditions, none of them continuous")
        self._start, self._reaction = card.agent.n_startup_trials, reaction
        self.grids = Grid(reaction.conditions), Grid(reaction.over)

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return n conditions (n, d), with the substrates where these are chosen."""
        trials = self._trials(space, history)
        chosen = []
        for _ in range(n):
            if len(trials.y) < self._start:
                pair = int(rng.integers(len(self.grids[0].X))), int(rng.integers(len(self.grids[1].X)))
            else:
                process = Process.fit(trials)
                c = process.promising(rng)
                pair = c, process.uncertain(c, rng)
            chosen.append(pair)
            trials = trials.expecting(*pair)
        c, s = np.array(chosen).T
        return self._reaction.whole(self.grids[0].X[c], s) if self._reaction.generality.chosen else self.grids[0].X[c]

    def means(self, space: Space, history: History) -> Array:
        """Return what is expected of the mean over the substrates (K,) of each of the conditions ``grids[0].X``."""
        trials = self._trials(space, history)
        return Process.fit(trials).mean[0] if len(trials.y) > 1 else np.zeros(len(self.grids[0].X))

    def _trials(self, space: Space, history: History) -> Trials:
        """Return what was measured, and what is being run with the mean of all as its result."""
        past = known(space, history)
        c, s = self.places(history, past.index)
        c, s, y = c[-MOST_TRIALS:], s[-MOST_TRIALS:], past.y[-MOST_TRIALS:]
        trials = Trials(self.grids[0].X, self.grids[1].X, c, s, y)
        running = np.flatnonzero((history.status == PENDING) & space.inside(history.X))
        for pair in zip(*self.places(history, running), strict=True):
            trials = trials.expecting(*map(int, pair))
        return trials

    def places(self, history: History, trials: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the places of conditions and substrates in :attr:`grids`, of ``trials`` (m,) inside the space."""
        names, X = self._reaction.space.names, history.X[trials]
        c = self.grids[0].places(X[:, [names.index(p.name) for p in self.grids[0].space]])
        if self._reaction.generality.chosen:
            return c, self.grids[1].places(X[:, [names.index(p.name) for p in self.grids[1].space]])
        if history.substrate is None and len(trials):
            raise AgentError("the trials do not say which substrates were drawn; run them as a campaign")
        drawn = np.empty((0, len(self.grids[1].space))) if history.substrate is None else history.substrate[trials]
        return c, self.grids[1].places(drawn)


@dataclass(frozen=True)
class Trials:
    """All ``conditions`` (K, c) and ``substrates`` (S, e); of trials their places ``c``, ``s`` and ``y``, all (m,)."""

    conditions: Array
    substrates: Array
    c: NDArray[np.intp]
    s: NDArray[np.intp]
    y: Array

    def expecting(self, c: int, s: int) -> Trials:
        """Return the trials with one more, whose result is the mean of its conditions, or else of all."""
        same = self.y[self.c == c] if (self.c == c).any() else self.y
        y = float(same.mean()) if len(same) else 0.0
        return Trials(
            self.conditions, self.substrates, np.append(self.c, c), np.append(self.s, s), np.append(self.y, y)
        )


@dataclass(frozen=True)
class Process:
    """A fitted Gaussian process: kernels between all conditions (K, K) and all substrates (S, S), noise as a share."""

    trials: Trials
    conditions: Array
    substrates: Array
    noise: float

    @classmethod
    def fit(cls, trials: Trials) -> Process:
        """Return the process with the largest marginal likelihood of the grid."""
        z, m = trials.y - trials.y.mean(), len(trials.y)
        rows = (trials.conditions, trials.c), (trials.substrates, trials.s)
        differ = [_differ(X[at], X[at]) for X, at in rows]
        options = list(product(LENGTHS, LENGTHS, NOISES))
        lc, ls, noise = (np.array(column)[:, None, None] for column in zip(*options, strict=True))
        factor, white = whitened(np.exp(-differ[0] / lc - differ[1] / ls) + noise * np.eye(m), z, min(NOISES))
        scale = np.maximum((white**2).mean(axis=1), 1e-12)
        logs = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
        best = options[int(np.argmin(0.5 * m * np.log(scale) + logs))]
        alike = [np.exp(-_differ(X, X) / length) for (X, _), length in zip(rows, best[:2], strict=True)]
        return cls(trials, alike[0], alike[1], best[2])

    @cached_property
    def _factor(self) -> Array:
        c, s = self.trials.c, self.trials.s
        prior = self.conditions[np.ix_(c, c)] * self.substrates[np.ix_(s, s)]
        return np.asarray(np.linalg.cholesky(prior + self.noise * np.eye(len(c))))

    @cached_property
    def _white(self) -> Array:
        return np.asarray(np.linalg.solve(self._factor, self.trials.y - self.trials.y.mean()))

    @cached_property
    def mean(self) -> tuple[Array, Array]:
        """Mean and standard deviation (K,) of the mean over the substrates."""
        level = self.substrates.mean(axis=0)
        across = np.linalg.solve(self._factor, (self.conditions[:, self.trials.c] * level[self.trials.s]).T)
        v = float((self._white**2).mean())
        left = np.maximum(level.mean() - (across**2).sum(axis=0), 0.0)
        return self.trials.y.mean() + across.T @ self._white, np.sqrt(v * left)

    def promising(self, rng: np.random.Generator) -> int:
        """Return the conditions with the largest expected improvement on the best mean over the substrates."""
        mean, sd = self.mean
        return _largest(expected_improvement(mean, np.maximum(sd, 1e-12), mean.max()), rng)

    def uncertain(self, c: int, rng: np.random.Generator) -> int:
        """Return the substrate whose result with these conditions is known least."""
        near = self.conditions[c, self.trials.c] * self.substrates[:, self.trials.s]
        return _largest(-(np.linalg.solve(self._factor, near.T) ** 2).sum(axis=0), rng)


def _differ(A: Array, B: Array) -> Array:
    """Return how many columns of the rows of ``A`` (m, d) and ``B`` (n, d) differ (m, n)."""
    return np.asarray((A[:, None] != B[None]).sum(axis=2), float)


def _largest(values: Array, rng: np.random.Generator) -> int:
    return int(rng.choice(np.flatnonzero(values >= values.max() - 1e-12)))
