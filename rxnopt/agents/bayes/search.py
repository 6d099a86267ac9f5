"""The conditions at which an acquisition function is largest, in spaces of any kind."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np
import torch
from botorch.acquisition.acquisition import AcquisitionFunction
from botorch.optim.optimize_mixed import optimize_acqf_mixed_alternating

from rxnopt.agents.bayes.coding import Coding
from rxnopt.space import Array

GRID = 4096
"""Conditions of a discrete space up to which each of them is looked at."""
RESTARTS, RAW_SAMPLES = 4, 128
"""Starts of a gradient search, the best of so many quasi-random points."""
CLOUD, KEPT, AROUND, WIDTHS = 512, 8, 16, (0.2, 0.05, 0.01, 0.002)
"""Points of a search without gradients, best ones kept in a round, points around each, how far away (in ranges)."""
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
    free = [p for j, p in enumerate(space) if j not in fixed]
    if all(p.discrete for p in free) and prod(p.count for p in free) <= GRID:
        X = _grid(coding, fixed)
        return _choice(X, acquired(acquisition, coding, X), taken)
    if space.constraints is None:
        x = _climb(acquisition, coding, fixed)
        if not (taken == x).all(axis=1).any():
            return x
    return _choice(*_cloud(acquisition, coding, fixed, rng), taken)


def _choice(X: Array, values: Array, taken: Array) -> Array:
    """Return the row of ``X`` (n, d) with the largest of ``values`` (n,) among those that were taken least often."""
    times = (X[:, None] == taken[None]).all(axis=2).sum(axis=1)
    chosen: Array = X[np.argmax(np.where(times == times.min(), values, -np.inf))]
    return chosen


def acquired(acquisition: AcquisitionFunction, coding: Coding, X: Array) -> Array:
    """Return what an acquisition function says of conditions ``X`` (n, d), each alone (n,)."""
    with torch.no_grad():
        parts = [acquisition(Z.unsqueeze(-2)) for Z in torch.split(coding.code(X), AT_ONCE)]
    found: Array = torch.cat(parts).numpy()
    return found


def _grid(coding: Coding, fixed: Mapping[int, float]) -> Array:
    space = coding.space
    values = [np.array([fixed[j]]) if j in fixed else np.arange(p.low, p.high + 1) for j, p in enumerate(space)]
    X = np.stack([axis.ravel() for axis in np.meshgrid(*values, indexing="ij")], axis=1)
    return X[space.feasible(X)]


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


def _cloud(
    acquisition: AcquisitionFunction, coding: Coding, fixed: Mapping[int, float], rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return feasible conditions (n, d), more and more of them around the best ones, and their values (n,)."""
    space = coding.space
    discrete = np.array([p.discrete for p in space])

    def feasible(X: Array) -> Array:
        X[:, list(fixed)] = list(fixed.values())
        return X[space.feasible(X)]

    X = feasible(space.sample(CLOUD, rng))
    values = acquired(acquisition, coding, X)
    for width in WIDTHS:
        centres = space.to_unit(X[np.argsort(-values, kind="stable")[:KEPT]])
        U = np.repeat(centres, AROUND, axis=0)
        near, anywhere = U + width * rng.standard_normal(U.shape), rng.random(U.shape)
        moved = np.where(discrete, np.where(rng.random(U.shape) < 1 / len(space), anywhere, U), near)
        more = feasible(space.from_unit(np.clip(moved, 0.0, 1.0)))
        X, values = np.concatenate([X, more]), np.append(values, acquired(acquisition, coding, more))
    return X, values
