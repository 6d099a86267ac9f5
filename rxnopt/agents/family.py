"""Reactions of a family, for policies that were trained on all of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rxnopt.envs.observations import Floats
from rxnopt.simulators import Reaction
from rxnopt.space import Array, Space


@dataclass(frozen=True)
class Family:
    """A reaction as a policy sees it that was trained on the whole family.

    ``space``: that of the family; ``context`` (1, context): what is told of the reaction; ``levels`` (1, width): which
    columns of the box can be chosen.
    """

    space: Space
    context: Floats
    levels: NDArray[np.bool_] | None

    @classmethod
    def of(cls, reaction: Reaction) -> Family | None:
        """Return what a family tells of a reaction; None for one of no family."""
        population = getattr(reaction.simulator, "population", reaction.population)
        if reaction.origin.family is None or population is None:
            return None
        row = getattr(reaction.simulator, "row", population.nominal)[None]
        context = population.describe(row).astype(np.float32)
        return cls(Space.of(reaction.origin), context, population.levels(row))

    def conditions(self, actions: Array) -> Array:
        """Return conditions (n, d) for box actions (n, width): of each block the largest existing level."""
        return self.space.from_box(actions if self.levels is None else np.where(self.levels, actions, -np.inf))
