"""Watching a run on the device: it is asked again and again, whatever its events say."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import numpy as np

from rxnopt.cards.lab import seconds
from rxnopt.errors import LabError
from rxnopt.formulas import parse
from rxnopt.lab.interface import Health, RunState
from rxnopt.lab.settings import differences
from rxnopt.laboratory.ending import Ending
from rxnopt.runs import Run
from rxnopt.units import quantity

if TYPE_CHECKING:
    from rxnopt.laboratory.conductor import Conductor

LOOKS = 2
"""Looks in a row that must find other set-points than were asked for before a run is given up."""


class Watch:
    """Follows one run until it is over, silent, too long or spoilt. Times are those of the monotonic clock."""

    def __init__(self, runner: Conductor, ending: Ending, run: Run) -> None:
        self._runner, self._ending, self._run, self._device = runner, ending, run, runner.device
        times = runner.card.timeouts
        self._poll, self._stall = seconds(times.poll), seconds(times.stall)
        self._sign = self._start = time.monotonic()
        self._woken, self._wrong, self._state = asyncio.Event(), 0, "running"
        self._events: asyncio.Task[None] | None = None

    async def until_over(self) -> RunState | None:
        """Return how the device says it ended; None where that is in the journal already."""
        try:
            while True:
                over, state = await self._look()
                if over:
                    return state
                await self._rest()
        finally:
            if self._events is not None:
                self._events.cancel()

    async def _look(self) -> tuple[bool, RunState | None]:
        self._runner.commands()
        if not self._runner.record.ledger.runs[self._run.id].open:
            await self._ending.end(self._run)  # a person resolved it: the device is to let go of it
            return True, None
        if self._runner.verb == "abort":
            return True, await self._abort()
        state, health = await self._ask()
        if time.monotonic() - self._sign > self._stall:
            raise LabError(
                f"run {self._run.id} is on the device and there was no sign of life for {self._stall:g} s; look at the "
                "rig, then start again: the run is looked up"
            )
        if state is not None and state.over:
            return True, state
        reason = self._reason(state, health)
        if reason:
            await self._ending.doubtful(self._run, reason)
            return True, None
        if health is not None and await self._spoilt(health):
            return True, None
        return False, None

    async def _ask(self) -> tuple[RunState | None, Health | None]:
        """Return what the device says now; nothing where it does not answer, and the client is given up then."""
        try:
            state, health = await self._device.lookup(self._run.id), await self._device.health()
        except LabError:
            await self._device.close()
            return None, None
        self._sign = time.monotonic()
        self._state = f"running: {health.message}" if health.message else "running"
        if self._events is None or self._events.done():
            self._events = asyncio.ensure_future(self._device.watch(self._run.id, self._woken))
        return state, health

    def _reason(self, state: RunState | None, health: Health | None) -> str:
        """Return why the run is doubtful now, "" where it is not."""
        now = time.monotonic()
        if state is RunState.ABSENT:
            restarted = health is not None and health.boot_id != self._run.boot_id
            why = "; it was restarted" if restarted else ""
            return f"the device had accepted it and does not know it any more{why}"
        if state is RunState.UNKNOWN:
            return "the device cannot tell"
        if now - self._start > self.longest:
            return f"it did not end within {self.longest:g} s"
        return ""

    async def _spoilt(self, health: Health) -> bool:
        """Hold the campaign where the device is stopped; give a run up whose set-points were lost."""
        if health.state in ("estop", "interlock"):
            self._runner.hold(f"the device is in state {health.state} {health.message}".rstrip())
        first, *others = self._run.positions
        asked = {name: value for name, value in first.items() if all(each[name] == value for each in others)}
        wrong = differences(self._runner.card, asked, health.setpoints) if health.run_id == self._run.id else []
        self._wrong = self._wrong + 1 if wrong else 0
        if self._wrong < LOOKS:
            return False
        await self._ending.spoilt(self._run, f"set-points were lost: {'; '.join(wrong)}")
        return True

    async def _abort(self) -> RunState | None:
        if await self._ending.end(self._run):
            return await self._device.lookup(self._run.id)
        await self._ending.doubtful(self._run, "it was aborted and its end was not confirmed")
        return None

    async def _rest(self) -> None:
        """Wait until something is heard, or for the next look; people are served meanwhile."""
        end = time.monotonic() + self._poll
        while time.monotonic() < end and not self._woken.is_set():
            waiter = asyncio.ensure_future(self._woken.wait())
            await asyncio.wait({waiter}, timeout=min(0.1, self._poll))
            waiter.cancel()
            self._runner.commands()
            self._runner.tell(self._state)
            if self._runner.verb == "abort":
                return
        self._woken.clear()

    @property
    def longest(self) -> float:
        """The longest time in seconds that the run may take."""
        text = self._runner.card.timeouts.run
        given = quantity(text)
        if given is not None:
            return given.si
        return float(np.max(parse(text).numpy(self._runner.gate.values(self._run.positions))))


__all__ = ["Watch"]
