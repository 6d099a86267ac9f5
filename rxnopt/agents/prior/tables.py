"""Tables that the one of a card may be: drawn from the prior that gp-prior has of yields."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from math import comb, prod

import numpy as np

from rxnopt.agents.prior.fitted import SIZE, Prior, find_prior, settings_of
from rxnopt.agents.prior.scale import Percent
from rxnopt.agents.prior.similarity import Similarity
from rxnopt.cards import AgentCard, ReactionCard, load_card
from rxnopt.cards.table import TableModel
from rxnopt.errors import AgentError
from rxnopt.simulators import Outcome, Reaction
from rxnopt.simulators.general import GeneralReaction
from rxnopt.simulators.grid import Grid
from rxnopt.simulators.population import drawn_card
from rxnopt.space import Array

LOWEST, HIGHEST = 0.0, 100.0
"""Yields in %; a draw from the prior may lie beyond."""
AT_ONCE = 256
"""Tables that are drawn at once, to keep memory small."""
MOST = 8192
"""Conditions of a table."""
AGENT = "gp-prior"
"""Whose prior it is."""


@dataclass(frozen=True)
class Tables:
    """A population whose constants are the yields (K,) of all conditions of a grid, noise included.

    A table is one draw of the process of gp-prior, on its scale, with hyperparameters drawn from its prior: nothing
    that was measured of the reaction is in it. Outputs other than the objective are unknown, NaN.
    """

    own: ReactionCard
    similarity: Similarity
    prior: Prior

    @cached_property
    def grid(self) -> Grid:
        """All conditions."""
        return Grid(self.similarity.space)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """A name for each of the conditions."""
        return tuple("/".join(map(str, row.values())) for row in self.similarity.space.to_dicts(self.grid.X))

    @cached_property
    def nominal(self) -> Array:
        """The yield (K,) that the prior is centred on, the same one everywhere."""
        return np.full(len(self.grid.X), Percent().inverse(np.array(self.prior.mean[-1])))

    @property
    def context(self) -> int:
        """Nothing is told about a table."""
        return 0

    def draw(self, rng: np.random.Generator, n: int) -> Array:
        """Return the yields (n, K) of n tables."""
        counts = [min(AT_ONCE, n - i) for i in range(0, n, AT_ONCE)]
        found = np.concatenate([self.process(rng, count) for count in counts])
        return np.clip(Percent().inverse(found), LOWEST, HIGHEST)

    def process(self, rng: np.random.Generator, n: int) -> Array:
        """Return n tables (n, K) as the process sees yields; row i is the same whatever n."""
        sizes = [SIZE, *(prod(shape) for _, _, shape in self._parts), len(self.grid.X)]
        normal, *blocks, noise = np.split(rng.standard_normal((n, sum(sizes))), np.cumsum(sizes)[:-1], axis=1)
        draws, z = self.prior.of(normal), np.zeros((n, *self._counts))
        for (order, share, shape), block in zip(self._parts, blocks, strict=True):
            part = block.reshape(n, *shape)
            for j, root in enumerate(self._roots):
                if shape[j] > 1:
                    part = np.moveaxis(np.tensordot(part, root, (1 + j, 1)), -1, 1 + j)
            z += np.sqrt(share * draws.weights[:, order]).reshape(n, *np.ones_like(shape)) * part
        cells = np.ravel_multi_index(tuple(self.grid.X.astype(np.intp).T), self._counts)
        found: Array = z.reshape(n, -1)[:, cells] + draws.mean[:, None] + np.sqrt(draws.noise)[:, None] * noise
        return found

    @cached_property
    def _parts(self) -> list[tuple[int, float, tuple[int, ...]]]:
        """For each set of parameters that acts together: its order, its share in that, and the shape of its effects."""
        d = len(self._counts)
        return [
            (order, 1.0 / comb(d, k), tuple(count if j in chosen else 1 for j, count in enumerate(self._counts)))
            for order, k in enumerate((1, 2, 3, d))
            for chosen in combinations(range(d), k)
        ]

    @cached_property
    def _counts(self) -> tuple[int, ...]:
        return tuple(p.count for p in self.similarity.space)

    @cached_property
    def _roots(self) -> list[Array]:
        """A square root of the similarities of the levels of each parameter."""
        roots = []
        for table in self.similarity.tables.values():
            values, vectors = np.linalg.eigh(table)
            roots.append(vectors * np.sqrt(np.maximum(values, 0.0)))
        return roots

    def simulate(self, X: Array, constants: Array) -> Outcome:
        """Return the yields of conditions ``X`` (n, d), each from its own table (n, K) or all from one (1, K)."""
        rows = np.arange(len(X)) if len(constants) > 1 else 0
        values = np.full((len(X), len(self.own.outputs)), np.nan)
        values[:, list(self.own.outputs).index(self.own.objective.output)] = constants[rows, self.grid.places(X)]
        return Outcome(values, np.zeros(len(X), bool))

    def levels(self, constants: Array) -> None:
        """Return None: every level can be chosen."""

    def describe(self, constants: Array) -> Array:
        """Return an empty array (n, 0)."""
        return np.empty((len(constants), 0))

    def card(self, row: Array) -> ReactionCard:
        """Return the card with the yields ``row`` (K,)."""
        return drawn_card(self.own, row)


def is_table(reaction: Reaction) -> bool:
    """Return whether a reaction, or the one that it was drawn from, is a measured table."""
    return isinstance(reaction.origin.model, TableModel)


def with_tables(agent: str, reaction: Reaction) -> Reaction:
    """Return a measured table as one of a population of tables that are drawn from the prior of gp-prior.

    Raises :class:`rxnopt.errors.AgentError` for tables of something else than a yield, and for large ones.
    """
    goal, cells = reaction.card.objective, Grid.size(reaction.space)
    if isinstance(reaction, GeneralReaction) or reaction.card.limits:
        raise AgentError(f"agent {agent!r} is taught on single yields without limits; {reaction.name!r} asks for more")
    if not goal.maximize or reaction.units[goal.output] != "%":
        raise AgentError(
            f"agent {agent!r} is taught on tables that the prior of {AGENT} draws, of a yield in % that is maximised; "
            f"{goal.output!r} of {reaction.name!r} is none, take {AGENT} itself"
        )
    if cells > MOST:
        raise AgentError(
            f"agent {agent!r} is taught on tables of up to {MOST:,} conditions and {reaction.name!r} has {cells:,}; "
            f"take {AGENT} itself, or a part of the table"
        )
    card = load_card("agents", AGENT, AgentCard)[0]
    similarity = Similarity(agent, reaction.space, settings_of(card).length_scale)
    return replace(reaction, population=Tables(reaction.origin, similarity, find_prior(card)))


def about_tables() -> dict[str, str]:
    """Return what the provenance of weights says of the prior."""
    return {"tables": AGENT, "sha256": find_prior(load_card("agents", AGENT, AgentCard)[0]).sha256}
