"""Adapters against digital twins over the real protocol: what happened is read from the physical journal of the twin.

The tests that end in a number are failures that a campaign must survive; here it is shown that an adapter tells the
campaign what is known, and nothing more.
"""

from __future__ import annotations

import asyncio
import time

from rxnopt.errors import LabError
from rxnopt.lab.adapters import create
from rxnopt.lab.interface import (
    TWIN,
    Adapter,
    InterlockOpen,
    NotAccepted,
    OutcomeUnknown,
    Quantity,
    ResultInvalid,
    RunState,
)  # fmt: skip
from rxnopt.testing.adapters import KNOWN, expect
from rxnopt.testing.bench import CALL, TwinBench
from rxnopt.twin import Fault


class TwinConformance(TwinBench):
    """Tests of one adapter against its twin."""

    def test_it_is_known_as_a_twin(self) -> None:
        """So that it needs no approval."""

        async def go() -> None:
            adapter = self.make()
            info = await adapter.connect()
            await adapter.close()
            expect(info.vendor == TWIN, f"the twin calls itself {info.vendor!r}, not {TWIN!r}")

        asyncio.run(go())

    def test_a_run_starts_once(self) -> None:
        """Whatever is called around it."""

        async def test(adapter: Adapter) -> None:
            request = self.request()
            await adapter.preflight(request)
            await self.ended(adapter, request)
            await adapter.lookup(request.run_id)
            expect(self.starts(request.run_id) == 1, f"{self.starts(request.run_id)} starts instead of 1")

        self.run(test)

    def test_a_connection_that_is_cut_before_the_start_f01(self) -> None:
        """Nothing started, and a new client hears so."""
        self.plan(self.fault("drop", "before_accept"))

        async def test(adapter: Adapter) -> None:
            run_id, error = await self.submitted(adapter)
            expect(isinstance(error, LabError), f"a cut connection raises {error!r}")
            expect(self.starts(run_id) == 0, "the run has started")
            expect(await self.seen(run_id) in (RunState.ABSENT, RunState.UNKNOWN), "a run that never started is known")

        self.run(test)

    def test_a_connection_that_is_cut_after_the_start_f02(self) -> None:
        """The outcome is unknown to this client and known to the next one."""
        self.plan(self.fault("drop"))
        self._ambiguous()

    def test_a_reply_that_comes_too_late_f05(self) -> None:
        """The device did start."""
        self.plan(self.fault("late", seconds=CALL + 0.7))
        self._ambiguous()

    def _ambiguous(self) -> None:
        async def test(adapter: Adapter) -> None:
            attach = (await adapter.capabilities()).can_attach
            run_id, error = await self.submitted(adapter)
            expect(not isinstance(error, NotAccepted), f"a run that has started raises {error!r}")
            expect(isinstance(error, OutcomeUnknown), f"a start without a reply raises {error!r}")
            expect(self.starts(run_id) == 1, f"{self.starts(run_id)} starts instead of 1")
            state = await self.seen(run_id)
            expect(state in (KNOWN if attach else (RunState.UNKNOWN,)), f"a new client hears {state}")

        self.run(test)

    def test_a_device_that_lost_its_memory_f04_f08(self) -> None:
        """Another boot id, nothing done; IDLE after the restart is no end of the run."""
        self.plan(self.fault("reboot", "running", 0.05, memory="lost"))
        state = self._rebooted()
        expect(state in (RunState.ABSENT, RunState.UNKNOWN), f"a run that the device has forgotten is {state}")

    def test_a_device_that_kept_its_memory(self) -> None:
        """The run has failed, or nobody can say."""
        self.plan(self.fault("reboot", "running", 0.05, memory="kept"))
        state = self._rebooted()
        expect(state in (RunState.FAILED, RunState.UNKNOWN), f"a run that lost its power is {state}")

    def _rebooted(self) -> RunState:
        found: list[RunState] = []

        async def test(adapter: Adapter) -> None:
            before, boots = (await adapter.health()).boot_id, len(self.twin.rig.ledger.of("boot"))
            run_id, _ = await self.submitted(adapter)
            end = time.monotonic() + self.patience
            while len(self.twin.rig.ledger.of("boot")) == boots and time.monotonic() < end:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)
            async with self.connected() as other:
                health = await other.health()
                found.append(await other.lookup(run_id))
                expect(health.boot_id is None or health.boot_id != before, "the boot id has not changed")
                try:
                    result = await other.result(run_id)
                except LabError:
                    return
                values = result.positions[0].outputs
                expect(not values, f"a run that lost its power has the result {values}")

        self.run(test)
        return found[0]

    def test_a_half_open_connection_f06(self) -> None:
        """Calls end within their time-out; a new client works as soon as the line does."""

        async def go() -> None:
            first, second = (create(self.card(call=0.4), self.folder) for _ in range(2))
            await first.connect()
            start = time.monotonic()
            self.twin.do(lambda: self.twin.desk.wire.hold(2.4))
            for call in (first.health, second.connect):
                try:
                    await call()
                except LabError:
                    continue
                raise AssertionError("an answer through a dead line")
            await second.close()
            expect(time.monotonic() - start < 2.3, "a dead line is noticed too late")
            await asyncio.sleep(max(start + 2.6 - time.monotonic(), 0.0))
            await first.close()
            async with self.connected() as other:
                expect((await other.health()).state == "idle", "the line works again and the device does not")

        asyncio.run(go())

    def test_a_stale_result_is_not_ours_f09(self) -> None:
        """The outputs of the run before stay on the display."""

        async def test(adapter: Adapter) -> None:
            await self.ended(adapter, self.request())
            self.plan(self.fault("stale"))
            run_id, _ = await self.submitted(adapter)
            await self.until(adapter, run_id)
            try:
                result = await adapter.result(run_id)
            except ResultInvalid:
                return
            raise AssertionError(f"a stale result is taken: {result}")

        self.run(test)

    def test_a_set_point_that_is_clamped_in_silence_f10(self) -> None:
        """Refused before the start, or the achieved value tells it."""
        self._altered(self.fault("clamp", parameter="temperature", value=60.0))

    def test_a_slip_of_units_f11(self) -> None:
        """The device takes another unit than the lab file says."""
        self._altered(self.fault("unit", parameter="temperature"))

    def _altered(self, fault: Fault) -> None:
        self.plan(fault)

        async def test(adapter: Adapter) -> None:
            run_id, error = await self.submitted(adapter)
            if error is not None:
                expect(isinstance(error, NotAccepted), f"a set-point that was changed raises {error!r}")
                expect(self.starts(run_id) == 0, "refused, and has started")
                return
            await self.until(adapter, run_id)
            achieved = (await adapter.result(run_id)).positions[0].achieved.get("temperature")
            told = isinstance(achieved, Quantity) and abs(achieved.to("degC").value - 60.0) < 2.0
            expect(told, f"a temperature was changed to 60 degC and {achieved} is told as achieved")

        self.run(test)

    def test_values_that_are_none_f12(self) -> None:
        """NaN, nothing, bad and uncertain quality, 110 %: never good and between 0 and 100."""

        async def test(adapter: Adapter) -> None:
            await self.ended(adapter, self.request())  # what is left on a display is no result either
            for fault in ("none", "nan", "bad", "uncertain", "over"):
                self.plan(self.fault(fault))
                run_id, _ = await self.submitted(adapter)
                await self.until(adapter, run_id)
                try:
                    measured = (await adapter.result(run_id)).positions[0]
                except ResultInvalid:
                    continue
                value = measured.outputs.get("yield")
                fine = value is not None and 0.0 <= value.to("%").value <= 100.0
                expect(not fine or measured.quality != "good", f"{fault} is told as {measured}")

        self.run(test)

    def test_a_run_that_never_ends_f14(self) -> None:
        """It stays running, and can be brought to the safe state."""
        self.plan(self.fault("never_finishes"))

        async def test(adapter: Adapter) -> None:
            run_id, _ = await self.submitted(adapter)
            await asyncio.sleep(0.5)
            state = await adapter.lookup(run_id)
            expect(not state.over, f"a run that never ends is {state}")
            await adapter.safe_state()

        self.run(test)

    def test_a_device_that_says_idle_while_it_runs_f16(self) -> None:
        """The look-up of our run id is not deceived, and a second start is refused."""
        self.plan(self.fault("lie_idle"))

        async def test(adapter: Adapter) -> None:
            run_id, _ = await self.submitted(adapter)
            state = await adapter.lookup(run_id)
            expect(state in KNOWN, f"a run that goes on is {state}")
            if state is not RunState.DONE:
                second, error = await self.submitted(adapter)
                expect(isinstance(error, NotAccepted) or self.starts(second) == 0, "two runs at once")
            await self.until(adapter, run_id)

        self.run(test)

    def test_a_busy_device_has_not_accepted(self) -> None:
        """So that the same run id can be submitted again."""
        self.plan(self.fault("busy"))

        async def test(adapter: Adapter) -> None:
            request = self.request()
            try:
                await adapter.submit(request)
            except NotAccepted:
                await self.ended(adapter, request)
                expect(self.starts(request.run_id) == 1, "not accepted, and started")
                return
            raise AssertionError("a busy device has accepted a run")

        self.run(test)

    def test_an_emergency_stop_latches_f22(self) -> None:
        """Nothing starts until a person has reset it."""
        self.plan(self.fault("estop", "before_accept"))

        async def test(adapter: Adapter) -> None:
            for _ in range(2):
                run_id, error = await self.submitted(adapter)
                expect(isinstance(error, InterlockOpen | NotAccepted), f"an emergency stop raises {error!r}")
                expect(self.starts(run_id) == 0, "it has started")
            expect(isinstance(error, InterlockOpen), f"a latched emergency stop raises {error!r}")
            expect((await adapter.health()).state == "estop", "the emergency stop is not told")
            expect(await adapter.preflight(self.request()) == (), "an emergency stop speaks against conditions")
            self.twin.do(self.twin.rig.reset)
            await asyncio.sleep(0.2)
            await self.ended(adapter, self.request())

        self.run(test)

    def test_a_cancelled_run_ends_when_the_device_says_so_f23(self) -> None:
        """Not when it was asked to."""
        self.plan(ramp=3000.0)

        async def test(adapter: Adapter) -> None:
            if not (await adapter.capabilities()).can_cancel:
                return
            run_id, _ = await self.submitted(adapter)
            await adapter.cancel(run_id)
            state = await adapter.lookup(run_id)
            expect(not state.over, f"the run is {state} before it has ended")
            state = await self.until(adapter, run_id)
            expect(state is RunState.CANCELLED, f"a cancelled run is {state}")

        self.run(test)


__all__ = ["TwinBench", "TwinConformance"]
