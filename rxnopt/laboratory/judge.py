"""What a result of a rig says about trials: it is kept raw, and only what can be true is fed to an agent."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from typing import Any

from rxnopt.cards.lab import LabCard
from rxnopt.errors import UnitError
from rxnopt.events import Entry
from rxnopt.lab.interface import Measured, Quantity, Result, Setting
from rxnopt.lab.settings import believable, differences, to_conditions
from rxnopt.record import Record
from rxnopt.runs import Run, plain, quantity_row


def judged(record: Record, card: LabCard, run: Run, result: Result) -> tuple[list[Entry], dict[str, Any]]:
    """Return the events of the trials of a run that has ended, and what the run itself keeps of the result.

    ``invalid`` of the latter lists why values were not believed; ``empty``: no position gave data.
    """
    entries: list[Entry] = []
    notes, empty = [], True
    for number, asked, measured in zip(run.trials, run.positions, result.positions, strict=True):
        payload = _trial(record, card, list(record)[number].conditions, measured) | {"run": run.id}
        if payload.get("failure") == "invalid":
            notes.append(f"trial {number}: {payload['why']}")
        notes += [f"trial {number}: {each}" for each in differences(card, asked, measured.achieved)]
        empty &= payload["outputs"] is None
        pending = [trial for trial in record if trial.number == number and trial.status == "pending"]
        kind = "corrected" if not pending else "failed" if payload["outputs"] is None else "done"
        entries.append((number, kind, payload))
    return entries, {"notes": notes, "empty": empty}


def _trial(record: Record, card: LabCard, conditions: Mapping[str, Any], measured: Measured) -> dict[str, Any]:
    """Return the payload of one trial; raw values and what was achieved are in it, whatever they are."""
    kept: dict[str, Any] = {"outputs": None, "raw": raw(measured)}
    achieved = {} if measured.failure else achieved_conditions(record, measured.achieved)
    kept |= {"achieved": achieved} if achieved else {}
    if measured.failure == "machine":
        return kept | {"failure": "machine", "why": measured.message}
    if measured.failure == "chemistry":
        zero = card.failures.chemistry == "zero"
        told = record.told(record.completed(conditions, dict.fromkeys(card.outputs, 0.0))) if zero else {}
        return kept | told | {"failure": None if zero else "chemistry", "why": measured.message}
    if measured.quality != "good":
        return kept | {"failure": "invalid", "why": f"its quality is {measured.quality} {measured.message}".strip()}
    outputs, doubt = believed(record, card, measured.outputs)
    if doubt:
        return kept | {"failure": "invalid", "why": doubt}
    outputs = record.completed(conditions, outputs)
    lacking = [name for name in (record.reaction.objective, *record.goals) if name not in outputs]
    return kept | ({"failure": "invalid", "why": f"{lacking[0]} is missing"} if lacking else record.told(outputs))


def believed(record: Record, card: LabCard, outputs: Mapping[str, Quantity]) -> tuple[dict[str, float], str]:
    """Return outputs in the units of the reaction card, and what cannot be true of them ("": nothing)."""
    found: dict[str, float] = {}
    for name, value in outputs.items():
        if name not in card.outputs:
            continue  # kept raw: the rig measures more than the campaign wants
        try:
            own = value.to(record.reaction.units[name])
        except UnitError as error:
            return {}, f"{name}: {error}"
        low, high = believable(record.reaction, card, name)
        if not math.isfinite(own.value):
            return {}, f"{name} is {own.value}"
        if not low <= own.value <= high:
            return {}, f"{name} = {own} cannot be true"
        found[name] = own.value
    return found, ""


def achieved_conditions(record: Record, achieved: Setting) -> dict[str, Any]:
    """Return what was achieved in the units of the reaction card; what is no number of that kind is left out."""
    found: dict[str, Any] = {}
    for name, value in achieved.items():
        if isinstance(value, str) or value.finite:
            with contextlib.suppress(UnitError):  # it stands in the notes of the run
                found |= to_conditions(record.space, {name: value})
    return found


def raw(measured: Measured) -> dict[str, Any]:
    """Return what a rig told, as JSON can hold it: NaN becomes text."""
    outputs = {name: quantity_row(value) for name, value in measured.outputs.items()}
    reached = plain(measured.achieved)
    return {"outputs": outputs, "achieved": reached, "quality": measured.quality, "message": measured.message}


__all__ = ["believed", "judged", "raw"]
