"""How a campaign on a rig stands, for its own terminal and for others."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rxnopt.errors import RxnoptError
from rxnopt.events import Trial
from rxnopt.laboratory.inbox import status_of
from rxnopt.record import Record
from rxnopt.runs import Run, plain

if TYPE_CHECKING:
    from rxnopt.laboratory.conductor import Conductor

Show = Callable[[Mapping[str, Any]], None]
SHOWN = 20
"""The latest runs in a status; those that are not over are in it too."""


def publish(runner: Conductor, show: Show | None) -> None:
    """Write the status beside the journal and give it to ``show``, with the reason where it cannot be written.

    A campaign goes on without that file: its journal is what counts.
    """
    status = {"state": runner.told, "pid": os.getpid(), "wall": time.time(), **view(runner.record)}
    place = status_of(runner.path)
    draft = place.with_name(f".{place.name}.part")
    try:
        draft.write_text(json.dumps(status))
        draft.replace(place)  # not flushed to the disk
    except OSError as error:
        status["state"] += f" ({place} cannot be written: {error.strerror})"
        with contextlib.suppress(OSError):  # what it says is old
            place.unlink(missing_ok=True)
    if show is not None:
        show(status)


def view(record: Record) -> dict[str, Any]:
    """Return runs and the best trial as plain data."""
    trials = list(record)
    known = [*record.ledger.runs.values()]
    latest = {number: run.id for run in known for number in run.trials}
    runs = [_row(run, trials, latest) for place, run in enumerate(known, SHOWN) if run.open or place >= len(known)]
    try:
        best: dict[str, Any] | None = {"trial": record.best.number, "outputs": record.best.outputs}
    except RxnoptError:
        best = None
    done = sum(trial.status != "pending" for trial in trials)
    count = {"trials": len(trials), "over": done, "budget": record.ledger.budget}
    return {**count, "held": record.ledger.held, "runs": runs, "best": best}


def _row(run: Run, trials: list[Trial], latest: Mapping[int, str]) -> dict[str, Any]:
    """Return a run as plain data; results stand beside the last run of a trial only."""
    own = [trials[number] for number in run.trials]
    told = [trial if latest[trial.number] == run.id else None for trial in own]
    return {
        "run": run.id,
        "status": run.status.value,
        "trials": list(run.trials),
        "conditions": [trial.conditions for trial in own],
        "positions": [plain(setting) for setting in run.positions],
        "achieved": [trial and trial.achieved for trial in told],
        "outputs": [trial and trial.outputs for trial in told],
        "failure": [trial and trial.failure for trial in told],
        "reason": run.reason,
        "notes": list(run.told.get("notes", [])),
        "hash": run.told.get("hash"),
    }


__all__ = ["Show", "publish", "view"]
