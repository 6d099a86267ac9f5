"""A twin with a REST interface in the manner of flowchem: a device interface without runs, which clamps in silence.

``PUT /rig/<parameter>/set?value=80 degC`` (a number without unit is taken in that of the card; out of range becomes
the nearest bound, and the answer is 200), ``GET`` of the same, ``GET /rig/<parameter>/read``, ``GET
/rig/target-reached``, ``PUT /rig/start`` and ``/rig/stop`` (pumps and heater), ``GET /rig/alarm``; ``PUT /nmr/acquire``
(a number, -1 where nothing is in the cell), ``GET /nmr/is-busy``, ``GET /nmr/result``;
``GET /openapi.json``. The header ``X-Run-Id`` is only written into the physical journal.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from rxnopt.parameter import Parameter
from rxnopt.twin.desk import VENDOR, Desk
from rxnopt.twin.runs import Gone, Refusal
from rxnopt.units import quantity, unit


class HttpSkin:
    """The server."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.rig = desk, desk.rig
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Serve on a free port."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def show(self) -> None:
        """Nothing: values are read when they are asked for."""

    async def rebooted(self) -> None:
        """Nothing: a device interface has no boot id."""

    async def disturb(self, fault: Literal["mute", "out_of_order"]) -> None:
        """Nothing: there are no subscriptions."""

    async def stop(self) -> None:
        """Stop serving, and drop the connections that are open."""
        if self._server is not None:
            self._server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.create_task(self._serve(reader, writer))
        self._lines.add(line)
        line.add_done_callback(self._lines.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines():
                method, target, _ = head[0].split(" ", 2)
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                await reader.readexactly(int(headers.get("content-length", "0")))
                status, body = await self._answer(method, target, headers.get("x-run-id", ""))
                data = json.dumps(body).encode()
                words = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
                writer.write(f"{words}Content-Length: {len(data)}\r\n\r\n".encode() + data)
                await writer.drain()

    async def _answer(self, method: str, target: str, run_id: str) -> tuple[int, Any]:
        place = urlsplit(target)
        parts, given = place.path.strip("/").split("/"), dict(parse_qsl(place.query))
        try:
            match [method, *parts]:
                case ["PUT", "rig", "start"]:
                    await self.desk.submit(run_id)
                    return 200, True
                case ["PUT", "rig", "stop"]:
                    self.rig.safe()
                    return 200, True
                case ["PUT", "rig", name, "set"] if name in self.rig.setpoints:
                    return self._set(name, given.get("value", ""))
                case ["PUT", "nmr", "acquire"]:
                    run = self.rig.shown
                    return 200, -1 if run is None or run.state == "running" else run.number
                case ["GET", *rest]:
                    return self._read(rest)
        except Refusal as error:
            return 409, str(error)
        except Gone:
            pass  # nobody is there to hear it
        return 404, "Not Found"

    def _read(self, parts: list[str]) -> tuple[int, Any]:
        rig, run = self.rig, self.rig.shown
        match parts:
            case ["rig", name, "set"] if name in rig.setpoints:
                return 200, self._told(name, rig.setpoints[name])
            case ["rig", name, "read"] if name in rig.setpoints:
                return 200, self._told(name, rig.sensed()[name])
            case ["rig", "target-reached"]:
                return 200, rig.clock.now() >= rig.plumbing.settled()
            case ["rig", "alarm"]:
                return 200, rig.latch or ""
            case ["rig", "is-pumping"]:
                return 200, rig.current is not None and not rig.faults.get("lie_idle")
            case ["openapi.json"]:
                return 200, {"info": {"title": VENDOR, "version": "1"}}
            case ["nmr", "is-busy"]:
                return 200, rig.current is not None
            case ["nmr", "result"]:
                outputs = run.outputs[0] if run and run.outputs else {}
                own = {"run": run.number, "failure": run.failure, "quality": run.quality} if run else {}
                stale = {} if run is None or run.shown_as == run.run_id else {"run": run.number - 1}
                return 200, own | stale | outputs
        return 404, "Not Found"

    def _parameter(self, name: str) -> Parameter:
        return self.rig.space.parameters[self.rig.space.names.index(name)]

    def _told(self, name: str, value: Any) -> str:
        p = self._parameter(name)
        return str(value) if p.levels or p.unit == "1" else f"{value} {p.unit}"

    def _set(self, name: str, text: str) -> tuple[int, Any]:
        p = self._parameter(name)
        value: Any = text
        if not p.levels:
            given = quantity(text)
            if given is None:
                return 422, f"{text!r} is no quantity"
            bare = given.unit.text == "1"
            number = float(given.si if bare else unit(p.unit).from_si(given.si))
            value = p.value(min(max(number, p.low), p.high))  # as flowchem does it: in silence
        self.rig.set({name: value})
        taken = self.rig.setpoints[name]
        reached = p.number(taken) if p.levels else min(max(taken, p.low), p.high)
        self.rig.plumbing.move({name: reached}, self.rig.clock.now())
        return 200, True
