"""The lab file of a twin: what a campaign must know to run on it."""

from __future__ import annotations

from typing import Any

import yaml

from rxnopt.twin.fdl import FEATURE, camel
from rxnopt.twin.rig import Rig

TIMEOUTS = {"connect": "5 s", "call": "5 s", "poll": "0.1 s", "stall": "60 s", "run": "10 min"}


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
        "outputs": {name: {"unit": output.unit} for name, output in card.outputs.items()},
        "timeouts": TIMEOUTS | (timeouts or {}),
    }
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)


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
        "outputs": {name: node(f"Result.{name}") for name in rig.reaction.outputs},
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
        "outputs": {name: camel(name) for name in rig.reaction.outputs},
        "achieved": {name: f"Achieved{camel(name)}" for name in rig.setpoints},
        "lookup": "Lookup",
        "abort": "Abort",
        "safe_state": "SafeState",
        "boot_id": "BootId",
        "refusals": ["DeviceBusy", "SetpointRefused"],
        "interlocks": ["InterlockOpen"],
    }
