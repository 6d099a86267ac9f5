"""Bayesian optimisation with a Gaussian process that knows from other tables how yields behave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from threadpoolctl import ThreadpoolController

from rxnopt.agents.base import distinct, in_order_of_values, known, telling
from rxnopt.agents.belief import Belief
from rxnopt.agents.prior.fitted import Prior
from rxnopt.agents.prior.process import Process, condition
from rxnopt.agents.prior.scale import Percent, Scale, Standardised
from rxnopt.agents.prior.similarity import Similarity, ToAll
from rxnopt.agents.seeking import choice, cloud
from rxnopt.cards.prior import GpPrior
from rxnopt.history import History
from rxnopt.simulators import Reaction
from rxnopt.simulators.grid import Grid
from rxnopt.space import Array, Space

GRID = 8192
"""Conditions of a finite space up to which each of them is looked at."""
MOST = 100
"""Trials that are learnt from: of longer histories the best half of these and the latest."""
TIE = 1e-9
"""Share of the expected improvement by which conditions may differ that are equal, so that one is drawn."""
LEAST = 1e-300
"""Keeps a logarithm finite."""


class PriorProcess:
    """Gaussian processes on similarities of conditions, their hyperparameters drawn from a fitted prior.

    The first trial is random. From then on each draw is weighted by how well it explains the trials, and what has the
    largest expected improvement, averaged over the draws, is proposed: nothing twice as long as there are other
    conditions. Trials that are being run, and those before it in a batch, count as if they gave what is expected. A
    failed trial has the worst value measured so far.
    """

    def __init__(self, name: str, settings: GpPrior, prior: Prior, reaction: Reaction | None) -> None:
        self._name, self._settings, self._prior = name, settings, prior
        self._draws, self._threads = prior.draw(settings.draws), ThreadpoolController()
        self._similarity: Similarity | None = None
        self._all: ToAll | None = None
        self._percent = False
        self._shared: tuple[str, ...] = ()
        if reaction is not None:
            self._alike(reaction.space)  # SMILES that cannot be read are told before the first trial
            goal = reaction.card.objective
            self._percent = goal.sign > 0 and reaction.units[goal.output] == "%"
            self._shared = tuple(reaction.options.plate.shared) if reaction.options.plate else ()

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return n conditions (n, d)."""
        with self._threads.limit(limits=1, user_api="blas"):  # on busy cores several take ten times as long
            return self._propose(space, history, n, rng)

    def _propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        shared = [space.names.index(name) for name in self._shared]
        process, _, pending = self._process(space, history)
        taken = history.X[space.inside(history.X)]
        X = distinct(space, space.sample(1, rng), rng, pending) if not len(process.X) else np.empty((0, len(space)))
        more = X
        while len(X) < n:
            process = process.imagining(more)
            fixed = {j: float(X[0, j]) for j in shared} if len(X) else {}
            more = self._best(space, process, np.concatenate([taken, X]), fixed, rng)[None]
            X = np.concatenate([X, more])
        return distinct(space, X, rng, pending, shared)

    def believe(self, space: Space, history: History, X: Array, rng: np.random.Generator) -> Belief | None:  # noqa: ARG002
        """Return what the processes say of conditions ``X`` (m, d), None before the first result."""
        process, scale, _ = self._process(space, history)
        if not history.done.any():
            return None
        mean, sd = scale.unwarp(*process.predict(X), process.share)
        return Belief(mean, sd, np.log(np.maximum(process.improvement(X), LEAST)), None)

    def _process(self, space: Space, history: History) -> tuple[Process, Scale, Array]:
        """Return the processes after a history, pending trials included, the scale and the pending trials."""
        over = in_order_of_values(known(space, replace(history, Y=None)))
        rows = telling(over, MOST)
        y = over.y[rows]
        scale = Percent() if self._percent else Standardised.of(y, *self._prior.warped)
        process = condition(self._draws, self._alike(space), over.X[rows], scale.warp(y))
        return process.imagining(over.pending), scale, over.pending

    def _alike(self, space: Space) -> Similarity:
        if self._similarity is None or self._similarity.space is not space:
            self._similarity = Similarity(self._name, space, self._settings.length_scale)
            self._all = None
        return self._similarity

    def _best(
        self, space: Space, process: Process, taken: Array, fixed: Mapping[int, float], rng: np.random.Generator
    ) -> Array:
        if Grid.size(space) > GRID:
            return choice(*cloud(process.improvement, space, fixed, rng), taken)
        if self._all is None:
            self._all = ToAll(process.similarity, Grid(space))
        grid = self._all.grid
        times = np.bincount(grid.places(taken), minlength=len(grid.X))
        rows = np.flatnonzero((grid.X[:, list(fixed)] == list(fixed.values())).all(axis=1))
        rows = rows[times[rows] == times[rows].min()]
        values = process.gain(self._all.parts(process.X).take(rows, axis=2))
        equal = np.flatnonzero(values >= (1.0 - TIE) * values.max())
        best: Array = grid.X[rows[rng.choice(equal)]]
        return best
