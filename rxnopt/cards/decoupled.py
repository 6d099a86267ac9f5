"""Settings of Bayesian optimisation for the generality of conditions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rxnopt.cards.base import Model


class Decoupled(Model):
    """A Gaussian process over conditions and substrates; conditions are chosen by their mean over the substrates."""

    kind: Literal["decoupled"]
    n_startup_trials: int = Field(5, ge=2, description="Random trials before the first fit.")
