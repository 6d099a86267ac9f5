"""The twin behind the other SiLA 2 library: sila2, whose server runs in threads."""

import asyncio
import socket

from sila2.framework import DefinedExecutionError
from sila2.framework.feature import Feature
from sila2.server import FeatureImplementationBase, SilaServer

from rxnopt.twin.fdl import definition
from rxnopt.twin.runs import Gone
from rxnopt.twin.sila import COMMANDS, PROPERTIES, Controller


class Sila2Skin:
    def __init__(self, desk):
        self._feature = Feature(definition(desk.rig))
        errors = self._feature.defined_execution_errors
        self._controller = Controller(desk, lambda name, text: DefinedExecutionError(errors[name], text))
        self._server = SilaServer("twin", "Twin", "A twin.", "1.0", "https://example.org")

    def _implementation(self, loop):
        implementation = FeatureImplementationBase(self._server)

        def command(name):
            parameters = [p._identifier for p in self._feature._unobservable_commands[name].parameters]
            responses = [r._identifier for r in self._feature._unobservable_commands[name].responses]

            def execute(*given, metadata):
                call = self._controller.call(name, dict(zip(parameters, given, strict=True)))
                try:
                    answer = asyncio.run_coroutine_threadsafe(call, loop).result()
                except Gone:
                    answer = {}
                return tuple(answer[r] for r in responses) if len(responses) != 1 else answer[responses[0]]

            return execute

        for name in COMMANDS:
            setattr(implementation, name, command(name))
        for name in PROPERTIES:
            setattr(implementation, f"get_{name}", lambda *, metadata, name=name: self._controller.read(name))
        return implementation

    async def start(self):
        self._server.set_feature_implementation(self._feature, self._implementation(asyncio.get_running_loop()))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._server.start_insecure("127.0.0.1", port, enable_discovery=False)
        return port

    async def show(self):
        pass

    async def rebooted(self):
        pass

    async def disturb(self, fault):
        pass

    async def stop(self):
        await asyncio.to_thread(self._server.stop)
