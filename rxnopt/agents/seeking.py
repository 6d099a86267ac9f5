"""Where a function of the conditions is largest, without gradients, in spaces of any kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

import numpy as np

from rxnopt.space import Array, Space

CLOUD, KEPT, AROUND, WIDTHS = 512, 8, 16, (0.2, 0.05, 0.01, 0.002)
"""Random points, best ones kept in a round, points around each, how far away (in ranges)."""

Values = Callable[[Array], Array]
"""Values (n,) of conditions (n, d)."""


def countable(space: Space, fixed: Mapping[int, float], most: int) -> bool:
    """Return whether there are at most ``most`` conditions, constraints apart; columns of ``fixed`` are given."""
    free = [p for j, p in enumerate(space) if j not in fixed]
    return all(p.discrete for p in free) and prod(p.count for p in free) <= most


def grid(space: Space, fixed: Mapping[int, float]) -> Array:
    """Return all feasible conditions (n, d) of a discrete space."""
    values = [np.array([fixed[j]]) if j in fixed else np.arange(p.low, p.high + 1) for j, p in enumerate(space)]
    X = np.stack([axis.ravel() for axis in np.meshgrid(*values, indexing="ij")], axis=1)
    return X[space.feasible(X)]


def choice(X: Array, values: Array, taken: Array) -> Array:
    """Return the row of ``X`` (n, d) with the largest of ``values`` (n,) among those that were taken least often."""
    times = (X[:, None] == taken[None]).all(axis=2).sum(axis=1)
    chosen: Array = X[np.argmax(np.where(times == times.min(), values, -np.inf))]
    return chosen


def cloud(values: Values, space: Space, fixed: Mapping[int, float], rng: np.random.Generator) -> tuple[Array, Array]:
    """Return feasible conditions (n, d), more and more of them around the best ones, and their values (n,)."""
    discrete = np.array([p.discrete for p in space])

    def feasible(X: Array) -> Array:
        X[:, list(fixed)] = list(fixed.values())
        return X[space.feasible(X)]

    X = feasible(space.sample(CLOUD, rng))
    found = values(X)
    for width in WIDTHS:
        centres = space.to_unit(X[np.argsort(-found, kind="stable")[:KEPT]])
        U = np.repeat(centres, AROUND, axis=0)
        near, anywhere = U + width * rng.standard_normal(U.shape), rng.random(U.shape)
        moved = np.where(discrete, np.where(rng.random(U.shape) < 1 / len(space), anywhere, U), near)
        more = feasible(space.from_unit(np.clip(moved, 0.0, 1.0)))
        X, found = np.concatenate([X, more]), np.append(found, values(more))
    return X, found
