"""Realism: what stands between a reaction and what a laboratory learns of it. Every option is off unless given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from rxnopt.cards.base import ConditionText, Identifier, Model, QuantityText, UnitText, refuse, validate
from rxnopt.cards.parameters import AnyParameter, Continuous
from rxnopt.catalogue import Source, Where
from rxnopt.errors import CardError, FormulaError, did_you_mean
from rxnopt.formulas import parse

MODEL = "model"
REASONS = (MODEL, "infeasible", "measurement", "dropout", "missing")
"""Reasons of a failure beside the rules of a card: the model has no result for these conditions, they break a
constraint, a measured output is no finite number, chance, a table has no such experiment."""


def _formula(text: str) -> str:
    try:
        names = parse(text).names
    except FormulaError as error:
        raise ValueError(str(error)) from error
    if not names:
        raise ValueError(f"{text!r} names no parameter, constant or output; a number stands without quotes")
    return text


Spread = Annotated[
    Annotated[float, Field(ge=0), Tag("number")] | Annotated[str, AfterValidator(_formula), Tag("formula")],
    Discriminator(lambda value: "formula" if isinstance(value, str) else "number"),
]
"""A standard deviation: a number in the unit of the output, or a formula over parameters, constants and outputs."""
Probability = Annotated[float, Field(ge=0, le=1)]


class Outliers(Model):
    """Now and then a measurement is much worse: its analysis error is ``scale`` times as large."""

    probability: Probability = Field(description="Share of measurements.")
    scale: float = Field(10.0, ge=1, description="How many times the standard deviation is as large.")


class Noise(Model):
    """Normal measurement error of one output: sd^2 = absolute^2 + (relative * value)^2 for each analysis."""

    sd: Spread = Field(0.0, description="Standard deviation of an analysis, in the unit of the output; or a formula.")
    relative: float = Field(0.0, ge=0, description="Standard deviation of an analysis as a fraction of the value.")
    run: Spread = Field(0.0, description="Standard deviation from run to run, the same for all analyses of a run.")
    replicates: int = Field(1, ge=1, le=1000, description="Analyses of a run, whose mean is the measured value.")
    outliers: Outliers | None = Field(None, description="Analyses that are much worse than the others.")


class Drift(Model):
    """What changes over a campaign; in experiment k, from 0: (1 + relative)^k times the value, + slope k + walk."""

    slope: float = Field(0.0, description="Change from experiment to experiment, in the unit of the name.")
    relative: float = Field(
        0.0, gt=-1, description="The same as a fraction of the value: -0.02 for an ageing catalyst."
    )
    walk: float = Field(0.0, ge=0, description="Standard deviation of a random change between two experiments.")

    @model_validator(mode="after")
    def _some(self) -> Drift:
        if not (self.slope or self.relative or self.walk):
            raise ValueError("give 'slope', 'relative' or 'walk'")
        return self


class Failures(Model):
    """Experiments that give no result."""

    probability: Probability = Field(0.0, description="Share of experiments that fail by chance (reason: dropout).")
    rules: dict[Identifier, ConditionText] = Field(
        default_factory=dict,
        description="Reason and when it happens: inequalities over parameters, constants and outputs.",
    )

    @model_validator(mode="after")
    def _reasons(self) -> Failures:
        for name in REASONS:
            if name in self.rules:
                refuse(f"the reason {name!r} has a meaning of its own; choose another name", "rules", name)
        return self


class Plate(Model):
    """Experiments that are run together and share parameters, such as the temperature of a plate."""

    size: int = Field(ge=2, le=10_000, description="Experiments on a plate.")
    shared: tuple[Identifier, ...] = Field(
        min_length=1, strict=False, description="Parameters that have one value for the whole plate."
    )


class Cost(Model):
    """What an experiment costs, whether it succeeds or not."""

    formula: Annotated[str, AfterValidator(_formula)] = Field(description="Over parameters and constants.")
    unit: UnitText = Field("1", description="Unit in which it is reported, of money, time or anything.")


Noises = Annotated[dict[Identifier, Noise], Field(default_factory=dict, description="Measurement error of outputs.")]
Drifts = Annotated[
    dict[Identifier, Drift],
    Field(default_factory=dict, description="Drift of outputs (the instrument) and of parameters (the plant)."),
]
MaybeFailures = Annotated[Failures, Field(default_factory=Failures, description="Experiments that fail.")]
MaybePlate = Annotated[Plate | None, Field(None, description="Experiments that are run together.")]
Delay = Annotated[int, Field(0, ge=0, le=1_000_000, description="Experiments begun before a result is known.")]
MaybeCost = Annotated[Cost | None, Field(None, description="What an experiment costs.")]


class Realism(Model):
    """The fields of a reaction card that stand between the reaction and what is learnt of it.

    ``constants`` are those of the card, or further ones that formulas given from outside may use.
    """

    constants: Annotated[
        dict[Identifier, QuantityText], Field(default_factory=dict, description="Named numbers with units.")
    ]
    noise: Noises
    drift: Drifts
    failures: MaybeFailures
    plate: MaybePlate
    delay: Delay
    cost: MaybeCost

    @classmethod
    def of(cls, card: Any) -> Realism:
        """Return these fields of a reaction card."""
        return cls.model_construct(**{name: getattr(card, name) for name in cls.model_fields})

    def check(self, outputs: Mapping[str, Any], parameters: Mapping[str, AnyParameter]) -> None:
        """Refuse names that the card does not have (:func:`rxnopt.cards.base.refuse`)."""
        for name in self.noise:
            if name not in outputs:
                hint = did_you_mean(name, outputs) or f"; outputs are {', '.join(outputs)}"
                refuse(f"{name!r} is no output{hint}", "noise", name)
        movable = [*outputs, *(name for name, card in parameters.items() if isinstance(card, Continuous))]
        for name in self.drift:
            if name not in movable:
                hint = did_you_mean(name, movable) or f"; these may drift: {', '.join(movable)}"
                refuse(f"{name!r} is no output and no continuous parameter{hint}", "drift", name)
        shared = self.plate.shared if self.plate else ()
        for name in shared:
            if name not in parameters:
                hint = did_you_mean(name, parameters) or f"; parameters are {', '.join(parameters)}"
                refuse(f"{name!r} is no parameter{hint}", "plate", "shared")
        if len(set(shared)) == len(parameters):
            refuse("all parameters are shared, so that a plate has one experiment; leave one free", "plate", "shared")


class Argument(Source):
    """Options that are given in a program."""

    def place(self, where: Where) -> str:
        """Return ``"realism.field"`` for a path of keys."""
        return ".".join(["realism", *map(str, where)])


Given = Realism | Mapping[str, Any] | bool
"""Options beside those of a card: fields that replace the ones of the same name; True for none, False for all off."""


def replaced(there: Realism, given: Given, outputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Realism:
    """Return the options ``there`` with those ``given``; raise :class:`rxnopt.errors.CardError` in one sentence."""
    if isinstance(given, bool):
        return there if given else Realism.model_validate({"constants": there.constants})
    if not isinstance(given, Realism | Mapping):
        raise CardError(f"realism={given!r} is not allowed; give a mapping of options, True or False")
    source = Argument("realism", {} if isinstance(given, Realism) else dict(given), {})
    new = given if isinstance(given, Realism) else validate(source, Realism)
    fields = {name: getattr(new, name) for name in new.model_fields_set}
    for name, value in fields.get("constants", {}).items():
        if name in outputs or name in parameters or there.constants.get(name, value) != value:
            raise CardError(f"{source.place(('constants', name))}: the name is taken by the card; choose another")
    fields["constants"] = there.constants | fields.get("constants", {})
    whole = there.model_copy(update=fields)
    try:
        whole.check(outputs, parameters)
    except PydanticCustomError as error:
        raise CardError(f"{source.place((error.context or {}).get('where', ()))}: {error.message()}") from None
    return whole
