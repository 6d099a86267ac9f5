"""Tasks of the random reaction family: networks, barriers and hidden features of levels, drawn in batches.

Calibrated on measured tables (Buchwald-Hartwig couplings of Ahneman et al., Science 2018, 360, 186,
10.1126/science.aar5169; Suzuki couplings of Perera et al., Science 2018, 359, 429, 10.1126/science.aap9112): with
these numbers the share of dead and of good experiments, the ceiling of a task, the part that additive effects
explain and the size of the largest effect are those of such tables (see tests/simulators/test_family.py).

Categories act on barriers (kJ/mol): a ligand is the better the nearer it is to the top of a volcano in its features,
solvent and base add to that, ligand and solvent interact, and each combination has a ruggedness of its own. Side
reactions respond mainly to solvent and base.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rxnopt.cards.family import CHOICES, Family
from rxnopt.space import Array

HOURS = 12.0
"""Time to which Damkoehler numbers refer (h), at 80 degC and with the reference loading of the catalyst."""
BOILING = np.array([65.0, 80.0, 100.0, 110.0, 150.0])
"""Boiling points of solvents (degC)."""
SEALED = 10.0
"""A sealed vial may be this much hotter (K) than the boiling point."""
CLUSTERS, SECTORS = 3, 16
"""Families of ligands in a task; sectors of the plane of features, every fourth of which is held out for tests."""
SMALLEST = 2.0**-54


@dataclass(frozen=True)
class Tasks:
    """n tasks with l ligands, s solvents and b bases at most.

    ``sizes`` (n, 3): levels that exist. ``constants``: name to (n,), those that do not depend on levels. ``caps``
    (n, s): hottest temperature in a solvent (degC). ``main_shift`` and ``side_shift`` (n, l, s, b): kJ/mol.
    ``features`` (n, 2 l + 2 s + b): what may be shown of the levels.
    """

    sizes: NDArray[np.int64]
    constants: dict[str, Array]
    caps: Array
    main_shift: Array
    side_shift: Array
    features: Array


class _Numbers:
    """Even numbers of n tasks, a row each, taken column by column: row i does not depend on n."""

    def __init__(self, rng: np.random.Generator, n: int, count: int) -> None:
        self._rows, self._next = np.maximum(rng.random((n, count)), SMALLEST), 0

    def even(self, *shape: int) -> Array:
        """Return numbers in (0, 1), of shape (n, *shape)."""
        count = int(np.prod(shape))
        part = self._rows[:, self._next : self._next + count]
        self._next += count
        return part.reshape(len(part), *shape)

    def uniform(self, low: float, high: float) -> Array:
        """Return numbers (n,) between two bounds."""
        return low + (high - low) * self.even(1)[:, 0]

    def normal(self, *shape: int) -> Array:
        """Return standard normal numbers, of shape (n, *shape)."""
        from scipy.special import ndtri

        found: Array = ndtri(self.even(*shape))
        return found

    def power(self, mean: float, sd: float) -> Array:
        """Return 10 to a normal number (n,)."""
        return 10.0 ** (mean + sd * self.normal(1)[:, 0])


def draw(family: Family, levels: tuple[int, int, int], rng: np.random.Generator, n: int) -> Tasks:
    """Return n tasks of a family whose card has ``levels`` ligands, solvents and bases."""
    nl, ns, nb = levels
    numbers = _Numbers(rng, n, 2 * (5 * nl + 4 * ns + 2 * nb) + 2 * nl * ns * nb + ns * nb + 64)
    zl = _ligands(numbers, nl, family.split)
    zs, zb = numbers.normal(ns, 2), numbers.normal(nb)
    main_shift = _main_shift(numbers, zl, zs, zb)
    side_shift = 2.5 * numbers.normal(1, ns, nb) + 1.5 * numbers.normal(nl, 1, 1)
    constants = _constants(numbers, family)
    caps = BOILING[(len(BOILING) * numbers.even(ns)).astype(int)] + SEALED
    least, most = np.array([family.sizes.get(name, (m, m)) for name, m in zip(CHOICES, levels, strict=True)]).T
    sizes = least + np.floor(numbers.even(3) * (most - least + 1)).astype(int)
    features = np.concatenate([z.reshape(n, -1) for z in (zl, zs, zb)], axis=1)
    features = features + (family.descriptors or 0.0) * numbers.normal(features.shape[1])
    return Tasks(sizes, constants, caps, main_shift, np.broadcast_to(side_shift, main_shift.shape), features)


def _ligands(numbers: _Numbers, nl: int, split: str) -> Array:
    """Return features (n, nl, 2): clusters around centres of the split, and scatter."""
    found = centres(numbers.even(CLUSTERS), numbers.even(CLUSTERS), split)
    member = (CLUSTERS * numbers.even(nl)).astype(int)
    return np.take_along_axis(found, member[:, :, None], axis=1) + 0.5 * numbers.normal(nl, 2)


def centres(direction: Array, distance: Array, split: str) -> Array:
    """Return standard normal points (..., 2), in the sectors of the split only, from even numbers (...) in (0, 1)."""
    sectors = [k for k in range(SECTORS) if (k % 4 == 3) == (split == "test")]
    place = direction * len(sectors)
    angle = 2.0 * np.pi * (np.array(sectors)[place.astype(int)] + place % 1.0) / SECTORS
    radius = np.sqrt(-2.0 * np.log(distance))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)


def _main_shift(numbers: _Numbers, zl: Array, zs: Array, zb: Array) -> Array:
    """Return shifts (n, l, s, b) of the barrier of the main reaction (kJ/mol)."""
    ligand, solvent, base = (numbers.uniform(*bounds) for bounds in ((3.0, 6.0), (1.0, 3.0), (1.0, 4.0)))
    interaction, top = numbers.uniform(1.0, 2.5), numbers.uniform(-0.5, 1.0)
    angle = 2.0 * np.pi * numbers.even(1)
    along = zl[:, :, 0] * np.cos(angle) + zl[:, :, 1] * np.sin(angle)
    volcano = ligand[:, None] * (np.abs(along - top[:, None]) - 0.8)
    mixed = np.einsum("nli,nij,nsj->nls", zl, numbers.normal(2, 2), zs) * interaction[:, None, None] / 1.4
    additive = (
        volcano[:, :, None, None]
        + (solvent[:, None] * zs[:, :, 0])[:, None, :, None]
        + (base[:, None] * zb)[:, None, None, :]
    )
    shift: Array = additive + mixed[..., None] + numbers.normal(zl.shape[1], zs.shape[1], zb.shape[1])
    return shift


def _constants(numbers: _Numbers, family: Family) -> dict[str, Array]:
    """Return what holds for all levels of a task: (n,) each, in the units of the card."""
    damkohler, Ea_main = numbers.power(0.05, 0.8), numbers.uniform(45.0, 95.0)
    Ea_side, Ea_fading = numbers.uniform(50.0, 110.0), numbers.uniform(80.0, 130.0)
    parallel, consecutive = numbers.power(-0.6, 0.5), numbers.power(-0.6, 0.5)
    fading, equilibrium = numbers.power(-0.3, 0.7), 10.0 ** numbers.uniform(-0.3, 2.0)
    edges = np.cumsum(family.networks.shares)[:-1]
    kind = np.searchsorted(edges, numbers.even(1)[:, 0], side="right")
    speeds_up, strength = numbers.even(1)[:, 0] < family.autocatalysis, 10.0 ** numbers.uniform(0.0, np.log10(30.0))
    return {
        "main": damkohler / HOURS,
        "Ea_main": Ea_main,
        "parallel": np.where(np.isin(kind, [0, 2]), parallel, 0.0),
        "consecutive": np.where(np.isin(kind, [1, 2]), consecutive, 0.0),
        "Ea_side": Ea_side,
        "reversal": np.where(kind == 3, 1.0 / equilibrium, 0.0),
        "fading": np.where(np.isin(kind, [2, 4]), fading / HOURS, 0.0),
        "Ea_fading": Ea_fading,
        "autocatalysis": np.where(speeds_up, strength, 0.0),
    }
