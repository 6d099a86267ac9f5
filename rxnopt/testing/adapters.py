"""What every adapter of a device must do, as a test class that one of yours inherits.

``class TestMine(AdapterConformance)`` with a method ``make`` that returns a new, unconnected adapter of a device or a
simulator that is idle, and one ``setting`` that it can do in a few seconds. :class:`TwinConformance` adds what can be
seen only where a physical journal tells what happened, and where faults can be made.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, ClassVar

from rxnopt.errors import LabError
from rxnopt.lab.interface import Adapter, NotAccepted, Request, Result, RunState, Setting, Ticket, Unreachable

KNOWN = (RunState.QUEUED, RunState.RUNNING, RunState.DONE)


def new_id() -> str:
    """Return a run id that no device has seen."""
    return f"run-{uuid.uuid4().hex[:12]}"


class AdapterConformance:
    """Tests of one adapter; set the attributes and override :meth:`make`.

    ``setting``: a value for each parameter that the device can do. ``outputs``: what is wanted, with units.
    ``refused``: a setting out of its limits, None where it knows none. ``patience``: seconds for a whole run.
    """

    setting: ClassVar[Setting] = {}
    refused: ClassVar[Setting | None] = None
    outputs: ClassVar[Mapping[str, str]] = {"yield": "%"}
    patience: ClassVar[float] = 20.0

    def make(self) -> Adapter:
        """Return a new adapter, not connected."""
        raise NotImplementedError

    def unreachable(self) -> Adapter | None:
        """Return an adapter of an address where nobody listens; None where there are no addresses."""
        return None

    # tools

    def run(self, test: Callable[[Adapter], Coroutine[Any, Any, None]]) -> None:
        """Run a test with a connected adapter."""

        async def go() -> None:
            async with self.connected() as adapter:
                await test(adapter)

        asyncio.run(go())

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Adapter]:
        """Connect a new adapter, for ``patience`` seconds where the device is not up yet; close it at the end."""
        end = time.monotonic() + self.patience
        adapter = self.make()
        while True:
            try:
                await adapter.connect()
                break
            except LabError as error:
                await adapter.close()
                if not isinstance(error, Unreachable) or time.monotonic() > end:
                    raise
                adapter = self.make()
        try:
            yield adapter
        finally:
            await adapter.close()

    def request(self, run_id: str | None = None, setting: Setting | None = None) -> Request:
        """Return a request of one position."""
        return Request(run_id or new_id(), (setting or self.setting,), self.outputs)

    async def until(self, adapter: Adapter, run_id: str, *states: RunState) -> RunState:
        """Look up until the run is in one of these states, over if none is given."""
        end = time.monotonic() + self.patience
        while time.monotonic() < end:
            state = await adapter.lookup(run_id)
            if state in states or (not states and state.over):
                return state
            await asyncio.sleep(0.02)
        raise AssertionError(f"{run_id} is {state} after {self.patience:g} s")

    async def ended(self, adapter: Adapter, request: Request) -> Result:
        """Run to the end and return the result."""
        await adapter.submit(request)
        state = await self.until(adapter, request.run_id)
        expect(state is RunState.DONE, f"the run has {state} instead of being done")
        return await adapter.result(request.run_id)

    # tests

    def test_it_says_who_it_is_and_the_same_again(self) -> None:
        """A second connection finds the same device in the same boot."""

        async def test(adapter: Adapter) -> None:
            async with self.connected() as other:
                first, second = await adapter.health(), await other.health()
            expect(first.boot_id == second.boot_id, f"boot ids {first.boot_id!r} and {second.boot_id!r} differ")
            expect(first.state == "idle", f"the device is {first.state}")

        self.run(test)

    def test_it_knows_its_parameters(self) -> None:
        """Capabilities name each parameter of the setting, in units that exist."""

        async def test(adapter: Adapter) -> None:
            capabilities = await adapter.capabilities()
            lacking = set(self.setting) - set(capabilities.parameters)
            expect(not lacking, f"capabilities lack {', '.join(sorted(lacking))}")
            expect(capabilities.batch_size >= 1, f"batch_size is {capabilities.batch_size}")

        self.run(test)

    def test_a_look_before_has_no_effect(self) -> None:
        """Preflight and look-ups start nothing."""

        async def test(adapter: Adapter) -> None:
            request = self.request()
            for _ in range(2):
                expect(await adapter.preflight(request) == (), "preflight speaks against a good request")
                state = await adapter.lookup(request.run_id)
                expect(state in (RunState.ABSENT, RunState.UNKNOWN), f"a run that was never submitted is {state}")
            expect((await adapter.health()).state == "idle", "preflight has started something")

        self.run(test)

    def test_a_run_comes_to_its_result(self) -> None:
        """Ticket, look-up and result carry our run id; a second look gives the same."""

        async def test(adapter: Adapter) -> None:
            request = self.request()
            ticket = await adapter.submit(request)
            expect(isinstance(ticket, Ticket) and ticket.run_id == request.run_id, f"not our run id: {ticket}")
            expect(await adapter.lookup(request.run_id) in KNOWN, "what was accepted is not known")
            state = await self.until(adapter, request.run_id)
            expect(state is RunState.DONE, f"the run has {state} instead of being done")
            result = await adapter.result(request.run_id)
            expect(result.run_id == request.run_id, f"the result is that of {result.run_id}")
            expect(len(result.positions) == 1, f"{len(result.positions)} positions instead of 1")
            lacking = set(self.outputs) - set(result.positions[0].outputs)
            expect(not lacking, f"the result lacks {', '.join(sorted(lacking))}")
            for name, unit in self.outputs.items():
                result.positions[0].outputs[name].to(unit)
            again = await adapter.result(request.run_id)
            expect(again.positions == result.positions, "the result changes when it is read again")

        self.run(test)

    def test_events_end_with_the_run_or_are_silent(self) -> None:
        """They carry our run id; they may stay away, but may not go on after the run is over."""

        async def test(adapter: Adapter) -> None:
            request = self.request()
            await adapter.submit(request)
            heard = []

            async def listen() -> None:
                async for event in adapter.events(request.run_id):
                    heard.append(event)

            listening = asyncio.create_task(listen())
            await self.until(adapter, request.run_id)
            await asyncio.wait([listening], timeout=1.0)
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
            expect({event.run_id for event in heard} <= {request.run_id}, "an event of another run")
            over = [event.state.over for event in heard]
            expect(not any(over[:-1]), "events go on after the run is over")

        self.run(test)

    def test_another_client_finds_the_run(self) -> None:
        """After the first client is gone, where ``can_attach``; elsewhere it may not say that it is absent."""

        async def test(adapter: Adapter) -> None:
            request, attach = self.request(), (await adapter.capabilities()).can_attach
            await adapter.submit(request)
            await adapter.close()
            async with self.connected() as other:
                if not attach:
                    state = await other.lookup(request.run_id)
                    expect(state is not RunState.ABSENT, "a run that cannot be found again is called absent")
                    return
                await self.until(other, request.run_id)
                result = await other.result(request.run_id)
                expect(result.run_id == request.run_id, f"the result is that of {result.run_id}")

        self.run(test)

    def test_there_is_no_result_of_a_run_that_never_was(self) -> None:
        """Not even that of the run before."""

        async def test(adapter: Adapter) -> None:
            await self.ended(adapter, self.request())
            try:
                result = await adapter.result(new_id())
            except LabError:
                return
            raise AssertionError(f"a run that never was has the result {result}")

        self.run(test)

    def test_what_is_out_of_limits_is_refused(self) -> None:
        """As :class:`rxnopt.lab.interface.NotAccepted`, so that nothing has started."""
        if self.refused is None:
            return

        async def test(adapter: Adapter) -> None:
            request = self.request(setting=self.refused)
            try:
                await adapter.submit(request)
            except NotAccepted:
                state = await adapter.lookup(request.run_id)
                expect(state in (RunState.ABSENT, RunState.UNKNOWN), f"a refused run is {state}")
                return
            raise AssertionError("a setting out of limits was accepted")

        self.run(test)

    def test_a_run_can_be_cancelled(self) -> None:
        """Where ``can_cancel``: it is over when the look-up says so, and the device is free again."""

        async def test(adapter: Adapter) -> None:
            if not (await adapter.capabilities()).can_cancel:
                return
            request = self.request()
            await adapter.submit(request)
            await adapter.cancel(request.run_id)
            state = await self.until(adapter, request.run_id)
            expect(state is not RunState.FAILED, "a cancelled run has failed")
            await self.ended(adapter, self.request())

        self.run(test)

    def test_the_safe_state_can_be_asked_for_at_any_time(self) -> None:
        """Idle, twice, during a run; the device can be used afterwards."""

        async def test(adapter: Adapter) -> None:
            await adapter.safe_state()
            await adapter.safe_state()
            request = self.request()
            await adapter.submit(request)
            await adapter.safe_state()
            with suppress(AssertionError):
                await self.until(adapter, request.run_id)
            await self.ended(adapter, self.request())

        self.run(test)

    def test_closing_twice_is_no_error(self) -> None:
        """Nor is closing what was never connected."""

        async def go() -> None:
            await self.make().close()
            async with self.connected() as adapter:
                await adapter.close()

        asyncio.run(go())

    def test_nobody_at_the_address_is_told_in_time(self) -> None:
        """As :class:`rxnopt.lab.interface.Unreachable`."""
        adapter = self.unreachable()
        if adapter is None:
            return

        async def go() -> None:
            try:
                await adapter.connect()
            except Unreachable:
                return
            finally:
                await adapter.close()
            raise AssertionError("a connection to nobody")

        start = time.monotonic()
        asyncio.run(go())
        expect(time.monotonic() - start < self.patience, "it takes too long to find out that nobody is there")


def expect(condition: bool, message: str) -> None:
    """Raise AssertionError with the message unless the condition holds."""
    if not condition:
        raise AssertionError(message)


__all__ = ["KNOWN", "AdapterConformance", "expect", "new_id"]
