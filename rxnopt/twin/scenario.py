"""What a twin is like and what goes wrong with it: the file behind ``rxnopt twin --faults``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from rxnopt.cards.base import Identifier, Model, validate
from rxnopt.catalogue import read
from rxnopt.seeds import stream

Phase = Literal["before_accept", "after_accept", "running", "before_state", "after"]
Kind = Literal[
    "drop", "blackhole", "late", "kill", "reboot", "interlock", "estop",
    "busy", "refuse", "clamp", "lie_idle", "unit", "stuck", "clog", "never_finishes",
    "no_result", "nan", "none", "bad", "uncertain", "over", "stale", "half_written", "duplicate",
    "lost_target", "mute", "out_of_order", "redelivered", "partial",
]  # fmt: skip
PHASED = ("drop", "blackhole", "late", "kill", "reboot", "interlock", "estop")
"""Faults that can happen in any phase of a run; each of the others has its own place."""
MIDWAY = ("lost_target", "mute", "out_of_order")
"""Faults that happen while a run is running."""

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class Plant(Model):
    """The dynamics of the rig, in seconds of twin time."""

    heating: Positive = Field(40.0, description="Time constant of the heater, s: distance to the target falls by e.")
    damping: float = Field(0.6, gt=0, lt=1, description="Damping of the heater; below 1 it overshoots.")
    tolerance: Positive = Field(0.2, description="Distance at which a temperature counts as reached, K.")
    ramp: NotNegative = Field(20.0, description="Time in which a pump or a flow crosses its whole range, s.")
    residence: Positive = Field(300.0, description="Residence time where the reaction has no parameter for it, s.")
    volumes: NotNegative = Field(3.0, description="Reactor volumes to steady state; exp(-volumes) is carried over.")
    analysis: NotNegative = Field(120.0, description="Time from sample to result, s.")
    noise: NotNegative = Field(0.1, description="Standard deviation of a temperature sensor, K.")
    drift: float = Field(0.0, description="Drift of the temperature sensor, K/h: the controller follows it.")
    reactor: Positive = Field(5.0, description="Volume of the reactor, mL.")
    reagent: Positive = Field(1e6, description="Reagent in the bottle, mL; empty, a run fails.")
    pressure: NotNegative = Field(2.0, description="Pressure of a clean reactor, bar.")
    fouling: NotNegative = Field(0.0, description="Rise of the pressure in each run, bar.")
    pressure_limit: Positive = Field(10.0, description="Pressure above which a run ends as clogged, bar.")


class Fault(Model):
    """Something that goes wrong, in one attempt to start a run or at random."""

    fault: Kind = Field(description="What happens.")
    run: Annotated[int, Field(ge=1)] | None = Field(None, description="Number of the attempt to start a run, from 1.")
    probability: float = Field(0.0, ge=0, le=1, description="Chance in each attempt, where no 'run' is given.")
    phase: Phase = Field("after_accept", description=f"When: for {', '.join(PHASED)}.")
    seconds: NotNegative = Field(1.0, description="How long, in real seconds: late, blackhole, reboot, partial.")
    memory: Literal["kept", "lost"] = Field("lost", description="What a reboot leaves of the runs.")
    parameter: Identifier | None = Field(None, description="Which set-point is clamped; the first one if left out.")
    value: float | None = Field(None, description="What it is clamped to; the middle of its range if left out.")

    @model_validator(mode="after")
    def _when(self) -> Fault:
        if (self.run is None) == (self.probability == 0.0):
            raise ValueError("give either 'run', the number of the attempt, or a 'probability' above 0")
        if self.fault not in PHASED and "phase" in self.model_fields_set:
            raise ValueError(f"the fault {self.fault!r} has its own place; leave 'phase' out")
        return self


class Scenario(Model):
    """A plant and its faults."""

    plant: Plant = Field(default_factory=Plant, description="Dynamics.")
    faults: tuple[Fault, ...] = Field((), strict=False, description="What goes wrong.")

    def at(self, attempt: int, seed: int) -> Faults:
        """Return the faults of an attempt (from 1); equal seeds give equal faults."""
        return Faults(
            fault
            for place, fault in enumerate(self.faults)
            if fault.run == attempt
            or (fault.probability and stream(seed, "fault", attempt, place).random() < fault.probability)
        )


class Faults(tuple[Fault, ...]):
    """The faults of one attempt."""

    def __new__(cls, faults: Iterable[Fault] = ()) -> Faults:
        return super().__new__(cls, faults)

    def get(self, *kinds: Kind) -> Fault | None:
        """Return the first fault of these kinds; None where there is none."""
        return next((fault for fault in self if fault.fault in kinds), None)

    def during(self, phase: Phase) -> list[Fault]:
        """Return what happens in a phase."""
        middle = phase == "running"
        return [f for f in self if (f.fault in PHASED and f.phase == phase) or (f.fault in MIDWAY and middle)]


def load_scenario(path: Path | None) -> Scenario:
    """Read a scenario; None is a plant without faults. Raises :class:`rxnopt.errors.CardError`."""
    return Scenario() if path is None else validate(read(path, str(path)), Scenario)
