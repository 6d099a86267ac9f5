"""A twin with a SiLA 2 server: one feature, ``ReactorController``, without discovery on the network."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Literal

from sila.server import Feature, Server, ServerConfig, UnobservableCommand, UnobservableProperty

from rxnopt.twin.desk import Desk
from rxnopt.twin.fdl import camel, definition
from rxnopt.twin.runs import Busy, Gone, Latched, Refusal

COMMANDS = ("StartRun", "Lookup", "GetResult", "Abort", "SafeState")
PROPERTIES = ("State", "RunId", "BootId")


class Controller:
    """What the feature does, for any server library; ``error`` makes the defined error of a name."""

    def __init__(self, desk: Desk, error: Callable[[str, str], Exception]) -> None:
        self.desk, self.rig, self._error = desk, desk.rig, error

    async def call(self, command: str, given: dict[str, Any]) -> dict[str, Any]:
        """Execute a command; raise its defined errors."""
        try:
            match command:
                case "StartRun":
                    setting = {p.name: p.value(p.number(given[camel(p.name)])) for p in self.rig.space}
                    await self.desk.submit(given["RunId"], [setting])
                case "Lookup":
                    run = self.rig.find(given["RunId"])
                    return {"State": "ABSENT" if run is None else run.state.upper()}
                case "GetResult":
                    return self._result(given["RunId"])
                case "Abort":
                    self.rig.abort()
                case _:
                    self.rig.safe()
        except Busy as error:
            raise self._error("DeviceBusy", str(error)) from error
        except Latched as error:
            raise self._error("InterlockOpen", str(error)) from error
        except Refusal as error:
            raise self._error("SetpointRefused", str(error)) from error
        return {}

    def _result(self, run_id: str) -> dict[str, Any]:
        run = self.rig.find(run_id)
        if run is None or not run.over or not (run.outputs or run.failure):
            raise self._error("NoResult", f"no result of {run_id}")
        outputs = run.outputs[0] if run.outputs else dict.fromkeys(self.rig.reaction.outputs, float("nan"))
        achieved = run.achieved[0] if run.achieved else run.settings[0]
        return {
            "ResultRunId": run.shown_as, "Failure": run.failure or "", "Message": run.message, "Quality": run.quality,
            **{camel(name): value for name, value in outputs.items()},
            **{f"Achieved{camel(p.name)}": p.value(p.number(achieved[p.name])) if p.levels else float(achieved[p.name])
               for p in self.rig.space},
        }  # fmt: skip

    def read(self, name: str) -> str:
        """Read a property."""
        shown = self.rig.shown
        return {
            "State": self.rig.state.upper(), "RunId": shown.run_id if shown else "", "BootId": self.rig.boot_id,
        }[name]  # fmt: skip


class SilaSkin:
    """A server of the library unitelabs-sila."""

    def __init__(self, desk: Desk) -> None:
        logging.getLogger("sila").setLevel(logging.CRITICAL)  # errors are told to the client
        rig = desk.rig
        self._feature: Feature = Feature.from_definition(
            definition(rig),
            {
                "unobservable_command_factory": UnobservableCommand,
                "unobservable_property_factory": UnobservableProperty,
            },
        )
        self._controller = Controller(desk, lambda name, text: self._feature.errors[name](text))
        for name in COMMANDS:
            self._feature.commands[name].function = self._command(name)
        for name in PROPERTIES:
            self._feature.properties[name].function = self._property(name)
        self._server = Server(
            ServerConfig(
                hostname="127.0.0.1", port=0, tls=False, name=f"twin of {rig.reaction.name}",
                type="RxnoptTwin", description="A digital twin of rxnopt.", version="1.0",
            )
        )  # fmt: skip
        self._server.register_feature(self._feature)

    def _command(self, name: str) -> Callable[..., Any]:
        async def execute(metadata: Any, **given: Any) -> dict[str, Any]:  # noqa: ARG001 - the library gives it
            try:
                return await self._controller.call(name, given)
            except Gone:
                return {}  # nobody is there to hear it

        return execute

    def _property(self, name: str) -> Callable[..., Any]:
        def read(metadata: Any) -> dict[str, str]:  # noqa: ARG001 - the library gives it
            return {name: self._controller.read(name)}

        return read

    async def start(self) -> int:
        """Serve on a free port."""
        await self._server.start()
        return int(self._server._address.rpartition(":")[2])

    async def show(self) -> None:
        """Nothing: values are read when they are asked for."""

    async def rebooted(self) -> None:
        """Nothing: the boot id is a property."""

    async def disturb(self, fault: Literal["mute", "out_of_order"]) -> None:
        """Nothing: no client of it subscribes."""

    async def stop(self) -> None:
        """Stop serving."""
        await self._server.stop()
