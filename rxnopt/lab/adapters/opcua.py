"""OPC UA: set-points are written, read back and compared, then a method starts the run under our run id.

The state of a server says nothing of our run unless our run id stands beside it: after a restart it reads IDLE and an
empty run id. ``ServerStatus.StartTime`` is the boot id.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Literal

from rxnopt.cards.adapters import OpcUa
from rxnopt.cards.lab import LabCard, seconds
from rxnopt.errors import LabError
from rxnopt.lab.adapters.rigging import (
    device_state,
    mismatches,
    native,
    objections,
    run_state,
    settings_of,
    told_values,
    units_of,
)  # fmt: skip
from rxnopt.lab.adapters.ualink import UaLink, value_of
from rxnopt.lab.interface import (
    Capabilities,
    DeviceInfo,
    Health,
    InterlockOpen,
    Measured,
    NotAccepted,
    Quantity,
    Range,
    Rejected,
    Request,
    Result,
    ResultInvalid,
    RunEvent,
    RunState,
    Ticket,
)  # fmt: skip

START_TIME, MANUFACTURER, PRODUCT, VERSION = "i=2257", "i=2263", "i=2261", "i=2264"


def create(card: LabCard, folder: Path) -> OpcUaAdapter:
    """Return an adapter of a lab file."""
    return OpcUaAdapter(card, folder)


class OpcUaAdapter:
    """One connection to one server, as a lab file with ``adapter: {kind: opcua}`` describes it."""

    def __init__(self, card: LabCard, folder: Path) -> None:
        self.card, self.map, self.units = card, settings_of(card, OpcUa), units_of(card)
        self.link = UaLink(self.map, folder, seconds(card.timeouts.connect), seconds(card.timeouts.call))

    async def connect(self) -> DeviceInfo:
        """Connect and check that every node of the lab file is there."""
        await self.link.connect()
        with self.link.told():
            started, maker, product, version = await self.link.values([START_TIME, MANUFACTURER, PRODUCT, VERSION])
        boot = None if started is None else str(started)
        return DeviceInfo(str(maker or ""), str(product or ""), self.map.url, str(version or ""), boot)

    async def capabilities(self) -> Capabilities:
        """Tell units and ranges as the server declares them beside the set-points (EngineeringUnits, EURange)."""
        with self.link.told():
            ranges = {name: await self._range(name) for name in self.map.setpoints}
        return Capabilities(ranges, can_attach=True, can_cancel=self.map.abort is not None)

    async def _range(self, name: str) -> Range:
        found = await self.link.properties(self.map.setpoints[name])
        unit, span = found.get("EngineeringUnits"), found.get("EURange")
        own = self.units.get(name, "1") if unit is None else str(unit.DisplayName.Text)
        return Range(own, *((-math.inf, math.inf) if span is None else (float(span.Low), float(span.High))))

    async def health(self) -> Health:
        """Read state, run id, set-points, readings and the start of the server."""
        named = self.map.setpoints | self.map.readings
        with self.link.told():
            state, run_id, started, *rest = await self.link.values(
                [self.map.state, self.map.run_id, START_TIME, *named.values()]
            )
        found = told_values(self.units, dict(zip(named, rest, strict=True)))
        word = device_state(self.map.states, state)
        return Health(
            word,
            boot_id=None if started is None else str(started),
            run_id=str(run_id) if run_id and word == "busy" else None,
            setpoints={name: value for name, value in found.items() if name in self.map.setpoints},
            readings={name: value for name, value in found.items() if name in self.map.readings},
            message="" if word in ("idle", "busy") else f"({state})",
        )

    async def preflight(self, request: Request) -> tuple[str, ...]:
        """Ask whether each parameter has a node."""
        return objections(request, self.map.setpoints, "node")

    async def submit(self, request: Request) -> Ticket:
        """Write set-points, read them back, compare, start; only the last step can start anything."""
        health = await self.health()
        if health.state in ("interlock", "estop"):
            raise InterlockOpen(f"the {health.state} of {self.map.url} is open; a person resets it")
        if health.state != "idle":
            raise NotAccepted(f"{self.map.url} is {health.state} with run {health.run_id}; wait until it has ended")
        setting = request.setting
        await self.link.write({self.map.setpoints[name]: native(self.card, name, v) for name, v in setting.items()})
        with self.link.told():
            values = await self.link.values([self.map.setpoints[name] for name in setting])
        back = told_values(self.units, dict(zip(setting, values, strict=True)))
        wrong = mismatches(self.card, setting, back)
        if wrong:
            raise Rejected(wrong)
        accepted, *words = await self.link.start(self.map.start, request.run_id)
        if accepted is False:
            raise NotAccepted(f"{self.map.url} refuses the start: {' '.join(map(str, words))}")
        return Ticket(request.run_id, readback=(back,))

    async def lookup(self, run_id: str) -> RunState:
        """Ask for the run id; without a method for that, look whether it is the one on the display."""
        with self.link.told():
            if self.map.lookup is not None:
                state, *_ = await self.link.invoke(self.map.lookup, run_id)
                return run_state(self.map.states, state)
            state, shown = await self.link.values([self.map.state, self.map.run_id])
        return run_state(self.map.states, state) if shown == run_id else RunState.UNKNOWN

    async def events(self, run_id: str) -> AsyncIterator[RunEvent]:
        """Yield what a subscription to state and progress hears."""
        nodes = [node for node in (self.map.state, self.map.progress) if node is not None]
        with self.link.told():
            heard = await self.link.watch(nodes)
        over = False
        while not over:
            await heard.get()
            while not heard.empty():
                heard.get_nowait()
            state = await self.lookup(run_id)
            with self.link.told():
                progress = (await self.link.values([self.map.progress]))[0] if self.map.progress else None
            over = state.over
            yield RunEvent(run_id, state, progress)

    async def result(self, run_id: str) -> Result:
        """Read outputs with their quality; before and after, our run id must stand beside them."""
        nodes = {**self.map.outputs, **{f"achieved {name}": node for name, node in self.map.achieved.items()}}
        words = {name: node for name in ("failure", "message") if (node := getattr(self.map, name)) is not None}
        with self.link.told():
            before, *rest = await self.link.read([self.map.result_run_id, *nodes.values(), *words.values()])
            [after] = await self.link.read([self.map.result_run_id])
        shown = {value_of(before), value_of(after)}
        data = dict(zip([*nodes, *words], rest, strict=True))
        raw = {name: repr(value_of(value)) for name, value in data.items()}
        if shown != {run_id}:
            raise ResultInvalid(f"the outputs belong to run {' and '.join(map(repr, shown))}, not {run_id!r}", raw=raw)
        told = {name: str(value_of(data[name]) or "") for name in words}
        return Result(run_id, (self._measured(data, told),), raw=raw)

    def _measured(self, data: dict[str, Any], told: dict[str, str]) -> Measured:
        values = {name: value for name, one in data.items() if (value := value_of(one)) is not None}
        outputs = {name: Quantity(float(values[name]), self.units[name]) for name in self.map.outputs if name in values}
        achieved = told_values(self.units, {n: values.get(f"achieved {n}") for n in self.map.achieved})
        failure: Any = told.get("failure") or None
        return Measured(
            outputs, achieved, _quality([data[name] for name in self.map.outputs]), failure, told.get("message", "")
        )

    async def cancel(self, run_id: str) -> None:
        """Call the method that ends the run."""
        if self.map.abort is None:
            raise LabError(f"the lab file of {self.card.name} names no method 'abort'; stop {run_id} by hand")
        with self.link.told():
            await self.link.invoke(self.map.abort)

    async def safe_state(self) -> None:
        """Call the method for it."""
        with self.link.told():
            await self.link.invoke(self.map.safe_state)

    async def close(self) -> None:
        """Let go of the connection."""
        await self.link.close()


def _quality(data: Sequence[Any]) -> Literal["good", "uncertain", "bad"]:
    """Return the worst quality."""
    if any(value.StatusCode.is_bad() for value in data):
        return "bad"
    return "good" if all(value.StatusCode.is_good() for value in data) else "uncertain"
