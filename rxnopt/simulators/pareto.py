"""Several objectives: what is dominated, the hypervolume, and the Pareto front of a reaction.

Objectives ``Y`` (n, k) are turned so that larger is better, everywhere in this module.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rxnopt.catalogue import catalogue
from rxnopt.errors import ConditionsError
from rxnopt.space import Array

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from rxnopt.simulators.reaction import Reaction


def nondominated(Y: Array) -> NDArray[np.bool_]:
    """Return which rows of ``Y`` (n, k) no other row dominates (n,); of equal rows the first; none with NaN."""
    kept = np.zeros(len(Y), bool)
    whole = np.flatnonzero(~np.isnan(Y).any(axis=1))
    order = whole[np.lexsort(-Y[whole].T[::-1])]  # what dominates a row comes before it
    if Y.shape[1] == 2:
        second = Y[order, 1]
        kept[order[second > np.append(-np.inf, np.maximum.accumulate(second))[:-1]]] = True
        return kept
    for i in order:
        kept[i] = not (Y[kept] >= Y[i]).all(axis=1).any()
    return kept


def hypervolume(Y: Array, reference: Array) -> float:
    """Return the volume that ``Y`` (n, k) dominates above ``reference`` (k,), exactly; NaN rows dominate nothing.

    Slices along the last objective, each the hypervolume of one objective less (While et al., IEEE Trans. Evol.
    Comput. 2006, 10, 29, 10.1109/TEVC.2005.851275): quick for two or three objectives.
    """
    Y = Y[(Y > reference).all(axis=1)]
    if not len(Y):
        return 0.0
    if Y.shape[1] == 1:
        return float(Y.max() - reference[0])
    Y = Y[np.argsort(-Y[:, -1])]
    depth = Y[:, -1] - np.append(Y[1:, -1], reference[-1])
    if Y.shape[1] == 2:
        return float(depth @ (np.maximum.accumulate(Y[:, 0]) - reference[0]))
    return float(sum(d * hypervolume(Y[: i + 1, :-1], reference[:-1]) for i, d in enumerate(depth) if d > 0))


@dataclass(frozen=True)
class Front:
    """Points of a Pareto front: conditions ``X`` (n, d), objectives ``Y`` (n, k), and the ``reference`` (k,)."""

    X: Array
    Y: Array
    reference: Array

    @cached_property
    def hypervolume(self) -> float:
        """Volume above the reference that the points dominate."""
        return hypervolume(self.Y, self.reference)

    @property
    def ideal(self) -> Array:
        """Best value (k,) of each objective."""
        best: Array = self.Y.max(axis=0)
        return best

    @classmethod
    def of(cls, reaction: Reaction, X: Array) -> Front:
        """Return what of ``X`` (n, d) is a front: within limits, better than the reference, not dominated."""
        outcome = reaction.attempt(X)
        Y, reference = reaction.objectives(outcome), reaction.reference
        good = reaction.within_limits(outcome) & (Y > reference).all(axis=1)
        X, Y = X[good], Y[good]
        kept = nondominated(Y)
        order = np.argsort(Y[kept][:, 0])
        return cls(X[kept][order], Y[kept][order], reference)


def front_file(name: str) -> Traversable | None:
    """Return the file of the catalogue, ``envs/fronts/<name>.csv``, with the known front of a card of its own."""
    place = catalogue("envs") / "fronts" / f"{name}.csv"
    return place if place.is_file() else None


def stored_front(reaction: Reaction) -> Front | None:
    """Return the front that the catalogue keeps for a card of its own, None where there is none."""
    place = None if reaction.place else front_file(reaction.name)
    if place is None:
        return None
    rows = list(csv.DictReader(io.StringIO(place.read_text(encoding="utf-8"))))
    X = reaction.space.to_array([{name: row[name] for name in reaction.space.names} for row in rows])
    Y = np.array([[goal.sign * float(row[name]) for name, goal in reaction.goals.items()] for row in rows])
    return Front(X, Y, reaction.reference)


def find_front(reaction: Reaction, points: int = 33, seed: int = 0) -> Front:
    """Search for a front: the optima of augmented Chebyshev functions with about ``points`` different weights.

    Raises :class:`ConditionsError` where no experiment is better than the reference in all objectives.
    """
    from rxnopt.simulators.scalar import Scalar
    from rxnopt.simulators.search import search

    k, reference = len(reaction.reference), reaction.reference
    alone = [search(reaction, lambda o, i=i: reaction.objectives(o)[:, i], seed, quick=True) for i in range(k)]  # type: ignore[misc]
    ideal = np.array([value for value, _ in alone])
    if not (ideal > reference).all():
        raise ConditionsError(f"no experiment on {reaction.name} is better than its reference; loosen the reference")
    found = [x for _, x in alone]
    for i, weights in enumerate(_lattice(k, points)):
        scalar = Scalar("chebyshev", weights, reference, ideal)
        found.append(search(reaction, lambda o, s=scalar: s(reaction.objectives(o)), seed + i, quick=True)[1])  # type: ignore[misc]
    front = Front.of(reaction, np.array(found))
    if not len(front.X):
        raise ConditionsError(f"no experiment on {reaction.name} is better than its reference; loosen the reference")
    return front


def _lattice(k: int, points: int) -> Iterator[Array]:
    """Yield at least ``points`` weights (k,) that lie evenly on the simplex (Das and Dennis 1998)."""
    parts = 1
    while sum(1 for _ in combinations(range(parts + k - 1), k - 1)) < points:
        parts += 1
    for bars in combinations(range(parts + k - 1), k - 1):
        edges = np.array([-1, *bars, parts + k - 1])
        yield np.maximum((np.diff(edges) - 1) / parts, 1e-3)
