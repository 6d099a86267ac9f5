"""Events: what happened to the trials of a campaign. A new kind of event is one line in ``STEPS``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from rxnopt.errors import JournalError

Status = Literal["pending", "done", "failed"]
Entry = tuple[int, str, Mapping[str, Any]]
"""Number of the trial, kind of event, payload."""


@dataclass(frozen=True)
class Trial:
    """One experiment as it stands after all events so far.

    ``conditions`` and ``outputs`` are natural values in the units of the card, ``score`` is the measured objective
    turned so that larger is better. Where a simulator knows, ``noise_free`` is the objective without noise (unit of the
    output), ``failure`` why it failed, and ``exact`` holds the outputs without noise that decide about limits and
    several objectives. ``manual``: told by a person instead of proposed by the agent. ``achieved``: what a rig really
    set, for the parameters of which it tells. ``substrate``: as it was drawn.
    """

    number: int
    conditions: dict[str, Any]
    status: Status = "pending"
    outputs: dict[str, float] | None = None
    score: float | None = None
    noise_free: float | None = None
    manual: bool = False
    failure: str | None = None
    exact: dict[str, float] | None = None
    achieved: dict[str, Any] | None = None
    substrate: dict[str, Any] | None = None


@dataclass(frozen=True)
class Event:
    """One line of the journal. ``wall`` and ``monotonic`` are seconds of the two clocks."""

    seq: int
    trial: int
    kind: str
    payload: dict[str, Any]
    wall: float
    monotonic: float

    @property
    def utc(self) -> str:
        """The time of the wall clock as ISO 8601 says it, to the second."""
        return datetime.fromtimestamp(self.wall, UTC).isoformat(timespec="seconds")


STEPS: dict[str, frozenset[str]] = {
    "proposed": frozenset({"new"}),
    "manual": frozenset({"new"}),
    "done": frozenset({"pending"}),
    "failed": frozenset({"pending"}),
    "corrected": frozenset({"done", "failed"}),
}
"""Kind of event -> status that a trial must have before it."""
TOLD = ("outputs", "score", "noise_free", "failure", "exact", "achieved")
"""Fields of a trial that an event with a result sets."""
NO_TRIAL = -1
"""Number that events carry which belong to no trial: a larger budget, and all of the laboratory (rxnopt.runs)."""
EXTENDED = "extended"
"""Kind of event that gives the campaign another budget."""


def step(trials: Sequence[Trial], event: Event) -> Trial:
    """Return the state of the trial of ``event`` after it; raise :class:`JournalError` where it cannot follow."""
    known = 0 <= event.trial < len(trials)
    before = trials[event.trial].status if known else "new" if event.trial == len(trials) else "missing"
    if before not in STEPS.get(event.kind, frozenset()):
        raise JournalError(f"event {event.seq} ({event.kind}) cannot follow on trial {event.trial}, which is {before}")
    payload, drawn = event.payload, event.payload.get("substrate")
    trial = trials[event.trial] if known else Trial(event.trial, payload["conditions"], substrate=drawn)
    manual = trial.manual or event.kind == "manual" or payload.get("manual", False)
    if event.kind == "proposed":
        return replace(trial, manual=manual)
    told: dict[str, Any] = {name: payload.get(name) for name in TOLD}
    told["achieved"] = payload.get("achieved", trial.achieved)
    return replace(trial, status="failed" if told["outputs"] is None else "done", manual=manual, **told)


def fold(events: Iterable[Event]) -> list[Trial]:
    """Return the state of all trials, by number."""
    trials: list[Trial] = []
    for event in events:
        if event.trial != NO_TRIAL:
            trials[event.trial : event.trial + 1] = [step(trials, event)]
    return trials


__all__ = ["Entry", "Event", "Status", "Trial", "fold", "step"]
