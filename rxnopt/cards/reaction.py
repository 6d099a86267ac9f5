"""The reaction card: space, model, outputs, objective, noise, limits, source."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from rxnopt.cards.base import ENV_ID, FILE, PART, VERSION, Card, ConditionText, Identifier, Model, QuantityText, refuse
from rxnopt.cards.control import Control
from rxnopt.cards.data import DataFile
from rxnopt.cards.emulator import EmulatorModel
from rxnopt.cards.family import Family
from rxnopt.cards.generality import Generality
from rxnopt.cards.inputs import input_dimensions
from rxnopt.cards.model import LabModel, OdeModel, Output, ReactionStep
from rxnopt.cards.objective import Goal, Limit, Objective, check_constraints, check_names
from rxnopt.cards.parameters import AnyParameter
from rxnopt.cards.past import Past
from rxnopt.cards.realism import Delay, Drifts, MaybeCost, MaybeFailures, MaybePlate, Noises, Realism
from rxnopt.cards.table import DescriptorTable, TableModel, check_descriptors, check_held
from rxnopt.cards.uncertainty import ConstantName, Uncertain, UncertainConstant, uncertain_constants
from rxnopt.errors import CardError, did_you_mean


class KnownOptimum(Model):
    """The best known noise-free value of the objective and where it lies."""

    value: float = Field(description="In the unit of the output.")
    conditions: dict[str, float | int | str] = Field(default_factory=dict, description="One value for each parameter.")
    profile: str | None = Field(
        None, pattern=FILE, description="Of a control card: a CSV beside it, a row per interval, a column per control."
    )
    note: str = Field("", description="How it was found.")


class Part(Model):
    """A part of a table: the rows with these levels, as an environment of its own."""

    title: str = Field(description="What is held, for lists and figures.")
    levels: dict[Identifier, str] = Field(min_length=1, description="The level of each parameter that is held.")
    optimum: KnownOptimum | None = Field(None, description="Best value, at levels of the other parameters.")


def _kinetic(value: Any) -> Any:
    return {"kind": "ode", **value} if isinstance(value, dict) and "kind" not in value else value


AnyModel = Annotated[OdeModel | TableModel | EmulatorModel | LabModel, Field(discriminator="kind")]


class ReactionCard(Card):
    """One reaction: what can be set, what happens, what is measured and what is wanted."""

    WORDS: ClassVar[frozenset[str]] = Card.WORDS | {
        "id",
        "versions",
        "objectives",
        "optimum",
        "uncertainty",
        "generality",
        "descriptors",
        "parts",
        "past",
    }

    id: Annotated[str, Field(pattern=ENV_ID)] = Field(
        description="Gymnasium id without its namespace, such as SnAr-v0."
    )
    versions: dict[Annotated[str, Field(pattern=VERSION)], str] = Field(
        default_factory=dict, description="What each version of the id changed, such as 'v1: the feed is cold'."
    )
    budget: int = Field(25, ge=1, le=1_000_000, description="Experiments in an episode or campaign.")
    gas_constant: QuantityText = Field("8.314462618 J/mol/K", description="R_gas in formulas.")
    constants: dict[Identifier, QuantityText] = Field(default_factory=dict, description="Named numbers with units.")
    parameters: dict[Identifier, AnyParameter] = Field(min_length=1, description="What an experiment sets.")
    control: Control | None = Field(None, description="The parameters vary in time; left out: one value for a run.")
    data: dict[Identifier, DataFile] = Field(default_factory=dict, description="Files of measured data.")
    model: Annotated[AnyModel, BeforeValidator(_kinetic)] = Field(
        default_factory=LabModel, description="What happens; left out where the card has a 'lab'."
    )
    lab: str | None = Field(None, min_length=1, description="In place of a model: a lab file beside the card.")
    outputs: dict[Identifier, Output] = Field(min_length=1, description="What an experiment returns.")
    objective: Objective = Field(default_factory=lambda: Objective(maximize="yield"), description="What is wanted.")
    objectives: dict[Identifier, Goal] = Field(
        default_factory=dict, description="Two or more outputs for vector rewards, Pareto front and hypervolume."
    )
    noise: Noises
    drift: Drifts
    failures: MaybeFailures
    plate: MaybePlate
    delay: Delay
    cost: MaybeCost
    limits: dict[Identifier, Limit] = Field(default_factory=dict, description="Limits of outputs.")
    uncertainty: dict[ConstantName, Uncertain] = Field(
        default_factory=dict, description="How well constants are known: what a randomised environment draws from."
    )
    constraints: dict[Identifier, ConditionText] = Field(
        default_factory=dict,
        description="Inequalities over parameters, properties of levels and constants that conditions keep.",
    )
    family: Family | None = Field(None, description="Random reactions, each with its own constants.")
    generality: Generality | None = Field(None, description="Which parameters are substrates.")
    optimum: KnownOptimum | None = Field(None, description="Best known value.")
    parts: dict[Annotated[str, Field(pattern=PART)], Part] = Field(
        default_factory=dict, description="Parts of a table that are environments of their own, <name>-<part>."
    )
    descriptors: dict[Identifier, DescriptorTable] = Field(
        default_factory=dict, description="Published numbers of levels, for agents that ask for them."
    )
    past: dict[Annotated[str, Field(pattern=PART)], Past] = Field(
        default_factory=dict, description="Campaigns that others made, for comparisons."
    )

    @model_validator(mode="after")
    def _named(self) -> ReactionCard:
        check_names(self)
        check_constraints(self)
        if "failed" in self.outputs:
            refuse("the name 'failed' says whether an experiment failed; choose another", "outputs", "failed")
        self.realism.check(self.outputs, self.parameters)
        return self

    @property
    def realism(self) -> Realism:
        """What stands between the reaction and what is learnt of it."""
        return Realism.of(self)

    @model_validator(mode="after")
    def _placed(self) -> ReactionCard:
        if self.optimum is None:
            return self
        if self.control is not None:
            if self.optimum.profile is None or self.optimum.conditions:
                refuse("the optimum of a control card is a 'profile', without 'conditions'", "optimum")
        else:
            if self.optimum.profile is not None:
                refuse("a 'profile' belongs to a card with 'control'; give 'conditions'", "optimum", "profile")
            for name in self.optimum.conditions:
                if name not in self.parameters:
                    hint = did_you_mean(name, self.parameters)
                    refuse(f"{name!r} is no parameter{hint}", "optimum", "conditions", name)
            for name in self.parameters:
                if name not in self.optimum.conditions:
                    refuse(f"{name!r} has no value here; add it", "optimum", "conditions")
        return self

    @model_validator(mode="after")
    def _somewhere(self) -> ReactionCard:
        if self.lab is not None and not isinstance(self.model, LabModel):
            refuse("a card has a 'model' or a 'lab', where experiments are run; remove one of the two", "lab")
        if self.lab is None and isinstance(self.model, LabModel):
            refuse("the field 'model' is missing; add it")
        return self

    @model_validator(mode="after")
    def _measured(self) -> ReactionCard:
        if not isinstance(self.model, OdeModel):
            for field in ("control", "family", "uncertainty"):
                if getattr(self, field):
                    refuse(
                        f"a model of kind '{self.model.kind}' has no kinetics, which {field!r} needs; remove it", field
                    )
            taken = {"R_gas", *self.constants, *self.outputs, *input_dimensions(self)}
            self.model.check(self.parameters, self.data, taken)
        if isinstance(self.model, TableModel):
            for name, part in self.parts.items():
                check_held(part.levels, self.model, self.parameters, name)
        elif self.parts:
            refuse("only a table has parts; remove the block", "parts")
        check_descriptors(self.descriptors, self.parameters, self.data)
        for name, past in self.past.items():
            past.check(name, self.parameters, self.outputs, self.data)
        return self

    @model_validator(mode="after")
    def _known(self) -> ReactionCard:
        if self.control is not None and self.uncertainty:
            refuse("the constants of a control card cannot be uncertain; remove one of the two", "uncertainty")
        if self.control is not None and self.constraints:
            refuse("the controls of a control card have no constraints but their bounds; remove them", "constraints")
        if self.generality is not None:
            self.generality.check(self.parameters, "generality")
        self.uncertain()
        if self.family is not None:
            if self.uncertainty:
                refuse("a card has 'family' or 'uncertainty'; remove one", "uncertainty")
            self.family.check(self.parameters, self.constants)
        return self

    def uncertain(self) -> tuple[UncertainConstant, ...]:
        """Return the uncertain constants in the order of the card."""
        return uncertain_constants(self.uncertainty, self.constants, self.steps, self.gas_constant)

    @property
    def steps(self) -> dict[str, ReactionStep]:
        """The steps of the network by name; empty where there is none."""
        steps = self.model.reactions if isinstance(self.model, OdeModel) else ()
        return {step.name or f"r{i}": step for i, step in enumerate(steps, 1)}

    @property
    def kinetics(self) -> OdeModel:
        """The model of a card of kinetics; raise :class:`rxnopt.errors.CardError` where it is measured data."""
        if not isinstance(self.model, OdeModel):
            raise CardError(f"{self.name} has a model of kind '{self.model.kind}', which has no kinetics")
        return self.model

    def with_intervals(self, n: int) -> ReactionCard:
        """Return a control card with another number of intervals."""
        if self.control is None:
            raise ValueError(f"{self.name} is no control card")
        return self.model_copy(update={"control": self.control.model_copy(update={"intervals": n})})


class DrawnCard(ReactionCard):
    """A reaction whose uncertain constants were drawn; they belong to what the card does, and so to its digest."""

    drawn: tuple[float, ...]
