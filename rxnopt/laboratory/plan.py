"""Which run comes next: trials without one, grouped as the rig runs them, and what an approval is bound to."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Iterator, Sequence

from rxnopt.cards.lab import LabCard, seconds
from rxnopt.events import Entry, Trial
from rxnopt.lab.settings import to_setting
from rxnopt.record import Record
from rxnopt.runs import Run, RunStatus, entry, plain

AGAIN = frozenset({RunStatus.EXPIRED, RunStatus.CANCELLED, RunStatus.FAILED})
"""After a run that ended so, a pending trial gets another one."""


def unserved(record: Record) -> list[Trial]:
    """Return the pending trials that no run is made for."""
    latest: dict[int, Run] = {}
    for run in record.ledger.runs.values():
        latest |= dict.fromkeys(run.trials, run)
    return [trial for trial in record if trial.status == "pending" and _free(latest.get(trial.number))]


def _free(run: Run | None) -> bool:
    repeat = run is not None and run.status is RunStatus.RESOLVED and run.told.get("verdict") == "repeat"
    return run is None or run.status in AGAIN or repeat


def groups(card: LabCard, trials: list[Trial]) -> Iterator[list[Trial]]:
    """Yield trials that the rig does at once: up to a plate of them, with what a plate shares equal."""
    plate = card.plate
    group: list[Trial] = []
    for trial in trials:
        alike = plate is not None and all(
            trial.conditions[name] == each.conditions[name] for name in plate.shared for each in group[:1]
        )
        if group and (plate is None or len(group) == plate.size or not alike):
            yield group
            group = []
        group.append(trial)
    if group:
        yield group


def trials_of(proposals: Sequence[Entry]) -> list[Trial]:
    """Return the trials that proposals make."""
    return [Trial(number, payload["conditions"]) for number, _, payload in proposals]


def propose(record: Record, card: LabCard, free: list[Trial], proposals: Sequence[Entry] = ()) -> None:
    """Write a run of the first of the trials ``free`` into the journal; with new ``proposals``, in one transaction."""
    trials = next(groups(card, free))
    first = trials[0].number
    before = record.ledger.of_trial(first)
    same = [run.id for run in record.ledger.runs.values() if not before and _same(record, run, trials[0])]
    run_id = f"r{len(record.ledger.runs):04d}-{uuid.uuid4().hex[:12]}"
    positions = [plain(to_setting(record.space, card, trial.conditions)) for trial in trials]
    record.write(
        [
            *proposals,
            entry(
                RunStatus.PROPOSED, run_id, trials=[trial.number for trial in trials], positions=positions,
                retry_of=before[-1].id if before else None, replicate_of=same[-1] if same else None,
            )
        ]
    )  # fmt: skip


def _same(record: Record, run: Run, trial: Trial) -> bool:
    trials = list(record)
    return any(trials[n].conditions == trial.conditions for n in run.trials)


def approval_hash(run: Run, gate: str, card: LabCard) -> str:
    """Return what an approval is bound to: the conditions, the limits and the configuration of the adapter."""
    bound = [[plain(setting) for setting in run.positions], gate, card.adapter.model_dump(mode="json")]
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()[:16]


def approval_over(run: Run, card: LabCard) -> bool:
    """Return whether an approval is too old by either clock, or was given in what is now the future."""
    limit = seconds(card.approval.expires)
    wall, monotonic = time.time() - run.wall, time.monotonic() - run.monotonic
    return wall > limit or monotonic > limit or wall < -1.0  # monotonic: below 0 after a reboot, which says nothing


__all__ = ["approval_hash", "approval_over", "propose", "trials_of", "unserved"]
