"""Generality: conditions are sought that do well for many substrates on average.

An experiment is a set of conditions and a substrate. Its noise-free objective is the mean over all substrates, so that
regret, optimum and scores are about the conditions alone; what is measured is the result with that one substrate.

The substrate of trial k is drawn: all of them are put into an order by chance, which depends on the seed and k only,
and the first one is taken that was run least often under these conditions. So no substrate is run again under the same
conditions before all others have been, as in Wang et al., Nature 2024, 626, 1025 (10.1038/s41586-024-07021-y). Where
the agent chooses (``chosen``), the substrate is a part of its proposal.

A substrate that fails (a missing cell of a table) is left out of the mean; conditions fail where all substrates do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import PydanticCustomError

from rxnopt.cards.generality import AnyGenerality, Generality, asked_generality
from rxnopt.cards.parts import general_card
from rxnopt.cards.reaction import KnownOptimum
from rxnopt.errors import CardError
from rxnopt.simulators.draws import Draws
from rxnopt.simulators.grid import Grid
from rxnopt.simulators.measurement import Measurement
from rxnopt.simulators.outcome import Outcome
from rxnopt.simulators.reaction import Reaction
from rxnopt.simulators.scalar import Weights
from rxnopt.space import Array, Space

MOST = 10_000_000
"""Experiments that are looked through for the exact optimum when a reaction is loaded."""
SHRINKAGE = 4.0
"""Variance among results with one set of conditions over the variance among means of conditions, as it is assumed."""


@dataclass(frozen=True)
class GeneralReaction(Reaction):
    """The generality of the conditions of a reaction, ``base``; made by :func:`generalised`."""

    base: Reaction = field(kw_only=True)
    generality: Generality = field(kw_only=True)

    @cached_property
    def over(self) -> Space:
        """The parameters that tell the substrate."""
        return Space(tuple(p for p in self.base.space if p.name in self.generality.over))

    @cached_property
    def substrates(self) -> Array:
        """All substrates (S, e), a column for each parameter of :attr:`over`."""
        return Grid(self.over).X

    @property
    def drawn(self) -> bool:
        """Whether substrates are drawn; else the agent chooses them."""
        return not self.generality.chosen

    @cached_property
    def _columns(self) -> tuple[list[int], list[int]]:
        """Columns of the base that are conditions, and that are substrates."""
        names, over = self.base.space.names, self.generality.over
        found = [[j for j, name in enumerate(names) if (name in over) == wanted] for wanted in (False, True)]
        return found[0], found[1]

    @cached_property
    def _plain(self) -> Reaction:
        """The base with the realism of this reaction."""
        return replace(self.base, realism=self.realism)

    @cached_property
    def measurement(self) -> Measurement:
        """That of the base; its chance also draws orders of the substrates."""
        own = copy(self._plain.measurement)
        own.chance = replace(own.chance, substrates=len(self.substrates) if self.drawn else 0)
        return own

    def named(self, substrate: NDArray[np.intp]) -> list[dict[str, Any]]:
        """Return rows of :attr:`substrates` (n,) in natural values."""
        return self.over.to_dicts(self.substrates[substrate])

    def places(self, named: Sequence[Mapping[str, Any]]) -> NDArray[np.intp]:
        """Return rows of :attr:`substrates` (n,) for natural values; raise :class:`ConditionsError`."""
        return Grid(self.over).places(self.over.to_array(list(named)))

    def whole(self, C: Array, substrate: NDArray[np.intp]) -> Array:
        """Return experiments (n, D) of the base: conditions ``C`` (n, c) with rows ``substrate`` (n,) of substrates."""
        conditions, over = self._columns
        full = np.empty((len(C), len(self.base.space)))
        full[:, conditions], full[:, over] = C, self.substrates[substrate]
        return full

    @cached_property
    def conditions(self) -> Space:
        """The parameters that are conditions: the space itself where substrates are drawn."""
        return Space(tuple(p for p in self.base.space if p.name not in self.generality.over))

    def _with_all(self, C: Array) -> Array:
        """Return the experiments (n S, D) of conditions ``C`` (n, c) with each substrate."""
        n, s = len(C), len(self.substrates)
        return self.whole(np.repeat(C, s, axis=0), np.tile(np.arange(s), n))

    def outcome(self, X: Array, rng: np.random.Generator | None = None, constants: Array | None = None) -> Outcome:
        """Return true outcomes, means over all substrates; with ``rng`` as measured, each with one substrate."""
        if rng is not None:
            return super().outcome(X, rng, constants)
        self.space.check(X)
        return self.attempt(X, constants)

    def attempt(self, X: Array, constants: Array | None = None) -> Outcome:
        """Return means over the substrates of the outcomes of ``X`` (n, d); failed substrates are left out."""
        C = X if self.drawn else X[:, self._columns[0]]
        if constants is not None or self._means is None:
            return self._mean(C, constants)
        grid, means = self._means
        rows = grid.places(C)
        return Outcome(means.values[rows], means.failed[rows], None if means.reason is None else means.reason[rows])

    @cached_property
    def _means(self) -> tuple[Grid, Outcome] | None:
        """The means of all conditions, where they are finite and few enough to be run through once."""
        if Grid.size(self.conditions) * len(self.substrates) > MOST:
            return None
        grid = Grid(self.conditions)
        return grid, self._mean(grid.X, None)

    def _mean(self, C: Array, constants: Array | None) -> Outcome:
        n, s = len(C), len(self.substrates)
        each = self._plain.attempt(self._with_all(C), constants)
        values, failed = each.values.reshape(n, s, -1), each.failed.reshape(n, s)
        there = np.maximum((~failed).sum(axis=1), 1)[:, None]
        mean = np.where(failed[:, :, None], 0.0, values).sum(axis=1) / there
        none: NDArray[np.bool_] = np.all(failed, axis=1)
        reason = None if each.reason is None else np.where(none, each.reason.reshape(n, s)[:, 0], 0).astype(np.uint8)
        return Outcome(np.where(none[:, None], np.nan, mean), none, reason)

    def experiment(self, X: Array, draws: Draws, constants: Array | None = None) -> tuple[Outcome, Outcome]:
        """Return true outcomes, means over the substrates, and measured ones, with the substrates of ``draws``.

        Draws that do not tell substrates are those of one campaign, in its order.
        """
        self.space.check_bounds(X)
        full = X
        if self.drawn:
            substrate = draws.substrate if draws.substrate is not None else self.draw_substrates(X, draws)
            full = self.whole(X, substrate)
        return self.attempt(X, constants), self._plain.experiment(full, draws, constants)[1]

    def draw_substrates(
        self, X: Array, draws: Draws, past: tuple[Array, NDArray[np.intp]] | None = None
    ) -> NDArray[np.intp]:
        """Return the substrates (n,) of n trials of one campaign in their order, after the ``past`` ones.

        ``past``: conditions (m, d) and substrates (m,). An entry is a row of :attr:`substrates`.
        """
        before = (np.empty((0, X.shape[1])), np.empty(0, np.intp)) if past is None else past
        _, place = np.unique(np.concatenate([before[0], X]), axis=0, return_inverse=True)
        runs = np.zeros((place.max(initial=0) + 1, len(self.substrates)))
        np.add.at(runs, (place[: len(before[1])], before[1]), 1.0)
        found = np.empty(len(X), np.intp)
        for i, row in enumerate(place[len(before[1]) :]):
            found[i] = least_run(runs[row], self._order(draws)[i])
            runs[row, found[i]] += 1.0
        return found

    def next_substrates(self, X: Array, draws: Draws, past: tuple[Array, NDArray[np.intp]]) -> NDArray[np.intp]:
        """Return the substrates (b,) of the next trial of b campaigns at ``X`` (b, d).

        ``past``: conditions (t, b, d) and substrates (t, b) of their trials so far.
        """
        trials, copies = np.nonzero((past[0] == X).all(axis=2))
        runs = np.zeros((len(X), len(self.substrates)))
        np.add.at(runs, (copies, past[1][trials, copies]), 1.0)
        return least_run(runs, self._order(draws))

    def _order(self, draws: Draws) -> Array:
        if draws.order is None:
            raise ValueError("the draws hold no order of substrates")
        return draws.order

    def experiment_cost(self, X: Array) -> Array | None:
        """Return the cost (n,) of experiments at ``X`` (n, d), the mean over the substrates."""
        costs = self.measurement.cost(self._with_all(X if self.drawn else X[:, self._columns[0]]))
        return None if costs is None else costs.reshape(len(X), len(self.substrates)).mean(axis=1)

    def scalarised(self, method: str, weights: Weights = None) -> Reaction:
        """Return the reaction with its ``objectives`` put together, before the mean over the substrates is taken."""
        return generalised(self.base.scalarised(method, weights), self.generality)


def least_run(runs: Array, order: Array) -> NDArray[np.intp]:
    """Return the substrate (...,) with the fewest ``runs`` (..., S), of several the one with the least ``order``."""
    return np.asarray(np.argmin(runs + order, axis=-1))


def recommended(conditions: NDArray[np.intp], y: Array) -> int:
    """Return the conditions that trials recommend: those with the largest mean result, shrunk towards that of all.

    To the results of each, :data:`SHRINKAGE` results of the mean of all trials are added, so that a single lucky one
    does not win. ``conditions`` (n,): numbers from 0 on, n > 0; ``y`` (n,): finite, larger is better.
    """
    count = np.bincount(conditions)
    shrunk = (np.bincount(conditions, y) + SHRINKAGE * y.mean()) / (count + SHRINKAGE)
    return int(np.argmax(np.where(count > 0, shrunk, -np.inf)))


def generalised(reaction: Reaction, given: AnyGenerality) -> GeneralReaction:
    """Return the reaction as a search for conditions that are good for all substrates (:class:`GeneralReaction`).

    ``given``: True for the ``generality`` of its card, or a mapping such as that block. The optimum is exact where the
    conditions are finite. Raises :class:`rxnopt.errors.CardError`.
    """
    card = reaction.card
    generality = asked_generality(card, given)
    try:
        generality.check(card.parameters)
    except PydanticCustomError as error:
        raise CardError(f"generality.over: {error.message()}") from None
    if card.control is not None or card.constraints:
        what = "controls" if card.control is not None else "constraints"
        raise CardError(f"{card.name} has {what}, with which generality is not possible; remove them")
    own = general_card(card, generality)
    found = GeneralReaction(
        own, Space.of(own), reaction.simulator, reaction.place, realism=reaction.realism, base=reaction,
        generality=generality,
    )  # fmt: skip
    return replace(found, card=own.model_copy(update={"optimum": _optimum(found)}))


def _optimum(reaction: GeneralReaction) -> KnownOptimum | None:
    if Grid.size(reaction.conditions) * len(reaction.substrates) > MOST:
        return None
    C = Grid(reaction.conditions).X
    X = C if reaction.drawn else reaction.whole(C, np.zeros(len(C), np.intp))
    outcome = reaction.attempt(X)
    score = np.where(reaction.within_limits(outcome), reaction.score(outcome), -np.inf)
    best = int(np.argmax(score))
    if not np.isfinite(score[best]):
        return None
    value = float(reaction.card.objective.sign * score[best])
    note = f"exact: the best mean over all {len(reaction.substrates)} substrates"
    return KnownOptimum(value=value, conditions=reaction.space.to_dicts(X[[best]])[0], note=note)


def drawing(reaction: Reaction) -> GeneralReaction | None:
    """Return a reaction that draws the substrates of its experiments, None for any other one."""
    return reaction if isinstance(reaction, GeneralReaction) and reaction.drawn else None
