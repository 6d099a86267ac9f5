"""What a lab file says to every adapter: units, and how far a read-back may differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from rxnopt.cards.adapters import StateWord
from rxnopt.cards.lab import LabCard
from rxnopt.cards.parameters import Continuous, Integer
from rxnopt.lab.interface import Quantity, RunState, Setting, Value

TOLERANCE = 1e-3
"""By how much a read-back may differ where the lab file does not say it, as a share of the range."""


def units_of(card: LabCard) -> dict[str, str]:
    """Return the unit of each parameter that is a number, and of each output."""
    numbers = {name: p.unit for name, p in card.parameters.items() if isinstance(p, Continuous | Integer)}
    return numbers | {name: output.unit for name, output in card.outputs.items()}


def native(card: LabCard, name: str, value: Value) -> float | str:
    """Return the number in the unit of the rig, or the level."""
    return value.to(units_of(card).get(name, "1")).value if isinstance(value, Quantity) else value


def mismatches(card: LabCard, wanted: Setting, found: Mapping[str, Value]) -> list[str]:
    """Return a sentence for each set-point that the device repeats otherwise than it was given."""
    sentences = []
    for name, value in wanted.items():
        back = found.get(name)
        if back is None:
            sentences.append(f"{name} was set to {value} and the device repeats nothing")
        elif not _same(card, name, value, back):
            sentences.append(f"{name} was set to {value} and the device repeats {back}")
    return sentences


def _same(card: LabCard, name: str, value: Value, back: Value) -> bool:
    given, read = native(card, name, value), native(card, name, back)
    if isinstance(given, str) or isinstance(read, str):
        return given == read
    p = card.parameters[name]
    if not isinstance(p, Continuous | Integer):
        return given == read
    tolerance = getattr(p, "tolerance", None)
    return abs(read - given) <= (TOLERANCE * (p.high - p.low) if tolerance is None else tolerance)


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
