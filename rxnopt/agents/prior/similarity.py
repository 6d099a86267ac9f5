"""How alike conditions are: by one parameter, by two and three at once, and by all of them."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb

import numpy as np

from rxnopt.agents.prior.molecules import tanimoto
from rxnopt.cards.parameters import Categorical
from rxnopt.errors import UnitError
from rxnopt.parameter import Array, Parameter
from rxnopt.simulators.grid import Grid
from rxnopt.space import Space
from rxnopt.units import Quantity, quantity

ORDERS = 4
"""Parts of the kernel: main effects, pairs, triples, all parameters at once."""
BY_STRUCTURE = 0.9
"""Share of the molecular structure in how alike two levels are; the rest is whether they are the same level."""
SMILES = "smiles"
"""The property of levels that is a molecule."""


class Similarity:
    """Similarities of conditions of a space, each in [0, 1] and positive semi-definite.

    Two levels with SMILES are alike as 0.9 of their Tanimoto similarity and 0.1 of being the same; other levels are the
    same or not. Numbers, and levels that are numbers, are alike as exp(-(distance / length)^2 / 2), where the distance
    is a share of their range (logarithmic where the card says so). ``tables`` holds the similarities of the levels
    (levels, levels) by the number of their parameter.
    """

    def __init__(self, agent: str, space: Space, length: float) -> None:
        self.space, self._length = space, length
        self.tables = {j: _table(agent, p, length) for j, p in enumerate(space) if p.levels}

    @property
    def ceiling(self) -> Array:
        """What :meth:`parts` says of conditions and themselves (4,): 1, 0 for orders that the space does not have."""
        return np.array([1.0, float(len(self.space) > 1), float(len(self.space) > 2), 1.0])

    def parts(self, A: Array, B: Array) -> Array:
        """Return similarities (4, a, b) of conditions ``A`` (a, d) and ``B`` (b, d).

        The mean over all parameters, over all pairs and over all triples of the products of their similarities
        (elementary symmetric polynomials, Duvenaud et al. 2011, 10.48550/arXiv.1112.4394), and the product of all.
        """
        d = len(self.space)
        sums = np.zeros((ORDERS, len(A), len(B)))
        sums[0] = 1.0
        product = np.ones(sums.shape[1:])
        for alike in self._each(A, B):
            for k in (3, 2, 1):
                sums[k] += sums[k - 1] * alike
            product *= alike
        for k in (1, 2, 3):
            sums[k] /= comb(d, k) or 1
        found: Array = np.concatenate([sums[1:], product[None]])
        return found

    def _each(self, A: Array, B: Array) -> Iterator[Array]:
        U, V = self.space.to_unit(A), self.space.to_unit(B)
        for j, p in enumerate(self.space):
            if j in self.tables:
                yield self.tables[j][A[:, j].astype(np.intp)][:, B[:, j].astype(np.intp)]
            elif p.kind == "binary":
                yield (A[:, None, j] == B[None, :, j]).astype(float)
            else:
                yield _near(U[:, j], V[:, j], self._length)


class ToAll:
    """Similarities of conditions to all those of a grid, kept from one proposal to the next.

    The history grows by a row or two between proposals, and this is a third of their work.
    """

    def __init__(self, similarity: Similarity, grid: Grid) -> None:
        self.grid, self._similarity = grid, similarity
        self._rows: dict[bytes, Array] = {}

    def parts(self, A: Array) -> Array:
        """Return similarities (4, a, K) of conditions ``A`` (a, d), a > 0, and those of the grid."""
        keys = [x.tobytes() for x in A]
        new = {key: x for key, x in zip(keys, A, strict=True) if key not in self._rows}
        if new:
            found = self._similarity.parts(np.array(list(new.values())), self.grid.X)
            self._rows |= zip(new, found.transpose(1, 0, 2), strict=True)
        self._rows = {key: self._rows[key] for key in keys}
        return np.stack([self._rows[key] for key in keys], axis=1)


def _near(u: Array, v: Array, length: float) -> Array:
    near: Array = np.exp(-0.5 * ((u[:, None] - v) / length) ** 2)
    return near


def _table(agent: str, parameter: Parameter, length: float) -> Array:
    """Return how alike the levels of a parameter are (levels, levels)."""
    card, same = parameter.card, np.eye(parameter.count)
    if not isinstance(card, Categorical):
        raise AssertionError(parameter)  # it has levels
    properties = list(card.levels.values())
    if SMILES in properties[0]:
        structures = {level: str(each[SMILES]) for level, each in card.levels.items()}
        return BY_STRUCTURE * tanimoto(agent, parameter.name, structures) + (1.0 - BY_STRUCTURE) * same
    numbers = [each for each in map(_quantity, card.levels) if each is not None]
    values = np.array([each.si for each in numbers])
    if len(numbers) < len(card.levels) or len({each.dimension for each in numbers}) > 1 or not np.ptp(values):
        return same
    u = (values - values.min()) / np.ptp(values)
    return _near(u, u, length)


def _quantity(level: str) -> Quantity | None:
    try:
        return quantity(level)
    except UnitError:  # a name that begins like a number, such as 3-chloropyridine
        return None
