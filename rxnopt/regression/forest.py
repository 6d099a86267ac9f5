"""Ensembles of decision trees as arrays: what scikit-learn grew, asked without it.

One experiment costs a few microseconds, where scikit-learn asks its trees one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Forest:
    """Nodes of all trees in one row, and the first of each tree; a leaf leads to itself."""

    feature: Places
    threshold: Array
    left: Places
    right: Places
    value: Array
    roots: Places

    @classmethod
    def of(cls, ensemble: Any) -> Self:
        """Return the arrays of a fitted ensemble of regression trees of scikit-learn."""
        trees = [estimator.tree_ for estimator in ensemble.estimators_]
        roots = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
        parts: dict[str, list[Any]] = {"feature": [], "threshold": [], "left": [], "right": [], "value": []}
        for tree, root in zip(trees, roots, strict=True):
            own, leaf = np.arange(tree.node_count), tree.children_left < 0
            parts["left"].append(root + np.where(leaf, own, tree.children_left))
            parts["right"].append(root + np.where(leaf, own, tree.children_right))
            parts["feature"].append(np.where(leaf, 0, tree.feature))
            parts["threshold"].append(tree.threshold)
            parts["value"].append(tree.value[:, 0, 0])
        arrays = {name: np.concatenate(part) for name, part in parts.items()}
        return cls(**arrays, roots=roots)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that :meth:`restored` needs."""
        return dict(vars(self))

    @classmethod
    def restored(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the forest of what :meth:`arrays` gave."""
        return cls(**{name: arrays[name] for name in cls.__annotations__})

    def predict(self, F: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation (n,) over the trees for features ``F`` (n, width)."""
        from rxnopt.regression.walk import walk

        mean, spread = np.empty(len(F)), np.empty(len(F))
        single = np.ascontiguousarray(F, np.float32)  # as scikit-learn compares
        nodes = (self.feature, self.threshold, self.left, self.right, self.value)
        walk(single, *nodes, self.roots, mean, spread)
        return mean, spread
