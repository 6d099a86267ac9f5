"""How conditions look to a Gaussian process and to the search for the best next ones.

The search moves in ``Z`` (n, d): a column per parameter, numbers in the unit cube (logarithmic where the card says so,
whole numbers at the middle of their bins), levels as their index. Where levels have descriptors the Gaussian process
sees these instead, each column spread over [0, 1]; other levels are equal or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import torch
from botorch.models.transforms.input import InputTransform

from rxnopt.space import Array, Space

FEW = 20
"""Values of a whole number that are told apart in the search; more of them count as a continuum and are rounded."""


class Described(InputTransform):
    """Puts the rows of ``tables`` in place of the columns of levels."""

    def __init__(self, tables: Mapping[int, torch.Tensor]) -> None:
        super().__init__()
        self.tables = dict(tables)
        self.transform_on_train = self.transform_on_eval = self.transform_on_fantasize = True

    def transform(self, X: torch.Tensor) -> torch.Tensor:
        """Return features (..., width) of ``Z`` (..., d)."""
        tables = self.tables
        columns = [tables[j][X[..., j].long()] if j in tables else X[..., j : j + 1] for j in range(X.shape[-1])]
        return torch.cat(columns, dim=-1)


class Coding:
    """The way between ``X`` and ``Z`` of a space."""

    def __init__(self, space: Space, tables: Mapping[str, Array]) -> None:
        self.space = space
        self.levels = [j for j, p in enumerate(space) if p.levels]
        self._counts = np.array([space.parameters[j].count for j in self.levels])
        self.tables = {j: torch.from_numpy(tables[space.names[j]]) for j in self.levels if space.names[j] in tables}

    @cached_property
    def features(self) -> tuple[list[int], list[int]]:
        """Columns of what a Gaussian process sees: those of numbers, and those of levels without descriptors."""
        numbers: list[int] = []
        levels: list[int] = []
        for j in range(len(self.space)):
            width = self.tables[j].shape[1] if j in self.tables else 1
            first = len(numbers) + len(levels)
            (levels if j in self.levels and j not in self.tables else numbers).extend(range(first, first + width))
        return numbers, levels

    def code(self, X: Array) -> torch.Tensor:
        """Return ``Z`` (n, d)."""
        Z = np.array(self.space.to_unit(X))
        Z[:, self.levels] = X[:, self.levels]
        return torch.from_numpy(Z)

    def conditions(self, Z: torch.Tensor) -> Array:
        """Return ``X`` (n, d)."""
        U = Z.detach().numpy().copy()
        U[:, self.levels] = (U[:, self.levels] + 0.5) / self._counts
        return self.space.from_unit(U)

    @cached_property
    def discrete(self) -> dict[int, list[float]]:
        """Values in ``Z`` of each parameter of few whole numbers."""
        few = {j: p.count for j, p in enumerate(self.space) if p.discrete and not p.levels and p.count <= FEW}
        return {j: ((np.arange(count) + 0.5) / count).tolist() for j, count in few.items()}

    @cached_property
    def categorical(self) -> dict[int, list[float]]:
        """Values in ``Z`` of each categorical parameter."""
        return {j: np.arange(count, dtype=float).tolist() for j, count in zip(self.levels, self._counts, strict=True)}

    @cached_property
    def bounds(self) -> torch.Tensor:
        """Bounds (2, d) of ``Z``."""
        values = {**self.discrete, **self.categorical}
        ends = [(values[j][0], values[j][-1]) if j in values else (0.0, 1.0) for j in range(len(self.space))]
        return torch.tensor(ends, dtype=torch.double).T
