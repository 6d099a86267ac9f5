"""Agents for plates: experiments that are run together and share parameters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rxnopt.agents.base import Agent, distinct, pending, repeats
from rxnopt.history import History
from rxnopt.space import Array, Space


class OnPlates:
    """Any agent, whose n proposals become a plate: the first one fixes the ``shared`` parameters of all."""

    def __init__(self, agent: Agent, shared: Sequence[str]) -> None:
        self.agent, self._shared = agent, tuple(shared)

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return ``X`` (n, d) with equal shared parameters, all different where the space has that many.

        What an agent repeats on purpose stays as it is, where the shared parameters let it.
        """
        X = np.array(self.agent.propose(space, history, n, rng), float)
        columns = [space.names.index(name) for name in self._shared]
        if X.ndim != 2 or len(X) < 2:
            return X  # nothing to share
        X[:, columns] = X[0, columns]
        if repeats(self.agent) and space.feasible(X).all():
            return X
        return distinct(space, X, rng, pending(space, history), columns)
