"""What the commands of people do to a journal; each is checked against the state before it is written."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from rxnopt.errors import ConditionsError, LabError, RxnoptError, UnknownNameError, did_you_mean
from rxnopt.events import NO_TRIAL, Entry
from rxnopt.laboratory.inbox import Command
from rxnopt.record import Record
from rxnopt.runs import Run, RunStatus, entry
from rxnopt.trials import by_hand

ABANDONED, REJECTED = "abandoned", "rejected"
"""Failures that are never proposed again: a person refused the run, or the gate or the device did."""


def entries(record: Record, said: Command) -> list[Entry]:
    """Return the events of a command, with its id; raise :class:`RxnoptError` in one sentence where it cannot be."""
    if said.verb not in VERBS:
        raise LabError(f"there is no command {said.verb!r}{did_you_mean(said.verb, VERBS)}")
    try:
        done = VERBS[said.verb](record, said)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, RxnoptError):
            raise
        raise LabError(f"the command {said.verb} lacks something ({type(error).__name__}: {error})") from error
    noted = {"id": said.id, "verb": said.verb, "by": said.by, "args": dict(said.args)}
    return [*done, (NO_TRIAL, "lab.command", noted)]


def _run(record: Record, said: Command, *allowed: RunStatus) -> Run:
    name = str(said.args["run"])
    found = [run for run in record.ledger.runs.values() if run.id == name or run.id.startswith(f"{name}-")]
    if len(found) != 1:
        raise UnknownNameError(f"there is no run {name!r}; `rxnopt lab status` lists them")
    if found[0].status not in allowed:
        stand = " or ".join(allowed)
        raise LabError(f"run {found[0].id} is {found[0].status}; {said.verb} is for runs that are {stand}")
    return found[0]


def failed(record: Record, run: Run, failure: str, reason: str) -> list[Entry]:
    """Return events that end the pending trials of a run without a result."""
    pending = {trial.number for trial in record if trial.status == "pending"}
    told = {"outputs": None, "failure": failure, "why": reason, "run": run.id}
    return [(number, "failed", told) for number in run.trials if number in pending]


def _approve(record: Record, said: Command) -> list[Entry]:
    run = _run(record, said, RunStatus.AWAITING_APPROVAL)
    if said.args.get("hash", run.told["hash"]) != run.told["hash"]:
        raise LabError(f"run {run.id} is not what was looked at any more; look again and approve that")
    return [entry(RunStatus.APPROVED, run.id, by=said.by, hash=run.told["hash"])]


def _deny(record: Record, said: Command) -> list[Entry]:
    run = _run(record, said, RunStatus.AWAITING_APPROVAL, RunStatus.APPROVED)
    reason = str(said.args.get("reason") or f"denied by {said.by}")
    return [
        entry(RunStatus.DENIED, run.id, by=said.by, reason=reason),
        *failed(record, run, ABANDONED, reason),
    ]


def _resolve(record: Record, said: Command) -> list[Entry]:
    doubtful = (RunStatus.UNKNOWN, RunStatus.SUBMITTING, RunStatus.RUNNING, RunStatus.AWAITING_ANALYSIS)
    run = _run(record, said, *doubtful)
    verdict = said.args["verdict"]
    resolved = entry(RunStatus.RESOLVED, run.id, by=said.by, verdict=verdict)
    if verdict == "repeat":
        return [resolved]
    if verdict == "abandon":
        return [resolved, *failed(record, run, ABANDONED, f"resolved by {said.by}")]
    if verdict != "done":
        raise LabError(f"verdict {verdict!r} is unknown; give done, repeat or abandon")
    if len(run.trials) != 1:
        raise LabError(f"run {run.id} has {len(run.trials)} trials; give their results with `rxnopt lab correct`")
    number = run.trials[0]
    told = _outputs(record, said, list(record)[number].conditions)
    return [resolved, (number, "done", told | {"run": run.id, "by": said.by})]


def _outputs(
    record: Record, said: Command, conditions: Mapping[str, Any], known: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """Return the payload of a result: the outputs that are said, and those ``known`` that were measured besides."""
    outputs = said.args.get("outputs")
    if not outputs:
        raise ConditionsError("no outputs were given; write them like yield=62.5")
    for name, value in outputs.items():
        if isinstance(value, str):
            raise ConditionsError(f"{name} = {value!r} is no number; write it like {name}=62.5, without a unit")
        bounds = (record.ledger.configuration.get("bounds") or {}).get(name, (None, None))
        low, high = (math.inf * sign if end is None else end for end, sign in zip(bounds, (-1, 1), strict=True))
        if not low <= float(value) <= high:
            raise ConditionsError(f"{name} = {value} cannot be true by the lab file ({low:g} to {high:g}); correct it")
    measured = record.ledger.configuration.get("bounds") or {}
    kept = {name: value for name, value in (known or {}).items() if name in measured}
    return record.told(record.completed(conditions, kept | dict(outputs)))


def _add(record: Record, said: Command) -> list[Entry]:
    payload = by_hand(record.reaction, said.args["conditions"]) | {"by": said.by}
    if said.args.get("outputs"):
        return [(len(record), "manual", payload | _outputs(record, said, payload["conditions"]))]
    return [(len(record), "proposed", payload | {"manual": True})]


def _correct(record: Record, said: Command) -> list[Entry]:
    number = int(said.args["trial"])
    trials = list(record)
    if not 0 <= number < len(trials):
        raise UnknownNameError(f"there is no trial {number}; trials are 0 to {len(trials) - 1}")
    told = _outputs(record, said, trials[number].conditions, trials[number].outputs) | {"by": said.by}
    if trials[number].status != "pending":
        return [(number, "corrected", told)]
    runs = [run for run in record.ledger.of_trial(number) if run.open]
    for run in runs:
        if run.status is not RunStatus.AWAITING_ANALYSIS:
            raise LabError(f"trial {number} is {run.status} in run {run.id}; wait for its result, or resolve the run")
    pending = {trial.number for trial in trials if trial.status == "pending"} - {number}
    over = [entry(RunStatus.DONE, run.id, by=said.by) for run in runs if not pending & set(run.trials)]
    return [*over, (number, "done", told)]


def _refill(record: Record, said: Command) -> list[Entry]:
    reagent, known = str(said.args["reagent"]), record.ledger.configuration.get("reagents", [])
    if reagent not in known:
        hint = did_you_mean(reagent, known) or f"; reagents are {', '.join(known) or 'none'}"
        raise UnknownNameError(f"there is no reagent {reagent!r} in the lab file{hint}")
    return [(NO_TRIAL, "lab.refilled", {"reagent": reagent, "by": said.by})]


def _resume(record: Record, said: Command) -> list[Entry]:
    return [] if record.ledger.held is None else [(NO_TRIAL, "lab.released", {"by": said.by})]


def _noted(record: Record, said: Command) -> list[Entry]:  # noqa: ARG001 - the runner does it
    return []


VERBS: Mapping[str, Callable[[Record, Command], list[Entry]]] = {
    "approve": _approve,
    "deny": _deny,
    "resolve": _resolve,
    "add": _add,
    "correct": _correct,
    "refill": _refill,
    "resume": _resume,
    "pause": _noted,
    "stop": _noted,
    "abort": _noted,
}

__all__ = ["ABANDONED", "REJECTED", "VERBS", "entries", "failed"]
