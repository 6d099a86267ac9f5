"""What is done for each experiment, compiled: the way down the trees of a forest, and the faces of a hull."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba.core import types

_VECTOR, _PLACES = types.float64[::1], types.int64[::1]
_MATRIX = types.float64[:, ::1]
_FEATURES = types.float32[:, ::1]


@numba.njit(
    types.void(_FEATURES, _PLACES, _VECTOR, _PLACES, _PLACES, _VECTOR, _PLACES, _VECTOR, _VECTOR),
    nogil=True, cache=True,
)  # fmt: skip
def walk(
    F: Any, feature: Any, threshold: Any, left: Any, right: Any, value: Any, roots: Any, mean: Any, spread: Any
) -> None:
    """Write mean and standard deviation (n,) over the trees for features ``F`` (n, width), single precision."""
    count = len(roots)
    found = np.empty(count)
    for i in range(len(F)):
        for tree in range(count):
            node = roots[tree]
            while left[node] != node:
                node = left[node] if F[i, feature[node]] <= threshold[node] else right[node]
            found[tree] = value[node]
        mean[i] = found.mean()
        spread[i] = found.std()


@numba.njit(types.void(_MATRIX, _MATRIX, _VECTOR, types.float64, types.boolean[::1]), nogil=True, cache=True)
def within(points: Any, A: Any, b: Any, slack: float, found: Any) -> None:
    """Take from ``found`` (n,) the points (n, d) that lie more than ``slack`` beyond a face ``A p + b <= 0``."""
    for i in range(len(points)):
        if not found[i]:
            continue
        for face in range(len(b)):
            distance = b[face]
            for j in range(points.shape[1]):
                distance += A[face, j] * points[i, j]
            if distance > slack:
                found[i] = False
                break
