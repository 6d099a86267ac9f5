"""Campaigns on reactions whose constants are drawn anew at each reset, a reaction for each campaign.

The constants of episode e (from 0, counted from the last seed) are row i of the draw of stream ``constants`` of the
seed, where i is the number of the campaign: whatever the number of campaigns, the first one has the reaction
``load(name, seed=seed)`` in the first episode. Noise comes from its own stream.

A reaction may lack levels of a categorical parameter. In action mode ``box`` the largest column among the levels that
exist is chosen; in the other modes an experiment with a missing level fails.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from rxnopt.envs.observations import LARGEST, Bools, Floats
from rxnopt.envs.rewards import failed_score
from rxnopt.errors import ConditionsError
from rxnopt.seeds import beside
from rxnopt.simulators import Reaction
from rxnopt.simulators.population import Population, checked
from rxnopt.simulators.search import find_optima
from rxnopt.space import Array


class Drawn:
    """The reactions of b campaigns: ``constants`` (b, k), and the ``levels`` (b, width) that exist, None for all."""

    def __init__(self, reaction: Reaction, population: Population, b: int, regret: bool) -> None:
        self._reaction, self._population, self._regret = reaction, population, regret
        self._rng: np.random.Generator | None = None
        self._episode = 0
        self.constants = np.repeat(population.nominal[None], b, axis=0)
        self.levels: Bools | None = None
        self._context: Floats = np.empty((b, 0), np.float32)
        self.optima: Array = np.full(b, np.nan)

    def begin(self, rng: np.random.Generator, given: Any = None) -> None:
        """Draw new reactions, or take the constants ``given``: (k,) or (b, k)."""
        b = len(self.constants)
        self._episode = self._episode + 1 if rng is self._rng else 0
        self._rng = rng
        if given is None:
            self.constants = self._population.draw(beside(rng, "constants", self._episode), b)
        else:
            self.constants = self._rows(given, b)
        self.levels = self._population.levels(self.constants)
        self._context = self._population.describe(self.constants).astype(np.float32)
        if self._regret:
            found, _ = find_optima(self._reaction, self.constants)
            self.optima = np.where(np.isnan(found), failed_score(self._reaction.card), found)

    def _rows(self, given: Any, b: int) -> Array:
        rows = np.asarray(given)
        if rows.ndim == 2 and len(rows) != b:
            raise ConditionsError(f"constants of shape {rows.shape} do not fit; give a row for each of {b} campaigns")
        return np.stack([checked(self._population, row) for row in (rows if rows.ndim == 2 else [given] * b)])

    def conditions(self, A: Array) -> Array:
        """Return conditions (b, d) for checked box actions (b, width): of each block the largest existing level."""
        return self._reaction.space.from_box(A if self.levels is None else np.where(self.levels, A, -np.inf))

    def beside(self, observations: Floats) -> Floats:
        """Return observations with what is told of the reactions after them."""
        return np.concatenate([observations, self._context], axis=1) if self._context.size else observations

    @property
    def told(self) -> dict[str, NDArray[Any]]:
        """Infos of a reset: the constants (b, k)."""
        return {"constants": self.constants.copy()}


def with_context(space: gym.Space[Floats], context: int) -> gym.Space[Floats]:
    """Return the observation space with ``context`` entries after it that tell of a reaction."""
    if not context or not isinstance(space, gym.spaces.Box):
        return space
    more = np.full(context, LARGEST, np.float32)
    return gym.spaces.Box(np.concatenate([space.low, -more]), np.concatenate([space.high, more]), dtype=np.float32)
