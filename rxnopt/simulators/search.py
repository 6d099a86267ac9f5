"""Global search for the noise-free optimum of a reaction, in batches."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from rxnopt.errors import ConditionsError
from rxnopt.seeds import stream, stream_seed
from rxnopt.simulators.grid import Grid

if TYPE_CHECKING:
    from rxnopt.simulators.outcome import Outcome
    from rxnopt.simulators.reaction import Optimum, Reaction
    from rxnopt.space import Array

BEYOND = 1e100
"""Loss of an experiment beyond a limit, and more the further it is beyond: worse than any within."""


MAX_GRID = 100_000
"""Most experiments of which all are looked at."""


def find_optimum(reaction: Reaction, seed: int = 0) -> Optimum:
    """Return the best noise-free objective that keeps the limits of the card: of all where they can be counted.

    Else it is searched for (:func:`search`).
    """
    from rxnopt.simulators.reaction import Optimum

    if Grid.size(reaction.space) <= MAX_GRID:
        every = Grid(reaction.space).X
        outcome = reaction.attempt(every)
        scores = np.where(reaction.within_limits(outcome), reaction.score(outcome), np.nan)
        if np.isnan(scores).all():
            raise ConditionsError(f"no experiment on {reaction.name} succeeds within its limits; check the card")
        best = int(np.nanargmax(scores))
        value, (conditions,) = reaction.card.objective.sign * scores[best], reaction.space.to_dicts(every[[best]])
        return Optimum(float(value), conditions, f"the best of all {len(every):,} experiments")
    score, x = search(reaction, reaction.score, stream_seed(seed, "optimum"))
    value, (conditions,) = reaction.card.objective.sign * score, reaction.space.to_dicts(x[None])
    return Optimum(value, conditions, "found by differential evolution, not proven")


def search(
    reaction: Reaction, score: Callable[[Outcome], Array], seed: int, quick: bool = False
) -> tuple[float, Array]:
    """Return the largest noise-free ``score`` (n,) within the limits of the card, and its conditions (d,).

    Differential evolution over the unit cube, in which levels are bins; a generation is one batch. Conditions that
    break a constraint count as failed. ``quick``: to a relative spread of 1e-6 instead of 1e-12.

    Storn and Price, J. Global Optim. 1997, 11, 341 (10.1023/A:1008202821328), as implemented by SciPy. Raises
    :class:`ConditionsError` where nothing succeeds within the limits.
    """
    from scipy.optimize import differential_evolution

    def loss(U: Array) -> Array:
        outcome = reaction.attempt(reaction.space.from_unit(U.T))
        within, beyond = reaction.within_limits(outcome), BEYOND * (1.0 + reaction.cost(outcome))
        return np.where(outcome.failed, np.inf, np.where(within, -score(outcome), beyond))

    found = differential_evolution(
        loss, [(0.0, 1.0)] * len(reaction.space), popsize=20 if quick else 40, tol=1e-6 if quick else 1e-12, atol=1e-12,
        maxiter=2000, init="sobol", polish=False, vectorized=True, updating="deferred", seed=seed,
    )  # fmt: skip
    if not found.fun < BEYOND:
        raise ConditionsError(f"no experiment on {reaction.name} succeeds within its limits; check the card")
    return float(-found.fun), reaction.space.from_unit(found.x[None, :])[0]


STARTS, FIRST, ROUNDS, AROUND = 8, 32, 60, 24
"""Of :func:`find_optima`: points followed, points of the screening per combination, rounds, and trials in a round."""
MAX_COMBINATIONS = 4096


def find_optima(reaction: Reaction, constants: Array, seed: int = 0) -> tuple[Array, Array]:
    """Return the best noise-free scores (m,) and their conditions (m, d) of reactions that differ in ``constants``.

    ``constants`` (m, k). All combinations of levels and whole numbers are screened with the same Sobol points; from
    the best points a random search with a shrinking radius goes on (about 6,000 experiments for 100 combinations).
    Raises :class:`ConditionsError` where there are too many combinations; NaN where every experiment failed.
    """
    space = reaction.space
    counts = [p.count for p in space if p.discrete]
    if math.prod(counts) > MAX_COMBINATIONS:
        raise ConditionsError(
            f"{reaction.name} has {math.prod(counts):,} combinations of levels, more than the {MAX_COMBINATIONS:,} "
            "that can be searched for the optimum of each draw; choose reward_mode='objective' or 'improvement'"
        )
    grids = np.meshgrid(*[(np.arange(count) + 0.5) / count for count in counts], indexing="ij")
    combinations = np.stack([grid.ravel() for grid in grids], axis=1) if counts else np.empty((1, 0))
    found = [_best(reaction, row, combinations, stream(seed, "optima")) for row in constants]
    return np.array([value for value, _ in found]), np.array([x for _, x in found]).reshape(-1, len(space))


def _best(reaction: Reaction, row: Array, combinations: Array, rng: np.random.Generator) -> tuple[float, Array]:
    """Return the best score and conditions of one reaction."""
    from scipy.stats import qmc

    whole = np.array([p.discrete for p in reaction.space])
    width = int((~whole).sum())

    def scores(levels: Array, numbers: Array) -> tuple[Array, Array]:
        U = np.empty((len(levels), len(whole)))
        U[:, whole], U[:, ~whole] = levels, numbers
        X = reaction.space.from_unit(U)
        outcome = reaction.attempt(X, row[None])
        return np.where(reaction.within_limits(outcome), reaction.score(outcome), -np.inf), X

    first = qmc.Sobol(width, rng=rng).random(FIRST if width else 1) if width else np.empty((1, 0))
    levels = np.repeat(combinations, len(first), axis=0)
    numbers = np.tile(first, (len(combinations), 1))
    y, X = scores(levels, numbers)
    order = np.argsort(-y)[:STARTS]
    levels, numbers, y, X, radius = levels[order], numbers[order], y[order], X[order], np.full(len(order), 0.25)
    for turn in range(ROUNDS if width else 0):
        around = rng.standard_normal((len(y), AROUND, width)) * radius[:, None, None]
        tried = np.clip(numbers[:, None] + around, 0.0, 1.0).reshape(-1, width)
        found = scores(np.repeat(levels, AROUND, axis=0), tried)
        trial, places = (part.reshape(len(y), AROUND, *part.shape[1:]) for part in found)
        best = trial.argmax(axis=1)
        rows = np.arange(len(y))
        better = trial[rows, best] > y
        numbers[better] = tried.reshape(len(y), AROUND, width)[rows, best][better]
        X[better], y[better] = places[rows, best][better], trial[rows, best][better]
        radius *= np.where(better, 1.1, 0.7)
        if turn in (ROUNDS // 4, ROUNDS // 2):
            keep = np.argsort(-y)[: max(1, len(y) // 3)]
            levels, numbers, y, X, radius = levels[keep], numbers[keep], y[keep], X[keep], radius[keep]
    top = int(np.argmax(y))
    return float(y[top]) if np.isfinite(y[top]) else float("nan"), X[top]
