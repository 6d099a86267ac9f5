"""The one conversion at the edge: conditions in the units of the reaction card, settings in those of the rig."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rxnopt.cards.lab import LabCard
from rxnopt.cards.parameters import Binary, Categorical, Continuous, Integer
from rxnopt.errors import LabError, UnitError, did_you_mean
from rxnopt.lab.interface import Quantity, Setting, Value
from rxnopt.simulators import Reaction
from rxnopt.space import Space


def rig_unit(card: LabCard, name: str) -> str:
    """Return the unit in which the rig sets a parameter."""
    parameter = card.parameters[name]
    return parameter.unit if isinstance(parameter, Continuous | Integer) else "1"


def to_setting(space: Space, card: LabCard, conditions: Mapping[str, Any]) -> Setting:
    """Return conditions in the units of the rig."""
    setting: dict[str, Value] = {}
    for parameter in space:
        value = conditions[parameter.name]
        if parameter.levels:
            setting[parameter.name] = str(value)
        else:
            setting[parameter.name] = Quantity(float(value), parameter.unit).to(rig_unit(card, parameter.name))
    return setting


def to_conditions(space: Space, setting: Setting) -> dict[str, Any]:
    """Return a setting in the units of the reaction card, as far as it goes; names that are no parameters are left."""
    found: dict[str, Any] = {}
    for parameter in space:
        value = setting.get(parameter.name)
        if isinstance(value, str):
            found[parameter.name] = value
        elif value is not None:
            found[parameter.name] = value.to(parameter.unit).value
    return found


def differences(card: LabCard, asked: Setting, told: Setting) -> list[str]:
    """Return where a rig repeats or reaches something else than was asked for, beyond the tolerances, a sentence each.

    Parameters of which the rig does not tell are left out; another dimension is a difference.
    """
    found = []
    for name, value in told.items():
        wanted = asked.get(name)
        if wanted is None:
            continue
        if isinstance(wanted, str) or isinstance(value, str):
            differs = wanted != value
        else:
            try:
                differs = not abs(value.to(wanted.unit).value - wanted.value) <= tolerance(card, name)
            except UnitError:
                differs = True
        if differs:
            found.append(f"{name} was asked to be {wanted} and is {value}")
    return found


def tolerance(card: LabCard, name: str) -> float:
    """Return by how much a read-back of a parameter may differ, in the unit of the rig."""
    parameter = card.parameters[name]
    if isinstance(parameter, Categorical | Binary):
        return 0.0
    own: float | None = getattr(parameter, "tolerance", None)
    return 0.001 * (parameter.high - parameter.low) if own is None else own


def believable(reaction: Reaction, card: LabCard, name: str) -> tuple[float, float]:
    """Return between which values an output can be true, in the unit of the reaction card.

    Where the lab file leaves it out, what is in % lies between -5 and 105, unless it follows from other outputs, as a
    profit does from a yield.
    """
    output, wanted = card.outputs[name], reaction.units[name]
    follows = name in reaction.measurement.following({*reaction.outputs} - {name})
    low, high = (-5.0, 105.0) if wanted == "%" and not follows else (-math.inf, math.inf)
    low = low if output.low is None else Quantity(output.low, output.unit).to(wanted).value
    return low, high if output.high is None else Quantity(output.high, output.unit).to(wanted).value


def check_fits(reaction: Reaction, card: LabCard) -> None:
    """Raise :class:`LabError` unless the rig sets what the reaction card varies and measures its objective."""
    space, outputs = reaction.space, reaction.units
    for name in card.parameters:
        if name not in space.names:
            hint = did_you_mean(name, space.names) or f"; its parameters are {', '.join(space.names)}"
            raise LabError(f"lab file {card.name}: the reaction has no parameter {name!r}{hint}")
    for parameter in space:
        if parameter.name not in card.parameters:
            raise LabError(f"lab file {card.name}: the rig lacks the parameter {parameter.name!r}; add it")
        if bool(parameter.levels) != isinstance(card.parameters[parameter.name], Categorical):
            raise LabError(f"lab file {card.name}: {parameter.name} has levels in one of the two cards only")
        if not parameter.levels:
            _same(Quantity(parameter.low, parameter.unit), rig_unit(card, parameter.name), card, parameter.name)
    for name, output in card.outputs.items():
        if name not in outputs:
            hint = did_you_mean(name, outputs) or f"; its outputs are {', '.join(outputs)}"
            raise LabError(f"lab file {card.name}: the reaction has no output {name!r}{hint}")
        _same(Quantity(0.0, output.unit), outputs[name], card, name)
    if reaction.objective not in [*card.outputs, *reaction.measurement.following(card.outputs)]:
        raise LabError(
            f"lab file {card.name}: the rig does not measure the objective {reaction.objective!r}, nor what it is "
            "worked out from; add it to outputs"
        )


def _same(quantity: Quantity, wanted: str, card: LabCard, name: str) -> None:
    try:
        quantity.to(wanted)
    except UnitError as error:
        raise LabError(f"lab file {card.name}: {name}: {error}") from error
