"""The experiment card: agents x reactions x seeds x budget."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Discriminator, Field, Tag

from rxnopt.cards.base import Card
from rxnopt.cards.realism import Realism


def _different(names: tuple[str, ...]) -> tuple[str, ...]:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise ValueError(f"{name!r} stands twice; remove one")
    return names


Names = Annotated[tuple[str, ...], Field(min_length=1, strict=False), AfterValidator(_different)]


class ExperimentCard(Card):
    """One comparison."""

    reactions: Names = Field(description="Names or paths of reaction cards.")
    agents: Names = Field(description="Names or paths of agent cards, in the order of tables and figures.")
    seeds: int = Field(5, ge=1, le=100_000, description="Campaigns of each agent on each reaction.")
    budget: int | None = Field(None, ge=1, description="Trials in a campaign; the budget of the reaction if left out.")
    noise: bool = Field(True, description="Whether measurements carry the noise of the reaction card.")
    realism: Annotated[
        Annotated[bool, Tag("bool")] | Annotated[Realism, Tag("options")],
        Discriminator(lambda value: "bool" if isinstance(value, bool) else "options"),
    ] = Field(True, description="Options in place of those of the reaction cards; false switches all of them off.")
    target: float = Field(0.95, gt=0, lt=1, description="Share of the known optimum that counts as reached.")
    seed: int = Field(0, ge=0, description="Root seed.")
