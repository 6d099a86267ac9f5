"""Times in a card, such as ``10 s``."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from rxnopt.cards.base import QuantityText
from rxnopt.units import quantity, same_dimension, unit


def _duration(text: str) -> str:
    found = quantity(text)
    if found is None or not same_dimension(found.dimension, unit("s").dimension) or found.si <= 0:
        raise ValueError(f"{text!r} is no time above 0; write it like '10 s' or '2 h'")
    return text


Duration = Annotated[QuantityText, AfterValidator(_duration)]


def seconds(text: str) -> float:
    """Return a duration of a lab file in seconds."""
    found = quantity(text)
    if found is None:
        raise AssertionError(text)  # the card was checked
    return found.si
