"""What improvement is expected, and where a function of conditions is largest, without gradients, in any space."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import ndtr

from rxnopt.space import Array, Space

CLOUD, KEPT, AROUND, WIDTHS = 512, 8, 16, (0.2, 0.05, 0.01, 0.002)
"""Random points, best ones kept in a round, points around each, how far away (in ranges)."""

Values = Callable[[Array], Array]
"""Values (n,) of conditions (n, d)."""


def expected_improvement(mean: Array, sd: Array, best: Array | float) -> Array:
    """Return the expected improvement of normal values on ``best`` (Jones et al. 1998, 10.1023/A:1008306431147)."""
    u = (mean - best) / sd
    found: Array = sd * (u * ndtr(u) + np.exp(-0.5 * u**2) / np.sqrt(2.0 * np.pi))
    return found


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
