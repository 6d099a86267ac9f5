"""Runs: what a device was asked for, from the proposal to the result, as the events of the journal tell it.

A run has one id and does one trial, or the trials of a plate. Each arrow is an event of its own, on the disk before
anything follows::

    PROPOSED -> CHECKED | REJECTED
    CHECKED -> (AWAITING_APPROVAL -> APPROVED | DENIED | EXPIRED) -> SUBMITTING -> RUNNING
    RUNNING -> AWAITING_ANALYSIS -> DONE | FAILED | CANCELLED | UNKNOWN
    UNKNOWN -> RESOLVED by a person

The id is in the journal before anything is submitted. A run that is made again is another run, with ``retry_of``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from rxnopt.errors import JournalError
from rxnopt.events import NO_TRIAL, Entry, Event
from rxnopt.lab.interface import Quantity, Setting


class RunStatus(StrEnum):
    """Where a run stands."""

    PROPOSED = "proposed"
    CHECKED = "checked"
    REJECTED = "rejected"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    SUBMITTING = "submitting"
    RUNNING = "running"
    AWAITING_ANALYSIS = "awaiting_analysis"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    RESOLVED = "resolved"


S = RunStatus
_STARTED = {S.SUBMITTING, S.RUNNING, S.AWAITING_ANALYSIS, S.UNKNOWN}
ARROWS: Mapping[RunStatus, frozenset[RunStatus]] = {
    S.CHECKED: frozenset({S.PROPOSED}),
    S.REJECTED: frozenset({S.PROPOSED, S.CHECKED, S.APPROVED, S.SUBMITTING}),
    S.AWAITING_APPROVAL: frozenset({S.CHECKED}),
    S.APPROVED: frozenset({S.AWAITING_APPROVAL}),
    S.DENIED: frozenset({S.AWAITING_APPROVAL, S.APPROVED}),
    S.EXPIRED: frozenset({S.CHECKED, S.AWAITING_APPROVAL, S.APPROVED}),
    S.SUBMITTING: frozenset({S.CHECKED, S.APPROVED}),
    S.RUNNING: frozenset({S.SUBMITTING, S.UNKNOWN}),
    S.AWAITING_ANALYSIS: frozenset({S.RUNNING, S.AWAITING_ANALYSIS}),
    S.DONE: frozenset({S.RUNNING, S.AWAITING_ANALYSIS, S.UNKNOWN, S.FAILED}),
    S.FAILED: frozenset({S.SUBMITTING, S.RUNNING, S.AWAITING_ANALYSIS, S.UNKNOWN}),
    S.CANCELLED: frozenset({S.SUBMITTING, S.RUNNING, S.AWAITING_ANALYSIS}),
    S.UNKNOWN: frozenset({S.SUBMITTING, S.RUNNING, S.AWAITING_ANALYSIS}),
    S.RESOLVED: frozenset({S.SUBMITTING, S.RUNNING, S.AWAITING_ANALYSIS, S.UNKNOWN}),
}
"""Where a run may come from; DONE after FAILED is a result that came late."""
OPEN = frozenset({S.PROPOSED, S.CHECKED, S.AWAITING_APPROVAL, S.APPROVED, *_STARTED})
"""Runs that are not over."""
PREFIX = "run."
CRASH_POINTS = tuple(f"{side}-{status}" for status in RunStatus for side in ("before", "after"))
"""Where tests kill the process: before and after each arrow is on the disk (:func:`rxnopt.lab.crash.point`)."""


@dataclass(frozen=True)
class Run:
    """One run as it stands. ``told`` holds what the events said, the latest of each field."""

    id: str
    trials: tuple[int, ...]
    positions: tuple[Setting, ...]
    status: RunStatus
    wall: float
    monotonic: float
    retry_of: str | None = None
    replicate_of: str | None = None
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether something can still come of it."""
        return self.status in OPEN

    @property
    def boot_id(self) -> str | None:
        """Boot id of the device when it was submitted."""
        boot: str | None = self.told.get("boot_id")
        return boot

    @property
    def reason(self) -> str:
        """Why it was rejected, denied, failed or is doubtful."""
        return str(self.told.get("reason", ""))


@dataclass
class Ledger:
    """All runs by id, and what the journal knows of the rig."""

    runs: dict[str, Run] = field(default_factory=dict)
    commands: set[str] = field(default_factory=set)
    """Ids of the commands of people that were taken."""
    configuration: Mapping[str, Any] = field(default_factory=dict)
    """The lab file and the device, as last written down."""
    held: str | None = None
    """Why nothing is submitted until a person resumes."""
    paused: bool = False
    """Whether a person wants a pause; it outlives the runner."""
    used: dict[str, float] = field(default_factory=dict)
    """What was taken of each reagent since it was filled up, in SI."""
    previous: Setting | None = None
    """The last setting that was submitted."""
    in_a_row: int = 0
    """Runs without a result, one after the other, since the campaign was started."""
    budget: int | None = None
    """How many trials there will be, as the last runner knew; None: as many as are asked for."""

    def take(self, event: Event) -> None:
        """Take in one event that belongs to no trial; raise :class:`JournalError` where it cannot follow."""
        if event.kind.startswith(PREFIX):
            self._run(event, RunStatus(event.kind.removeprefix(PREFIX)))
        elif event.kind == "lab.command":
            self.commands.add(event.payload["id"])
            verb = event.payload["verb"]
            self.paused = verb == "pause" or (self.paused and verb != "resume")
        elif event.kind == "lab.configured":
            self.configuration = event.payload
        elif event.kind == "lab.started":
            self.in_a_row, self.budget = 0, event.payload.get("budget")
        elif event.kind == "lab.held":
            self.held = event.payload["reason"]
        elif event.kind == "lab.released":
            self.held = None
        elif event.kind == "lab.refilled":
            self.used[event.payload["reagent"]] = 0.0

    def _run(self, event: Event, status: RunStatus) -> None:
        payload = dict(event.payload)
        clocks: dict[str, Any] = {"wall": event.wall, "monotonic": event.monotonic}
        name = payload.pop("run")
        before = self.runs.get(name)
        if status is S.PROPOSED and before is None:
            positions = tuple(setting_of(row) for row in payload["positions"])
            again: dict[str, Any] = {key: payload.get(key) for key in ("retry_of", "replicate_of")}
            self.runs[name] = Run(name, tuple(payload["trials"]), positions, status, **clocks, **again)
            return
        if before is None or before.status not in ARROWS.get(status, frozenset()):
            stands = "unknown" if before is None else before.status
            raise JournalError(f"event {event.seq} ({event.kind}) cannot follow on run {name}, which is {stands}")
        self.runs[name] = replace(before, status=status, told={**before.told, **payload}, **clocks)
        if status is S.SUBMITTING:
            self.previous = before.positions[-1]
            for reagent, amount in payload.get("uses", {}).items():
                self.used[reagent] = self.used.get(reagent, 0.0) + amount
        if status in (S.FAILED, S.REJECTED, S.UNKNOWN):
            self.in_a_row += 1
        elif status is S.DONE:
            self.in_a_row = self.in_a_row + 1 if payload.get("empty") else 0

    def of_trial(self, number: int) -> list[Run]:
        """Return the runs of a trial, in their order."""
        return [run for run in self.runs.values() if number in run.trials]

    def with_status(self, *statuses: RunStatus) -> list[Run]:
        """Return the runs that stand so."""
        return [run for run in self.runs.values() if run.status in statuses]


def fold_runs(events: Iterable[Event]) -> Ledger:
    """Return what the events tell of runs and rig."""
    ledger = Ledger()
    for event in events:
        if event.trial == NO_TRIAL:
            ledger.take(event)
    return ledger


def entry(status: RunStatus, run: str, **payload: Any) -> Entry:
    """Return the event that brings a run to a status."""
    return NO_TRIAL, f"{PREFIX}{status}", {"run": run, **payload}


def plain(setting: Setting) -> dict[str, Any]:
    """Return a setting as JSON has it: ``[value, unit]`` or the name of a level; NaN becomes text."""
    return {name: value if isinstance(value, str) else quantity_row(value) for name, value in setting.items()}


def quantity_row(value: Quantity) -> list[float | str]:
    """Return a quantity as JSON has it, NaN and infinity as text."""
    return [value.value if value.finite else repr(value.value), value.unit]


def setting_of(row: Mapping[str, Any]) -> Setting:
    """Return the setting that :func:`plain` wrote."""
    return {name: value if isinstance(value, str) else Quantity(*value) for name, value in row.items()}


__all__ = [
    "ARROWS", "CRASH_POINTS", "OPEN", "PREFIX", "Ledger", "Run", "RunStatus", "entry", "fold_runs", "plain",
    "quantity_row", "setting_of",
]  # fmt: skip
