"""Constraints: inequalities over parameters that conditions keep, such as a solvent that must not boil."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rxnopt.cards.inputs import Constrained
from rxnopt.cards.objective import constraint_dimensions
from rxnopt.formulas import Condition, Formula, parse_condition
from rxnopt.inputs import Inputs
from rxnopt.parameter import Array
from rxnopt.units import familiar, quantity


@dataclass(frozen=True)
class Constraints:
    """The constraints of a card by name, with the SI values of what they see. ``len(constraints)`` is c.

    ``units``: factor to SI and text of the unit in which messages give the sides of each.
    """

    conditions: Mapping[str, Condition]
    inputs: Inputs
    constants: Mapping[str, float]
    units: Mapping[str, tuple[float, str]]

    @classmethod
    def of(cls, card: Constrained) -> Constraints:
        """Return the constraints of a card."""
        constants = {name: q.si for name, text in card.constants.items() if (q := quantity(text)) is not None}
        conditions = {name: parse_condition(text) for name, text in card.constraints.items()}
        units = {}
        for name, condition in conditions.items():
            unit = familiar(condition.excess.dimension(constraint_dimensions(card)))
            units[name] = (1.0, "in SI units") if unit is None else (unit.factor, "" if unit.text == "1" else unit.text)
        return cls(conditions, Inputs.of(card), constants, units)

    def __len__(self) -> int:
        return len(self.conditions)

    def _values(self, X: Array) -> dict[str, Array | float]:
        return {**self.constants, **dict(zip(self.inputs.names, self.inputs(X).T, strict=True))}

    def excess(self, X: Array) -> Array:
        """Return by how much conditions ``X`` (n, d) break each constraint: (n, c) in SI, below 0 where it holds."""
        values = self._values(X)
        columns = [np.broadcast_to(each.excess.numpy(values), len(X)) for each in self.conditions.values()]
        return np.stack(columns, axis=1) if columns else np.empty((len(X), 0))

    def hold(self, X: Array) -> NDArray[np.bool_]:
        """Return which conditions ``X`` (n, d) keep all constraints (n,); a side without a real value keeps none."""
        good = np.ones(len(X), bool)
        if self.conditions:
            values = self._values(X)
            for condition in self.conditions.values():
                good &= condition.holds(values)
        return good

    def complaint(self, x: Array) -> str:
        """Return which constraint conditions ``x`` (d,) break, with both of its sides."""
        values = self._values(x[None])
        name, broken = next((n, c) for n, c in self.conditions.items() if not c.holds(values)[0])
        factor, unit = self.units[name]
        small, large = (f"{side / factor:.6g}" for side in _sides(broken, values))
        return f"the constraint {name} ({broken.text}) is broken: {small} against {large} {unit}".rstrip()


def _sides(condition: Condition, values: Mapping[str, Array | float]) -> tuple[float, float]:
    """Return the side that should be smaller and the one that should be larger, in SI."""
    difference = condition.excess.tree
    if not isinstance(difference, ast.BinOp):
        raise AssertionError(condition)  # an inequality is read as a difference
    small, large = (
        Formula(condition.text, side, condition.excess.names).numpy(values)
        for side in (difference.left, difference.right)
    )
    return float(small.ravel()[0]), float(large.ravel()[0])
