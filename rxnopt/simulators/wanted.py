"""What is wanted of a reaction, read from its outcomes: objectives, and how far limits are kept."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rxnopt.cards import ReactionCard
from rxnopt.cards.objective import Goal
from rxnopt.errors import CardError
from rxnopt.simulators.outcome import Outcome
from rxnopt.space import Array


class Wanted:
    """The part of :class:`rxnopt.simulators.Reaction` that reads outcomes."""

    card: ReactionCard

    @property
    def name(self) -> str:
        """Name of the card."""
        return self.card.name

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs: the columns of :attr:`Outcome.values`."""
        return tuple(self.card.outputs)

    @property
    def objective(self) -> str:
        """Name of the output that is maximised or minimised."""
        return self.card.objective.output

    def score(self, outcome: Outcome) -> Array:
        """Return the objective (n,) turned so that larger is better; NaN where the experiment failed."""
        return self.card.objective.sign * outcome.values[:, self.outputs.index(self.objective)]

    def objectives(self, outcome: Outcome) -> Array:
        """Return the ``objectives`` of the card (n, k), turned so that larger is better; NaN where it failed.

        Raises :class:`rxnopt.errors.CardError` for a card that has none.
        """
        goals = self.goals
        columns, signs = [self.outputs.index(name) for name in goals], [goal.sign for goal in goals.values()]
        turned: Array = outcome.values[:, columns] * signs
        return turned

    @property
    def reference(self) -> Array:
        """Reference point (k,) of the objectives, turned as they are."""
        return np.array([goal.sign * goal.reference for goal in self.goals.values()])

    @property
    def goals(self) -> dict[str, Goal]:
        """The ``objectives`` of the card; raise :class:`rxnopt.errors.CardError` where it has none."""
        if not self.card.objectives:
            raise CardError(
                f"reaction {self.name!r} has a single objective; add 'objectives' with two or more outputs to its card"
            )
        return self.card.objectives

    def violation(self, outcome: Outcome) -> Array:
        """Return by how much outputs are beyond their limits (n, c), in their units; NaN where it failed.

        0 or less where a limit is kept; an output with two limits has the larger of both.
        """
        columns, low, high, _ = self._limits
        values = outcome.values[:, columns]
        beyond: Array = np.maximum(values - high, low - values)
        return beyond

    @cached_property
    def _limits(self) -> tuple[NDArray[np.int64], Array, Array, Array]:
        """Columns of the limited outputs, lower and upper limits and sizes of the limits, all (c,)."""
        limits = self.card.limits
        columns = np.array([self.outputs.index(name) for name in limits], np.int64)
        low = np.array([-np.inf if limit.low is None else limit.low for limit in limits.values()])
        high = np.array([np.inf if limit.high is None else limit.high for limit in limits.values()])
        return columns, low, high, np.array([limit.size for limit in limits.values()], float)

    def excess(self, outcome: Outcome) -> Array:
        """Return the violations (n, c), each over the size of its limit, so that agents may add them up."""
        return self.violation(outcome) / self._limits[3]

    def cost(self, outcome: Outcome) -> Array:
        """Return the violations as one number (n,): the sum of what :meth:`excess` has above 0; 1 where it failed."""
        total: Array = np.maximum(self.excess(outcome), 0.0).sum(axis=1)
        total[outcome.failed] = 1.0
        return total

    def within_limits(self, outcome: Outcome) -> NDArray[np.bool_]:
        """Return which experiments (n,) keep all limits of the card; failed ones do not."""
        return ~outcome.failed & (self.violation(outcome) <= 0.0).all(axis=1)
