"""Experiments on a rig in the format of the Open Reaction Database (Kearnes et al., doi:10.1021/jacs.1c09820).

:func:`dataset` needs nothing but the record; :func:`save` checks the result with ord-schema and writes it. What is no
experiment (rejected, denied, a fault of the machine, a result that cannot be true, UNKNOWN) is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from email.utils import parseaddr
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rxnopt.errors import LabError
from rxnopt.events import Event, Trial
from rxnopt.lab.adapters.calls import extra
from rxnopt.lab.interface import TWIN
from rxnopt.record import Record
from rxnopt.runs import Run
from rxnopt.units import unit

SUFFIXES = (".pb", ".pbtxt", ".json")
"""Endings of files, each also with ``.gz``: binary, text and JSON messages."""
ROLES = {"solvent": "SOLVENT", "catalyst": "CATALYST", "base": "REAGENT", "ligand": "REAGENT", "additive": "REAGENT"}
"""Names of parameters that say what a substance does; of others it is not known."""
UNITS = {"temperature": ("degC", "CELSIUS"), "pressure": ("bar", "BAR"), "time": ("min", "MINUTE")}
NOT_GIVEN = {"unmeasured": {"type": "CUSTOM", "details": "not told by the journal"}}
CHEMISTRY = "chemistry"


def dataset(record: Record, by: str) -> dict[str, Any]:
    """Return the experiments of a campaign as an ORD ``Dataset`` in its JSON form.

    ``by``: who recorded them, ``Name <address>``; the database asks for both. Raises :class:`LabError` without them.
    """
    name, address = parseaddr(by)
    if not name or "@" not in address:
        raise LabError(f"the database asks who recorded the experiments; {by!r} is not like 'Anna Lee <anna@lab.org>'")
    events, card, device = record.journal.events(), record.reaction.card, record.ledger.configuration.get("device")
    if device is None:
        raise LabError("the journal holds no experiment on a rig; there is nothing to export for the database")
    latest = {number: run for run in record.ledger.runs.values() for number in run.trials}
    begun = {event.payload["run"]: event for event in events if event.kind == "run.submitting"}
    person = {"name": name, "email": address}
    reactions = [
        _reaction(record, trial, latest.get(trial.number), begun, _told(events, trial.number), person)
        for trial in record
        if trial.status == "done" or trial.failure == CHEMISTRY
    ]
    if not reactions:
        raise LabError("the journal holds no experiment with a result; there is nothing to export for the database")
    twin = "Simulated by a digital twin: no reaction was run. " if device[0] == TWIN else ""
    source = card.source.doi if card.source and card.source.doi else None
    told = f"{twin}A campaign of rxnopt {version('rxnopt-gym')} on {' '.join(filter(None, device[:2]))}: {card.title}."
    return {
        "name": f"rxnopt campaign on {card.name}",
        "description": told + (f" The reaction is described after doi:{source}." if source else ""),
        "reactions": reactions,
    }


def _told(events: Iterable[Event], number: int) -> list[Event]:
    """Return the events that gave a trial its result, and those that corrected it."""
    return [event for event in events if event.trial == number and event.kind != "proposed"]


def _reaction(
    record: Record, trial: Trial, run: Run | None, begun: Mapping[str, Event], told: list[Event], person: dict[str, str]
) -> dict[str, Any]:
    values = {name: _said(record, name, value) for name, value in trial.conditions.items()}
    start = told[0] if run is None else begun.get(run.id, told[0])
    details = "; ".join(f"{name} = {value}" for name, value in values.items())
    found: dict[str, Any] = {
        "identifiers": [{"type": "REACTION_TYPE", "value": record.reaction.card.title}],
        "inputs": _inputs(record, trial, details),
        "setup": {"isAutomated": not trial.manual},
        "conditions": {"details": details, **_conditions(record, trial)},
        "notes": {"procedureDetails": "no product" if trial.outputs is None else "as the conditions say"},
        "outcomes": [_outcome(record, trial)],
        "provenance": {
            "experimentStart": {"value": min(start, told[0], key=lambda event: event.wall).utc},
            "recordCreated": {"time": {"value": told[0].utc}, "person": person},
            "recordModified": [
                {
                    "time": {"value": event.utc},
                    "person": person,
                    "details": f"corrected by {event.payload['by']}",
                }
                for event in told[1:]
            ],
        },
    }
    if run is not None:
        found["identifiers"].append({"type": "CUSTOM", "details": "run of rxnopt", "value": run.id})
    return found


def _said(record: Record, name: str, value: Any) -> str:
    own = getattr(record.reaction.card.parameters[name], "unit", "1")
    return value if isinstance(value, str) else f"{value:.6g} {own}".removesuffix(" 1")


def _inputs(record: Record, trial: Trial, details: str) -> dict[str, Any]:
    """Return substances: levels with a SMILES, what the model feeds by name, or the mixture as a whole."""
    card = record.reaction.card
    found: dict[str, Any] = {}
    for name, level in trial.conditions.items():
        levels = getattr(card.parameters[name], "levels", {})
        smiles = [str(value) for key, value in levels.get(str(level), {}).items() if "smiles" in key]
        if smiles:
            identifiers = [{"type": "NAME", "value": str(level)}, {"type": "SMILES", "value": smiles[0]}]
            role = {"reactionRole": ROLES[name]} if name in ROLES else {}
            found[name] = {"components": [{"identifiers": identifiers, "amount": NOT_GIVEN, **role}]}
    for field, where in (("initial", "at the start"), ("feed", "at the inlet")):
        for name, formula in getattr(card.model, field, {}).items():
            told = f"concentration {where} = {formula}, where {details}"
            amount = {"unmeasured": {"type": "CUSTOM", "details": told}}
            found[name] = {"components": [{"identifiers": [{"type": "NAME", "value": name}], "amount": amount}]}
    mixture = [{"type": "NAME", "value": f"reaction mixture: {card.title}"}]
    return found or {"mixture": {"components": [{"identifiers": mixture, "amount": NOT_GIVEN}]}}


def _conditions(record: Record, trial: Trial) -> dict[str, Any]:
    """Return temperature and pressure: as set, and as the rig told."""
    found: dict[str, Any] = {}
    for key in ("temperature", "pressure"):
        setpoint, achieved = (_quantity(record, key, values) for values in (trial.conditions, trial.achieved or {}))
        if setpoint is not None:
            found[key] = {"setpoint": setpoint}
        if achieved is not None:
            found[key]["measurements"] = [{"type": "CUSTOM", "details": "as the rig told", key: achieved}]
    return found


def _quantity(record: Record, key: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the value of the one parameter of a dimension; None where there are none or several, or it is not told."""
    text, units = UNITS[key]
    wanted = unit(text)
    own = {name: unit(getattr(each, "unit", "1")) for name, each in record.reaction.card.parameters.items()}
    names = [name for name, each in own.items() if each.dimension == wanted.dimension]
    if len(names) != 1 or names[0] not in values:
        return None
    return {"value": float(wanted.from_si(own[names[0]].to_si(values[names[0]]))), "units": units}


def _outcome(record: Record, trial: Trial) -> dict[str, Any]:
    """Return what was measured; what only follows from it is left out."""
    card, time = record.reaction.card, _quantity(record, "time", trial.conditions)
    found: dict[str, Any] = {} if time is None else {"reactionTime": time}
    measured = record.ledger.configuration["bounds"]
    values = {name: value for name, value in (trial.outputs or {}).items() if name in measured}
    if values:
        found["products"] = [
            {"identifiers": [{"type": "NAME", "value": f"product: {card.title}"}], "isDesiredProduct": True,
             "measurements": list(_measurements(card.outputs, values))}
        ]  # fmt: skip
        found["analyses"] = {"rig": {"type": "CUSTOM", "details": "as the rig or a person told it"}}
    return found


def _measurements(outputs: Mapping[str, Any], values: Mapping[str, float]) -> Iterable[dict[str, Any]]:
    for name, value in values.items():
        if name == "yield" and outputs[name].unit == "%":
            yield {"analysisKey": "rig", "type": "YIELD", "percentage": {"value": value}}
        else:
            said = f"{name} in {outputs[name].unit}".removesuffix(" in 1")
            yield {"analysisKey": "rig", "type": "CUSTOM", "details": said, "floatValue": {"value": value}}


def save(plain: Mapping[str, Any], path: Path) -> None:
    """Check a dataset with ord-schema and write it; raise :class:`LabError` where the schema refuses it."""
    with extra("ord", "a file of the Open Reaction Database"):
        from google.protobuf import json_format
        from ord_schema import message_helpers, validations
        from ord_schema.proto import dataset_pb2
    message = json_format.ParseDict(plain, dataset_pb2.Dataset())
    errors = validations.validate_message(message, raise_on_error=False).errors
    if errors:
        raise LabError(f"the Open Reaction Database would refuse this: {errors[0]}")
    message_helpers.save_message(message, path)


__all__ = ["SUFFIXES", "dataset", "save"]
