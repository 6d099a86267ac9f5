"""Designs: points chosen without a look at any result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from rxnopt.agents.base import distinct, pending
from rxnopt.errors import AgentError
from rxnopt.history import History
from rxnopt.seeds import stream
from rxnopt.space import DRAWS, Array, Space


@dataclass(frozen=True)
class Design:
    """Random points, a scrambled Sobol sequence or Latin hypercubes, in the unit cube of the space.

    Trial k of a campaign gets point k, so a trial added by hand takes the place of a point. A Latin hypercube has
    ``budget`` points, and after the last of them another one follows. Points that break a constraint of the
    reaction are left out. A point that falls on the same discrete conditions as another one of the call, or as a trial
    that is being run, is replaced by a random one.
    """

    method: Literal["random", "sobol", "lhs"]
    budget: int
    seed: int
    _blocks: dict[tuple[int, int], Array] = field(default_factory=dict, repr=False, compare=False)

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return the next n points (n, d)."""
        X = space.sample(n, rng) if self.method == "random" else self.points(space, len(history), n)
        return distinct(space, X, rng, pending(space, history))

    def points(self, space: Space, first: int, n: int) -> Array:
        """Return ``X`` (n, d) of the points from number ``first`` on; those that break a constraint do not count."""
        if space.constraints is None:
            U = np.array([self._point(len(space), k) for k in range(first, first + n)])
            return space.from_unit(U.reshape(n, len(space)))
        kept, k, in_vain = [np.empty((0, len(space)))], 0, 0
        while sum(map(len, kept)) < first + n:
            X = space.from_unit(np.array([self._point(len(space), k + i) for i in range(self._size)]))
            kept.append(X[space.feasible(X)])
            k, in_vain = k + self._size, 0 if len(kept[-1]) else in_vain + self._size
            if in_vain >= DRAWS:
                raise AgentError(f"{in_vain:,} points of the design broke the constraints of the reaction; loosen them")
        return np.concatenate(kept)[first : first + n]

    def _point(self, d: int, k: int) -> Array:
        size = self._size
        key = (d, k // size)
        if key not in self._blocks:
            self._blocks[key] = self._sobol(*key) if self.method == "sobol" else self._latin(*key)
        point: Array = self._blocks[key][k % size]
        return point

    @property
    def _size(self) -> int:
        """Points made at a time: Sobol sequences are balanced after powers of two."""
        return 1 << (self.budget - 1).bit_length() if self.method == "sobol" else self.budget

    def _sobol(self, d: int, block: int) -> Array:
        from scipy.stats import qmc

        engine = qmc.Sobol(d, scramble=True, rng=stream(self.seed, "sobol"))
        if block:
            engine.fast_forward(block * self._size)
        points: Array = engine.random(self._size)
        return points

    def _latin(self, d: int, block: int) -> Array:
        from scipy.stats import qmc

        points: Array = qmc.LatinHypercube(d, rng=stream(self.seed, "lhs", block)).random(self.budget)
        return points
