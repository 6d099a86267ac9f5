"""What an agent with a model believes, for people who want to know why it proposes what it proposes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from rxnopt.history import History
from rxnopt.space import Array, Space


@dataclass(frozen=True)
class Belief:
    """What a Gaussian process, or another model, says of conditions (m, d).

    ``mean`` and ``sd`` (m,): of the first objective without noise, in its unit, turned so that larger is better.
    ``acquisition`` (m,): logarithm of how much the agent would like to run them. ``sensitivity`` (d,): how fast the
    model varies with each parameter, the inverse of its length scale over its range; None for a model that has none.
    """

    mean: Array
    sd: Array
    acquisition: Array
    sensitivity: Array | None


@runtime_checkable
class Believer(Protocol):
    """An agent that has a model."""

    def believe(self, space: Space, history: History, X: Array, rng: np.random.Generator) -> Belief | None:
        """Return what the model says of conditions ``X`` (m, d), None as long as the agent starts without one.

        ``rng`` as for the next proposal, so that the model is the one behind it.
        """
        ...
