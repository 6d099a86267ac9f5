"""Adapters by kind. A module of this package has ``create(card, folder)``; its libraries are imported there."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from rxnopt.cards.lab import LabCard
from rxnopt.lab.interface import Adapter

MODULES = {
    "filedrop": "filedrop",
    "callable": "function",
    "python": "function",
    "opcua": "opcua",
    "sila": "sila",
    "flowchem": "flowchem",
}
"""Kind of adapter -> module here."""


def create(card: LabCard, folder: Path) -> Adapter:
    """Return a new adapter of a lab file that lies in ``folder``; nothing is connected yet."""
    module = import_module(f"{__name__}.{MODULES[card.adapter.kind]}")
    adapter: Adapter = module.create(card, folder)
    return adapter


__all__ = ["create"]
