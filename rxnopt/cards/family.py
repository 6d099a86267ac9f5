"""A family of random reactions: what differs from task to task."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from rxnopt.cards.base import Model, refuse
from rxnopt.cards.parameters import Categorical, Continuous

Choice = Literal["ligand", "solvent", "base"]
CHOICES: tuple[Choice, ...] = ("ligand", "solvent", "base")
"""Categorical parameters of a family."""
CONSTANTS = (
    "main", "main_shift", "Ea_main", "parallel", "consecutive", "Ea_side", "side_shift", "reversal", "fading",
    "Ea_fading", "autocatalysis",
)  # fmt: skip
"""Constants of the card that a family draws; the shifts also depend on the levels chosen."""


class Networks(Model):
    """Share of each kind of network among the tasks; together they make 1."""

    parallel: float = Field(0.20, ge=0, le=1, description="The substrate also goes elsewhere.")
    consecutive: float = Field(0.20, ge=0, le=1, description="The product reacts on.")
    both: float = Field(0.35, ge=0, le=1, description="Both, with a catalyst that fades.")
    reversible: float = Field(0.10, ge=0, le=1, description="The product goes back.")
    fading: float = Field(0.15, ge=0, le=1, description="Only the catalyst fades.")

    @model_validator(mode="after")
    def _whole(self) -> Networks:
        if not math.isclose(total := sum(self.shares), 1.0, abs_tol=1e-9):
            raise ValueError(f"the shares add up to {total:g}; they must make 1")
        return self

    @property
    def shares(self) -> tuple[float, ...]:
        """Shares in the order of the fields."""
        return (self.parallel, self.consecutive, self.both, self.reversible, self.fading)


class Family(Model):
    """How the reactions of a family differ; the numbers behind it are in :mod:`rxnopt.simulators.family_draws`."""

    split: Literal["train", "test"] = Field(
        "train", description="Ligand families in the tasks of one are unknown to those of the other."
    )
    sizes: dict[Choice, Annotated[tuple[int, int], Field(strict=False)]] = Field(
        default_factory=dict, description="Least and most levels in a task; all levels of the card if left out."
    )
    networks: Networks = Field(default_factory=Networks, description="Share of each kind of network.")
    autocatalysis: float = Field(0.0, ge=0, le=1, description="Share of tasks whose product speeds up its formation.")
    descriptors: float | None = Field(
        None, ge=0, description="Levels are described by their hidden features with noise of this size; or not at all."
    )

    def check(self, parameters: Mapping[str, Any], constants: Mapping[str, str]) -> None:
        """Refuse a card without the parameters and constants that a family needs."""
        for name in CHOICES:
            if not isinstance(parameters.get(name), Categorical):
                refuse(f"a family needs the categorical parameter {name!r}; add it", "parameters")
        if not isinstance(parameters.get("temperature"), Continuous):
            refuse("a family needs the continuous parameter 'temperature'; add it", "parameters")
        for constant in CONSTANTS:
            if constant not in constants:
                refuse(f"a family draws the constant {constant!r}; add it", "constants")
        for choice, (least, most) in self.sizes.items():
            known = len(parameters[choice].levels)
            if not 2 <= least <= most <= known:
                refuse(f"[{least}, {most}] must rise from 2 to at most {known} levels", "family", "sizes", choice)
