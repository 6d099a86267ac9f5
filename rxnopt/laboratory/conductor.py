"""The runner: it takes trials through gate, approval and device to a result, one arrow after the other.

Whatever happens, what is known of a run is in the journal, and the journal alone says what comes next: a runner that
starts does nothing else than one that goes on.
"""

from __future__ import annotations

import asyncio
import math
import os
import platform
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rxnopt.cards.lab import seconds
from rxnopt.errors import LabError, RxnoptError
from rxnopt.events import NO_TRIAL, Entry
from rxnopt.lab.gate import Gate
from rxnopt.lab.interface import TWIN, Capabilities, DeviceInfo
from rxnopt.lab.lease import leased
from rxnopt.lab.rig import Lab
from rxnopt.lab.settings import believable, check_fits, rig_unit
from rxnopt.laboratory import commands, inbox, plan
from rxnopt.laboratory.device import Device
from rxnopt.laboratory.execution import Execution
from rxnopt.laboratory.view import Show, publish
from rxnopt.record import Record
from rxnopt.runs import RunStatus
from rxnopt.simulators.general import drawing
from rxnopt.units import unit

RESERVE = 10_000_000
"""Bytes that must be free on the disk of the journal before anything is submitted."""
ENDINGS = {
    "stop": "the campaign ends after this run, Ctrl-C or `rxnopt lab abort` cancels it",
    "abort": "it is cancelled",
}
"""What the status adds to a run that goes on, once a person has said how the campaign is to end."""
TICK = 0.1
"""Longest time in seconds between two looks into the inbox."""
S = RunStatus


class Conductor:
    """Runs the pending trials of a record on a lab, and those that ``more`` proposes, until there are none.

    ``wait`` False: where a person must act, :meth:`run` returns and leaves the run as it is. ``rest`` False:
    the device is not brought to its safe state at a regular end. ``budget``: of trials, for who looks on.
    """

    def __init__(
        self,
        record: Record,
        lab: Lab,
        more: Callable[[], list[Entry]],
        *,
        wait: bool = True,
        show: Show | None = None,
        rest: bool = True,
        budget: int | None = None,
    ) -> None:
        if drawing(record.reaction) is not None:
            raise LabError(f"{record.reaction.name} draws substrates by chance, which no rig does; take another card")
        if record.journal.path is None:
            raise LabError("a campaign on a rig needs a journal in a file; give one (journal='mine.db', or --journal)")
        check_fits(record.reaction, lab.card)
        self.record, self.lab, self.card, self._more = record, lab, lab.card, more
        self.wait, self._show, self._rest, self.path = wait, show, rest, record.journal.path
        self._budget = budget
        self.device = Device(lab)
        self.verb, self.state, self._told = "", "starting", 0.0
        self._end = "ended"
        self.gate = Gate(lab.card, record.space)
        self.approval = True
        self.execution = Execution(self)

    async def run(self) -> None:
        """Do it; raise :class:`LabError`, after the safe state was asked for, where it cannot go on."""
        if any(trial.noise_free is not None for trial in self.record):
            raise LabError("this journal holds simulated trials; give another file for the laboratory")
        info = await self.device.connect()
        try:
            with leased(info, str(self.path)):
                await self._conduct(info)
        finally:
            await self.device.close()

    async def _conduct(self, info: DeviceInfo) -> None:
        try:
            await self._begin(info)
            while await self._step():
                pass
            if self._rest:
                await self.execution.let_go()
                await self.device.safe_state()
            self.tell(self._end)
        except BaseException as error:
            await self._to_safety(error)
            self.tell(f"stopped: {error}")
            raise

    async def _to_safety(self, error: BaseException) -> None:
        try:
            await self.device.safe_state()
        except LabError as failed:
            error.add_note(f"the safe state could not be confirmed: {failed}")

    async def _begin(self, info: DeviceInfo) -> None:
        capabilities = await self.device.capabilities()
        self._check(capabilities)
        self.gate = Gate(self.card, self.record.space, capabilities.parameters)
        self.execution.ending.can_cancel = capabilities.can_cancel
        required = self.card.approval.required
        self.approval = info.vendor != TWIN if required is None else required
        place = self.record.reaction.place
        told = {
            "lab": self.card.model_dump_json(exclude_defaults=True), "place": self.lab.place, "gate": self.gate.version,
            "device": [info.vendor, info.model, info.serial, info.firmware], "reagents": [*self.card.reagents],
            "reaction": str(Path(place).absolute()) if place else self.record.reaction.name,
            "bounds": self._bounds(),
        }  # fmt: skip
        entries: list[Any] = []
        if told != self.record.ledger.configuration:
            entries.append((NO_TRIAL, "lab.configured", told))
        started = {"pid": os.getpid(), "host": platform.node(), "boot_id": info.boot_id, "budget": self._budget}
        self.record.write([*entries, (NO_TRIAL, "lab.started", started)])
        await self.execution.ending.late()

    def _bounds(self) -> dict[str, list[float | None]]:
        """Return between which values outputs can be true, in the units of the reaction card; None: no end."""
        ends = {name: believable(self.record.reaction, self.card, name) for name in self.card.outputs}
        return {name: [end if math.isfinite(end) else None for end in pair] for name, pair in ends.items()}

    def _check(self, capabilities: Capabilities) -> None:
        """Refuse a device that is not the one of the lab file."""
        for name, parameter in self.card.parameters.items():
            told = capabilities.parameters.get(name)
            if told is None:
                raise LabError(f"lab file {self.card.name}: the device has no parameter {name!r}; check the adapter")
            mine, its = unit(rig_unit(self.card, name)), unit(told.unit)
            if not told.levels and (mine.factor, mine.offset) != (its.factor, its.offset):
                raise LabError(
                    f"lab file {self.card.name}: {name} is in {mine.text!r} there and in {its.text!r} on the device; "
                    "correct the lab file"
                )
            if told.levels and set(getattr(parameter, "levels", ())) - set(told.levels):
                raise LabError(f"lab file {self.card.name}: {name} has levels that the device does not know")
        size = self.card.plate.size if self.card.plate else 1
        if size > capabilities.batch_size:
            raise LabError(f"lab file {self.card.name}: the plate has {size} positions and the device has "
                           f"{capabilities.batch_size}; correct the lab file")  # fmt: skip

    # the loop

    async def _step(self) -> bool:
        """Do the next thing; False: there is none, or a person wants the end."""
        self.commands()
        ledger = self.record.ledger
        for run in ledger.with_status(S.SUBMITTING, S.RUNNING):
            return await self.execution.follow(run)
        if self.verb:
            return False
        limit = self.card.failures.in_a_row
        if ledger.in_a_row >= limit:
            *_, last = ledger.runs.values()
            why = "; ".join(filter(None, (last.reason, *last.told.get("notes", ())))) or "no product"
            lost = f"{ledger.in_a_row} runs in a row gave no result (limit {limit}), the last: {why}"
            raise LabError(f"{lost}; look at the rig, then start again")
        if await self.execution.ending.look_again():
            return True
        for why in self._obstacles():
            return await self.idle(why)
        for run in ledger.with_status(S.PROPOSED, S.CHECKED, S.APPROVED, S.AWAITING_APPROVAL):
            return await self.execution.prepare(run)
        return await self._next()

    def _obstacles(self) -> list[str]:
        """Return what holds the campaign until a person acts."""
        found = ["paused; `rxnopt lab resume` goes on"] if self.record.ledger.paused else []
        if self.record.ledger.held is not None:
            found.append(f"{self.record.ledger.held}; put it right, then `rxnopt lab resume`")
        unknown = self.record.ledger.with_status(S.UNKNOWN)
        if unknown and self.card.failures.unknown == "wait":
            found.append(f"run {unknown[0].id} may have happened ({unknown[0].reason}); `rxnopt lab resolve` decides")
        return found

    async def _next(self) -> bool:
        free = plan.unserved(self.record)
        if free:
            plan.propose(self.record, self.card, free)
            return True
        analysed = self.record.ledger.with_status(S.AWAITING_ANALYSIS)
        out = {number for run in analysed for number in run.trials}
        if len(out) <= self.record.reaction.options.delay or not out:
            proposals = self._more()
            if proposals:
                plan.propose(self.record, self.card, plan.trials_of(proposals), proposals)
                return True
            if not analysed:
                return False
        for run in analysed:
            if await self.execution.ending.analysed(run):
                return True
        return await self.idle(f"run {analysed[0].id} waits for its analysis")

    async def idle(self, why: str) -> bool:
        """Wait a moment for a person or an analysis; False: this runner does not wait."""
        self.tell(f"waiting: {why}")
        if not self.wait:
            self._end = self.state
            return False
        await asyncio.sleep(min(TICK, seconds(self.card.timeouts.poll)))
        return True

    # people

    def commands(self) -> None:
        """Take what people said since the last look."""
        for file, said in inbox.waiting(self.path):
            error = None
            if said.id not in self.record.ledger.commands:
                try:
                    self.record.write(commands.entries(self.record, said))
                    self._control(said.verb)
                except RxnoptError as refused:
                    error = str(refused)
            inbox.answer(file, error)
            self.tell(self.state)

    def _control(self, verb: str) -> None:
        self.verb = verb if verb in ("stop", "abort") else self.verb

    def tell(self, state: str) -> None:
        """Say how things stand: to the terminal, and to other terminals by a file that is never long behind."""
        if self._show is not None or state != self.state or time.monotonic() - self._told > TICK:
            self.state, self._told = state, time.monotonic()
            publish(self, self._show)

    @property
    def told(self) -> str:
        """How things stand, and what was heard of people about the run that goes on."""
        heard = ENDINGS.get(self.verb) or ("nothing follows: paused" if self.record.ledger.paused else "")
        return f"{self.state}; {heard}" if heard and self.state.startswith("running") else self.state

    def hold(self, reason: str) -> None:
        """Submit nothing more until a person resumes."""
        if self.record.ledger.held is None:
            self.record.write([(NO_TRIAL, "lab.held", {"reason": reason})])
            self.tell(f"held: {reason}")

    def check_disk(self) -> None:
        """Raise :class:`LabError` where the journal could not take a result."""
        if shutil.disk_usage(self.path.absolute().parent).free < RESERVE:
            raise LabError(f"{self.path}: the disk is nearly full; nothing was submitted: free space and start again")


def conduct(conductor: Conductor, signals: bool = False) -> None:
    """Run a conductor to its end. ``signals``: Ctrl-C means stop after this run, a second one or SIGTERM abort.

    Where the event loop knows no signals (Windows), Ctrl-C interrupts at once; the safe state comes first all the same.
    """
    loop = asyncio.new_event_loop()
    if signals and os.name == "posix" and threading.current_thread() is threading.main_thread():
        loop.add_signal_handler(signal.SIGINT, lambda: conductor._control("abort" if conductor.verb else "stop"))
        loop.add_signal_handler(signal.SIGTERM, lambda: conductor._control("abort"))
    main = loop.create_task(conductor.run())
    times = conductor.card.timeouts
    try:
        loop.run_until_complete(main)
    finally:
        _end(loop, {main}, seconds(times.connect) + 2 * seconds(times.call))  # interrupted: the safe state comes first
        _end(loop, asyncio.all_tasks(loop), 1.0)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _end(loop: asyncio.AbstractEventLoop, tasks: set[asyncio.Task[Any]], limit: float) -> None:
    """Cancel tasks and wait for their end; one that does not end in time is left behind."""
    left = {task for task in tasks if not task.done()}
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=limit))


__all__ = ["Conductor", "conduct"]
