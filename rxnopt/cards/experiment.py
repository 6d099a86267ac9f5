"""The experiment card: agents x reactions x seeds x budget."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from rxnopt.cards.base import Card, refuse
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
    agents: Names = Field(
        description="Names or paths of agent cards, or functions of yours (my_module:propose), in the order of tables."
    )
    past: Annotated[tuple[str, ...], Field(strict=False), AfterValidator(_different)] = Field(
        (), description="Past campaigns that the reaction cards name, such as games of chemists, beside the agents."
    )
    seeds: int = Field(5, ge=1, le=100_000, description="Campaigns of each agent on each reaction.")
    budget: int | None = Field(None, ge=1, description="Trials in a campaign; the budget of the reaction if left out.")
    noise: bool = Field(True, description="Whether measurements carry the noise of the reaction card.")
    realism: Annotated[
        Annotated[bool, Tag("bool")] | Annotated[Realism, Tag("options")],
        Discriminator(lambda value: "bool" if isinstance(value, bool) else "options"),
    ] = Field(True, description="Options in place of those of the reaction cards; false switches all of them off.")
    target: float = Field(0.95, gt=0, lt=1, description="Share of the known optimum that counts as reached.")
    objective: Literal["card", "weighted", "chebyshev", "pareto"] = Field(
        "card",
        description="What campaigns are after: the objective of the reaction card, its objectives put together, or, by "
        "hypervolume, their Pareto front.",
    )
    weights: tuple[float, ...] | None = Field(
        None,
        strict=False,
        description="Of weighted or chebyshev objectives, in the order of the cards; left out: equal.",
    )
    seed: int = Field(0, ge=0, description="Root seed.")

    @model_validator(mode="after")
    def _past(self) -> ExperimentCard:
        if self.past and self.objective != "card":
            refuse("past campaigns were after the objective of the card; leave 'objective' out", "objective")
        return self

    @model_validator(mode="after")
    def _weighted(self) -> ExperimentCard:
        if self.weights is not None and self.objective not in ("weighted", "chebyshev"):
            refuse(f"objective '{self.objective}' takes no weights; give 'weighted' or 'chebyshev'", "weights")
        return self
