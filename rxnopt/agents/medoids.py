"""A design by clusters: the space is grouped by similarity, and the middle of each group is run.

The medoids are those of FasterPAM (Schubert and Rousseeuw, Inf. Syst. 2021, 101, 101804, 10.1016/j.is.2021.101804).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rxnopt.agents.base import distinct, pending
from rxnopt.agents.descriptors import known, tables
from rxnopt.agents.design import Design
from rxnopt.cards.agent import AgentCard
from rxnopt.cards.medoids import Medoids
from rxnopt.cards.realism import Plate
from rxnopt.errors import AgentError
from rxnopt.history import History
from rxnopt.seeds import stream
from rxnopt.simulators import Reaction
from rxnopt.simulators.grid import Grid
from rxnopt.space import Array, Space

WHOLE = 4096
"""Conditions of a finite space, all of which are grouped; the time grows with the square."""


class MedoidDesign:
    """Trial k of a campaign gets medoid k of as many clusters as the budget has trials; a Sobol sequence follows.

    Where the reaction has plates, their shared parameters are clustered first, a cluster for each plate, and then, with
    those held, the others. A medoid that is being run is replaced by a random point.
    """

    def __init__(self, card: AgentCard, reaction: Reaction | None, budget: int, seed: int) -> None:
        if not isinstance(card.agent, Medoids):
            raise AgentError(f"agent {card.name!r} is no design by clusters")
        self._name, self._settings, self._budget, self._seed = card.name, card.agent, budget, seed
        self._plate: Plate | None = None if reaction is None else reaction.options.plate
        self._later = Design("sobol", budget, seed)
        self._made: tuple[Space, Array] | None = None
        self._descriptors = known(card.name, card.agent, reaction)
        if reaction is not None:
            tables(card.name, reaction.space, self._descriptors)  # wrong ones are told before the first trial

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return the next n points (n, d); raise :class:`rxnopt.errors.AgentError` for descriptors that do not fit."""
        if self._made is None or self._made[0] is not space:
            self._made = (space, self._design(space))
        X = self._made[1][len(history) : len(history) + n]
        if len(X) < n:
            X = np.vstack([X, self._later.propose(space, history, n - len(X), rng)])
        shared = [space.names.index(name) for name in self._plate.shared] if self._plate else []
        fixed = shared if len(np.unique(X[:, shared], axis=0)) == 1 else []
        return distinct(space, X, rng, pending(space, history), fixed)

    def _design(self, space: Space) -> Array:
        """Return the points of all plates (budget, d); without plates there is a single one."""
        rng, Z = stream(self._seed, "medoids"), Coding(space, tables(self._name, space, self._descriptors))
        X = candidates(space, self._settings.candidates, rng)
        if self._plate is None:
            return middles(X, Z(X), self._budget, rng)
        size, shared = self._plate.size, [space.names.index(name) for name in self._plate.shared]
        points = np.empty((0, len(space)))
        for centre in middles(X, Z(X, shared), -(-self._budget // size), rng):
            held = X.copy()
            held[:, shared] = centre[shared]
            free = _without(np.unique(held, axis=0), points)
            points = np.vstack([points, middles(free, Z(free), size, rng)])
        return points[: self._budget]


class Coding:
    """Conditions as points: two of them are at most 1 apart along each parameter.

    Numbers lie in the unit cube, on their scale; levels are equal or not, or lie where their descriptors are.
    """

    def __init__(self, space: Space, found: Mapping[str, Array]) -> None:
        self._space = space
        self._tables = {
            j: found[p.name] / np.sqrt(found[p.name].shape[1]) if p.name in found else np.eye(p.count) / np.sqrt(2.0)
            for j, p in enumerate(space)
            if p.levels
        }

    def __call__(self, X: Array, columns: list[int] | None = None) -> Array:
        """Return the points (n, w) of conditions ``X`` (n, d), of some parameters alone where ``columns`` are given."""
        U, chosen = self._space.to_unit(X), range(X.shape[1]) if columns is None else columns
        parts = [self._tables[j][X[:, j].astype(np.intp)] if j in self._tables else U[:, [j]] for j in chosen]
        return np.hstack(parts)


def candidates(space: Space, m: int, rng: np.random.Generator) -> Array:
    """Return the conditions that are grouped: all of a small finite space, else ``m`` of a Sobol sequence (m, d)."""
    if Grid.size(space) <= WHOLE:
        return Grid(space).X
    return Design("sobol", m, int(rng.integers(2**31))).points(space, 0, m)


def middles(X: Array, Z: Array, k: int, rng: np.random.Generator) -> Array:
    """Return k medoids (k, d) of ``X`` (m, d), those of large clusters first; again from the start where m is less.

    ``Z`` (m, w): the same as points whose distance is the dissimilarity.
    """
    from scipy.spatial.distance import cdist

    D = cdist(Z, Z)
    places = medoids(D, min(k, len(X)), rng)
    sizes = np.bincount(D[:, places].argmin(axis=1), minlength=len(places))
    return X[np.resize(places[np.argsort(-sizes, kind="stable")], k)]


def medoids(D: Array, k: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the places (k,) of medoids for dissimilarities ``D`` (m, m).

    Starts with k places by chance and swaps a medoid for another place as soon as that lessens the sum of the
    dissimilarities to the nearest medoid, until no swap does.
    """
    m = len(D)
    places = rng.permutation(m)[:k]
    if k == m:
        return places
    last, place, best = m - 1, 0, _Nearest(D, places)
    while True:
        if place not in places:
            change, which = best.swap(D[place])
            if change < -1e-12:
                places[which] = place
                best, last = _Nearest(D, places), place
                place = (place + 1) % m
                continue
        if place == last:
            return places
        place = (place + 1) % m


class _Nearest:
    """Distances (m,) of all points to the nearest and to the second nearest medoid, and which medoid is nearest."""

    def __init__(self, D: Array, places: NDArray[np.intp]) -> None:
        own, columns = D[places], np.arange(len(D))
        self.k, self.medoid = len(places), own.argmin(axis=0)
        self.first = own[self.medoid, columns]
        own[self.medoid, columns] = np.inf
        self.second = own.min(axis=0) if len(places) > 1 else np.full(len(D), D.max() * 2.0 + 1.0)
        self.loss = np.bincount(self.medoid, self.second - self.first, self.k)

    def swap(self, distance: Array) -> tuple[float, int]:
        """Return by how much the sum changes with a new medoid at ``distance`` (m,), and for which one it comes."""
        gain = np.minimum(distance - self.first, 0.0)
        kept = np.where(gain < 0.0, self.first - self.second, np.minimum(distance - self.second, 0.0))
        changes = self.loss + np.bincount(self.medoid, kept, self.k)
        which = int(changes.argmin())
        return float(changes[which] + gain.sum()), which


def _without(X: Array, others: Array) -> Array:
    """Return the rows of ``X`` that are not among others; all of them where none would be left."""
    left = X[~(X[:, None] == others[None]).all(axis=2).any(axis=1)] if len(others) else X
    return left if len(left) else X
