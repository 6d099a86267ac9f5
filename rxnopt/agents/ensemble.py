"""Simulated reactions that the reaction at hand may be: drawn from the uncertainty of its card, with their optima."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from rxnopt.errors import AgentError
from rxnopt.progress import bar
from rxnopt.seeds import stream
from rxnopt.simulators import Reaction
from rxnopt.simulators.population import Fixed, Population
from rxnopt.space import Array

SCREENED, ROUNDS, AROUND, RADIUS, SHRINK = 400, 4, 50, 0.15, 0.45
"""Points of the screening of all reactions, then rounds of trials around the best of each, in a shrinking radius."""
LEAST = 0.02
"""An optimum nearer to zero than this share of the median one is measured against that."""
REPLICATES = 16
KEPT = 8
"""Ensembles that stay in memory."""


@dataclass(frozen=True)
class Ensemble:
    """N reactions with equal parameters, and what is best for each.

    ``constants`` (N, k). ``X`` (N, d): best conditions found; ``best`` (N,): their noise-free scores. ``shares``
    (N, M): what the best conditions of the first M reactions give in each, see :meth:`share`. ``noise`` (2,): variance
    of a measurement, a + b score^2.
    """

    reaction: Reaction
    constants: Array
    X: Array
    best: Array
    shares: Array
    noise: Array

    def scores(self, X: Array) -> Array:
        """Return the noise-free scores (N, m) of conditions ``X`` (m, d) in each reaction, -inf where they fail."""
        return _scores(self.reaction, self.constants, np.broadcast_to(X, (len(self.constants), *X.shape)))

    def share(self, scores: Array) -> Array:
        """Return scores (N, m) as shares of the optimum of their reaction, 1 - |gap / optimum|, at least -1."""
        least = LEAST * np.median(np.abs(self.best))
        gap = self.best[:, None] - scores
        shares: Array = np.clip(1.0 - gap / np.maximum(np.abs(self.best), least)[:, None], -1.0, 1.0)
        return shares


def population(reaction: Reaction) -> Population:
    """Return where the constants of a reaction come from, whether it is nominal or drawn; raise :class:`AgentError`."""
    simulator = reaction.simulator
    found = simulator.population if isinstance(simulator, Fixed) else reaction.population
    if found is None:
        raise AgentError(
            f"reaction {reaction.name!r} does not say how well its constants are known; add 'uncertainty' to its card, "
            "or take an agent that needs no simulator"
        )
    return found


_made: OrderedDict[tuple[str, int, int], Ensemble] = OrderedDict()


def ensemble(reaction: Reaction, size: int, candidates: int, progress: bool = False) -> Ensemble:
    """Return ``size`` reactions of the population of one; a few seconds at first, then from memory.

    They are the same for every reaction of the population and for every campaign.
    """
    source = population(reaction)
    if reaction.origin.family is not None and isinstance(reaction.simulator, Fixed):
        raise AgentError(
            f"reaction {reaction.name!r} is one of a family, whose reactions differ in levels; take an agent that "
            "needs no simulator, or one that was trained on the family"
        )
    known = replace(reaction, card=reaction.origin, population=source)  # nobody may look at what was drawn
    key = f"{known.card.model_dump_json()} {reaction.options.model_dump_json()}", size, candidates
    if key not in _made:
        _made[key] = _make(known, size, candidates, progress)
    _made.move_to_end(key)
    while len(_made) > KEPT:
        _made.popitem(last=False)
    return _made[key]


def _make(reaction: Reaction, size: int, candidates: int, progress: bool) -> Ensemble:
    rng, space = stream(0, "ensemble"), reaction.space
    constants = population(reaction).draw(rng, size)
    screened = np.broadcast_to(space.sample(SCREENED, rng), (size, SCREENED, len(space)))
    radius = RADIUS
    with bar(progress, f"{size:,} reactions like {reaction.name}", 1 + ROUNDS) as advance:
        X, best = _better(reaction, constants, screened, np.zeros((size, len(space))), np.full(size, -inf))
        for _ in range(ROUNDS):
            advance(1, "")
            U = space.to_unit(X)[:, None] + radius * rng.standard_normal((size, AROUND, len(space)))
            tried = space.from_unit(np.clip(U, 0.0, 1.0).reshape(-1, len(space))).reshape(U.shape)
            X, best = _better(reaction, constants, tried, X, best)
            radius *= SHRINK
        advance(1, "")
    works = np.isfinite(best)
    if not works.any():
        raise AgentError(f"no experiment on {reaction.name!r} succeeds, whatever its constants; check the card")
    noise = _noise(reaction, constants[works][:1], X[works])
    made = Ensemble(reaction, constants[works], X[works], best[works], np.empty((0, 0)), noise)
    return replace(made, shares=made.share(made.scores(made.X[:candidates])))


def _better(reaction: Reaction, constants: Array, tried: Array, X: Array, best: Array) -> tuple[Array, Array]:
    """Return conditions (N, d) and scores (N,) with the best of ``tried`` (N, m, d) where that is better."""
    scores = _scores(reaction, constants, tried)
    first, rows = scores.argmax(axis=1), np.arange(len(best))
    better = scores[rows, first] > best
    return np.where(better[:, None], tried[rows, first], X), np.where(better, scores[rows, first], best)


def _scores(reaction: Reaction, constants: Array, X: Array) -> Array:
    """Return scores (N, m) of ``X`` (N, m, d); -inf where an experiment fails or breaks a limit."""
    n, m, d = X.shape
    outcome = reaction.attempt(X.reshape(n * m, d), np.repeat(constants, m, axis=0))
    scores = np.where(reaction.within_limits(outcome), reaction.score(outcome), -inf)
    return np.where(np.isfinite(scores), scores, -inf).reshape(n, m)


def _noise(reaction: Reaction, constants: Array, X: Array) -> Array:
    """Return a and b of the variance a + b score^2 of measurements, from replicates on one reaction."""
    from scipy.optimize import nnls

    rows = np.repeat(X[:: max(1, len(X) // 64)], REPLICATES, axis=0)
    exact = reaction.score(reaction.attempt(rows, constants))
    error = reaction.score(reaction.outcome(rows, stream(0, "ensemble noise"), constants)) - exact
    known = np.isfinite(error)
    if not known.any():
        return np.zeros(2)
    found: Array = nnls(np.stack([np.ones(known.sum()), exact[known] ** 2], axis=1), error[known] ** 2)[0]
    return found
