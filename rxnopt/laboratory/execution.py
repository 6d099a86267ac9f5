"""One run on the device: checked, approved, submitted, followed, judged."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from rxnopt.cards.lab import seconds
from rxnopt.errors import LabError
from rxnopt.lab.interface import (
    Health,
    InterlockOpen,
    NotAccepted,
    OutcomeUnknown,
    Rejected,
    Request,
    RunState,
)
from rxnopt.lab.settings import differences
from rxnopt.laboratory import plan
from rxnopt.laboratory.commands import REJECTED, failed
from rxnopt.laboratory.ending import Ending
from rxnopt.laboratory.watching import Watch
from rxnopt.runs import Run, RunStatus, plain

if TYPE_CHECKING:
    from rxnopt.laboratory.conductor import Conductor

ATTEMPTS = 3
"""Submissions of one run id that a device may refuse to accept."""
S = RunStatus


class Execution:
    """What the runner does with one run; its ``runner`` holds journal, device and limits."""

    def __init__(self, runner: Conductor) -> None:
        self._runner, self._record, self._device, self._card = runner, runner.record, runner.device, runner.card
        times = self._card.timeouts
        self._poll, self._stall, self._call = seconds(times.poll), seconds(times.stall), seconds(times.call)
        self._refusals: dict[str, int] = {}
        self._sent: set[str] = set()
        self._refused: set[str] = set()
        self._looked_at: set[str] = set()
        self.ending = Ending(runner)
        self._write = self.ending.write

    # before the device

    async def prepare(self, run: Run) -> bool:
        """Take a run one arrow nearer to the device; False: it waits for a person and nobody waits with it."""
        if run.status is S.PROPOSED:
            return await self._check(run)
        bound = plan.approval_hash(run, self._runner.gate.version, self._card)
        if run.status is S.CHECKED:
            if self._runner.approval:
                self._write(S.AWAITING_APPROVAL, run, hash=bound)
            else:
                await self._submit(run)
            return True
        if run.told["hash"] != bound or (run.status is S.APPROVED and plan.approval_over(run, self._card)):
            why = "the lab file was changed" if run.told["hash"] != bound else "the approval was too old"
            self._write(S.EXPIRED, run, reason=why)
            return True
        if run.status is S.APPROVED:
            await self._submit(run)
            return True
        return await self._runner.idle(f"run {run.id} waits for approval; `rxnopt lab approve`")

    def _request(self, run: Run) -> Request:
        outputs = {name: output.unit for name, output in self._card.outputs.items()}
        return Request(run.id, run.positions, outputs)

    async def _check(self, run: Run) -> bool:
        """Ask the gate and the device; a reagent that does not last holds the campaign."""
        gate = self._runner.gate
        violations = gate.violations(run.positions, self._record.ledger.previous)
        short = [] if violations else list(gate.shortages(run.positions, self._record.ledger.used))
        if short:
            self._runner.hold(short[0])
            return True
        violations = violations or await self._device.preflight(self._request(run))
        if violations:
            self._reject(run, violations)
        else:
            self._write(S.CHECKED, run, gate=gate.version)
        return True

    def _reject(self, run: Run, violations: tuple[str, ...]) -> None:
        reason = "; ".join(violations)
        self._write(S.REJECTED, run, *failed(self._record, run, REJECTED, reason), reason=reason)

    async def _submit(self, run: Run) -> None:
        """Submit a run that may be: gate, device and disk are asked again, and the id is on the disk first."""
        gate, runner = self._runner.gate, self._runner
        violations = gate.violations(run.positions, self._record.ledger.previous)
        if violations:
            self._reject(run, violations)
            return
        health = await self._ready()
        if health is None:
            return
        runner.check_disk()
        run = self._write(S.SUBMITTING, run, boot_id=health.boot_id, uses=gate.uses(run.positions), gate=gate.version)
        await self._attempt(run)

    async def _ready(self) -> Health | None:
        """Return the health of an idle device; None: the campaign is held, or a person spoke meanwhile."""
        end = time.monotonic() + self._stall
        while True:
            try:
                health = await self._device.health()
            except LabError:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(self._poll)
                continue
            if health.state in ("estop", "interlock", "fault"):
                self._runner.hold(f"the device is in state {health.state} {health.message}".rstrip())
                return None
            if health.state == "idle":
                return health if await self._quiet() else None
            self._runner.commands()
            if self._runner.verb or self._record.ledger.paused:
                return None
            if time.monotonic() > end:
                self._runner.hold(f"the device has been busy for {self._stall:g} s with {health.run_id or 'something'}")
                return None
            await asyncio.sleep(self._poll)

    async def _quiet(self) -> bool:
        """Compare "idle" with what the device says of the last run; where they contradict, a person looks, once."""
        left = await self.let_go()
        if left is not None:
            self._looked_at.add(left.id)  # who resumes has looked
            said = (await self._device.health()).message
            where = f" ({said})" if said else ""
            self._runner.hold(f"the device says that it is idle and that run {left.id} is running{where}")
        return left is None

    async def let_go(self) -> Run | None:
        """End the last run where a person has resolved it; return it where the device still has it."""
        last = [run for run in self._record.ledger.runs.values() if "boot_id" in run.told][-1:]
        for run in last:
            if run.id in self._looked_at:
                continue
            if await self._device.lookup(run.id) in (RunState.QUEUED, RunState.RUNNING):
                return None if run.status is S.RESOLVED and await self.ending.end(run) else run
        return None

    async def _attempt(self, run: Run) -> None:
        """Send a run whose id is in the journal; what remains open is looked up in the next step."""
        self._sent.add(run.id)
        self._refused.discard(run.id)
        try:
            ticket = await self._device.submit(self._request(run))
        except Rejected as error:
            self._reject(run, error.violations)
        except InterlockOpen as error:
            self._refused.add(run.id)
            self._runner.hold(f"the device refuses: {error}")
        except NotAccepted as error:
            self._sent.discard(run.id)
            self._refused.add(run.id)
            self._refusals[run.id] = self._refusals.get(run.id, 0) + 1
            if self._refusals[run.id] >= ATTEMPTS:
                self.ending.broken(run, f"not accepted {ATTEMPTS} times: {error}")
            else:
                await asyncio.sleep(self._poll)
        except OutcomeUnknown as error:
            self._runner.tell(f"looking up run {run.id}: {error}")
        else:
            readback = [plain(setting) for setting in ticket.readback]
            run = self._write(S.RUNNING, run, handle=ticket.handle, readback=readback)
            wrong = [each for a, b in zip(run.positions, ticket.readback, strict=False)
                     for each in differences(self._card, a, b)]  # fmt: skip
            if wrong:
                await self.ending.spoilt(run, f"the device repeats other set-points: {'; '.join(wrong)}")

    # with the device

    async def follow(self, run: Run) -> bool:
        """Bring a run that may be on the device nearer to its end; False: a person must act and nobody waits."""
        state, boot = await self._state(run)
        if state is RunState.ABSENT:
            return await self._absent(run, boot)
        if state is RunState.UNKNOWN and run.id in self._refused:  # the device knows no runs, and has not started it
            return await self._again(run)
        if state is RunState.UNKNOWN:
            await self.ending.doubtful(run, "the device cannot tell")
        elif run.status is S.SUBMITTING:
            self._write(S.RUNNING, run)
        else:
            over = await Watch(self._runner, self.ending, run).until_over()
            if over is not None:
                await self.ending.finish(run, over)
        return True

    async def _absent(self, run: Run, boot: str | None) -> bool:
        """Decide about a run that the device does not know: never started only if it has surely not forgotten."""
        if boot is None or boot != run.boot_id:
            await self.ending.doubtful(run, "the device does not know it and was restarted")
        elif run.status is S.RUNNING:
            await self.ending.doubtful(run, "the device had accepted it and does not know it any more")
        elif run.id in self._sent:  # it may still be on its way: look again
            self._sent.discard(run.id)
            await asyncio.sleep(min(self._call, self._stall))
        else:
            return await self._again(run)
        return True

    async def _again(self, run: Run) -> bool:
        """Submit a run that has surely not started, unless a person does not want it any more."""
        if self._runner.verb:
            self._write(S.CANCELLED, run, reason="not started")
        elif self._record.ledger.held is not None:
            return await self._runner.idle(self._record.ledger.held)
        else:
            health = await self._ready()
            if health is not None and health.boot_id == run.boot_id:
                await self._attempt(run)
        return True

    async def _state(self, run: Run) -> tuple[RunState, str | None]:
        """Look a run up, with new clients until the stall time is over; and the boot id of who answers."""
        end = time.monotonic() + self._stall
        while True:
            try:
                before = (await self._device.health()).boot_id
                state = await self._device.lookup(run.id)
                boot = (await self._device.health()).boot_id
                if before == boot:
                    return state, boot
            except LabError as error:
                await self._device.close()
                if time.monotonic() > end:
                    raise LabError(
                        f"run {run.id} may be on the device, which cannot be asked ({error}); look at the rig, then "
                        "start again: the run is looked up"
                    ) from error
                await asyncio.sleep(min(self._poll, self._stall / 10))


__all__ = ["Execution"]
