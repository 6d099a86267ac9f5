"""The reaction card: space, model, outputs, objective, noise, limits, source."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from rxnopt.cards.base import (
    ENV_ID,
    Card,
    Expression,
    Identifier,
    Model,
    QuantityText,
    Reference,
    UnitText,
    refuse,
)
from rxnopt.cards.parameters import AnyParameter
from rxnopt.errors import did_you_mean


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


class Output(Model):
    """Something that an experiment returns."""

    formula: Expression = Field(description="Over parameters, constants, final states, paths and outputs above it.")
    unit: UnitText = Field("1", description="Unit in which it is reported.")
    description: str = Field("", description="A line for people.")


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


class Noise(Model):
    """Normal measurement error of one output: sd^2 = absolute^2 + (relative * value)^2."""

    sd: float = Field(0.0, ge=0, description="Standard deviation, in the unit of the output.")
    relative: float = Field(0.0, ge=0, description="Standard deviation as a fraction of the value.")


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


class KnownOptimum(Model):
    """The best known noise-free value of the objective and where it lies."""

    value: float = Field(description="In the unit of the output.")
    conditions: dict[str, float | int | str] = Field(description="One value for each parameter.")
    note: str = Field("", description="How it was found.")


class ReactionCard(Card):
    """One reaction: what can be set, what happens, what is measured and what is wanted."""

    WORDS: ClassVar[frozenset[str]] = Card.WORDS | {"id", "optimum"}

    id: Annotated[str, Field(pattern=ENV_ID)] = Field(
        description="Gymnasium id without its namespace, such as SnAr-v0."
    )
    budget: int = Field(25, ge=1, le=1_000_000, description="Experiments in an episode or campaign.")
    gas_constant: QuantityText = Field("8.314462618 J/mol/K", description="R_gas in formulas.")
    constants: dict[Identifier, QuantityText] = Field(default_factory=dict, description="Named numbers with units.")
    parameters: dict[Identifier, AnyParameter] = Field(min_length=1, description="What an experiment sets.")
    model: Annotated[OdeModel, Field(description="What happens.")]
    outputs: dict[Identifier, Output] = Field(min_length=1, description="What an experiment returns.")
    objective: Objective = Field(default_factory=lambda: Objective(maximize="yield"), description="What is wanted.")
    noise: dict[Identifier, Noise] = Field(default_factory=dict, description="Measurement error of outputs.")
    limits: dict[Identifier, Limit] = Field(default_factory=dict, description="Limits of outputs.")
    optimum: KnownOptimum | None = Field(None, description="Best known value.")

    @model_validator(mode="after")
    def _named(self) -> ReactionCard:
        named = [("objective", "maximize" if self.objective.maximize else "minimize", self.objective.output)]
        named += [("noise", name, name) for name in self.noise] + [("limits", name, name) for name in self.limits]
        for *where, name in named:
            if name not in self.outputs:
                hint = did_you_mean(name, self.outputs) or f"; outputs are {', '.join(self.outputs)}"
                refuse(f"{name!r} is no output{hint}", *where)
        if "failed" in self.outputs:
            refuse("the name 'failed' says whether an experiment failed; choose another", "outputs", "failed")
        return self

    @model_validator(mode="after")
    def _placed(self) -> ReactionCard:
        if self.optimum is not None:
            for name in self.optimum.conditions:
                if name not in self.parameters:
                    hint = did_you_mean(name, self.parameters)
                    refuse(f"{name!r} is no parameter{hint}", "optimum", "conditions", name)
            for name in self.parameters:
                if name not in self.optimum.conditions:
                    refuse(f"{name!r} has no value here; add it", "optimum", "conditions")
        return self


__all__ = ["OdeModel", "ReactionCard", "Reference"]
