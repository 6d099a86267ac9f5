"""What a policy of kind 'pretrained' is taught on: drawn reactions, and where their optima lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rxnopt.agents.chooser import near
from rxnopt.agents.ensemble import ensemble, population
from rxnopt.agents.prior.tables import is_table
from rxnopt.envs.observations import Floats
from rxnopt.seeds import stream
from rxnopt.simulators import Reaction
from rxnopt.simulators.search import find_optima
from rxnopt.space import Array


@dataclass(frozen=True)
class Lesson:
    """N reactions by their ``constants`` (N, k), and the ``optima`` (m, ...) of rows (m,), as the loss takes them."""

    constants: Array
    optima: Callable[[NDArray[np.intp]], Floats]


def lesson(reaction: Reaction, size: int, progress: bool) -> Lesson:
    """Draw reactions; a few seconds.

    Optima are places in the box; in a table each condition counts, by how near its yield is to the optimum.
    """
    if not is_table(reaction):
        made = ensemble(reaction, size, 1, progress)
        places = reaction.space.to_box(made.X).astype(np.float32)
        return Lesson(made.constants, lambda rows: places[rows])
    tables = _tables(reaction, stream(0, "ensemble"), size)
    return Lesson(tables, lambda rows: near(tables[rows]))


def held_out(reaction: Reaction, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """Return the constants (n, k) of other reactions, and the noise-free scores (n,) of their optima."""
    if is_table(reaction):
        tables = _tables(reaction, rng, n)
        return tables, tables.max(axis=1)
    constants = population(reaction).draw(rng, n)
    return constants, find_optima(reaction, constants)[0]


def _tables(reaction: Reaction, rng: np.random.Generator, n: int) -> Array:
    """Return n tables, less those in which nothing reacts: nowhere is near to their optimum."""
    drawn = population(reaction).draw(rng, n)
    kept: Array = drawn[drawn.max(axis=1) > 0.0]
    return kept
