"""The device behind its watchdog: every call ends in time, and after one that did not a new client is made.

The errors say what is known: of a submission that did not end in order, :class:`OutcomeUnknown`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from rxnopt.cards.lab import seconds
from rxnopt.errors import LabError
from rxnopt.lab.adapters import create
from rxnopt.lab.adapters.calls import Silent, within
from rxnopt.lab.interface import (
    Adapter,
    Capabilities,
    DeviceFault,
    DeviceInfo,
    Health,
    InterlockOpen,
    NotAccepted,
    OutcomeUnknown,
    Request,
    Result,
    ResultInvalid,
    RunState,
    Ticket,
    Unreachable,
)
from rxnopt.lab.rig import Lab

T = TypeVar("T")


class Device:
    """One device of a lab file. Call :meth:`connect` first; it is called again by itself where a client was lost."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        times = lab.card.timeouts
        self._connect_time, self._call_time = seconds(times.connect), seconds(times.call)
        self._adapter: Adapter | None = None
        self.info: DeviceInfo | None = None

    async def connect(self) -> DeviceInfo:
        """Make a client and return who answers; raise :class:`Unreachable` or another :class:`LabError`."""
        await self.close()
        adapter = create(self._lab.card, self._lab.folder)
        try:
            self.info = await within(self._connect_time, adapter.connect(), self._name)
        except BaseException as error:
            await self._let_go(adapter)
            if isinstance(error, Silent):
                raise Unreachable(str(error)) from error
            if isinstance(error, LabError) or not isinstance(error, Exception):
                raise
            raise Unreachable(f"{self._name} cannot be connected ({_said(error)})") from error
        self._adapter = adapter
        return self.info

    async def capabilities(self) -> Capabilities:
        """Return what the device can do."""
        return await self._ask(lambda a: a.capabilities())

    async def health(self) -> Health:
        """Return how the device is."""
        return await self._ask(lambda a: a.health())

    async def preflight(self, request: Request) -> tuple[str, ...]:
        """Return what speaks against a request."""
        return await self._ask(lambda a: a.preflight(request))

    async def lookup(self, run_id: str) -> RunState:
        """Return what the device knows of a run."""
        return await self._ask(lambda a: a.lookup(run_id))

    async def result(self, run_id: str) -> Result:
        """Return the result of a run."""
        return await self._ask(lambda a: a.result(run_id))

    async def cancel(self, run_id: str) -> None:
        """Ask for the end of a run."""
        await self._ask(lambda a: a.cancel(run_id))

    async def safe_state(self) -> None:
        """Bring the device to its safe state."""
        await self._ask(lambda a: a.safe_state())

    async def submit(self, request: Request) -> Ticket:
        """Start a run; only :class:`NotAccepted` and :class:`InterlockOpen` say that it has surely not started."""
        adapter = await self._client()
        try:
            ticket = await within(self._call_time, adapter.submit(request), self._name)
        except (NotAccepted, InterlockOpen, OutcomeUnknown):
            raise
        except Silent as error:
            await self.close()
            raise OutcomeUnknown(str(error)) from error
        except Exception as error:
            await self.close()
            raise OutcomeUnknown(f"{self._name} failed in a submission ({_said(error)})") from error
        if ticket.run_id != request.run_id:
            raise OutcomeUnknown(f"{self._name} accepted run {ticket.run_id!r} instead of {request.run_id!r}")
        return ticket

    async def watch(self, run_id: str, woken: asyncio.Event) -> None:
        """Set ``woken`` whenever something is heard of a run; ends silently, because the campaign polls too."""
        if self._adapter is not None:
            with contextlib.suppress(Exception):  # whatever happened, the next look-up says it
                async for _ in self._adapter.events(run_id):
                    woken.set()

    async def close(self) -> None:
        """Let go of the client."""
        if self._adapter is not None:
            adapter, self._adapter = self._adapter, None
            await self._let_go(adapter)

    async def _ask(self, call: Callable[[Adapter], Coroutine[Any, Any, T]]) -> T:
        """Make a call without side effects, or one that may be repeated: once more with a new client if it fails."""
        try:
            return await self._once(call)
        except (ResultInvalid, InterlockOpen, DeviceFault):
            raise
        except LabError:
            await self.close()
            return await self._once(call)

    async def _once(self, call: Callable[[Adapter], Coroutine[Any, Any, T]]) -> T:
        adapter = await self._client()
        try:
            return await within(self._call_time, call(adapter), self._name)
        except Silent:
            await self.close()
            raise
        except LabError:
            raise
        except Exception as error:
            await self.close()
            raise LabError(f"{self._name} failed ({_said(error)})") from error

    async def _client(self) -> Adapter:
        if self._adapter is None:
            await self.connect()
        if self._adapter is None:
            raise AssertionError  # connect returned
        return self._adapter

    async def _let_go(self, adapter: Adapter) -> None:
        with contextlib.suppress(Exception):  # nothing more is wanted of it
            await within(min(self._call_time, 2.0), adapter.close(), self._name)

    @property
    def _name(self) -> str:
        adapter = self._lab.card.adapter
        where = next((getattr(adapter, n) for n in ("url", "address", "folder") if hasattr(adapter, n)), None)
        return f"{self._lab.card.name} ({adapter.kind}{f', {where}' if where else ''})"


def _said(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")


__all__ = ["Device"]
