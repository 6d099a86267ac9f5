"""A connection to an OPC UA server on which no call waits for ever, and whose errors are ours."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rxnopt.cards.adapters import OpcUa, UaMethod
from rxnopt.errors import LabError
from rxnopt.lab.adapters.calls import Silent, extra, within
from rxnopt.lab.adapters.uasecurity import secure
from rxnopt.lab.interface import OutcomeUnknown, Rejected, Unreachable
from rxnopt.lab.secrets import secret

with extra("opcua", "the adapter 'opcua'"):
    from asyncua import Client, ua
    from asyncua.ua.uaerrors import UaError, UaStatusCodeError

Failure = (OSError, UaError, TimeoutError, Silent)
REFUSED = {
    getattr(ua.StatusCodes, name)
    for name in (
        "BadOutOfRange", "BadInvalidState", "BadInvalidArgument", "BadArgumentsMissing", "BadTypeMismatch",
        "BadNotExecutable", "BadUserAccessDenied", "BadMethodInvalid", "BadNodeIdInvalid", "BadNodeIdUnknown",
        "BadNothingToDo", "BadNotWritable", "BadResourceUnavailable", "BadNotImplemented", "BadNotSupported",
    )
}  # fmt: skip
"""What a server answers that has surely started nothing."""
KEPT_OUT = ("BadUser", "BadIdentity", "BadCertificate", "BadSecurity")
"""How the names of errors begin by which a server refuses user, password or certificate."""


class UaLink:
    """One client of one server; ``connect`` and ``call`` are time-outs in seconds."""

    def __init__(self, settings: OpcUa, folder: Path, connect: float, call: float) -> None:
        logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # errors are raised, and said in one sentence
        self.map, self.url, self._folder = settings, settings.url, folder
        self._connect, self._call = connect, call
        self._client = _Client(self.url, timeout=call)
        self._types: dict[str, Any] = {}

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Raise what goes wrong as :class:`Unreachable`."""
        try:
            yield
        except Failure as error:
            what = str(error) or type(error).__name__
            own = isinstance(error, UaError) and not isinstance(error, UaStatusCodeError)  # such as no endpoint for us
            where = "adapter.security and the server" if own else "address, network and device"
            raise Unreachable(f"{self.url}: {what}; check {where}") from error

    async def _within(self, call: Any) -> Any:
        return await within(self._call, call, "the server")

    async def connect(self) -> None:
        """Connect and check that every node of the map is there."""
        client, given = self._client, self.map
        if given.user is not None:
            client.set_user(given.user)
            client.set_password(secret(given.password) or "")
        try:
            with self.told():
                if given.security is not None:
                    await within(self._connect, secure(client, given.security, self._folder), "the server")
                await self._let_in(within(self._connect, client.connect(), "the server"))
                await self._check()
        except LabError:
            await self.close()
            raise

    async def _let_in(self, call: Coroutine[Any, Any, None]) -> None:
        try:
            await call
        except UaStatusCodeError as error:
            if not ua.StatusCode(error.code).name.startswith(KEPT_OUT):
                raise
            what = "adapter.user, its password and adapter.security"
            raise LabError(f"{self.url} does not let us in ({error}); check {what}") from error

    async def _check(self) -> None:
        wanted = _nodes(self.map)
        nodes = [self._client.get_node(node) for node in wanted.values()]
        found = await self._within(self._client.read_attributes(nodes, ua.AttributeIds.NodeClass))
        for (field, node), value in zip(wanted.items(), found, strict=True):
            if not value.StatusCode.is_good():
                raise LabError(f"{self.url} has no node {node!r} (adapter.{field}); correct the lab file")
        for node in self.map.setpoints.values():
            self._types[node] = await self._within(self._client.get_node(node).read_data_type_as_variant_type())

    async def read(self, nodes: Sequence[str]) -> list[Any]:
        """Return data values, of good quality or not."""
        return list(await self._within(self._client.read_attributes([self._client.get_node(node) for node in nodes])))

    async def values(self, nodes: Sequence[str]) -> list[Any]:
        """Return values, None for those that are not of good quality."""
        return [value_of(data) if data.StatusCode.is_good() else None for data in await self.read(nodes)]

    async def properties(self, node: str) -> dict[str, Any]:
        """Return the properties of a node by name."""
        places = await self._within(self._client.get_node(node).get_properties())
        names = [(await self._within(place.read_browse_name())).Name for place in places]
        return {name: await self._within(place.read_value()) for name, place in zip(names, places, strict=True)}

    async def write(self, values: Mapping[str, float | str]) -> None:
        """Write set-points by node; raise :class:`Rejected` where the server refuses one."""
        variants = [ua.Variant(_typed(value, self._types[node]), self._types[node]) for node, value in values.items()]
        call = self._client.write_values([self._client.get_node(node) for node in values], variants)
        with self.told():
            try:
                await self._within(call)
            except UaStatusCodeError as error:
                if error.code in REFUSED:
                    raise Rejected([f"{self.url} refuses the set-points: {error}"]) from error
                raise

    async def invoke(self, method: UaMethod, *arguments: str) -> list[Any]:
        """Call a method by node id and return its outputs."""
        call = self._client.get_node(method.object).call_method(ua.NodeId.from_string(method.method), *arguments)
        given = await self._within(call)
        return given if isinstance(given, list) else [given]

    async def start(self, method: UaMethod, run_id: str) -> list[Any]:
        """Call the method that starts a run: what is no refusal of the server leaves the outcome unknown."""
        try:
            return await self.invoke(method, run_id)
        except UaStatusCodeError as error:
            if error.code in REFUSED:
                raise Rejected([f"{self.url} refuses the start: {error}"]) from error
            raise OutcomeUnknown(f"{self.url}: start of {run_id}: {error}") from error
        except Failure as error:
            what = str(error) or type(error).__name__
            raise OutcomeUnknown(f"{self.url}: start of {run_id}: {what}") from error

    async def watch(self, nodes: Sequence[str]) -> asyncio.Queue[None]:
        """Subscribe to nodes; the queue hears of each change as long as the connection lives."""
        heard: asyncio.Queue[None] = asyncio.Queue()
        subscription = await self._within(self._client.create_subscription(100, _Listener(heard)))
        await self._within(subscription.subscribe_data_change([self._client.get_node(node) for node in nodes]))
        return heard

    async def close(self) -> None:
        """Disconnect; where the server does not answer any more, without waiting for it."""
        try:
            with contextlib.suppress(*Failure):
                await within(min(self._call, 2.0), self._client.disconnect(), "the server")
        finally:
            for transport in self._client.transports:
                transport.abort()  # the library leaves a dead one open


class _Client(Client):  # type: ignore[misc]
    """A client that knows the connections that it has opened, those of attempts that failed too."""

    def __init__(self, url: str, timeout: float) -> None:
        super().__init__(url, timeout=timeout)
        self.transports: list[Any] = []

    async def connect_socket(self) -> None:
        await super().connect_socket()
        self.transports.append(self.uaclient.protocol.transport)


class _Listener:
    """What asyncua calls when a value changes."""

    def __init__(self, heard: asyncio.Queue[None]) -> None:
        self._heard = heard

    def datachange_notification(self, *_: Any) -> None:
        """A value has changed."""
        self._heard.put_nowait(None)


def value_of(data: Any) -> Any:
    """Return the value of a data value, whatever its quality; None where there is none."""
    return None if data.Value is None else data.Value.Value


def _typed(value: float | str, kind: Any) -> float | int | str | bool:
    if isinstance(value, str):
        return value
    if kind == ua.VariantType.Boolean:
        return bool(value)
    return int(value) if "Int" in kind.name or "Byte" in kind.name else value


def _nodes(settings: OpcUa) -> dict[str, str]:
    """Return all nodes of the map by their field."""
    single = ("state", "run_id", "result_run_id", "failure", "message", "progress")
    nodes = {name: node for name in single if (node := getattr(settings, name)) is not None}
    for group in ("setpoints", "outputs", "achieved", "readings"):
        nodes |= {f"{group}.{name}": node for name, node in getattr(settings, group).items()}
    for name in ("start", "safe_state", "abort", "lookup"):
        method: UaMethod | None = getattr(settings, name)
        if method is not None:
            nodes |= {f"{name}.object": method.object, f"{name}.method": method.method}
    return nodes
