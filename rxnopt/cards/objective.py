"""What is wanted of a reaction and what must be kept: objectives, limits of outputs, constraints of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from rxnopt.cards.base import Model, refuse
from rxnopt.cards.inputs import Constrained, input_dimensions
from rxnopt.errors import FormulaError, did_you_mean
from rxnopt.formulas import parse_condition
from rxnopt.units import Dimension, quantity

if TYPE_CHECKING:
    from rxnopt.cards.reaction import ReactionCard


class Objective(Model):
    """What is to be made large or small."""

    maximize: str | None = Field(None, description="Name of an output.")
    minimize: str | None = Field(None, description="Name of an output.")

    @model_validator(mode="after")
    def _one(self) -> Objective:
        if (self.maximize is None) == (self.minimize is None):
            raise ValueError("give either 'maximize' or 'minimize'")
        return self

    @property
    def output(self) -> str:
        """Name of the output."""
        return self.maximize or self.minimize or ""

    @property
    def sign(self) -> float:
        """+1 where large is good, -1 where small is."""
        return 1.0 if self.maximize else -1.0


class Goal(Model):
    """One of several objectives."""

    direction: Literal["maximize", "minimize"] = Field(description="Whether the output is to be made large or small.")
    reference: float = Field(
        description="Value, in the unit of the output, from which on a result counts: the reference point of the "
        "hypervolume, and the zero of weighted objectives."
    )

    @property
    def sign(self) -> float:
        """+1 where large is good, -1 where small is."""
        return 1.0 if self.direction == "maximize" else -1.0


class Limit(Model):
    """Bounds that an output should keep; experiments outside are marked, not altered."""

    low: float | None = Field(None, description="Lower limit, in the unit of the output.")
    high: float | None = Field(None, description="Upper limit, in the unit of the output.")

    @model_validator(mode="after")
    def _ordered(self) -> Limit:
        if self.low is None and self.high is None:
            raise ValueError("give 'low', 'high' or both")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}; mend one of them")
        return self

    @property
    def size(self) -> float:
        """The larger of the two limits without its sign, 1 where that is 0: what an excess is measured against."""
        return max(abs(self.low or 0.0), abs(self.high or 0.0)) or 1.0


def constraint_dimensions(card: Constrained) -> dict[str, Dimension]:
    """Return the dimension of each name that a constraint may use: parameters, properties of levels, constants."""
    constants = {name: q.dimension for name, text in card.constants.items() if (q := quantity(text)) is not None}
    return constants | input_dimensions(card)


def check_constraints(card: Constrained) -> None:
    """Refuse constraints with unknown names, of unequal dimensions, or that no parameter takes part in."""
    known = constraint_dimensions(card) if card.constraints else {}
    for name, text in card.constraints.items():
        excess = parse_condition(text).excess
        try:
            excess.dimension(known)
        except FormulaError as error:
            refuse(str(error), "constraints", name)
        if excess.names <= set(card.constants):
            refuse(f"{text!r} names no parameter, so that no conditions could keep it", "constraints", name)


def check_names(card: ReactionCard) -> None:
    """Refuse objectives and limits of what is no output, and a single entry under ``objectives``."""
    named = [("objective", "maximize" if card.objective.maximize else "minimize", card.objective.output)]
    named += [(field, name, name) for field in ("objectives", "limits") for name in getattr(card, field)]
    named += [("control", "measured", name) for name in (card.control.measured if card.control else ())]
    for *where, name in named:
        if name not in card.outputs:
            hint = did_you_mean(name, card.outputs) or f"; outputs are {', '.join(card.outputs)}"
            refuse(f"{name!r} is no output{hint}", *where)
    if len(card.objectives) == 1:
        refuse("one objective alone is the field 'objective'; give two or more here", "objectives")
