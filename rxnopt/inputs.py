"""Conditions as formulas see them: SI numbers of parameters and of the properties of levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rxnopt.cards.inputs import Constrained, as_quantity, input_dimensions, input_names
from rxnopt.cards.parameters import Categorical, Continuous, Integer
from rxnopt.parameter import Array
from rxnopt.units import unit


@dataclass(frozen=True)
class Inputs:
    """The way from conditions ``X`` (n, d) to SI numbers (n, inputs), in the order of the kernel.

    ``names``: as formulas have them. ``columns`` of X, ``factors`` and ``offsets`` to SI; ``tables``: place, column of
    X and SI values by level of each property of levels.
    """

    names: tuple[str, ...]
    columns: NDArray[np.intp]
    factors: Array
    offsets: Array
    tables: tuple[tuple[int, int, Array], ...]

    @classmethod
    def of(cls, card: Constrained) -> Inputs:
        """Return the inputs of a card."""
        names, units, columns, tables = list(card.parameters), [], [], []
        for place, (name, key) in enumerate(input_names(card)):
            parameter, column = card.parameters[name], names.index(name)
            if isinstance(parameter, Categorical) and key is not None:
                quantities = [as_quantity(level[key]) for level in parameter.levels.values()]
                tables.append((place, column, np.array([q.si for q in quantities if q is not None])))
            units.append(unit(parameter.unit if isinstance(parameter, Continuous | Integer) else "1"))
            columns.append(column)
        return cls(
            tuple(input_dimensions(card)), np.array(columns, dtype=np.intp), np.array([u.factor for u in units]),
            np.array([u.offset for u in units]), tuple(tables),
        )  # fmt: skip

    def __call__(self, X: Array) -> Array:
        """Return SI numbers (n, inputs) of conditions ``X`` (n, d)."""
        found: Array = X[:, self.columns] * self.factors + self.offsets
        for place, column, table in self.tables:
            found[:, place] = table[X[:, column].astype(np.intp)]
        return found
