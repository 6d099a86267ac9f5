"""What a twin remembers of its runs, and the errors by which it refuses one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from rxnopt.errors import LabError
from rxnopt.files import put

State = Literal["running", "analysing", "done", "failed", "cancelled"]


class Refusal(LabError):
    """The rig does not start the run; nothing has moved."""


class Busy(Refusal):
    """Another run is going on."""


class Latched(Refusal):
    """An interlock or an emergency stop holds the rig until a person resets it."""


class Gone(LabError):
    """The rig cannot answer any more: connection, power or process are gone."""


@dataclass
class Run:
    """One run of the rig, by position: ``settings`` asked for, ``outputs`` and ``achieved`` in the units of the card.

    ``shown_as`` is the run id that stands beside the outputs; it differs where a stale result is shown.
    """

    run_id: str
    number: int
    settings: list[dict[str, Any]]
    state: State = "running"
    outputs: list[dict[str, float]] = field(default_factory=list)
    achieved: list[dict[str, Any]] = field(default_factory=list)
    quality: Literal["good", "uncertain", "bad"] = "good"
    failure: Literal["machine", "chemistry"] | None = None
    message: str = ""
    shown_as: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing more will happen in it."""
        return self.state in ("done", "failed", "cancelled")


class Memory:
    """The runs that a rig remembers, by run id, the latest last; in a file where it has a ``path``."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.runs: dict[str, Run] = {}
        if path is not None and path.exists():
            self.runs = {run["run_id"]: Run(**run) for run in json.loads(path.read_text(encoding="utf-8"))}

    def keep(self, run: Run | None = None) -> None:
        """Remember a run as it stands now."""
        if run is not None:
            self.runs.pop(run.run_id, None)
            self.runs[run.run_id] = run
        if self.path is not None:
            put(self.path, json.dumps([asdict(run) for run in self.runs.values()]).encode())

    def forget(self) -> None:
        """Lose everything."""
        self.runs.clear()
        self.keep()
