"""A digital twin and its adapter on one bench, for tests."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from rxnopt.cards.base import validate
from rxnopt.cards.lab import LabCard
from rxnopt.catalogue import parse
from rxnopt.errors import LabError
from rxnopt.lab.adapters import create
from rxnopt.lab.interface import (
    Adapter,
    Quantity,
    RunState,
    Setting,
)  # fmt: skip
from rxnopt.simulators import Reaction
from rxnopt.testing.adapters import AdapterConformance
from rxnopt.testing.problems import toy
from rxnopt.twin import Fault, Plant, Scenario, starts
from rxnopt.twin.scenario import PHASED, Faults, Phase
from rxnopt.twin.serving import Serving

CALL = 1.0
"""Time-out of a call, s."""


class Bench:
    """A twin that speaks ``protocol``, ``speed`` times as fast as the clock; one serves all tests of a class."""

    protocol: ClassVar[str]
    speed: ClassVar[float] = 12000.0
    patience: ClassVar[float] = 20.0
    twin: ClassVar[Serving]
    folder: ClassVar[Path] = Path()
    _place: ClassVar[TemporaryDirectory[str]]

    @classmethod
    def reaction(cls) -> Reaction:
        """Return what is in the reactor."""
        return toy("smooth")

    @classmethod
    def setup_class(cls) -> None:
        """Start the twin, in a folder of its own."""
        cls._place = TemporaryDirectory()
        place = Path(cls._place.name)
        cls.twin = Serving(cls.protocol, cls.reaction(), seed=1, speed=cls.speed, folder=place).__enter__()

    @classmethod
    def teardown_class(cls) -> None:
        """End the twin."""
        cls.twin.__exit__()
        cls._place.cleanup()

    def setup_method(self) -> None:
        """Bring the twin back to idle, without faults."""
        self.plan()
        self.twin.do(self.twin.rig.abort)
        end = time.monotonic() + self.patience
        while self.twin.rig.current is not None and time.monotonic() < end:
            time.sleep(0.01)
        self.twin.do(self.twin.rig.reset)

    def plan(self, *faults: Fault, **plant: float) -> None:
        """Let these faults happen: ``run`` 1 is the next attempt to start a run."""

        def planned() -> None:
            rig = self.twin.rig
            before = len(rig.ledger.of("asked"))
            own = tuple(fault.model_copy(update={"run": before + (fault.run or 1)}) for fault in faults)
            rig.scenario, rig.faults = Scenario(plant=Plant(**plant), faults=own), Faults()
            rig.plumbing.stuck.clear()
            rig.plumbing.plant, rig.plumbing.clog = rig.scenario.plant, 0.0
            rig.plumbing.reagent = rig.scenario.plant.reagent

        self.twin.do(planned)

    def starts(self, run_id: str) -> int:
        """Return how often a run id was physically started."""
        return self.twin.do(lambda: starts(self.twin.rig.ledger)[run_id])

    def fault(self, fault: str, phase: Phase = "after_accept", seconds: float = 0.0, **more: Any) -> Fault:
        """Return a fault of the next attempt, or of the ``run``-th from now."""
        options: dict[str, Any] = {"phase": phase} if fault in PHASED else {}
        return Fault.model_validate({"fault": fault, "run": 1, "seconds": seconds, **options, **more})


class TwinBench(Bench, AdapterConformance):
    """An adapter and the twin that speaks its ``protocol``."""

    setting: ClassVar[Setting] = {
        "temperature": Quantity(80.0, "degC"), "time": Quantity(5.0, "min"), "equivalents": Quantity(3.0),
    }  # fmt: skip
    refused: ClassVar[Setting | None] = {**setting, "temperature": Quantity(500.0, "degC")}

    def card(self, port: int | None = None, call: float = CALL) -> LabCard:
        """Return the lab file of the twin; ``call`` is the time-out of a call, s."""
        text = self.twin.lab_file(connect="1 s", call=f"{call} s")
        if port is not None:
            text = text.replace(f":{self.twin.desk.port}", f":{port}")
        return validate(parse(text, "twin.yaml"), LabCard)

    def make(self) -> Adapter:
        """Return an adapter of the twin."""
        return create(self.card(), self.folder)

    def unreachable(self) -> Adapter | None:
        """Return an adapter of a port where nobody listens."""
        return create(self.card(port=1), self.folder)

    async def submitted(self, adapter: Adapter) -> tuple[str, LabError | None]:
        """Submit a run and return its id and what was raised."""
        request = self.request()
        try:
            await adapter.submit(request)
        except LabError as error:
            return request.run_id, error
        return request.run_id, None

    async def seen(self, run_id: str) -> RunState:
        """Return what a new client hears of a run."""
        async with self.connected() as other:
            return await other.lookup(run_id)


__all__ = ["CALL", "Bench", "TwinBench"]
