"""JSON Schema of the cards, with which editors complete and check YAML.

The schema knows fields, types, ranges and choices. Units, formulas and what must fit together are checked when a card
is read, with better messages than a schema can give.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rxnopt.cards.agent import AgentCard
from rxnopt.cards.base import Card
from rxnopt.cards.experiment import ExperimentCard
from rxnopt.cards.lab import LabCard
from rxnopt.cards.reaction import ReactionCard

CARDS: dict[str, type[Card]] = {
    "reaction": ReactionCard,
    "agent": AgentCard,
    "experiment": ExperimentCard,
    "lab": LabCard,
}
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one kind of card: reaction, agent, experiment or lab."""
    schema = CARDS[kind].model_json_schema()
    _close(schema)
    return {"$schema": DIALECT, **schema, "title": f"rxnopt {kind} card"}


def _close(node: Any) -> None:
    """Forbid keys that match no pattern: a name such as ``1A`` is an error in the editor too."""
    if isinstance(node, dict):
        if "patternProperties" in node:
            node.setdefault("additionalProperties", False)
        for inner in node.values():
            _close(inner)
    elif isinstance(node, list):
        for inner in node:
            _close(inner)


def write_schemas(folder: Path) -> list[Path]:
    """Write ``<kind>.schema.json`` of every kind of card into a folder and return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind in CARDS:
        place = folder / f"{kind}.schema.json"
        place.write_text(json.dumps(json_schema(kind), indent=2) + "\n", encoding="utf-8")
        written.append(place)
    return written


__all__ = ["CARDS", "json_schema", "write_schemas"]
