"""Bandits as agents: each combination of levels is an arm, and proposing it again is how it is learnt about."""

from __future__ import annotations

import numpy as np

from rxnopt.agents.base import known
from rxnopt.agents.pulls import Pulls, best, indices
from rxnopt.cards.agent import AgentCard
from rxnopt.cards.bandit import Bandit
from rxnopt.errors import AgentError
from rxnopt.history import History
from rxnopt.simulators import Reaction
from rxnopt.simulators.grid import Grid
from rxnopt.space import Array, Space

MOST = 100_000
"""Arms of a space, all of which are looked at for each proposal."""


class BanditAgent:
    """A bandit over the conditions of a finite space.

    A failed trial has the worst reward so far. A trial that is being run, and each proposal of a batch before the next
    one, counts as a pull that gave the mean of its arm.
    """

    repeats = True

    def __init__(self, card: AgentCard, reaction: Reaction | None) -> None:
        if not isinstance(card.agent, Bandit):
            raise AgentError(f"agent {card.name!r} is no bandit")
        self._name, self._settings = card.name, card.agent
        self._sign = 1.0 if reaction is None else reaction.card.objective.sign
        percent = reaction is not None and reaction.units[reaction.objective] == "%"
        self._ends = card.agent.rewards or ((0.0, 100.0)[:: int(self._sign)] if percent else None)
        self._arms: Grid | None = None
        if reaction is not None:
            self.arms(reaction.space)  # a space without arms is told before the first trial

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return n conditions (n, d); raise :class:`rxnopt.errors.AgentError` where the space is not finite."""
        pulls, chosen = self.pulls(space, history), []
        for _ in range(n):
            arm = int(best(indices(self._settings, pulls, rng), rng))
            chosen.append(arm)
            pulls = pulls.expecting(arm)
        return self.arms(space).X[chosen]

    def arms(self, space: Space) -> Grid:
        """Return the arms of a space; raise :class:`rxnopt.errors.AgentError` where it has none, or too many."""
        if self._arms is None or self._arms.space is not space:
            endless = [p.name for p in space if not p.discrete]
            if endless:
                raise AgentError(
                    f"agent {self._name!r} chooses among a finite number of conditions and {endless[0]!r} is "
                    "continuous; give it levels, or take another agent"
                )
            if (size := Grid.size(space)) > MOST:
                raise AgentError(f"agent {self._name!r} takes up to {MOST:,} conditions and this space has {size:,.0f}")
            self._arms = Grid(space)
        return self._arms

    def pulls(self, space: Space, history: History) -> Pulls:
        """Return what the arms have given so far, with trials that are being run."""
        arms, past = self.arms(space), known(space, history)
        pulls = Pulls.of(arms.places(past.X), self._rewards(past.y), len(arms.X))
        for arm in arms.places(past.pending):
            pulls = pulls.expecting(int(arm))
        return pulls

    def _rewards(self, y: Array) -> Array:
        """Return rewards from 0 to 1 for scores (m,)."""
        if self._ends is None and (not len(y) or not np.ptp(y)):
            return np.full(len(y), 0.5)
        low, high = (y.min(), y.max()) if self._ends is None else np.array(self._ends) * self._sign
        shares: Array = (y - low) / (high - low)
        return np.minimum(np.maximum(shares, 0.0), 1.0)
