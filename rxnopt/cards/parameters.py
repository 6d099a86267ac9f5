"""What can be set in an experiment: continuous, integer, categorical and binary parameters."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from rxnopt.cards.base import Identifier, Model, UnitText
from rxnopt.errors import UnitError
from rxnopt.units import quantity


class ParameterCard(Model):
    """Fields of every parameter."""

    description: str = Field("", description="A line for people.")


class Continuous(ParameterCard):
    """A real number between two bounds."""

    kind: Literal["continuous"] = "continuous"
    low: float = Field(description="Lower bound, in the unit.")
    high: float = Field(description="Upper bound, in the unit.")
    unit: UnitText = Field("1", description="Unit of bounds and values.")
    scale: Literal["linear", "log"] = Field("linear", description="How the range is spread for agents.")

    @model_validator(mode="after")
    def _ordered(self) -> Continuous:
        if not self.low < self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}; mend one of them")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"a log scale needs low above 0, not {self.low}")
        return self


class Integer(ParameterCard):
    """A whole number between two bounds, both included."""

    kind: Literal["integer"]
    low: int = Field(ge=-(2**53), le=2**53, description="Lower bound.")
    high: int = Field(ge=-(2**53), le=2**53, description="Upper bound.")
    unit: UnitText = Field("1", description="Unit of bounds and values.")

    @model_validator(mode="after")
    def _ordered(self) -> Integer:
        if not self.low < self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}; mend one of them")
        return self


def _property(value: float | int | str) -> float | int | str:
    """Refuse text that looks like a quantity with a wrong unit; other text (a SMILES, a CAS number) is kept."""
    try:
        quantity(value)
    except UnitError as error:
        raise ValueError(str(error)) from error
    return value


def _level_names(value: Any) -> Any:
    if not isinstance(value, list) or not all(isinstance(name, str | int | float) for name in value):
        return value
    names = [str(name) for name in value]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the level {twice!r} stands twice; remove one")
    return {name: {} for name in names}


Property = Annotated[float | int | str, AfterValidator(_property)]
_Levels = dict[str, dict[Identifier, Property]]
Levels = Annotated[_Levels, BeforeValidator(_level_names, json_schema_input_type=_Levels | list[str | float])]


class Categorical(ParameterCard):
    """One of several levels; each level may carry properties that formulas use."""

    kind: Literal["categorical"] = "categorical"
    levels: Levels = Field(
        description="Names of the levels, as a list, or as a mapping to properties: numbers with units "
        "('0.3 kJ/mol', in formulas <parameter>_<property>) or text such as a SMILES."
    )

    @model_validator(mode="after")
    def _complete(self) -> Categorical:
        if len(self.levels) < 2:
            raise ValueError(f"{len(self.levels)} level given; a categorical parameter has at least 2")
        wanted = {name for properties in self.levels.values() for name in properties}
        for level, properties in self.levels.items():
            lacking = sorted(wanted - set(properties))
            if lacking:
                raise ValueError(f"level {level!r} lacks the property {lacking[0]!r} that other levels have; add it")
        return self


class Binary(ParameterCard):
    """Off or on, 0 or 1."""

    kind: Literal["binary"]


def infer_kind(value: Any) -> Any:
    """Add the kind of a parameter where its card leaves it out."""
    if isinstance(value, dict) and "kind" not in value:
        return value | {"kind": "categorical" if "levels" in value else "continuous"}
    return value


AnyParameter = Annotated[
    Annotated[Continuous | Integer | Categorical | Binary, Field(discriminator="kind")],
    BeforeValidator(infer_kind),
]
