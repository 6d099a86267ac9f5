"""A twin as a whole: reaction, rig, clock and protocol, by name."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import numpy as np

from rxnopt.errors import LabError
from rxnopt.simulators import Reaction, load
from rxnopt.twin import labfile
from rxnopt.twin.clock import ScaledClock
from rxnopt.twin.desk import Desk, Skin
from rxnopt.twin.rig import Rig
from rxnopt.twin.scenario import Scenario, load_scenario

T = TypeVar("T")

SKINS = {
    "opcua": ("rxnopt.twin.opcua", "OpcUaSkin", labfile.opcua),
    "sila": ("rxnopt.twin.sila", "SilaSkin", labfile.sila),
    "filedrop": ("rxnopt.twin.filedrop", "FileDropSkin", labfile.filedrop),
    "http": ("rxnopt.twin.http", "HttpSkin", labfile.flowchem),
}
"""Protocol -> module, class, section of the lab file."""


class Serving:
    """A twin that is ready to serve: ``async with Serving("opcua", "snar", speed=600).desk``.

    ``with Serving(...) as twin`` serves in a thread, for programs that are not asynchronous; there, :meth:`do` runs
    something in the loop of the twin.

    ``reaction``: the name or path of a card, or a reaction. ``faults``: a scenario, or the path of one. Raises
    :class:`rxnopt.errors.LabError` where the library of the protocol is missing, in one sentence.
    """

    def __init__(
        self,
        protocol: str,
        reaction: str | Reaction,
        faults: Path | Scenario | None = None,
        *,
        port: int = 0,
        seed: int = 0,
        speed: float = 1.0,
        folder: Path | None = None,
        forget: bool = False,
        positions: int = 1,
    ) -> None:
        self.protocol = protocol
        if protocol != "filedrop" and positions > 1:
            raise LabError(f"a twin that speaks {protocol} runs one experiment at a time; take filedrop for plates")
        if protocol == "filedrop" and port:
            raise LabError("a twin that speaks filedrop has a folder and no port; leave the port out")
        skin = self._skin()
        scenario = faults if isinstance(faults, Scenario) else load_scenario(faults)
        own = reaction if isinstance(reaction, Reaction) else load(reaction)
        own.attempt(own.space.from_unit(np.full((1, len(own.space)), 0.5)))  # compiled now, not in the first run
        self.rig = Rig(own, ScaledClock(speed), scenario, seed=seed, folder=folder, positions=positions, forget=forget)
        self.desk = Desk(self.rig, skin, port)

    def _skin(self) -> Callable[[Desk], Skin]:
        module, name, _ = SKINS[self.protocol]
        try:
            skin: Callable[[Desk], Skin] = getattr(import_module(module), name)
        except ModuleNotFoundError as error:
            raise LabError(
                f"a twin that speaks {self.protocol} needs {error.name}, which is not installed; "
                f"run \"pip install '.[{self.protocol}]'\" in the checkout"
            ) from error
        return skin

    def __enter__(self) -> Serving:
        ready: Future[None] = Future()
        self._loop, self._over = asyncio.new_event_loop(), asyncio.Event()
        self._thread = Thread(target=self._loop.run_until_complete, args=(self._serve(ready),), daemon=True)
        self._thread.start()
        ready.result()
        return self

    async def _serve(self, ready: Future[None]) -> None:
        try:
            async with self.desk as desk:
                ready.set_result(None)
                await asyncio.wait(
                    [asyncio.ensure_future(self._over.wait()), asyncio.ensure_future(desk.wait())],
                    return_when=asyncio.FIRST_COMPLETED,
                )
        except Exception as error:
            if ready.done():
                raise
            ready.set_exception(error)

    def do(self, call: Callable[[], T]) -> T:
        """Call a function in the loop of the twin, so that nothing else happens meanwhile; return what it returns."""

        async def called() -> T:
            return call()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result()

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._loop.close()

    def lab_file(self, **timeouts: str) -> str:
        """Return the lab file with which a campaign runs on this twin; after it serves."""
        return labfile.lab_file(self.rig, SKINS[self.protocol][2](self.rig, self.desk.port), timeouts)

    def said(self) -> dict[str, Any]:
        """Return what whoever started the twin must know."""
        folder = self.rig.ledger.path
        return {
            "protocol": self.protocol,
            "port": self.desk.port,
            "address": f"127.0.0.1:{self.desk.port}",
            "pid": os.getpid(),
            "boot_id": self.rig.boot_id,
            "folder": None if folder is None else str(folder.parent),
        }
