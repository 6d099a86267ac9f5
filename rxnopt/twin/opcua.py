"""A twin with an OPC UA server, laid out as the controller of a small pilot plant.

Nodes of namespace 2 below ``Objects/Reactor``: ``State``, ``RunId``, ``Progress``, ``Heartbeat``; ``Set.<parameter>``
(writable, read back as it was taken), ``Reading.<parameter>``, ``Reading.pressure`` (bar), ``Reading.reagent`` (mL);
``Result.RunId``, ``Result.Message``, ``Result.<output>``, ``Achieved.<parameter>``; methods ``Start(RunId)``,
``Abort()``, ``SafeState()``, ``Lookup(RunId) -> State``. Units are those of the reaction card.
"""

from __future__ import annotations

import itertools
import logging
from datetime import UTC, datetime
from typing import Any, Literal

from asyncua import Server, ua
from asyncua.common.node import Node
from asyncua.ua.uaerrors import BadOutOfRange

from rxnopt.twin.desk import VENDOR, Desk
from rxnopt.twin.runs import Busy, Gone, Latched, Refusal

URI = "urn:rxnopt:twin"
Types = ua.VariantType
QUALITY = {
    "good": ua.StatusCodes.Good, "uncertain": ua.StatusCodes.UncertainSensorNotAccurate,
    "bad": ua.StatusCodes.BadSensorFailure,
}  # fmt: skip


class OpcUaSkin:
    """The server; its ``ServerStatus.StartTime`` is the boot id."""

    def __init__(self, desk: Desk) -> None:
        logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # a twin on 127.0.0.1 needs no certificate
        self.desk, self.rig = desk, desk.rig
        self._server = Server()
        self._nodes: dict[str, Node] = {}
        self._shown: dict[str, Any] = {}
        self._beats = itertools.count()

    async def start(self) -> int:
        """Serve on a free port."""
        server = self._server
        await server.init()
        server.set_endpoint("opc.tcp://127.0.0.1:0/rxnopt")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        await server.set_build_info(URI, VENDOR, f"twin of {self.rig.reaction.name}", "1", "1", datetime.now(UTC))
        place = await server.register_namespace(URI)
        reactor = await server.nodes.objects.add_object(ua.NodeId("Reactor", place), "Reactor")
        for name, value in (self._display() | self._readings()).items():
            kind = Types.String if isinstance(value, str) else Types.Double
            first = 0.0 if value is None else value  # the library makes no number without a value
            self._nodes[name] = await reactor.add_variable(ua.NodeId(name, place), name, first, kind)
        for name in self.rig.setpoints:
            await self._nodes[f"Set.{name}"].set_writable()
            self._on_write(f"Set.{name}", name)
            await self._describe(name)
        text, truth = [Types.String], [Types.Boolean]
        for name, function, given, back in (
            ("Start", self._start, text, [*truth, *text]),
            ("Abort", self._abort, [], []),
            ("SafeState", self._safe, [], []),
            ("Lookup", self._lookup, text, text),
        ):
            await reactor.add_method(ua.NodeId(name, place), name, function, given, back)
        await server.start()
        return int(server.bserver.port)

    async def _describe(self, name: str) -> None:
        """Give a set-point its unit and its range."""
        p = self.rig.space.parameters[self.rig.space.names.index(name)]
        node = self._nodes[f"Set.{name}"]
        if not p.levels:
            place = node.nodeid.NamespaceIndex
            eu = ua.EUInformation(DisplayName=ua.LocalizedText(p.unit))
            for title, value in (("EngineeringUnits", eu), ("EURange", ua.Range(float(p.low), float(p.high)))):
                await node.add_property(ua.NodeId(f"Set.{name}.{title}", place), ua.QualifiedName(title, 0), value)

    async def rebooted(self) -> None:
        """Tell another time of start."""
        place = ua.NodeId(ua.ObjectIds.Server_ServerStatus_StartTime)
        await self._server.get_node(place).write_value(datetime.now(UTC))
        await self.show()

    async def disturb(self, fault: Literal["mute", "out_of_order"]) -> None:
        """Forget all subscriptions in silence; or tell them that the run is over, and then what they know twice."""
        service = self._server.iserver.subscription_service
        if fault == "mute":
            await service.delete_subscriptions([*service.subscriptions])
            return
        for subscription in service.subscriptions.values():
            items = subscription.monitored_item_srv._monitored_items
            for name, item in items.items():
                known = item.mvalue.current_dvalue
                state = item.read_value_id.NodeId == self._nodes["State"].nodeid
                for value in (_data("DONE", 0) if state else known, known, known):
                    told = ua.MonitoredItemNotification(ClientHandle=item.client_handle, Value=value)
                    await subscription.enqueue_datachange_event(name, told, 0)

    async def stop(self) -> None:
        """Stop serving."""
        await self._server.stop()

    # what is shown

    def _display(self) -> dict[str, Any]:
        rig, run = self.rig, self.rig.shown
        outputs: dict[str, float] = run.outputs[0] if run and run.outputs else {}
        achieved: dict[str, Any] = run.achieved[0] if run and run.achieved else {}
        return {
            "State": rig.state.upper(),
            "RunId": run.run_id if run else "",
            "Progress": round(rig.progress, 2),
            "Heartbeat": float(next(self._beats)),
            "Result.RunId": run.shown_as if run else "",
            "Result.Message": run.message if run else "",
            "Result.Failure": (run.failure or "") if run else "",
            **{f"Set.{name}": value for name, value in rig.setpoints.items()},
            **{f"Result.{name}": outputs.get(name, None if run else 0.0) for name in rig.reaction.outputs},
            **{f"Achieved.{name}": achieved.get(name, value) for name, value in rig.setpoints.items()},
        }

    def _readings(self) -> dict[str, Any]:
        return {f"Reading.{name}": value for name, value in self.rig.sensed().items()}

    async def show(self) -> None:
        """Write what has changed."""
        run = self.rig.shown
        quality = QUALITY[run.quality if run else "good"]
        for name, value in (self._display() | self._readings()).items():
            code = quality if name.startswith("Result.") and name.split(".")[1] in self.rig.reaction.outputs else 0
            if self._shown.get(name) != (value, code):
                self._shown[name] = (value, code)
                if name.startswith("Set.") or value is None:  # past the client's own way, and past the check of types
                    place = self._server.iserver.aspace[self._nodes[name].nodeid]
                    place.attributes[ua.AttributeIds.Value].value = _data(value, code)
                else:
                    status = await self._server.iserver.aspace.write_attribute_value(
                        self._nodes[name].nodeid, ua.AttributeIds.Value, _data(value, code)
                    )
                    status.check()

    # what is told

    def _on_write(self, node: str, parameter: str) -> None:
        def taken(place: Any, attribute: ua.AttributeIds, value: ua.DataValue) -> None:
            try:
                self.rig.set({parameter: None if value.Value is None else value.Value.Value})
            except Refusal as error:
                raise BadOutOfRange from error
            place.attributes[attribute].value = _data(self.rig.setpoints[parameter], 0)
            self._shown.pop(node, None)

        self._server.iserver.aspace.set_attribute_value_setter(self._nodes[node].nodeid, ua.AttributeIds.Value, taken)

    async def _start(self, _: ua.NodeId, run_id: ua.Variant) -> Any:
        try:
            await self.desk.submit(str(run_id.Value))
        except (Busy, Latched) as error:
            await self.show()
            return [ua.Variant(False), ua.Variant(str(error))]
        except Refusal:
            return ua.StatusCode(ua.StatusCodes.BadOutOfRange)
        except Gone:
            return ua.StatusCode(ua.StatusCodes.BadShutdown)  # nobody is there to read it
        await self.show()
        return [ua.Variant(True), ua.Variant("")]

    async def _abort(self, _: ua.NodeId) -> list[ua.Variant]:
        self.rig.abort()
        return []

    async def _safe(self, _: ua.NodeId) -> list[ua.Variant]:
        self.rig.safe()
        return []

    async def _lookup(self, _: ua.NodeId, run_id: ua.Variant) -> list[ua.Variant]:
        run = self.rig.find(str(run_id.Value))
        return [ua.Variant("ABSENT" if run is None else run.state.upper())]


def _data(value: Any, code: int) -> ua.DataValue:
    variant = ua.Variant()
    if value is not None:
        variant = ua.Variant(value, Types.String if isinstance(value, str) else Types.Double)
    return ua.DataValue(variant, ua.StatusCode(code), SourceTimestamp=datetime.now(UTC))
