"""A lab file, read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rxnopt.cards.base import validate
from rxnopt.cards.lab import LabCard
from rxnopt.catalogue import read
from rxnopt.simulators import Reaction


@dataclass(frozen=True)
class Lab:
    """A lab card and the folder that its relative paths start from."""

    card: LabCard
    folder: Path
    place: str = ""


def load_lab(lab: str | Path | Lab) -> Lab:
    """Return the lab of a file; raise :class:`rxnopt.errors.CardError` in one sentence."""
    if isinstance(lab, Lab):
        return lab
    path = Path(lab)
    return Lab(validate(read(path, str(path)), LabCard), path.absolute().parent, str(path))


def lab_of(reaction: Reaction, given: str | Path | Lab | None) -> Lab | None:
    """Return the lab that is given, or that of the card; None: experiments are simulated."""
    named = reaction.card.lab
    if given is None and named is not None:
        given = Path(reaction.place).parent / named
    return None if given is None else load_lab(given)


__all__ = ["Lab", "lab_of", "load_lab"]
