"""The lab file of a twin: what a campaign must know to run on it."""

from __future__ import annotations

from typing import Any

import yaml

from rxnopt.twin.analysis import measured
from rxnopt.twin.fdl import FEATURE, camel
from rxnopt.twin.rig import Rig

TIMEOUTS = {"connect": "5 s", "call": "5 s", "poll": "0.1 s", "stall": "60 s"}
MARGIN = 60.0
"""What a run may take besides, s of real time: a busy computer is no fault."""


def lab_file(rig: Rig, adapter: dict[str, Any], timeouts: dict[str, str] | None = None) -> str:
    """Return the YAML of a lab file; ``adapter`` is its section for the protocol."""
    card = rig.reaction.card
    parameters = {
        name: {"kind": p.kind} | p.model_dump(exclude={"description"}, exclude_defaults=True)
        for name, p in card.parameters.items()
    }
    data = {
        "name": f"twin-of-{card.name}",
        "title": f"Digital twin of {card.title}"[:100],
        "adapter": adapter,
        "parameters": parameters,
        "outputs": {name: {"unit": card.outputs[name].unit} for name in measured(rig.reaction)},
        "timeouts": TIMEOUTS | {"run": f"{MARGIN + 2.0 * _longest(rig):.0f} s"} | (timeouts or {}),
        **({"plate": {"size": rig.positions, "shared": list(rig.plumbing.hot)}} if rig.positions > 1 else {}),
    }
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)


def _longest(rig: Rig) -> float:
    """Return what the longest run takes, s of real time: heater (within a thousandth), pumps, reactor, analysis."""
    plant = rig.scenario.plant
    span = 7.0 * plant.heating + plant.ramp + plant.volumes * rig.plumbing.longest + plant.analysis
    return span / rig.speed


def opcua(rig: Rig, port: int) -> dict[str, Any]:
    """Return the adapter section for :class:`rxnopt.twin.opcua.OpcUaSkin`."""

    def node(name: str) -> str:
        return f"ns=2;s={name}"

    def method(name: str) -> dict[str, str]:
        return {"object": node("Reactor"), "method": node(name)}

    return {
        "kind": "opcua",
        "url": f"opc.tcp://127.0.0.1:{port}",
        "setpoints": {name: node(f"Set.{name}") for name in rig.setpoints},
        "outputs": {name: node(f"Result.{name}") for name in measured(rig.reaction)},
        "achieved": {name: node(f"Achieved.{name}") for name in rig.setpoints},
        "state": node("State"),
        "run_id": node("RunId"),
        "result_run_id": node("Result.RunId"),
        "failure": node("Result.Failure"),
        "message": node("Result.Message"),
        "progress": node("Progress"),
        "start": method("Start"),
        "safe_state": method("SafeState"),
        "abort": method("Abort"),
        "lookup": method("Lookup"),
    }


def sila(rig: Rig, port: int) -> dict[str, Any]:
    """Return the adapter section for :class:`rxnopt.twin.sila.SilaSkin`."""
    return {
        "kind": "sila",
        "address": f"127.0.0.1:{port}",
        "tls": False,
        "feature": FEATURE,
        "start": "StartRun",
        "parameters": {name: camel(name) for name in rig.setpoints},
        "result": "GetResult",
        "outputs": {name: camel(name) for name in measured(rig.reaction)},
        "achieved": {name: f"Achieved{camel(name)}" for name in rig.setpoints},
        "lookup": "Lookup",
        "abort": "Abort",
        "safe_state": "SafeState",
        "boot_id": "BootId",
        "refusals": ["DeviceBusy", "SetpointRefused"],
        "interlocks": ["InterlockOpen"],
    }


def flowchem(rig: Rig, port: int) -> dict[str, Any]:
    """Return the adapter section for :class:`rxnopt.twin.http.HttpSkin`."""
    places = {name: f"/rig/{name}" for name in rig.setpoints}
    steady = rig.scenario.plant.volumes * rig.plumbing.longest / rig.speed
    return {
        "kind": "flowchem",
        "url": f"http://127.0.0.1:{port}",
        "setpoints": {
            name: {"put": f"{at}/set", "argument": "value", "get": f"{at}/set", "read": f"{at}/read"}
            for name, at in places.items()
        },
        "start": [{"put": "/rig/start"}],
        "ready": "/rig/target-reached",
        "steady": f"{steady:.4f} s",
        "analyse": {"put": "/nmr/acquire"},
        "busy": "/nmr/is-busy",
        "result": "/nmr/result",
        "sample": "run",
        "quality": "quality",
        "outputs": {name: name for name in measured(rig.reaction)},
        "stop": [{"put": "/rig/stop"}],
        "pumping": "/rig/is-pumping",
        "alarm": "/rig/alarm",
    }  # fmt: skip


def filedrop(rig: Rig, _: int) -> dict[str, Any]:
    """Return the adapter section for :class:`rxnopt.twin.filedrop.FileDropSkin`."""
    path = rig.ledger.path
    return {"kind": "filedrop", "folder": "drop" if path is None else str(path.absolute().parent / "drop")}
