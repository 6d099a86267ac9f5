"""The lab file: a device, what it sets and measures, and what it must never be asked for."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from rxnopt.cards.adapters import AnyAdapter
from rxnopt.cards.base import Card, ConditionText, Expression, Identifier, Model, QuantityText, UnitText, refuse
from rxnopt.cards.duration import Duration, seconds
from rxnopt.cards.inputs import input_dimensions
from rxnopt.cards.objective import check_constraints, constraint_dimensions
from rxnopt.cards.parameters import Binary, Categorical, Continuous, Integer, infer_kind
from rxnopt.cards.realism import Plate
from rxnopt.errors import FormulaError, UnitError, did_you_mean
from rxnopt.formulas import parse
from rxnopt.units import describe, quantity, same_dimension, unit


class _OnRig(Model):
    """What a number of a rig has beside its bounds."""

    tolerance: float | None = Field(
        None, ge=0, description="By how much a read-back may differ, in the unit; left out: a thousandth of the range."
    )
    max_step: float | None = Field(None, gt=0, description="Largest change from the run before, in the unit.")


class RigContinuous(Continuous, _OnRig):
    """A real number that the rig sets, within absolute limits."""


class RigInteger(Integer, _OnRig):
    """A whole number that the rig sets, within absolute limits."""


RigParameter = Annotated[
    Annotated[RigContinuous | RigInteger | Categorical | Binary, Field(discriminator="kind")],
    BeforeValidator(infer_kind),
]


class RigOutput(Model):
    """Something that the rig measures; a value beyond ``low`` and ``high`` cannot be true and is not learnt from."""

    unit: UnitText = Field("1", description="Unit in which the rig reports it.")
    low: float | None = Field(None, description="Smallest value that can be true; -5 % where the reaction is in %.")
    high: float | None = Field(None, description="Largest value that can be true; 105 % where the reaction is in %.")


class Reagent(Model):
    """A bottle, and what an experiment takes from it."""

    stock: QuantityText = Field(description="What there is at the start, and after 'rxnopt lab refill'.")
    use: Expression = Field(description="What one experiment takes: a quantity, or a formula over parameters.")


class Timeouts(Model):
    """How long the campaign waits, by its own monotonic clock."""

    connect: Duration = Field("10 s", description="For a connection.")
    call: Duration = Field("10 s", description="For the answer to one call.")
    poll: Duration = Field("1 s", description="Between two looks at a run.")
    stall: Duration = Field("60 s", description="Without any sign of life during a run.")
    run: Expression = Field(
        "12 h", description="For a whole run, as a quantity or a formula such as '3 * residence_time + dead_time'."
    )


class Approval(Model):
    """Whether a person allows each run before it is submitted."""

    required: bool | None = Field(None, description="Left out: yes, but for a digital twin of rxnopt.")
    expires: Duration = Field("8 h", description="An approval that is older counts no more.")


class FailurePolicy(Model):
    """What failures do."""

    in_a_row: int = Field(3, ge=1, description="Runs without a result, one after the other, that stop the campaign.")
    retries: int = Field(1, ge=0, description="How often a trial is run anew after a fault of the machine.")
    chemistry: Literal["failed", "zero"] = Field(
        "failed", description="What a run without product tells the agent: it failed, or its outputs are 0."
    )
    unknown: Literal["wait", "go_on"] = Field(
        "wait", description="Whether a run that may have happened holds the campaign until a person resolves it."
    )


class LabCard(Card):
    """A rig: its adapter, parameters, outputs, limits, and how it is watched."""

    WORDS: ClassVar[frozenset[str]] = Card.WORDS

    adapter: AnyAdapter = Field(description="How the device is spoken to.")
    constants: dict[Identifier, QuantityText] = Field(default_factory=dict, description="Named numbers with units.")
    parameters: dict[Identifier, RigParameter] = Field(
        min_length=1, description="What the rig sets: the parameters of the reaction, with absolute limits."
    )
    outputs: dict[Identifier, RigOutput] = Field(min_length=1, description="What the rig measures.")
    constraints: dict[Identifier, ConditionText] = Field(
        default_factory=dict, description="Inequalities over parameters, properties of levels and constants."
    )
    forbidden: tuple[dict[Identifier, str], ...] = Field(
        (), strict=False, description="Levels that never meet, such as {solvent: DMSO, base: NaH}."
    )
    reagents: dict[Identifier, Reagent] = Field(default_factory=dict, description="Bottles that run empty.")
    plate: Plate | None = Field(None, description="Experiments that the rig runs at once.")
    timeouts: Timeouts = Field(default_factory=Timeouts, description="How long the campaign waits.")
    approval: Approval = Field(default_factory=Approval, description="Whether a person allows each run.")
    failures: FailurePolicy = Field(default_factory=FailurePolicy, description="What failures do.")

    @model_validator(mode="after")
    def _fits(self) -> LabCard:
        check_constraints(self)
        for i, pair in enumerate(self.forbidden):
            for name, level in pair.items():
                parameter = self._named(name, "forbidden", str(i), name)
                if not isinstance(parameter, Categorical) or level not in parameter.levels:
                    refuse(f"{level!r} is no level of {name}", "forbidden", str(i), name)
        for name in self.plate.shared if self.plate else ():
            self._named(name, "plate", "shared")
        for name, reagent in self.reagents.items():
            stock = quantity(reagent.stock)
            if stock is not None:
                self._check(reagent.use, stock.dimension, "reagents", name, "use")
        self._check(self.timeouts.run, unit("s").dimension, "timeouts", "run")
        return self

    def _named(self, name: str, *where: str) -> Any:
        if name not in self.parameters:
            hint = did_you_mean(name, self.parameters) or f"; parameters are {', '.join(self.parameters)}"
            refuse(f"{name!r} is no parameter{hint}", *where)
        return self.parameters[name]

    def _check(self, text: str, wanted: Any, *where: str) -> None:
        """Refuse a quantity or formula that has another dimension than is wanted."""
        try:
            given = quantity(text)
            found = parse(text).dimension(constraint_dimensions(self)) if given is None else given.dimension
        except (FormulaError, UnitError) as error:
            refuse(str(error), *where)
        if not same_dimension(found, wanted):
            refuse(f"{text!r} is {describe(found)} and must be {describe(wanted)}", *where)


__all__ = ["Duration", "LabCard", "Reagent", "RigOutput", "RigParameter", "input_dimensions", "seconds"]
