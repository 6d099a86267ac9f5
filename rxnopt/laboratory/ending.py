"""The end of a run: its result is judged, or it is said why there is none, and what is done about it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from rxnopt.cards.lab import seconds
from rxnopt.errors import LabError
from rxnopt.events import Entry
from rxnopt.lab.interface import Result, ResultInvalid, RunState
from rxnopt.laboratory.commands import failed
from rxnopt.laboratory.judge import judged, raw
from rxnopt.record import NO_DATA
from rxnopt.runs import Run, RunStatus, entry

if TYPE_CHECKING:
    from rxnopt.laboratory.conductor import Conductor

ATTEMPTS = 3
"""Fetches of a result that may be invalid."""
S = RunStatus


class Ending:
    """How runs end; ``runner`` holds journal and device."""

    def __init__(self, runner: Conductor) -> None:
        self._runner, self._record, self._device, self._card = runner, runner.record, runner.device, runner.card
        self._poll, self._stall = seconds(self._card.timeouts.poll), seconds(self._card.timeouts.stall)
        self.can_cancel = False
        self._looked, self._turn = time.monotonic(), -1

    def write(self, status: RunStatus, run: Run, *more: Entry, **payload: Any) -> Run:
        """Bring a run to a status, with further events in the same transaction."""
        self._record.write([entry(status, run.id, **payload), *more])
        self._runner.tell("running")
        return self._record.ledger.runs[run.id]

    async def finish(self, run: Run, state: RunState) -> None:
        """Take the result of a run that is over."""
        if self._runner.verb == "abort" and state is not RunState.DONE:
            self.write(S.CANCELLED, run, reason="aborted")
            return
        if state is RunState.CANCELLED:
            self.broken(run, "cancelled at the device")
            return
        result = await self._result(run)
        if isinstance(result, Result):
            self._take(run, result)
        elif state is RunState.FAILED:
            self.broken(run, f"failed at the device ({result})")
        else:
            self._invalid(run, result)

    def _take(self, run: Run, result: Result, late: bool = False) -> None:
        """Write down a result: what is not complete waits, what is all of the machine counts as broken."""
        if not result.complete:
            self.write(S.AWAITING_ANALYSIS, run, partial=[raw(each) for each in result.positions])
            return
        if all(each.failure == "machine" for each in result.positions) and not late:
            self.broken(run, "; ".join(each.message for each in result.positions) or "the machine failed")
            return
        trials, notes = judged(self._record, self._card, run, result)
        if late:  # what is known of other positions stays, whoever has told it
            lacking = self._lacking()
            trials = [each for each in trials if each[0] in lacking and each[2]["outputs"] is not None]
            if not trials:
                return
        if run.status is S.DONE:
            self._record.write(trials)
            self._runner.tell("running")
        else:
            self.write(S.DONE, run, *trials, late=late, **notes)

    def _invalid(self, run: Run, reason: str) -> None:
        self.write(S.FAILED, run, *failed(self._record, run, "invalid", reason), reason=reason)

    async def _result(self, run: Run, attempts: int = ATTEMPTS) -> Result | str:
        """Fetch the result of a run, a few times; or why there is none that is surely its own."""
        why = ""
        for attempt in range(attempts):
            if attempt:
                await asyncio.sleep(self._poll)
            try:
                result = await self._device.result(run.id)
            except ResultInvalid as error:
                why = f"{error} (quality {error.quality})"
                continue
            except LabError as error:
                why = str(error)
                await self._device.close()
                continue
            if result.run_id == run.id and len(result.positions) == len(run.positions):
                return result
            why = f"the result is of run {result.run_id!r} with {len(result.positions)} positions"
        return why

    async def analysed(self, run: Run) -> bool:
        """Look whether an analysis is complete; its result is taken then."""
        result = await self._result(run)
        if isinstance(result, Result) and result.complete:
            self._take(run, result)
            return True
        return False

    async def late(self) -> None:
        """Look for runs that ended in doubt or failed: one that still runs is followed, a late result is accepted."""
        for run in self._overdue():
            if await self._device.lookup(run.id) is RunState.RUNNING and run.status is S.UNKNOWN:
                self.write(S.RUNNING, run, reason="found again")
            else:
                await self._arrived(run)

    async def look_again(self) -> bool:
        """Look for the result of one of them, in turn, no more often than the device is polled; whether it has come."""
        overdue, now = self._overdue(), time.monotonic()
        if not overdue or now - self._looked < self._poll:
            return False
        self._looked, self._turn = now, self._turn + 1
        with contextlib.suppress(LabError):  # whatever it is, a run that is wanted will meet it
            return await self._arrived(overdue[self._turn % len(overdue)])
        return False

    def _overdue(self) -> list[Run]:
        """Return the runs that were submitted and have no result: not from the rig, a person, or another run."""
        ledger, lacking = self._record.ledger, self._lacking()
        again = {run.retry_of for run in ledger.runs.values()}
        return [
            run
            for run in ledger.with_status(S.UNKNOWN, S.FAILED, S.DONE)
            if lacking.intersection(run.trials)
            and run.id not in again
            and "boot_id" in run.told
            and not run.told.get("spoilt")
        ]

    def _lacking(self) -> set[int]:
        """Return the trials without a result that says something of the reaction."""
        return {trial.number for trial in self._record if trial.status == "pending" or trial.failure in NO_DATA}

    async def _arrived(self, run: Run) -> bool:
        if await self._device.lookup(run.id) is RunState.DONE:
            result = await self._result(run, attempts=1)
            if isinstance(result, Result) and result.complete:
                self._take(run, result, late=True)
        return run.id not in {each.id for each in self._overdue()}

    # when it goes wrong

    async def doubtful(self, run: Run, reason: str, **told: Any) -> None:
        """The run may have happened: a person decides."""
        self.write(S.UNKNOWN, run, reason=reason, **told)
        await self.to_safety()

    async def spoilt(self, run: Run, reason: str) -> None:
        """End a run that goes wrong on the device, and wait until it has ended; no result of it is wanted any more."""
        if await self.end(run):
            self.broken(run, reason, spoilt=True)
        else:
            await self.doubtful(run, f"{reason}; its end was not confirmed", spoilt=True)

    async def end(self, run: Run) -> bool:
        """Cancel a run, reach the safe state and return whether the device confirms the end."""
        with contextlib.suppress(LabError):  # the look-up below says what became of it
            if self.can_cancel:
                await self._device.cancel(run.id)
            await self._device.safe_state()
        end = time.monotonic() + self._stall
        while time.monotonic() < end:
            with contextlib.suppress(LabError):
                if (await self._device.lookup(run.id)).over:
                    return True
            await asyncio.sleep(self._poll)
        return False

    async def to_safety(self) -> None:
        """Ask for the safe state; the campaign is held where it is not confirmed."""
        try:
            await self._device.safe_state()
        except LabError as error:
            self._runner.hold(f"the safe state could not be confirmed ({error})")

    def broken(self, run: Run, reason: str, **told: Any) -> None:
        """End a run without data; its trials are run again, as often as the lab file says."""
        tries, before = 0, run
        while before.retry_of is not None:
            before = self._record.ledger.runs[before.retry_of]
            tries += before.status is S.FAILED
        over = tries >= self._card.failures.retries
        more = failed(self._record, run, "machine", reason) if over else []
        self.write(S.FAILED, run, *more, reason=reason, **told)


__all__ = ["Ending"]
