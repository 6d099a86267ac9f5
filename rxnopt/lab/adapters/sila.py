"""SiLA 2: one command starts the run with our run id, others look it up, fetch its result, abort it.

Clients need no generated code. Closing the streams of a command does not end a reaction: ``cancel`` calls a command.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from rxnopt.cards.adapters import Sila
from rxnopt.cards.lab import LabCard, seconds
from rxnopt.errors import LabError
from rxnopt.lab.adapters.calls import Silent, extra, trusted, within
from rxnopt.lab.adapters.rigging import (
    device_state,
    native,
    objections,
    run_state,
    settings_of,
    told_values,
    units_of,
)  # fmt: skip
from rxnopt.lab.adapters.silafeature import declared
from rxnopt.lab.interface import (
    TWIN,
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

with extra("sila", "the adapter 'sila'"):
    from sila.client import (
        Client,
        ClientConfig,
        CommandExecutionNotAccepted,
        DefinedExecutionError,
        SiLAError,
        ValidationError,
    )  # fmt: skip

Failure = (SiLAError, OSError, TimeoutError, Silent)


def create(card: LabCard, folder: Path) -> SilaAdapter:
    """Return an adapter of a lab file."""
    return SilaAdapter(card, folder)


class SilaAdapter:
    """One connection to one server, as a lab file with ``adapter: {kind: sila}`` describes it."""

    def __init__(self, card: LabCard, folder: Path) -> None:
        logging.getLogger("sila").setLevel(logging.CRITICAL)  # errors are raised, and said in one sentence
        self.card, self.map, self.units = card, settings_of(card, Sila), units_of(card)
        self._connect, self._call = seconds(card.timeouts.connect), seconds(card.timeouts.call)
        self._folder = folder
        self._client: Any = None
        self._feature: Any = None
        self._ranges: dict[str, Range] = {}

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Failure as error:
            what = str(error) or type(error).__name__
            raise Unreachable(f"{self.map.address}: {what}; check address, network, device and adapter.tls") from error

    async def connect(self) -> DeviceInfo:
        """Connect, load the features, and check names and units of the lab file against them."""
        host, _, port = self.map.address.rpartition(":")
        place = None if self.map.certificate is None else self._folder / self.map.certificate
        if self.map.tls:
            await self._shake_hands(host, int(port), trusted(place))
        authority = None if place is None else place.read_bytes()
        self._client = Client(
            ClientConfig(host, int(port), self.map.tls, authority, default_timeout=1000.0 * self._call)
        )
        with self._told():
            await within(0.9 * self._connect, self._client.open(timeout=1000.0 * self._connect), "the server")
            try:
                self._check()
            except LabError:
                await self.close()
                raise
            kind, name, version, serial = [
                await within(self._call, read(), "the server")
                for read in (self._client.get_server_type, self._client.get_server_name,
                             self._client.get_server_version, self._client.get_server_uuid)
            ]  # fmt: skip
        vendor = TWIN if kind == "RxnoptTwin" else str(kind)
        return DeviceInfo(vendor, str(name), str(serial), str(version), await self._boot_id())

    async def _shake_hands(self, host: str, port: int, context: ssl.SSLContext) -> None:
        """Say what is wrong with certificates; gRPC tries again and again in silence."""
        context.set_alpn_protocols(["h2"])
        try:
            _, writer = await within(self._connect, asyncio.open_connection(host, port, ssl=context), "the server")
        except ssl.SSLError as error:
            what = getattr(error, "verify_message", "") or error.reason or "no TLS"
            raise LabError(f"{self.map.address}: {what}; check adapter.tls and adapter.certificate") from error
        except Failure as error:
            raise Unreachable(f"{self.map.address}: {error}; check address, network and device") from error
        writer.transport.abort()  # nothing was said that could be lost

    def _check(self) -> None:
        try:
            self._feature = self._client.feature(self.map.feature)
        except (AttributeError, ValueError) as error:
            raise LabError(
                f"{self.map.address} has no feature {self.map.feature!r} (adapter.feature): {error}"
            ) from error
        for field in ("start", "result", "safe_state", "lookup", "abort", "state", "shown_run_id", "boot_id"):
            name = getattr(self.map, field)
            if name is not None and not hasattr(self._feature, name):
                raise LabError(
                    f"{self.map.address}: the feature {self.map.feature} has no {name!r} (adapter.{field}); "
                    "correct the lab file"
                )
        self._ranges = declared(self._feature, self.map, self.units)

    async def _read(self, name: str | None) -> str | None:
        if name is None:
            return None
        with self._told():
            return str(await within(self._call, getattr(self._feature, name).read(), "the server"))

    async def _boot_id(self) -> str | None:
        return await self._read(self.map.boot_id)

    async def _command(self, name: str, **parameters: Any) -> Any:
        with self._told():
            return await within(self._call, getattr(self._feature, name)(**parameters), "the server")

    async def capabilities(self) -> Capabilities:
        """Tell units, limits and levels of the parameters as the feature declares them."""
        return Capabilities(self._ranges, can_attach=self.map.lookup is not None, can_cancel=self.map.abort is not None)

    async def health(self) -> Health:
        """Read the properties for state, run id and boot."""
        state = await self._read(self.map.state)
        run_id, boot = await self._read(self.map.shown_run_id), await self._boot_id()
        word = device_state(self.map.states, state)
        said = "" if word in ("idle", "busy") else f"({state})"
        return Health(word, boot, (run_id or None) if word == "busy" else None, message=said)

    async def preflight(self, request: Request) -> tuple[str, ...]:
        """Ask whether the command has each parameter."""
        return objections(request, self.map.parameters, "parameter of the command")

    async def submit(self, request: Request) -> Ticket:
        """Call the command that starts the run, once."""
        setting = {self.map.parameters[n]: self._given(n, v) for n, v in request.setting.items()}
        command, where = getattr(self._feature, self.map.start), f"{self.map.address}: start of {request.run_id}"
        try:
            call = command(parameters={self.map.run_id: request.run_id, **setting})
            answer = await within(self._call, call, "the server")
        except ValidationError as error:
            raise Rejected([f"{where}: {error}"]) from error
        except CommandExecutionNotAccepted as error:
            raise NotAccepted(f"{where}: {error}") from error
        except DefinedExecutionError as error:
            if error.identifier in self.map.interlocks:
                raise InterlockOpen(f"{where}: {error}") from error
            if error.identifier in self.map.refusals:
                raise NotAccepted(f"{where}: {error}") from error
            raise OutcomeUnknown(f"{where}: {error}") from error
        except Failure as error:
            raise OutcomeUnknown(f"{where}: {str(error) or type(error).__name__}") from error
        return Ticket(request.run_id, str(getattr(answer, "command_execution_uuid", "")))

    def _given(self, name: str, value: Value) -> float | str:
        given = native(self.card, name, value)
        return given if isinstance(given, str) else float(given)

    async def lookup(self, run_id: str) -> RunState:
        """Ask for the run id; without a command for that, look whether it is the one on the display."""
        if self.map.lookup is not None:
            answer = await self._command(self.map.lookup, **{self.map.run_id: run_id})
            return run_state(self.map.states, next(iter(dict(answer).values())))
        state, shown = await self._read(self.map.state), await self._read(self.map.shown_run_id)
        return run_state(self.map.states, state) if shown == run_id else RunState.UNKNOWN

    async def events(self, run_id: str) -> AsyncIterator[RunEvent]:
        """Yield the present state; the campaign polls."""
        yield RunEvent(run_id, await self.lookup(run_id))

    async def result(self, run_id: str) -> Result:
        """Fetch the result; our run id must stand in it."""
        try:
            call = getattr(self._feature, self.map.result)(**{self.map.run_id: run_id})
            answer = dict(await within(self._call, call, "the server"))
        except DefinedExecutionError as error:
            raise ResultInvalid(f"{self.map.address} gives no result of {run_id}: {error}") from error
        except Failure as error:
            raise Unreachable(f"{self.map.address}: {error}") from error
        own = answer.get(self.map.result_run_id)
        if own != run_id:
            raise ResultInvalid(f"the result belongs to run {own!r}, not {run_id!r}", raw={"run_id": own})
        return Result(run_id, (self._measured(answer),), raw={name: repr(value) for name, value in answer.items()})

    def _measured(self, answer: dict[str, Any]) -> Measured:
        def told(name: str | None) -> str:
            return "" if name is None else str(answer.get(name, ""))

        outputs = {n: Quantity(float(answer[r]), self.units[n]) for n, r in self.map.outputs.items() if r in answer}
        achieved = told_values(self.units, {n: answer.get(r) for n, r in self.map.achieved.items()})
        failure: Any = told(self.map.failure) or None
        quality: Any = told(self.map.quality) or "good"
        return Measured({} if failure else outputs, achieved, quality, failure, told(self.map.message))

    async def cancel(self, run_id: str) -> None:
        """Call the command that ends the run."""
        if self.map.abort is None:
            raise LabError(f"the lab file of {self.card.name} names no command 'abort'; stop {run_id} by hand")
        await self._command(self.map.abort)

    async def safe_state(self) -> None:
        """Call the command for it."""
        await self._command(self.map.safe_state)

    async def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            with contextlib.suppress(*Failure):
                await within(min(self._call, 2.0), self._client.close(), "the server")
