"""The conditions at which an acquisition function is largest, in spaces of any kind."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import torch
from botorch.acquisition.acquisition import AcquisitionFunction
from botorch.optim.optimize_mixed import optimize_acqf_mixed_alternating

from rxnopt.agents.bayes.coding import Coding
from rxnopt.agents.seeking import choice, cloud
from rxnopt.simulators.grid import Grid, combinations
from rxnopt.space import Array

GRID = 4096
"""Conditions of a discrete space up to which each of them is looked at."""
RESTARTS, RAW_SAMPLES = 4, 128
"""Starts of a gradient search, the best of so many quasi-random points."""
AT_ONCE = 256
"""Points at which an acquisition function is asked for at once."""


def best(
    acquisition: AcquisitionFunction,
    coding: Coding,
    taken: Array,
    fixed: Mapping[int, float],
    rng: np.random.Generator,
) -> Array:
    """Return the best conditions (d,) that keep the constraints; none of ``taken`` (t, d) as long as there are others.

    ``fixed``: columns of ``X`` that are given. Small discrete spaces are looked at throughout. Elsewhere BoTorch climbs
    along gradients from several starts and goes from level to level (Daulton et al. 2022,
    10.48550/arXiv.2210.10199), without trying all combinations. Constraints of conditions are formulas without
    gradients: there, and where the climb ends on conditions that are taken, feasible points are drawn at random and
    ever closer around the best ones.
    """
    space = coding.space
    values = partial(acquired, acquisition, coding)
    if Grid.size(space, fixed) <= GRID:
        X = combinations(space, fixed)
        X = X[space.feasible(X)]
        return choice(X, values(X), taken)
    if space.constraints is None:
        x = _climb(acquisition, coding, fixed)
        if not (taken == x).all(axis=1).any():
            return x
    return choice(*cloud(values, space, fixed, rng), taken)


def acquired(acquisition: AcquisitionFunction, coding: Coding, X: Array) -> Array:
    """Return what an acquisition function says of conditions ``X`` (n, d), each alone (n,)."""
    with torch.no_grad():
        parts = [acquisition(Z.unsqueeze(-2)) for Z in torch.split(coding.code(X), AT_ONCE)]
    found: Array = torch.cat(parts).numpy()
    return found


def _climb(acquisition: AcquisitionFunction, coding: Coding, fixed: Mapping[int, float]) -> Array:
    given = np.array([[fixed.get(j, p.low) for j, p in enumerate(coding.space)]])
    Z, _ = optimize_acqf_mixed_alternating(
        acquisition,
        coding.bounds,
        discrete_dims=coding.discrete,
        cat_dims=coding.categorical,
        raw_samples=RAW_SAMPLES,
        num_restarts=RESTARTS,
        options={"initialization_strategy": "random"} if coding.discrete or coding.categorical else {},
        fixed_features={j: float(coding.code(given)[0, j]) for j in fixed},
    )
    x: Array = coding.conditions(Z)[0]
    x[list(fixed)] = list(fixed.values())
    return x
