"""The core of a digital twin: one reactor, what it is told, what really happens in it, and what it says of that."""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rxnopt.errors import ConditionsError
from rxnopt.simulators import Reaction
from rxnopt.twin.analysis import Analyst, spoil
from rxnopt.twin.clock import Clock
from rxnopt.twin.ledger import Ledger
from rxnopt.twin.plumbing import Plumbing
from rxnopt.twin.runs import Busy, Latched, Memory, Refusal, Run
from rxnopt.twin.scenario import Faults, Phase, Scenario

Latch = Literal["interlock", "estop"]


@dataclass
class Plan:
    """When a run gets where, in seconds of twin time."""

    begin: float
    sample: float
    done: float
    middle_told: bool = False
    ends_as: Literal["done", "cancelled"] = "done"


class Rig:
    """A reactor of a card that runs one request at a time, of one or several ``positions``.

    ``folder`` keeps the physical journal (``physical.jsonl``) and the memory of runs over restarts; ``forget`` starts
    without that memory, as after a loss of power. Nothing here waits: :meth:`tick` lets happen what is due.
    """

    def __init__(
        self,
        reaction: Reaction,
        clock: Clock,
        scenario: Scenario | None = None,
        *,
        seed: int = 0,
        folder: Path | None = None,
        positions: int = 1,
        forget: bool = False,
    ) -> None:
        self.reaction, self.space, self.clock, self.seed = reaction, reaction.space, clock, seed
        self.scenario, self.positions = scenario or Scenario(), positions
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self.ledger = Ledger(None if folder is None else folder / "physical.jsonl")
        self.memory = Memory(None if folder is None else folder / "memory.json")
        self.latch: Latch | None = None
        self.faults = Faults()
        self.current: Run | None = None
        self._plan: Plan | None = None
        self._boot(forget)

    @property
    def speed(self) -> float:
        """How many times as fast as real time it lives."""
        return float(getattr(self.clock, "speed", 1.0))

    # power

    def _boot(self, forget: bool) -> None:
        """Come up: nothing runs, whatever was running has ended."""
        plant = self.scenario.plant
        self.plumbing = Plumbing(self.space, plant, self.seed)
        self.analyst = Analyst(self.reaction, self.seed, plant.volumes)
        ended = {line["run_id"] for line in self.ledger.of("end")}
        for line in self.ledger.of("start"):
            if line["run_id"] not in ended:
                self.ledger.write("end", 0.0, run_id=line["run_id"], state="failed", message="power lost")
        used = sum(line.get("reagent_mL", 0.0) for line in self.ledger.lines)
        self.plumbing.reagent -= used
        self.boot_id = f"boot-{len(self.ledger.of('boot')) + 1}-{os.getpid()}"
        self.ledger.write("boot", self.clock.now(), boot_id=self.boot_id, memory="lost" if forget else "kept")
        if forget:
            self.memory.forget()
        for run in self.memory.runs.values():
            if not run.over:
                run.state, run.failure, run.message = "failed", "machine", "power lost"
        self.memory.keep()
        self.setpoints: dict[str, Any] = self.plumbing.natural({p.name: p.low for p in self.space})

    def reboot(self, forget: bool) -> None:
        """Lose power and come up again, with or without the memory of runs."""
        self.current = self._plan = self.latch = None
        self.faults = Faults()
        self._boot(forget)

    # what is told to it

    def asked(self, run_id: str) -> Faults:
        """Somebody asks for a run: count the attempt and return what goes wrong in it."""
        attempt = len(self.ledger.of("asked")) + 1
        self.ledger.write("asked", self.clock.now(), run_id=run_id, attempt=attempt)
        self.faults = self.scenario.at(attempt, self.seed)
        return self.faults

    def set(self, setting: Mapping[str, Any]) -> None:
        """Take set-points in the units of the card; raise :class:`Refusal` for what is out of range."""
        try:
            unknown = [name for name in setting if name not in self.space.names]
            if unknown:
                self.space.check_names([*self.space.names, *unknown])
            for p in self.space:
                if p.name in setting:
                    p.number(setting[p.name])
        except ConditionsError as error:
            raise Refusal(str(error)) from error
        faults = self.scenario.at(len(self.ledger.of("asked")) + 1, self.seed)
        changed = self._distorted(setting, faults)
        if changed != dict(setting):
            self.asked("")  # it counts as an attempt, so that the next one is another
        self.setpoints |= changed

    def _distorted(self, setting: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
        """Change a set-point in silence, or take it as degF, where a fault says so."""
        fault, names = faults.get("clamp", "unit"), [p.name for p in self.space if not p.levels]
        name = "" if fault is None else fault.parameter or names[0]
        if fault is None or name not in setting:
            return dict(setting)
        p = self.space.parameters[self.space.names.index(name)]
        middle = (p.low + p.high) / 2 if fault.value is None else fault.value
        return dict(setting) | {name: middle if fault.fault == "clamp" else setting[name] * 1.8 + 32.0}

    def start(self, run_id: str, positions: Sequence[Mapping[str, Any]] | None = None) -> Run:
        """Start a run at ``positions`` (left out: at the set-points); raise :class:`Refusal` where it does not.

        A run id that was run before is run again: to prevent that is the business of whoever asks.
        """
        if self.latch is not None:
            raise Latched(f"the {self.latch} is open; a person resets it")
        if self.current is not None or self.faults.get("busy"):
            raise Busy("another run is going on")
        if self.faults.get("refuse"):
            raise Refusal("the set-points are refused")
        settings = [dict(self.setpoints)] if positions is None else [self._distorted(s, self.faults) for s in positions]
        if not 1 <= len(settings) <= self.positions:
            raise Refusal(f"{len(settings)} positions were asked for and there are {self.positions}")
        try:
            X = self.space.to_array(settings)
        except ConditionsError as error:
            raise Refusal(str(error)) from error
        return self._start(run_id, settings, X)

    def _start(self, run_id: str, settings: list[dict[str, Any]], X: np.ndarray[Any, Any]) -> Run:
        now, plant, plumbing = self.clock.now(), self.scenario.plant, self.plumbing
        self.setpoints |= settings[0]
        number = len(self.ledger.of("start"))
        plumbing.stuck.clear()
        if self.faults.get("stuck"):
            plumbing.stick(now)
        plumbing.move(dict(zip(self.space.names, X[0].tolist(), strict=True)), now)
        plumbing.clog += plant.fouling
        sample = plumbing.settled() + plant.volumes * plumbing.residence
        reagent = plant.reactor * (sample - now) / plumbing.residence
        self.ledger.write(
            "start", now, run_id=run_id, number=number, boot_id=self.boot_id, settings=settings, reagent_mL=reagent
        )
        plumbing.reagent -= reagent
        stop = math.inf if self.faults.get("never_finishes") else sample + plant.analysis
        self._plan = Plan(now, sample, stop)
        self.current = Run(run_id, number, settings)
        self.memory.keep(self.current)
        return self.current

    def abort(self) -> None:
        """End the run that is going on; it takes the time of a pump ramp."""
        if self._plan is not None and self._plan.ends_as != "cancelled":
            self._plan.ends_as, self._plan.done = "cancelled", self.clock.now() + self.scenario.plant.ramp
            self.plumbing.rest(self.clock.now())

    def safe(self) -> None:
        """Heater off, pumps off, the run that is going on is ended; may be said at any time."""
        self.ledger.write("safe", self.clock.now())
        self.abort()
        self.plumbing.rest(self.clock.now())

    def lose_target(self) -> None:
        """The heater loses its power and comes back with the lowest set-point, switched off; the run goes on."""
        self.setpoints |= {p.name: p.low for p in self.space if p.name in self.plumbing.hot}
        self.plumbing.rest(self.clock.now())

    def trip(self, latch: Latch) -> None:
        """Open an interlock: the run fails, everything is off."""
        self.latch = latch
        self.plumbing.rest(self.clock.now())
        if self.current is not None:
            self.current.failure, self.current.message = "machine", f"{latch} opened"
            self._end(self.current, "failed")

    def reset(self) -> None:
        """A person resets interlock and emergency stop."""
        self.ledger.write("reset", self.clock.now(), latch=self.latch)
        self.latch = None

    # what happens

    def tick(self) -> Iterator[tuple[Phase, Run]]:
        """Let happen what is due; each phase of the run is yielded as it comes, and may end the run."""
        now, run, plan = self.clock.now(), self.current, self._plan
        if run is None or plan is None:
            return
        if not plan.middle_told and now >= (plan.begin + plan.sample) / 2:
            plan.middle_told = True
            yield "running", run
        if self.current is run and run.state == "running" and now >= plan.sample and plan.ends_as == "done":
            run.state = "analysing"
            self.memory.keep(run)
        if self.current is run and now >= plan.done:
            self._conclude(run, plan)
            yield "before_state", run
            if self.current is run:
                self._end(run, "cancelled" if plan.ends_as == "cancelled" else "failed" if run.failure else "done")
                yield "after", run

    def _conclude(self, run: Run, plan: Plan) -> None:
        """Write the result down, before the state says so."""
        run.shown_as = run.run_id
        if plan.ends_as == "cancelled":
            run.message = "aborted"
        elif self.plumbing.pressure > self.scenario.plant.pressure_limit or self.faults.get("clog"):
            pressure = max(self.plumbing.pressure, self.scenario.plant.pressure_limit)
            run.failure, run.message = "chemistry", f"clogged at {pressure:.1f} bar"
        elif self.plumbing.reagent < 0:
            run.failure, run.message = "machine", "the reagent bottle is empty"
        else:
            self.analyst.conclude(run, self.plumbing, plan.sample)
            self.ledger.write("measured", self.clock.now(), run_id=run.run_id, outputs=copy.deepcopy(run.outputs))
            spoil(run, self._previous(run), self.faults, self.reaction)
        self.memory.keep(run)

    def _previous(self, run: Run) -> Run | None:
        others = (other for other in reversed(self.memory.runs.values()) if other.outputs and other is not run)
        return next(others, None)

    def _end(self, run: Run, state: Literal["done", "failed", "cancelled"]) -> None:
        run.state = state
        self.ledger.write(
            "end", self.clock.now(), run_id=run.run_id, state=state, failure=run.failure, message=run.message
        )
        self.memory.keep(run)
        self.current = self._plan = None

    # what it says

    def find(self, run_id: str) -> Run | None:
        """Return what is remembered of a run id."""
        return self.memory.runs.get(run_id)

    @property
    def shown(self) -> Run | None:
        """The run on the display: the one that is going on, or the last one."""
        return next(reversed(self.memory.runs.values()), None)

    @property
    def state(self) -> str:
        """What the display says: idle, running, analysing, done, failed, cancelled, interlock or estop."""
        if self.latch is not None:
            return self.latch
        if self.current is not None:
            return "idle" if self.faults.get("lie_idle") else self.current.state
        return "idle" if self.shown is None else self.shown.state

    @property
    def progress(self) -> float:
        """How far the run that is going on has come, 0 to 1."""
        if self._plan is None:
            return 0.0
        whole = max(self._plan.done - self._plan.begin, 1e-9)
        return min((self.clock.now() - self._plan.begin) / whole, 1.0)

    def sensed(self) -> dict[str, Any]:
        """What the sensors say now, levels by name; the pressure (bar) and the reagent left (mL) besides."""
        values: dict[str, Any] = self.plumbing.natural(self.plumbing.sensed(self.clock.now()))
        return values | {"pressure": self.plumbing.pressure, "reagent": self.plumbing.reagent}


__all__ = ["Rig"]
