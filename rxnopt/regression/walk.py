"""What is done for each experiment, compiled: the way down the trees of a forest, and the faces of a hull."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba.core import types

BLOCK = 512
"""Faces looked at together."""
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


@numba.njit(
    types.void(_MATRIX, _MATRIX, _VECTOR, types.float64, types.boolean[::1]), nogil=True, cache=True, fastmath=True
)
def within(points: Any, A: Any, b: Any, slack: float, found: Any) -> None:
    """Take from ``found`` (n,) the points (n, d) that lie more than ``slack`` beyond a face: ``A`` (d, faces), ``b``.

    Faces are looked at in blocks, which have vector forms.
    """
    distance = np.empty(BLOCK)
    for i in range(len(points)):
        low = 0
        while found[i] and low < len(b):
            size = min(BLOCK, len(b) - low)
            for k in range(size):
                distance[k] = b[low + k]
            for j in range(points.shape[1]):
                x = points[i, j]
                for k in range(size):
                    distance[k] += A[j, low + k] * x
            worst = distance[0]
            for k in range(1, size):
                worst = max(worst, distance[k])
            found[i] = worst <= slack
            low += BLOCK
