"""Python of a user as a device: a function that runs one experiment, or a whole adapter."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from rxnopt.cards.adapters import CallableRig, PythonAdapter
from rxnopt.cards.lab import LabCard
from rxnopt.cards.parameters import Categorical
from rxnopt.errors import LabError
from rxnopt.lab.adapters.rigging import settings_of
from rxnopt.lab.gate import limits
from rxnopt.lab.interface import (
    Adapter,
    Capabilities,
    DeviceInfo,
    Health,
    Measured,
    NotAccepted,
    Quantity,
    Range,
    Request,
    Result,
    ResultInvalid,
    RunEvent,
    RunState,
    Ticket,
)
from rxnopt.lab.settings import rig_unit
from rxnopt.user_code import named

BOOT = uuid.uuid4().hex
"""A function remembers nothing beyond its process."""
POLL = 0.01


def create(card: LabCard, folder: Path) -> Adapter:
    """Return the adapter of a lab file with ``kind: callable`` or ``python``."""
    if isinstance(card.adapter, PythonAdapter):
        made = _named(card.adapter.adapter, folder)(**card.adapter.settings)
        if not isinstance(made, Adapter):
            raise LabError(f"{card.adapter.adapter} has not all methods of rxnopt.lab.interface.Adapter; add them")
        return made
    settings = settings_of(card, CallableRig)
    place = f"{folder}/" if ".py:" in settings.function else ""
    return CallableAdapter(card, f"{place}{settings.function}", _named(settings.function, folder))


def _named(text: str, folder: Path) -> Callable[..., Any]:
    """Return what ``my_module:name`` or ``file.py:name`` names; raise :class:`LabError` in one sentence."""
    place, _, name = text.rpartition(":")
    try:
        return named(str((folder / place).resolve()) if place.endswith(".py") else place, name)
    except ImportError as error:
        raise LabError(f"adapter of the lab file: {error}") from error


class CallableAdapter:
    """Runs a function in a thread. It returns outputs in the units of the lab file: numbers, or quantities.

    Runs are known while the process lives; after a restart of the runner a run that was begun is UNKNOWN. Runs are
    kept per function, so that a new client finds them.
    """

    _runs: dict[str, dict[str, list[Any]]] = {}  # noqa: RUF012 - of the process, by function

    def __init__(self, card: LabCard, name: str, function: Callable[..., Any]) -> None:
        self._card, self._name, self._function = card, name, function
        self._own = self._runs.setdefault(name, {})

    async def connect(self) -> DeviceInfo:
        """Return the name of the function as the device."""
        return DeviceInfo("python", "function", self._name, "", BOOT)

    async def capabilities(self) -> Capabilities:
        """Return what the lab file allows."""
        ranges = {}
        for name, parameter in self._card.parameters.items():
            levels = tuple(parameter.levels) if isinstance(parameter, Categorical) else ()
            ranges[name] = Range(rig_unit(self._card, name), *limits(parameter), levels=levels)
        return Capabilities(ranges, True, False, self._card.plate.size if self._card.plate else 1)

    async def health(self) -> Health:
        """Busy while the function runs."""
        busy = [run for run, (state, _) in self._own.items() if state is RunState.RUNNING]
        return Health("busy" if busy else "idle", BOOT, busy[0] if busy else None)

    async def preflight(self, request: Request) -> tuple[str, ...]:  # noqa: ARG002
        """A function has nothing to say before it runs."""
        return ()

    async def submit(self, request: Request) -> Ticket:
        """Start the function, in a thread that ends with the process."""
        if (await self.health()).state == "busy":
            raise NotAccepted(f"{self._name} is busy")
        if request.run_id not in self._own:
            self._own[request.run_id] = [RunState.RUNNING, None]
            threading.Thread(target=self._run, args=(request,), daemon=True).start()
        return Ticket(request.run_id)

    def _run(self, request: Request) -> None:
        row = self._own[request.run_id]
        try:
            row[1] = [self._function(dict(setting), request.run_id) for setting in request.positions]
            row[0] = RunState.DONE
        except Exception as error:  # noqa: BLE001 - of the user's function, told as the fault of a machine
            row[1], row[0] = f"{type(error).__name__}: {error}", RunState.FAILED

    async def lookup(self, run_id: str) -> RunState:
        """Return what this process knows."""
        state: RunState = self._own[run_id][0] if run_id in self._own else RunState.ABSENT
        return state

    async def events(self, run_id: str) -> AsyncIterator[RunEvent]:
        """Yield the end of a run."""
        while not (state := await self.lookup(run_id)).over:
            await asyncio.sleep(POLL)
        yield RunEvent(run_id, state)

    async def result(self, run_id: str) -> Result:
        """Return what the function returned; its error is a fault of the machine."""
        row: list[Any] = self._own.get(run_id, [RunState.ABSENT, None])
        state, told = row
        if state is RunState.FAILED:
            return Result(run_id, (Measured(failure="machine", message=told),))
        if state is not RunState.DONE:
            raise ResultInvalid(f"run {run_id} has no result")
        return Result(run_id, tuple(self._measured(each) for each in told))

    def _measured(self, told: Any) -> Measured:
        if isinstance(told, Measured):
            return told
        if told is None:
            return Measured(failure="chemistry", message="no product")
        if not isinstance(told, Mapping):
            raise ResultInvalid(f"{self._name} returned {told!r}; return a mapping of outputs, a Measured, or None")
        units = {name: output.unit for name, output in self._card.outputs.items()}
        return Measured(
            {n: v if isinstance(v, Quantity) else Quantity(float(v), units.get(n, "1")) for n, v in told.items()}
        )

    async def cancel(self, run_id: str) -> None:
        """A function cannot be stopped from outside."""

    async def safe_state(self) -> None:
        """Call the attribute ``safe_state`` of the function, where it has one."""
        safe = getattr(self._function, "safe_state", None)
        if safe is not None:
            safe()

    async def close(self) -> None:
        """Nothing is open."""


__all__ = ["CallableAdapter", "create"]
