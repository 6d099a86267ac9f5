"""Devices behind flowchem: it knows no runs, so that this adapter is the sequencer.

Set with units, read back, compare (flowchem clamps in silence and answers 200), start the flow, wait for the targets
and for steady state, take a sample, fetch its result, stop. Only this object knows of the run: after a crash of the
runner every run is UNKNOWN.
"""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rxnopt.cards.adapters import PLACE, Flowchem, RestCommand
from rxnopt.cards.lab import LabCard, seconds
from rxnopt.errors import LabError, UnitError
from rxnopt.lab.adapters.rest import Rest
from rxnopt.lab.adapters.rigging import mismatches, objections, settings_of, units_of
from rxnopt.lab.interface import (
    Capabilities,
    DeviceInfo,
    Health,
    InterlockOpen,
    Measured,
    NotAccepted,
    OutcomeUnknown,
    Quantity,
    Range,
    Rejected,
    Request,
    Result,
    ResultInvalid,
    RunEvent,
    RunState,
    Ticket,
    Unreachable,
    Value,
)  # fmt: skip
from rxnopt.units import quantity


@dataclass
class Sequence:
    """A run as far as it has come; ``until`` is the end of the wait for steady state, by the monotonic clock."""

    run_id: str
    state: RunState = RunState.RUNNING
    until: float | None = None
    stopped: bool = False
    sample: Any = None
    measured: Measured | None = None
    raw: dict[str, Any] = field(default_factory=dict)


def create(card: LabCard, folder: Path) -> FlowchemAdapter:
    """Return an adapter of a lab file."""
    return FlowchemAdapter(card, folder)


class FlowchemAdapter:
    """One client of one server, as a lab file with ``adapter: {kind: flowchem}`` describes it."""

    def __init__(self, card: LabCard, folder: Path) -> None:
        self.card, self.map, self.units = card, settings_of(card, Flowchem), units_of(card)
        self._rest = Rest(self.map, folder, seconds(card.timeouts.connect), seconds(card.timeouts.call))
        self._run: Sequence | None = None

    async def connect(self) -> DeviceInfo:
        """Ask for each path of the lab file that can be read."""
        points = self.map.setpoints.values()
        for route in (self.map.ready, self.map.busy, self.map.pumping, self.map.alarm, *(p.get for p in points)):
            if route is not None:
                await self._rest.get(route)
        title, version = await self._title()
        return DeviceInfo(title or "flowchem", self.card.name, self.map.url, version, None)

    async def _title(self) -> tuple[str, str]:
        """Return what the server calls itself in its OpenAPI description; empty where it has none."""
        try:
            said = await self._rest.get("/openapi.json")
        except Unreachable:
            raise
        except LabError:
            return "", ""
        told = said.get("info", {}) if isinstance(said, dict) else {}
        return str(told.get("title", "")).rstrip(" -"), str(told.get("version", ""))

    async def capabilities(self) -> Capabilities:
        """Flowchem declares no limits that one could trust; those of the lab file hold."""
        ranges = {name: Range(self.units.get(name, "1"), -math.inf, math.inf) for name in self.map.setpoints}
        return Capabilities(ranges, can_attach=False, can_cancel=True)

    async def health(self) -> Health:
        """Ask for the alarm, for the flow and for the set-points."""
        alarm = str(await self._rest.get(self.map.alarm)) if self.map.alarm else ""
        flows = bool(await self._rest.get(self.map.pumping)) if self.map.pumping else self._run is not None
        state: Any = alarm if alarm in ("interlock", "estop") else "fault" if alarm else "busy" if flows else "idle"
        own = self._run.run_id if self._run is not None and not self._run.state.over else None
        return Health(state, None, own, await self._points("get"), await self._points("read"), alarm)

    async def _points(self, which: str) -> dict[str, Value]:
        routes = {name: getattr(point, which) for name, point in self.map.setpoints.items()}
        found = {name: self._value(name, await self._rest.get(route)) for name, route in routes.items() if route}
        return {name: value for name, value in found.items() if value is not None}

    def _value(self, name: str, said: Any) -> Value | None:
        """Read a number, a quantity or a level; what is a number without unit is one in the unit of the lab file."""
        own = self.units.get(name)
        if isinstance(said, bool | int | float):
            return Quantity(float(said), own or "1")
        if own is None and self.card.parameters[name].kind == "categorical":
            return str(said)
        try:
            found = quantity(str(said))
        except UnitError:
            return None
        if found is None:
            return None
        bare = found.unit.text == "1"
        return Quantity(
            found.si if bare else float(found.unit.from_si(found.si)), (own or "1") if bare else found.unit.text
        )

    async def preflight(self, request: Request) -> tuple[str, ...]:
        """Ask whether each parameter has a path."""
        return objections(request, self.map.setpoints, "path")

    async def submit(self, request: Request) -> Ticket:
        """Set, read back, compare, start the flow; only the last step starts the run."""
        health = await self.health()
        if health.state in ("interlock", "estop"):
            raise InterlockOpen(f"the {health.state} of {self.map.url} is open; a person resets it")
        if health.state != "idle" or (self._run is not None and not self._run.state.over):
            raise NotAccepted(f"{self.map.url} is {health.state}; wait until the flow has ended")
        points, said = self.map.setpoints, {name: self._text(name, value) for name, value in request.setting.items()}
        for name in request.setting:
            await self._set(name, said[name])
        back = await self._points("get")
        wrong = mismatches(
            self.card, {n: v for n, v in request.setting.items() if points[n].put and points[n].get}, back
        )
        if wrong:
            await self._stop()  # a heater heats as soon as it is set
            raise Rejected(wrong)
        await self._start(request.run_id, said)
        try:
            back = await self._points("get")
        except LabError as error:
            raise OutcomeUnknown(f"{error}; it was started before") from error
        return Ticket(request.run_id, readback=(back,))

    def _text(self, name: str, value: Value) -> str:
        if not isinstance(value, Quantity):
            return value
        value = value.to(self.units.get(name, "1"))
        return f"{value.value!r} {value.unit}".removesuffix(" 1")

    async def _set(self, name: str, said: str) -> None:
        point = self.map.setpoints[name]
        if point.put is None:
            return
        try:
            await self._rest.put(RestCommand(put=point.put), {point.argument: said})
        except OutcomeUnknown as error:
            raise NotAccepted(f"{error}; {name} may be set, nothing was started") from error

    async def _start(self, run_id: str, said: dict[str, str]) -> None:
        """Start the flow; once the first command is out, nothing else than OutcomeUnknown can be said."""
        for place, command in enumerate(self.map.start):
            sent = time.monotonic()
            given = {key: PLACE.sub(lambda name: said[name[1]], text) for key, text in command.arguments.items()}
            try:
                await self._rest.put(command, given, run_id=run_id)
            except NotAccepted as error:
                if place:
                    raise OutcomeUnknown(
                        f"{error}; {place} of {len(self.map.start)} commands were carried out"
                    ) from error
                meant = await self._refusal(error, sent)
                await self._stop()
                raise meant from error
        self._run = Sequence(run_id)

    async def _refusal(self, error: NotAccepted, sent: float) -> LabError:
        """Say what the refusal of a start means that was ``sent`` then.

        Where it is the state of the device that is in the way, something may have delivered the start twice, and this
        is the answer to the second.
        """
        if isinstance(error, Rejected | Unreachable):
            return error
        try:
            health = await self.health()
        except LabError as silent:
            return OutcomeUnknown(f"{error}; and then: {silent}")
        if health.state == "busy":
            return OutcomeUnknown(f"{error}; nothing flowed before, and something flows now")
        if 0.0 < seconds(self.map.steady) < time.monotonic() - sent:
            return OutcomeUnknown(f"{error}; the answer took so long that a run may have come and gone")
        if health.state in ("interlock", "estop"):
            return InterlockOpen(f"{error}; a person resets it")
        return error

    async def lookup(self, run_id: str) -> RunState:
        """Tell how far the sequence is, and go on with it where it can; UNKNOWN for all runs but the own one."""
        run = self._run
        if run is None or run.run_id != run_id:
            return RunState.UNKNOWN
        if not run.state.over:
            await self._go_on(run)
        return run.state

    async def _go_on(self, run: Sequence) -> None:
        """Take the next step of the sequence, if its time has come."""
        if run.stopped:
            if self.map.pumping is None or not await self._rest.get(self.map.pumping):
                run.state = RunState.CANCELLED
        elif self.map.alarm and (alarm := await self._rest.get(self.map.alarm)):
            run.state, run.measured = RunState.FAILED, Measured(failure="machine", message=str(alarm))
        elif run.until is None:
            if self.map.ready is None or await self._rest.get(self.map.ready) is True:
                run.until = time.monotonic() + seconds(self.map.steady)
        elif time.monotonic() >= run.until and self.map.analyse is None:
            await self._fetch(run)
        elif time.monotonic() >= run.until and self.map.analyse is not None and run.sample in (None, -1):
            await self._analyse(run, self.map.analyse)
        elif run.sample not in (None, -1) and not (self.map.busy and await self._rest.get(self.map.busy)):
            await self._fetch(run)

    async def _analyse(self, run: Sequence, command: RestCommand) -> None:
        """Take the sample; an analysis that refuses ends the run, and says why."""
        try:
            run.sample = await self._rest.put(command, run_id=run.run_id)
        except (Rejected, NotAccepted) as error:
            await self._stop()
            run.state, run.measured = RunState.FAILED, Measured(failure="machine", message=str(error))

    async def _fetch(self, run: Sequence) -> None:
        said = await self._rest.get(self.map.result)
        run.raw = said if isinstance(said, dict) else {"result": said}
        failure: Any = run.raw.get("failure") or None
        quality: Any = run.raw.get(self.map.quality, "good") if self.map.quality else "good"
        outputs = {
            name: Quantity(float(value), self.units[name])
            for name, key in self.map.outputs.items()
            if (value := run.raw.get(key)) is not None
        }
        run.measured = Measured(outputs, await self._points("read"), quality, failure)
        await self._stop()
        run.state = RunState.FAILED if failure else RunState.DONE

    async def events(self, run_id: str) -> AsyncIterator[RunEvent]:
        """Yield the present state; the campaign polls."""
        yield RunEvent(run_id, await self.lookup(run_id))

    async def result(self, run_id: str) -> Result:
        """Return what was fetched; the number of the sample must be that of our sample."""
        run = self._run
        if run is None or run.run_id != run_id or run.measured is None:
            raise ResultInvalid(f"{self.map.url} has no result of {run_id}")
        if self.map.sample and run.measured.outputs and run.raw.get(self.map.sample) != run.sample:
            own = run.raw.get(self.map.sample)
            raise ResultInvalid(f"the result is that of sample {own}, not of {run.sample}", raw=run.raw)
        return Result(run_id, (run.measured,), raw=run.raw)

    async def cancel(self, run_id: str) -> None:  # noqa: ARG002 - there is but one flow
        """Stop the flow; the run has ended where nothing flows any more."""
        await self.safe_state()

    async def safe_state(self) -> None:
        """Carry out all commands of ``stop``; the sequence goes no further."""
        if self._run is not None:
            self._run.stopped = True
        await self._stop()

    async def _stop(self) -> None:
        for command in self.map.stop:
            await self._rest.put(command)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._rest.close()
