"""What happens in a reaction: its network, its reactor, and what an experiment returns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rxnopt.cards.base import ConditionText, Expression, Identifier, Model, QuantityText, UnitText, refuse


class ReactionStep(Model):
    """One step of the network: an equation and its rate."""

    equation: str = Field(max_length=300, description="Such as 'A + 2 B -> C'; a reversible step is two steps.")
    name: Identifier | None = Field(None, description="Name of the rate in formulas; r1, r2 ... by default.")
    k: Expression | None = Field(None, description="Rate constant (or, without 'at', the pre-exponential factor).")
    Ea: Expression | None = Field(None, description="Activation energy (kJ/mol), or energy over R (K).")
    at: QuantityText | None = Field(None, description="Temperature at which k holds.")
    orders: dict[Identifier, Annotated[float, Field(ge=-10, le=10)]] | None = Field(
        None, description="Orders where they differ from mass action."
    )
    rate: Expression | None = Field(None, description="Free rate law, instead of k.")

    @model_validator(mode="after")
    def _one_law(self) -> ReactionStep:
        if (self.k is None) == (self.rate is None):
            raise ValueError("give either 'k' (mass action) or 'rate' (a free rate law), and not both")
        if self.rate is not None and (self.Ea or self.at or self.orders):
            raise ValueError("'Ea', 'at' and 'orders' belong to 'k'; a free 'rate' holds everything itself")
        if self.at is not None and self.Ea is None:
            raise ValueError("'at' says where k was measured and needs 'Ea'; add it")
        return self


class Reactor(Model):
    """The vessel."""

    type: Literal["batch", "pfr", "semibatch", "cstr", "custom"] = Field(
        description="batch and pfr integrate over 'time'; semibatch also feeds; cstr is a steady state; "
        "custom has no material balances but those written under 'states'."
    )
    time: Expression | None = Field(None, description="Reaction or residence time; left out: steady state (custom).")
    until: ConditionText | None = Field(
        None, description="The run ends where this becomes true, at the latest at 'time'."
    )
    temperature: Expression | None = Field(None, description="Needed as soon as a step has an Ea; may be a state.")
    tanks: Expression | None = Field(None, description="Equal stirred tanks in series (cstr); 1 by default.")
    volume: Expression | None = Field(None, description="Volume at the start (semibatch); V in formulas.")
    feed_flow: Expression | None = Field(None, description="Volume flow of the feed (semibatch).")

    @model_validator(mode="after")
    def _complete(self) -> Reactor:
        semibatch = self.type == "semibatch"
        needs = {"time": self.type != "custom", "volume": semibatch, "feed_flow": semibatch}
        takes = {"volume": semibatch, "feed_flow": semibatch, "tanks": self.type == "cstr"}
        for field, needed in needs.items():
            if needed and getattr(self, field) is None:
                raise ValueError(f"a {self.type} reactor needs the field {field!r}; add it")
        if self.until is not None and (self.type == "cstr" or self.time is None):
            raise ValueError("a steady state has no run that 'until' could end; remove it")
        for field, taken in takes.items():
            if not taken and getattr(self, field) is not None:
                raise ValueError(f"a {self.type} reactor has no field {field!r}; remove it")
        return self


class State(Model):
    """A state beside the concentrations: a temperature, a jacket, a volume."""

    unit: UnitText = Field("1", description="Unit of the state.")
    initial: Expression = Field(description="Value at the start, or first guess of a steady state.")
    derivative: Expression = Field(description="Its change with time; at steady state this is zero.")
    nonnegative: bool = Field(False, description="Physics forbids values below zero.")


class Path(Model):
    """The largest or smallest value of something on the way."""

    max: Expression | None = Field(None, description="Largest value of this formula.")
    min: Expression | None = Field(None, description="Smallest value of this formula.")

    @model_validator(mode="after")
    def _one(self) -> Path:
        if (self.max is None) == (self.min is None):
            raise ValueError("give either 'max' or 'min'")
        return self


class OdeModel(Model):
    """Kinetics: a network of reactions in a reactor."""

    kind: Literal["ode"] = "ode"
    reactor: Reactor
    species_unit: UnitText = Field("mol/L", description="What the network counts: mol/L, or 1 for mass fractions.")
    initial: dict[Identifier, Expression] = Field(default_factory=dict, description="Charge (batch, semibatch).")
    feed: dict[Identifier, Expression] = Field(default_factory=dict, description="Inlet (pfr, cstr, semibatch).")
    variables: dict[Identifier, Expression] = Field(default_factory=dict, description="Named parts of formulas.")
    formulas: dict[Identifier, str] = Field(
        default_factory=dict, description="Sum formulas of species; steps whose species all have one must balance."
    )
    reactions: tuple[ReactionStep, ...] = Field((), description="The steps.", strict=False)
    states: dict[Identifier, State] = Field(default_factory=dict, description="States beside the species.")
    path: dict[Identifier, Path] = Field(default_factory=dict, description="Extremes on the way, for outputs.")

    @model_validator(mode="after")
    def _streams(self) -> OdeModel:
        takes = {"initial": ("batch", "semibatch"), "feed": ("pfr", "cstr", "semibatch")}
        for field, types in takes.items():
            if getattr(self, field) and self.reactor.type not in types:
                other = "feed" if field == "initial" else "initial"
                remedy = "write it under 'states'" if self.reactor.type == "custom" else f"use {other!r}"
                refuse(f"a {self.reactor.type} reactor has no {field!r}; {remedy}", field)
        streams = [field for field, types in takes.items() if self.reactor.type in types]
        if self.reactions and streams and not any(getattr(self, field) for field in streams):
            refuse(f"nothing goes into the {self.reactor.type} reactor; add {' or '.join(map(repr, streams))}")
        if self.reactor.tanks is not None and self.states:
            refuse("tanks in series cannot have 'states', which would not see the tank before; remove one", "states")
        if not self.reactions and not self.states:
            raise ValueError("a model needs 'reactions' or 'states'; add one")
        return self


class LabModel(Model):
    """No model: experiments are run on the rig of the lab file that the card names."""

    kind: Literal["lab"] = "lab"

    def check(self, *_: object) -> None:
        """There is nothing that could be wrong."""


class Output(Model):
    """Something that an experiment returns."""

    formula: Expression = Field(description="Over parameters, constants, final states, paths and outputs above it.")
    unit: UnitText = Field("1", description="Unit in which it is reported.")
    description: str = Field("", description="A line for people.")
