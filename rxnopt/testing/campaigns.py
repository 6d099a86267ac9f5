"""Campaigns on a digital twin over its protocol, killed where it hurts; the physical journal of the twin is the oracle.

:class:`CrashConformance` kills a runner at every arrow of the state machine (it forks: POSIX only).
:class:`rxnopt.testing.failures.CampaignConformance` has the failures that a campaign must survive.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import yaml

from rxnopt.campaign import Campaign
from rxnopt.cards.base import validate
from rxnopt.cards.lab import LabCard
from rxnopt.catalogue import parse
from rxnopt.history import History
from rxnopt.lab.crash import VARIABLE
from rxnopt.lab.rig import Lab
from rxnopt.laboratory.inbox import command, send, waiting
from rxnopt.laboratory.view import Show
from rxnopt.runs import CRASH_POINTS
from rxnopt.space import Array, Space
from rxnopt.testing.adapters import expect
from rxnopt.testing.bench import CALL, Bench
from rxnopt.testing.oracle import disagreements
from rxnopt.twin.ledger import Line

TIMES = {"connect": "2 s", "call": f"{CALL} s", "poll": "0.02 s", "stall": "3 s", "run": "20 s"}
REAL = "approval: {required: true}"
WARM = {"temperature": 80.0, "time": 5.0, "equivalents": 3.0}
COOL = "constants: {x: 20 degC}\nconstraints: {cool: temperature <= x}"


class Fixed:
    """An agent that proposes what it was made with; ``seen`` is the last history."""

    def __init__(self, **conditions: Any) -> None:
        self.conditions, self.seen = conditions, np.empty(0)

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:  # noqa: ARG002
        self.seen = history.y.copy()
        return np.repeat(space.to_array(self.conditions), n, axis=0)


class CampaignBench(Bench):
    """A twin and campaigns on it."""

    speed: ClassVar[float] = 20000.0

    def setup_method(self) -> None:
        """Begin with an idle twin, an empty journal, and the lines of the physical journal from here on."""
        super().setup_method()
        self.place = Path(tempfile.mkdtemp(dir=self._place.name))
        self._mark = self.twin.do(lambda: len(self.twin.rig.ledger.lines))

    # what happened

    def lines(self, kind: str = "") -> list[Line]:
        """Return the lines of the physical journal since the test began."""
        found = self.twin.do(lambda: self.twin.rig.ledger.lines[self._mark :])
        return [line for line in found if kind in ("", line["kind"])]

    def begun(self) -> list[str]:
        """Return the run ids of physical starts."""
        return [line["run_id"] for line in self.lines("start")]

    def agreed(self, campaign: Campaign) -> None:
        """Compare the journal of the campaign with the physical one."""
        wrong = {what: runs for what, runs in disagreements(self.lines(), campaign).items() if runs}
        expect(not wrong, f"{wrong}; the rig says {self.lines()}")

    # the campaign and its people

    def campaign(
        self, more: str = "", *, budget: int = 2, agent: Any = "random", name: str = "j.db", **times: str
    ) -> Campaign:
        """Return a campaign with its journal; blocks of ``more`` replace those of the lab file of the twin."""
        text: dict[str, Any] = yaml.safe_load(self.twin.lab_file(**TIMES | times)) | (yaml.safe_load(more) or {})
        lab = Lab(validate(parse(yaml.safe_dump(text), "lab.yaml"), LabCard), self.folder)
        return Campaign(self.reaction(), agent, budget=budget, seed=3, journal=self.place / name, lab=lab)

    def say(self, verb: str, **args: Any) -> None:
        """Say something to the runner, as from another terminal."""
        send(self.place / "j.db", command(verb, args))

    def people(self, **verbs: str) -> Show:
        """Return somebody who says something about each run that stands in a certain way, once.

        ``held``: what is said where the campaign is held.
        """
        said = set()

        def show(status: Mapping[str, Any]) -> None:
            if status["held"] is not None and "held" in verbs and not waiting(self.place / "j.db"):
                self.say(verbs["held"])
            for row in status["runs"]:
                verb = verbs.get(row["status"])
                if verb is not None and (row["run"], verb) not in said and not waiting(self.place / "j.db"):
                    said.add((row["run"], verb))
                    word, *verdict = verb.split()
                    self.say(word, run=row["run"], **({"verdict": verdict[0]} if verdict else {}))

        return show

    def conducted(self, more: str = "", *, show: Show | None = None, wait: bool = True, **options: Any) -> Campaign:
        """Run a campaign until its end, or until a person must act, and compare the journals; it is closed then."""
        with self.campaign(more, **options) as campaign:
            self.conduct(campaign, show, wait)
            open_ = [trial.number for trial in campaign if trial.status == "pending"]
            expect(not (wait and open_), f"trials {open_} are left")
        return campaign

    def conduct(self, campaign: Campaign, show: Show | None = None, wait: bool = True) -> None:
        """Run an open campaign, for ``patience`` seconds at most, and compare the journals."""
        end = time.monotonic() + self.patience

        def shown(status: Mapping[str, Any]) -> None:
            expect(time.monotonic() < end, f"the campaign does not end: {status}; the rig says {self.lines()}")
            if show is not None:
                show(status)

        campaign.conduct(wait=wait, show=shown)
        self.agreed(campaign)

    def conducted_until_stopped(self, show: Any) -> list[str]:
        """Run a campaign of one trial that a person ends."""
        with self.campaign(budget=1) as campaign:
            self.conduct(campaign, show)
        return statuses(campaign)

    def killed(self, point: str, more: str = "", *, show: Show | None = None, **options: Any) -> None:
        """Run the campaign in another process that is killed at a crash point."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the threads of the twin stay with their process
            child = os.fork()
        if child == 0:
            os.environ[VARIABLE] = point
            try:
                with self.campaign(more, **options) as campaign:
                    campaign.conduct(show=show)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        expect(killed, f"the campaign did not come by {point}")

    def until_true(self, what: Callable[[], bool], limit: float = 5.0) -> None:
        """Wait for something that the twin does."""
        end = time.monotonic() + limit
        while not what():
            expect(time.monotonic() < end, "it does not happen")
            time.sleep(0.01)


def statuses(campaign: Campaign) -> list[str]:
    """Return how the runs stand."""
    return [run.status.value for run in campaign.ledger.runs.values()]


class CrashConformance(CampaignBench):
    """Killed at every arrow and started again: starts == planned, results == starts. Parametrise :meth:`crash`."""

    points: ClassVar[tuple[str, ...]] = CRASH_POINTS
    budget: ClassVar[int] = 2

    def crash(self, point: str) -> None:
        """Kill a runner at a point of ``points``, start another, and read what happened from the rig."""
        arrow = point.partition("-")[2]
        special = getattr(self, f"_at_{arrow}", None)
        starts = special(point) if special else self._plainly(point)
        expect(len(self.begun()) == starts, f"{len(self.begun())} starts instead of {starts}")

    def _plainly(self, point: str, show: Show | None = None, more: str = "") -> int:
        self.killed(point, more, budget=self.budget, show=show)
        self.conducted(more, budget=self.budget, show=show)
        return self.budget

    def _at_awaiting_approval(self, point: str) -> int:
        return self._plainly(point, self.people(awaiting_approval="approve"), REAL)

    _at_approved = _at_awaiting_approval

    def _at_denied(self, point: str) -> int:
        self.killed(point, REAL, budget=self.budget, show=self.people(awaiting_approval="deny"))
        self.conducted(REAL, budget=self.budget, show=self.people(awaiting_approval="approve"))
        return self.budget - 1

    def _at_expired(self, point: str) -> int:
        self.conducted(REAL, budget=self.budget, wait=False)
        changed = f"{REAL}\nconstants: {{note: 1 K}}"
        self.killed(point, changed, budget=self.budget)
        self.conducted(changed, budget=self.budget, show=self.people(awaiting_approval="approve"))
        return self.budget

    def _at_rejected(self, point: str) -> int:
        self.killed(point, COOL, budget=self.budget)
        self.conducted(COOL, budget=self.budget)
        return 0

    def _at_failed(self, point: str) -> int:
        self.plan(self.fault("lost_target"), self.fault("never_finishes"))
        return self._plainly(point) + 1  # it was made again, as another run

    def _at_awaiting_analysis(self, point: str) -> int:
        self.plan(self.fault("partial", seconds=0.3))
        return self._plainly(point)

    def _at_cancelled(self, point: str) -> int:
        self.plan(self.fault("never_finishes"))
        self.killed(point, budget=self.budget, show=self.people(running="abort"))
        self.conducted(budget=self.budget)
        return self.budget + 1  # the aborted one was made again, as another run

    def _at_unknown(self, point: str) -> int:
        self.killed("before-running", budget=self.budget)
        self.twin.do(lambda: self.twin.desk.reboot(forget=True))
        show = self.people(unknown="resolve repeat")
        self.killed(point, budget=self.budget, show=show)
        end = self.conducted(budget=self.budget, show=show)
        expect(statuses(end) == ["resolved", "done", "done"], f"the runs are {statuses(end)}")
        return self.budget + 1  # the doubtful one, its repetition and the second trial

    _at_resolved = _at_unknown


__all__ = ["CampaignBench", "CrashConformance", "Fixed", "statuses"]
