"""CMA-ES, told by the history."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from cmaes import CMA

from rxnopt.agents.base import distinct, feasible_draw, known, pending
from rxnopt.cards.agent import CmaEs
from rxnopt.history import History
from rxnopt.seeds import stream, stream_seed
from rxnopt.space import Array, Space


@dataclass(frozen=True)
class Evolution:
    """CMA-ES (Hansen and Ostermeier 2001, 10.1162/106365601750190398) in the action box [-1, 1]^width.

    The state of the strategy is not kept but found again from the history: the trials that are over, in the order
    of their numbers, fill generation after generation. Point k is drawn with a generator of its own, so the same
    draw is found again; where it gives the conditions of trial k, the draw itself is told (which matters for whole
    numbers and levels, where many draws give one condition). Any other trial, added by hand or moved by the
    machine, is told where it lies, as an injected solution (Hansen 2011, 10.48550/arXiv.1110.4181, eq. 4). Draws that
    break a constraint are repeated. A failed trial has the worst value measured so far, and one beyond the limits a
    worse one. Pending trials wait for their result and hold nobody up. When the
    strategy has converged it starts again elsewhere.
    """

    settings: CmaEs
    seed: int

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return n draws (n, d) of the present generation."""
        strategy = self._replay(space, history)
        A = np.array([self._draw(strategy, space, k) for k in range(len(history), len(history) + n)])
        return distinct(space, space.from_box(A.reshape(n, space.width)), rng, pending(space, history))

    def _replay(self, space: Space, history: History) -> CMA:
        over = known(space, history)
        strategy = self._start(np.zeros(space.width))
        size = strategy.population_size
        for first in range(0, len(over.y) - size + 1, size):
            rows = slice(first, first + size)
            points = [self._told(strategy, space, x, k) for x, k in zip(over.X[rows], over.index[rows], strict=True)]
            strategy.tell(list(zip(points, (-over.y[rows]).tolist(), strict=True)))
            if strategy.should_stop():
                start = stream(self.seed, "cmaes-restart", first)
                strategy = self._start(start.uniform(-1.0, 1.0, space.width))
        return strategy

    def _start(self, mean: Array) -> CMA:
        bounds = np.tile([-1.0, 1.0], (len(mean), 1))
        return CMA(mean, self.settings.sigma, bounds, population_size=self.settings.population, seed=0)

    def _draw(self, strategy: CMA, space: Space, k: int) -> Array:
        strategy.reseed_rng(stream_seed(self.seed, "cmaes", k))
        return feasible_draw(space, strategy.ask)

    def _told(self, strategy: CMA, space: Space, x: Array, k: int) -> Array:
        draw = self._draw(strategy, space, k)
        if np.array_equal(space.from_box(draw[None])[0], x):
            return draw
        return _injected(strategy, space.to_box(x[None])[0])


def _injected(strategy: CMA, point: Array) -> Array:
    """Shorten the step to a foreign point, in units of the distribution, to c_y = sqrt(d) + 2 d / (d + 2)."""
    d = strategy.dim
    B, D = strategy._eigen_decomposition()
    step = point - strategy.mean
    length = float(np.linalg.norm((B.T @ step) / D)) / strategy._sigma
    shorter: Array = strategy.mean + step * min(1.0, (sqrt(d) + 2 * d / (d + 2)) / max(length, 1e-300))
    return shorter
