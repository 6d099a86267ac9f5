"""A twin as a whole: reaction, rig, clock and protocol, by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from rxnopt.errors import LabError
from rxnopt.simulators import Reaction, load
from rxnopt.twin import labfile
from rxnopt.twin.clock import ScaledClock
from rxnopt.twin.desk import Desk, Skin
from rxnopt.twin.rig import Rig
from rxnopt.twin.scenario import Scenario, load_scenario

SKINS = {"opcua": ("rxnopt.twin.opcua", "OpcUaSkin", labfile.opcua)}
"""Protocol -> module, class, section of the lab file."""


class Serving:
    """A twin that is ready to serve: ``async with Serving("opcua", "snar", speed=600).desk``.

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
        skin = self._skin()
        scenario = faults if isinstance(faults, Scenario) else load_scenario(faults)
        own = reaction if isinstance(reaction, Reaction) else load(reaction)
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

    def lab_file(self) -> str:
        """Return the lab file with which a campaign runs on this twin; after it serves."""
        return labfile.lab_file(self.rig, SKINS[self.protocol][2](self.rig, self.desk.port))

    def said(self) -> dict[str, Any]:
        """Return what whoever started the twin must know."""
        folder = self.rig.ledger.path
        return {
            "protocol": self.protocol,
            "port": self.desk.port,
            "address": SKINS[self.protocol][2](self.rig, self.desk.port).get("url"),
            "pid": os.getpid(),
            "boot_id": self.rig.boot_id,
            "folder": None if folder is None else str(folder.parent),
        }
