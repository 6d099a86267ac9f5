"""Where experiments were made: the convex hull of their numbers, for each combination of levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SLACK = 1e-6
"""Distance, as a share of the ranges, up to which a point is on the hull."""
MOST = 6
"""Dimensions up to which the faces of a hull are counted; ten times as many with each one more."""


@dataclass(frozen=True)
class Hull:
    """Convex hull of points (n, d): the flat on which they lie, and inside it half-spaces ``p A + b <= 0``.

    In more than :data:`MOST` dimensions it is the box around the points, along their principal directions.
    """

    centre: Array
    basis: Array
    A: Array
    b: Array

    @classmethod
    def of(cls, points: Array) -> Self:
        """Return the hull; fewer points than it takes to fill the space give the hull in the flat that they fill."""
        from scipy.spatial import ConvexHull

        centre = points.mean(axis=0)
        _, values, directions = np.linalg.svd(points - centre, full_matrices=False)
        basis = directions[values > SLACK * max(1.0, float(np.sqrt(len(points))))]
        inner = (points - centre) @ basis.T
        if len(basis) == 0:
            return cls(centre, basis, np.empty((0, 0)), np.empty(0))
        if len(basis) == 1 or len(basis) > MOST:
            sides = np.eye(len(basis))
            return cls(centre, basis, np.hstack([sides, -sides]), np.concatenate([-inner.max(0), inner.min(0)]))
        faces = ConvexHull(inner).equations
        return cls(centre, basis, np.ascontiguousarray(faces[:, :-1].T), np.ascontiguousarray(faces[:, -1]))

    def holds(self, points: Array) -> NDArray[np.bool_]:
        """Return which points (n, d) lie in the hull (n,)."""
        from rxnopt.regression.walk import within

        moved = points - self.centre
        inner = np.ascontiguousarray(moved @ self.basis.T)
        found: NDArray[np.bool_] = np.linalg.norm(moved - inner @ self.basis, axis=1) <= SLACK
        within(inner, self.A, self.b, SLACK, found)
        return found


@dataclass(frozen=True)
class Hulls:
    """A hull for each combination of levels that experiments have."""

    hulls: dict[bytes, Hull]

    @classmethod
    def of(cls, levels: Array, numbers: Array) -> Self:
        """Return the hulls of experiments: ``levels`` (n, c), and ``numbers`` (n, d) each spread over [0, 1]."""
        keys = [row.tobytes() for row in np.ascontiguousarray(levels)]
        rows: dict[bytes, list[int]] = {}
        for i, key in enumerate(keys):
            rows.setdefault(key, []).append(i)
        return cls({key: Hull.of(np.unique(numbers[own], axis=0)) for key, own in rows.items()})

    def outside(self, levels: Array, numbers: Array) -> NDArray[np.bool_]:
        """Return which conditions (n,) lie outside of all that was measured."""
        found = np.ones(len(levels), bool)
        kinds, which = np.unique(np.ascontiguousarray(levels), axis=0, return_inverse=True)
        for place, kind in enumerate(kinds):
            own = which.ravel() == place
            hull = self.hulls.get(kind.tobytes())
            if hull is not None:
                found[own] = ~hull.holds(numbers[own])
        return found
