"""Global search for the noise-free optimum of a reaction, in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rxnopt.seeds import stream_seed

if TYPE_CHECKING:
    from rxnopt.simulators.reaction import Optimum, Reaction
    from rxnopt.space import Array


def find_optimum(reaction: Reaction, seed: int = 0) -> Optimum:
    """Differential evolution over the unit cube, in which levels are bins; a generation is one batch.

    Storn and Price, J. Global Optim. 1997, 11, 341 (10.1023/A:1008202821328), as implemented by SciPy.
    """
    from scipy.optimize import differential_evolution

    from rxnopt.simulators.reaction import Optimum

    def loss(U: Array) -> Array:
        outcome = reaction.outcome(reaction.space.from_unit(U.T))
        return np.where(outcome.failed, np.inf, -reaction.score(outcome))

    found = differential_evolution(
        loss, [(0.0, 1.0)] * len(reaction.space), popsize=40, tol=1e-12, atol=1e-12, maxiter=2000,
        init="sobol", polish=False, vectorized=True, updating="deferred", seed=stream_seed(seed, "optimum"),
    )  # fmt: skip
    X = reaction.space.from_unit(found.x[None, :])
    value = reaction.card.objective.sign * float(-found.fun)
    return Optimum(value, reaction.space.to_dicts(X)[0], "found by differential evolution, not proven")
