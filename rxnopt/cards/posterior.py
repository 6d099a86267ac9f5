"""The card of an agent that infers the constants of a simulated reaction."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rxnopt.cards.base import Model


class Posterior(Model):
    """Bayesian inference over reactions drawn from the ``uncertainty`` of the reaction card."""

    kind: Literal["posterior"]
    reactions: int = Field(1024, ge=16, le=100_000, description="Simulated reactions.")
    candidates: int = Field(256, ge=1, le=10_000, description="Of how many of them the optimum may be proposed.")
    acquisition: Literal["improvement", "thompson"] = Field(
        "improvement", description="Expected improvement, or the optimum of a reaction drawn by its weight."
    )
    error: float = Field(0.02, gt=0, le=1, description="Error of the model, as a share of the score.")
