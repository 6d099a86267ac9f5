"""Settings of the design by clusters, and descriptors of categorical levels."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rxnopt.cards.base import Identifier, Model
from rxnopt.cards.botorch import Descriptors


class Medoids(Model):
    """A design of conditions that stand for groups of similar ones."""

    kind: Literal["kmedoids"]
    candidates: int = Field(
        1024,
        ge=16,
        le=10_000,
        description="Points of a Sobol sequence that are grouped; of a finite space with 4096 conditions at the most "
        "these are grouped, all of them.",
    )
    descriptors: dict[Identifier, Descriptors] = Field(
        default_factory=dict,
        description="For a categorical parameter numbers in place of its levels: the name of a CSV file beside the "
        "card, the same as a mapping, or names of numeric properties of the levels; other levels are equal or not.",
    )
    published_descriptors: bool = Field(
        False,
        description="Take for parameters that 'descriptors' does not name those of the card of the reaction: what was "
        "published for their levels, else their numeric properties.",
    )
