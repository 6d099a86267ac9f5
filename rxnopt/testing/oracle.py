"""The oracle: what the physical journal of a rig and the journal of a campaign say of the same runs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rxnopt.events import Event
from rxnopt.record import Record
from rxnopt.runs import RunStatus

S = RunStatus
GOING = frozenset({S.SUBMITTING, S.RUNNING, S.AWAITING_ANALYSIS})
FLAGGED = frozenset({S.UNKNOWN, S.RESOLVED})


def disagreements(lines: Sequence[dict[str, Any]], record: Record) -> dict[str, list[str]]:
    """Return run ids by what is wrong with them, from the ``lines`` of a physical journal.

    All lists are empty where starts == planned and results == starts: each run id was started once and is in the
    journal of the campaign, which takes a run for done only if the rig has done it, with the values that the rig
    measured in this very run, and which forgets none. Runs in doubt count as right where they are left to a person.
    """
    begun = Counter(line["run_id"] for line in lines if line["kind"] == "start")
    done = {line["run_id"]: _answer(line) for line in lines if line["kind"] == "end"}
    known = {run.id: run.status for run in record.ledger.runs.values()}
    over = {name: status for name, status in known.items() if status not in GOING}
    kept, told = {S.DONE, S.FAILED, *FLAGGED}, {S.FAILED, S.CANCELLED, *FLAGGED}
    return {
        "started twice": [name for name, count in begun.items() if count > 1],
        "orphans (started, not in the journal)": [name for name in begun if name not in known],
        "lost (done on the rig, neither a result nor flagged)": [
            name for name in begun if name in over and done.get(name) and over[name] not in kept
        ],
        "adopted wrongly (done in the journal, not on the rig)": [
            name for name, status in known.items() if status is S.DONE and not done.get(name)
        ],
        "with a result that the rig did not measure in this run": [*_altered(lines, record)],
        "ambiguous and not flagged": [
            name for name in begun if name in over and not done.get(name) and over[name] not in told
        ],
    }  # fmt: skip


def _answer(end: dict[str, Any]) -> bool:
    """Whether a run ended with an answer; a clogged reactor is one."""
    return end["state"] == "done" or end.get("failure") == "chemistry"


def _altered(lines: Sequence[dict[str, Any]], record: Record) -> Iterator[str]:
    measured = {line["run_id"]: line["outputs"] for line in lines if line["kind"] == "measured"}
    runs = record.ledger.runs
    for event in record.journal.events():
        name = str(event.payload.get("run"))
        believed = event.kind in ("done", "corrected") and event.payload.get("outputs") is not None
        if believed and name in measured and event.payload.get("raw"):
            row = measured[name][runs[name].trials.index(event.trial)]
            if not _equal(event, row):
                yield name


def _equal(event: Event, row: dict[str, float]) -> bool:
    told = {name: value for name, (value, _) in event.payload["raw"]["outputs"].items()}
    return all(math.isclose(value, row[name], rel_tol=1e-9, abs_tol=1e-9) for name, value in told.items())


__all__ = ["disagreements"]
