"""What formulas can see of conditions: which parameters, and which properties of levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from rxnopt.cards.parameters import AnyParameter, Categorical, Continuous, Integer
from rxnopt.units import Dimension, Quantity, quantity, unit


class Constrained(Protocol):
    """A card with parameters and constraints: a reaction or a rig."""

    @property
    def parameters(self) -> Mapping[str, AnyParameter]:
        """What can be set."""

    @property
    def constants(self) -> Mapping[str, str]:
        """Named quantities."""

    @property
    def constraints(self) -> Mapping[str, str]:
        """Inequalities by name."""


def input_names(card: Constrained) -> list[tuple[str, str | None]]:
    """Return the inputs of the kernel in order: (parameter, None) or (parameter, numeric property of its levels)."""
    found: list[tuple[str, str | None]] = []
    for name, parameter in card.parameters.items():
        if isinstance(parameter, Categorical):
            found += [(name, key) for key in numeric_properties(parameter)]
        else:
            found.append((name, None))
    return found


def input_dimensions(card: Constrained) -> dict[str, Dimension]:
    """Return the dimension of each input by the name that formulas use, ``<parameter>_<property>`` for properties."""
    found: dict[str, Dimension] = {}
    for name, key in input_names(card):
        parameter = card.parameters[name]
        if isinstance(parameter, Categorical) and key is not None:
            first = as_quantity(next(iter(parameter.levels.values()))[key])
            found[f"{name}_{key}"] = unit("1").dimension if first is None else first.dimension
        else:
            found[name] = unit(parameter.unit if isinstance(parameter, Continuous | Integer) else "1").dimension
    return found


def numeric_properties(parameter: Categorical) -> list[str]:
    """Return the properties that are numbers for every level."""
    properties = next(iter(parameter.levels.values()))
    return [
        key for key in properties if all(as_quantity(level[key]) is not None for level in parameter.levels.values())
    ]


def as_quantity(value: float | int | str) -> Quantity | None:
    """Return a level property as a quantity; ``None`` for text such as a SMILES."""
    return quantity(value if isinstance(value, str) else repr(value))
