"""What a person does to a campaign on a rig, whether a runner works on it or not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rxnopt.errors import JournalBusyError, JournalError, LabError
from rxnopt.events import NO_TRIAL
from rxnopt.journal import Journal
from rxnopt.laboratory import commands, inbox
from rxnopt.laboratory.view import view
from rxnopt.record import Record
from rxnopt.runs import fold_runs
from rxnopt.simulators import load

if TYPE_CHECKING:
    import pandas as pd

ANSWER = 5.0
"""Seconds in which a runner answers a command."""


@contextmanager
def opened(path: Path, reaction: str | None = None) -> Iterator[Record]:
    """Open the journal of a campaign without its agent; ``reaction``: where its card lies now.

    Raises :class:`JournalBusyError` where a runner works on it.
    """
    if not path.is_file():
        raise JournalError(f"{path}: there is no such journal; give the file that --journal made")
    journal = Journal(path, {})
    try:
        place = fold_runs(journal.events()).configuration.get("reaction", journal.identity["reaction"])
        loaded = load(reaction or place)
        names = journal.identity.get("objectives") or {}
        yield Record(loaded, journal, {name: loaded.goals[name] for name in names})
    finally:
        journal.close()


def status(path: Path, reaction: str | None = None) -> Mapping[str, Any]:
    """Return how a campaign stands: from its runner, or from the journal where none works on it."""
    try:
        with opened(path, reaction) as record:
            return {"state": "no runner works on it", **view(record)}
    except JournalBusyError:
        place = inbox.status_of(path)
        if not place.is_file():
            raise
        told: Mapping[str, Any] = json.loads(place.read_text())
        return told


def say(path: Path, verb: str, args: Mapping[str, Any], reaction: str | None = None) -> str:
    """Do what a person says, or give it to the runner; return what became of it.

    Raises :class:`rxnopt.errors.RxnoptError` where it is refused.
    """
    said = inbox.command(verb, args)
    try:
        with opened(path, reaction) as record:
            if verb in ("pause", "stop", "abort"):
                raise LabError(f"no runner works on {path}; there is nothing to {verb}")
            record.write(commands.entries(record, said))
            return "written into the journal; the next `rxnopt run` goes on from there"
    except JournalBusyError:
        inbox.send(path, said)
    if inbox.await_answer(path, said, ANSWER):
        return "the runner has taken it"
    return f"the runner has not answered within {ANSWER:g} s; it will take it"


def exported(path: Path, reaction: str | None = None) -> pd.DataFrame:
    """Return one row per trial: as :attr:`rxnopt.Campaign.trials`, and its run, its clock times and who corrected it.

    ``run``, ``run_status``, ``submitted``, ``ended`` (ISO 8601, UTC), ``raw`` (JSON), ``achieved_<parameter>``.
    """
    import pandas as pd

    with opened(path, reaction) as record:
        events, frame = record.journal.events(), record.trials
        latest = {number: run for run in record.ledger.runs.values() for number in run.trials}
        times = {(e.payload["run"], e.kind): e.utc for e in events if e.trial == NO_TRIAL and "run" in e.payload}
        told = {e.trial: e for e in events if e.trial != NO_TRIAL and e.kind != "proposed"}
        raw = {e.trial: json.dumps(e.payload["raw"]) for e in events if e.payload.get("raw")}
        corrected = {e.trial: e.payload.get("by", "") for e in events if e.kind == "corrected"}
        rows = []
        for trial in record:
            run, number = latest.get(trial.number), trial.number
            achieved = {f"achieved_{name}": value for name, value in (trial.achieved or {}).items()}
            ended = told[number].utc if number in told else None
            begun = run and times.get((run.id, "run.submitting"))
            rows.append(
                {"run": run and run.id, "run_status": run and run.status.value, "submitted": begun, "ended": ended,
                 "corrected_by": corrected.get(number), "raw": raw.get(number), **achieved}
            )  # fmt: skip
        return frame.join(pd.DataFrame(rows, index=frame.index))


__all__ = ["exported", "opened", "say", "status"]
