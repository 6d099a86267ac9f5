"""A few-shot agent for tables: the network tells among all conditions of a grid where the optimum may be."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from rxnopt.agents.answers import Among, Answer
from rxnopt.agents.base import distinct, pending
from rxnopt.agents.borrow import borrowed, one_thread
from rxnopt.agents.transformer import Transformer, observed
from rxnopt.cards.pretrained import Pretrained
from rxnopt.envs.observations import Floats
from rxnopt.history import History
from rxnopt.simulators.grid import Grid
from rxnopt.space import Array, Space

NEAR = 0.2
"""Share of the optimum by which a yield is below it that counts as e times less, to a network that is taught."""
SHARPER = 100.0
"""Power of what was taught from which conditions are drawn: e times less often where 0.2 % of the optimum are lost."""


class Chooser(Transformer):
    """From histories to a distribution over the K conditions of a grid.

    A condition counts as much as its own description, which the network makes of its levels, agrees with what it makes
    of the history. It is taught on yields, by how near to the optimum they are (:func:`near`), and by all of a table at
    once: to which condition the optimum belongs says too little about a table with thousands.
    """

    def __init__(self, settings: Pretrained, grid: Grid) -> None:
        width, columns = settings.width, grid.space.width
        super().__init__(settings, columns, answers=width)
        self.condition = nn.Sequential(nn.Linear(columns, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))
        self.grid, self._boxes = grid, grid.space.to_box(grid.X)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """Return logits (n, K) for observations (n, budget (columns + 2))."""
        conditions = self.condition(torch.as_tensor(self._boxes, dtype=torch.float32))
        logits: torch.Tensor = super().forward(seen) @ conditions.T
        return logits

    def loss(self, seen: torch.Tensor, optima: torch.Tensor) -> torch.Tensor:
        """Return the mean cross entropy with ``optima`` (n, K), how much each condition counts as one."""
        told: torch.Tensor = (optima * self(seen).log_softmax(dim=1)).sum(dim=1) / optima.sum(dim=1)
        return -told.mean()

    def answer(self, seen: Floats) -> Answer:
        """Return what the network believes of the conditions that are not in the observations (n, ...)."""
        rows = seen.reshape(len(seen), self._budget, -1)
        campaigns, trials = np.nonzero(rows[:, :, -1])
        places = self.grid.places(self.grid.space.from_box(rows[campaigns, trials, :-2].astype(float)))
        taken = np.zeros((len(seen), len(self._boxes)), bool)
        taken[campaigns[places >= 0], places[places >= 0]] = True
        return self.among(seen).without(taken)

    def among(self, seen: Floats) -> Among:
        """Return what the network believes of all conditions after observations (n, ...)."""
        with torch.no_grad():
            return Among(SHARPER * self(torch.as_tensor(seen)).double().numpy(), self._boxes)


def near(yields: Array) -> Floats:
    """Return how much each of the yields (n, K) of n tables counts as an optimum; the optimum itself counts 1."""
    best = yields.max(axis=1, keepdims=True)
    counts: Floats = np.exp((yields / best - 1.0) / NEAR).astype(np.float32)
    return counts


class TableFewShot:
    """Proposes conditions by draws from where the network believes the optimum, nothing twice before all others once.

    Where the card is deterministic the most probable ones are proposed. Of a history that is longer than what the
    network can see, it sees the best half and the latest trials; failed ones, which drawn tables do not have, it never
    sees.
    """

    def __init__(self, settings: Pretrained, net: Chooser, scale: float) -> None:
        self._settings, self._net, self._scale = settings, net.eval(), scale

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return n conditions (n, d)."""
        grid, done = self._net.grid, history.done
        measured = History(history.X[done], history.y[done], history.status[done])
        with one_thread():
            answer = self._net.among(observed(space, measured, self._settings.budget, self._scale))
        times = np.bincount(grid.places(history.X[space.inside(history.X)]), minlength=len(grid.X))
        order = answer.without(times > times.min()).order(None if self._settings.deterministic else rng)[0]
        return distinct(space, grid.X[np.resize(order, n)], rng, pending(space, history))


def chooser(settings: Pretrained, space: Space) -> Chooser:
    """Return the network of a card for a grid, with the weights that it has when it is made."""
    with borrowed(0):
        return Chooser(settings, Grid(space))
