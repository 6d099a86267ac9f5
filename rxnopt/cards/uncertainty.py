"""Uncertain constants of a reaction card: which, how far they may lie from the card, and what moves together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from rxnopt.cards.base import Identifier, Model, QuantityText, refuse
from rxnopt.errors import did_you_mean
from rxnopt.units import Dimension, Quantity, Unit, describe, quantity, same_dimension, unit

if TYPE_CHECKING:
    from rxnopt.cards.model import ReactionStep

ConstantName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*(\.(k|Ea))?$", max_length=70)]


class Uncertain(Model):
    """How far one constant may lie from the value of the card; z is uniform in [-1, 1] or standard normal.

    ``relative`` r: value * (1 + r)^z, which keeps its sign. ``absolute`` a: value + a * z.
    """

    relative: float | None = Field(None, gt=0, le=10, description="0.3: up to 30 % more, or less by the same factor.")
    absolute: QuantityText | None = Field(None, description="A difference with its unit, such as 5 kJ/mol.")
    distribution: Literal["uniform", "normal"] = Field(
        "uniform", description="z is uniform in [-1, 1], or standard normal: the spread is then one standard deviation."
    )
    at: Literal["infinity"] | QuantityText | None = Field(
        None,
        description="Temperature at which the rate constant stays as it is when its Ea moves; at infinity it is the "
        "pre-exponential factor that stays.",
    )
    group: Identifier | None = Field(None, description="Constants of one group share one z: they move together.")

    @model_validator(mode="after")
    def _one(self) -> Uncertain:
        if (self.relative is None) == (self.absolute is None):
            raise ValueError("give either 'relative' or 'absolute'")
        return self


@dataclass(frozen=True)
class UncertainConstant:
    """An uncertain constant, checked; numbers in SI.

    ``name``: that of a constant of the card, or ``<step>.k`` and ``<step>.Ea``. ``unit``: in which values are told.
    ``formula``: the card gives no number but a formula; the value is then a factor of it (nominally 1) or, where the
    spread is absolute, a shift (nominally 0). ``at``: temperature (K, or inf) where the rate constant is held; None
    where that is the one of its step.
    """

    name: str
    nominal: float
    unit: Unit
    spread: float
    relative: bool
    distribution: Literal["uniform", "normal"]
    group: str
    formula: bool
    at: float | None

    @property
    def symbol(self) -> str:
        """Name in the mathematics; no name of a card begins with '_'."""
        return f"_{self.name.replace('.', '_')}"


def uncertain_constants(
    uncertainty: Mapping[str, Uncertain], constants: Mapping[str, str], steps: Mapping[str, ReactionStep], gas: str
) -> tuple[UncertainConstant, ...]:
    """Check the uncertain constants of a card and return them in its order.

    ``steps``: the steps of the network by name. ``gas``: the gas constant. Errors are those of a validator.
    """
    known = [*constants, *(f"{name}.{field}" for name, step in steps.items() for field in _fields(step))]
    gas_constant = quantity(gas)
    found = []
    for name, given in uncertainty.items():
        if name not in known:
            hint = did_you_mean(name, known) or f"; constants are {', '.join(known)}"
            refuse(f"{name!r} is no constant of this card{hint}", "uncertainty", name)
        step, _, field = name.partition(".")
        text = getattr(steps[step], field) if field else constants[name]
        at = _held(name, given, steps[step] if field else None)
        found.append(_constant(name, given, text, at, gas_constant.si if gas_constant else 1.0))
    return tuple(found)


def _fields(step: ReactionStep) -> list[str]:
    return [field for field in ("k", "Ea") if getattr(step, field) is not None]


def _held(name: str, given: Uncertain, step: ReactionStep | None) -> float | None:
    """Return the temperature (K) at which a moved barrier leaves the rate constant as it is; None: that of its step."""
    where = ("uncertainty", name, "at")
    if step is None or not name.endswith(".Ea"):
        if given.at is not None:
            refuse("'at' belongs to the Ea of a step, such as r1.Ea; remove it", *where)
        return None
    if given.at is None:
        if step.at is None:
            refuse(
                "say at which temperature the rate constant stays as it is, such as 'at: 80 degC', or 'at: infinity' "
                "where it is the pre-exponential factor that stays", "uncertainty", name,
            )  # fmt: skip
        return None
    if given.at == "infinity":
        return inf
    temperature = quantity(given.at)
    if temperature is None or not same_dimension(temperature.dimension, unit("K").dimension) or temperature.si <= 0:
        refuse(f"{given.at!r} is no temperature; write it like '80 degC', or 'infinity'", *where)
    return temperature.si


def _constant(name: str, given: Uncertain, text: str, at: float | None, gas: float) -> UncertainConstant:
    nominal, where = quantity(text), ("uncertainty", name)
    if given.absolute is None:
        if nominal is not None and nominal.si == 0:
            refuse(f"{name} is {text}, and a relative spread leaves it there; give 'absolute'", *where, "relative")
        value, own, spread = (nominal.si, nominal.unit, given.relative) if nominal else (1.0, unit("1"), given.relative)
    elif name.endswith(".k"):
        refuse("a rate constant keeps its sign; give 'relative'", *where, "absolute")
    else:
        difference = quantity(given.absolute)
        if difference is None or difference.si - difference.unit.offset <= 0:
            refuse(f"{given.absolute!r} must be a difference above 0, such as '5 kJ/mol'", *where, "absolute")
        value, own = (nominal.si, nominal.unit) if nominal else (0.0, difference.unit)
        spread = _difference(difference, own.dimension, gas if name.endswith(".Ea") else None, *where, "absolute")
    shared = given.group or f" {name}"
    return UncertainConstant(
        name, value, own, spread or 0.0, given.absolute is None, given.distribution, shared, nominal is None, at
    )


def _difference(difference: Quantity, needed: Dimension, gas: float | None, *where: str) -> float:
    """Return a difference in SI; that of a barrier may be in kJ/mol where the card has Ea over R, and the reverse."""
    value = difference.si - difference.unit.offset
    if same_dimension(difference.dimension, needed):
        return value
    energy, kelvin = unit("J/mol").dimension, unit("K").dimension
    if gas is not None and same_dimension(difference.dimension, energy) and same_dimension(needed, kelvin):
        return value / gas
    if gas is not None and same_dimension(difference.dimension, kelvin) and same_dimension(needed, energy):
        return value * gas
    refuse(f"{difference.text!r} is in {describe(difference.dimension)}, the constant in {describe(needed)}", *where)
