"""What a lab file says to every adapter: units, what a device repeats, and what its words mean."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, TypeVar

from rxnopt.cards.adapters import StateWord
from rxnopt.cards.lab import LabCard
from rxnopt.cards.parameters import Continuous, Integer
from rxnopt.errors import LabError
from rxnopt.lab.interface import Quantity, Request, RunState, Setting, Value
from rxnopt.lab.settings import differences, rig_unit

T = TypeVar("T")


def settings_of(card: LabCard, kind: type[T]) -> T:
    """Return the adapter's own section of a lab file; raise :class:`LabError` where it is for another adapter."""
    if not isinstance(card.adapter, kind):
        raise LabError(f"the adapter of {card.name} is {card.adapter.kind!r}, which is not the one that was asked for")
    return card.adapter


def units_of(card: LabCard) -> dict[str, str]:
    """Return the unit of each parameter that is a number, and of each output."""
    numbers = {name: p.unit for name, p in card.parameters.items() if isinstance(p, Continuous | Integer)}
    return numbers | {name: output.unit for name, output in card.outputs.items()}


def native(card: LabCard, name: str, value: Value) -> float | str:
    """Return the number in the unit of the rig, or the level."""
    return value.to(rig_unit(card, name)).value if isinstance(value, Quantity) else value


def told_values(units: Mapping[str, str], told: Mapping[str, Any]) -> dict[str, Value]:
    """Return what a device tells of parameters: levels, or numbers in the units of the rig; None is nothing told."""
    values = {name: value for name, value in told.items() if value is not None}
    return {n: v if isinstance(v, str) else Quantity(float(v), units.get(n, "1")) for n, v in values.items()}


def objections(request: Request, places: Collection[str], what: str) -> tuple[str, ...]:
    """Return what speaks against a request: a parameter without one of the ``places`` (``what``).

    A device at work or with an open interlock is no objection: these conditions may be run later.
    """
    return tuple(f"the lab file names no {what} for {name}" for name in request.setting if name not in places)


def mismatches(card: LabCard, wanted: Setting, found: Setting) -> list[str]:
    """Return a sentence for each set-point that the device repeats otherwise than it was given, or not at all."""
    silent = [name for name in wanted if name not in found]
    lacking = [f"{name} was asked to be {wanted[name]}, and the device repeats nothing" for name in silent]
    return [*lacking, *differences(card, wanted, found)]


def run_state(words: Mapping[str, StateWord], shown: Any) -> RunState:
    """Return what a device says of a run; UNKNOWN where it is a state of the device, or in no lab file."""
    word = words.get(str(shown))
    return RunState(word) if word in frozenset(RunState) else RunState.UNKNOWN


def device_state(words: Mapping[str, StateWord], shown: Any) -> Literal["idle", "busy", "fault", "interlock", "estop"]:
    """Return what a device says of itself; a word that is in no lab file is a fault."""
    match words.get(str(shown)):
        case "idle" | "done" | "failed" | "cancelled" | "absent":
            return "idle"
        case "queued" | "running":
            return "busy"
        case "interlock":
            return "interlock"
        case "estop":
            return "estop"
        case _:
            return "fault"
