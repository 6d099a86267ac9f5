"""The card of a Gaussian process whose hyperparameters have a prior that was fitted to measured tables."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rxnopt.cards.base import Model


class GpPrior(Model):
    """A Gaussian process on similarities of conditions, averaged over draws of its hyperparameters."""

    kind: Literal["gp-prior"]
    tables: Annotated[tuple[str, ...], Field(min_length=1, strict=False)] = Field(
        description="Names or paths of the cards of tables that the prior is fitted to; they weigh alike."
    )
    draws: int = Field(32, ge=1, le=1024, description="Draws of hyperparameters over which is averaged.")
    length_scale: float = Field(
        0.5, gt=0, le=100, description="Of parameters that are numbers, as a share of their range."
    )
