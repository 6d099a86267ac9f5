"""The card of a policy that is taught the optima of simulated reactions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from rxnopt.cards.base import Model, refuse


class Pretrained(Model):
    """A transformer over the history of a campaign, taught where the optima of simulated reactions lie.

    The reactions have constants drawn from the ``uncertainty`` of the reaction card; instead of a measured table of
    yields it is taught on tables drawn from the prior of ``gp-prior``.
    """

    kind: Literal["pretrained"]
    width: int = Field(64, ge=4, le=1024, description="Numbers with which the network describes a trial.")
    heads: int = Field(4, ge=1, le=64, description="Heads of attention; a divisor of the width.")
    layers: int = Field(1, ge=1, le=12, description="Layers of attention.")
    budget: int = Field(20, ge=1, le=1000, description="Trials that the network sees, at most.")
    reactions: int = Field(8192, ge=16, le=1_000_000, description="Simulated reactions.")
    updates: int = Field(ge=1, description="Gradient steps of the training.")
    batch: int = Field(256, ge=1, description="Histories in a gradient step.")
    learning_rate: float = Field(0.001, gt=0, le=1, description="Of AdamW at the start; it falls to zero linearly.")
    deterministic: bool = Field(description="Propose the mean of the policy first instead of a draw.")

    @model_validator(mode="after")
    def _divides(self) -> Pretrained:
        if self.width % self.heads:
            refuse(f"heads={self.heads} do not divide width={self.width}; take a divisor", "heads")
        return self
