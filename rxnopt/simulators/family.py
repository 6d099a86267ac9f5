"""The random reaction family: every task is a reaction of its own, and one kernel runs them all.

A task has some of the levels of the card (the first ones) and, for each solvent, a hottest temperature. An experiment
with a level that the task does not have, or hotter than its solvent allows, cannot be done: it fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from rxnopt.cards import ReactionCard
from rxnopt.cards.family import CHOICES, CONSTANTS, Family
from rxnopt.cards.parameters import Categorical, Continuous
from rxnopt.cards.uncertainty import UncertainConstant
from rxnopt.catalogue import Source
from rxnopt.simulators.family_draws import draw
from rxnopt.simulators.measurement import INFEASIBLE_CODE, codes
from rxnopt.simulators.ode import OdeSimulator
from rxnopt.simulators.outcome import Outcome
from rxnopt.simulators.population import drawn_card
from rxnopt.space import Array, Space
from rxnopt.units import Quantity, quantity

PLAIN = tuple(name for name in CONSTANTS if not name.endswith("_shift"))


@dataclass(frozen=True)
class FamilyPopulation:
    """The population of a card with ``family``.

    Constants: number of levels of each choice, the constants of the card that hold for all levels, hottest
    temperature in each solvent (degC), shifts of the main and of the side barriers for each combination of levels
    (kJ/mol), and the features that may be shown.
    """

    own: ReactionCard
    family: Family
    source: Source

    @cached_property
    def _levels(self) -> tuple[tuple[str, ...], ...]:
        found = (self.own.parameters[name] for name in CHOICES)
        return tuple(tuple(choice.levels) for choice in found if isinstance(choice, Categorical))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the constants."""
        ligands, solvents, bases = self._levels
        wholes = [f"{ligand}.{solvent}.{base}" for ligand in ligands for solvent in solvents for base in bases]
        features = [f"{name}.{i}" for name in (*ligands, *solvents) for i in (1, 2)] + [f"{name}.1" for name in bases]
        return (
            *(f"levels.{name}" for name in CHOICES),
            *PLAIN,
            *(f"hottest.{name}" for name in solvents),
            *(f"{shift}.{name}" for shift in ("main_shift", "side_shift") for name in wholes),
            *(f"feature.{name}" for name in features),
        )

    @cached_property
    def _parts(self) -> tuple[int, int, int, int, int]:
        """First columns of plain constants, temperatures, main shifts, side shifts and features."""
        ligands, solvents, bases = map(len, self._levels)
        sizes = (3, len(PLAIN), solvents, ligands * solvents * bases, ligands * solvents * bases)
        plain, hottest, main, side, features = np.cumsum(sizes).tolist()
        return plain, hottest, main, side, features

    @cached_property
    def nominal(self) -> Array:
        """Constants (k,) of the card: all levels exist, are alike and may be used at any temperature of the card."""
        temperature = cast(Continuous, self.own.parameters["temperature"])
        found = np.zeros(len(self.names))
        plain, hottest, main, _, _ = self._parts
        found[:plain] = [len(levels) for levels in self._levels]
        found[plain:hottest] = [self._own(name).unit.from_si(self._own(name).nominal) for name in PLAIN]
        found[hottest:main] = temperature.high
        return found

    def _own(self, name: str) -> UncertainConstant:
        found = cast(Quantity, quantity(self.own.constants[name]))
        return UncertainConstant(name, found.si, found.unit, 0.0, True, "uniform", name, False, None)

    @cached_property
    def _constants(self) -> tuple[UncertainConstant, ...]:
        return tuple(self._own(name) for name in CONSTANTS)

    @cached_property
    def _simulator(self) -> OdeSimulator:
        return OdeSimulator(self.own, self.source, varied=self._constants)

    @cached_property
    def _columns(self) -> tuple[list[int], int]:
        """Columns of X of the choices and of the temperature."""
        names = list(self.own.parameters)
        return [names.index(name) for name in CHOICES], names.index("temperature")

    def draw(self, rng: np.random.Generator, n: int) -> Array:
        """Return constants (n, k)."""
        nl, ns, nb = map(len, self._levels)
        tasks = draw(self.family, (nl, ns, nb), rng, n)
        plain = np.stack([tasks.constants[name] for name in PLAIN], axis=1)
        shifts = (tasks.main_shift.reshape(n, -1), tasks.side_shift.reshape(n, -1))
        return np.concatenate([tasks.sizes, plain, tasks.caps, *shifts, tasks.features], axis=1)

    def simulate(self, X: Array, constants: Array) -> Outcome:
        """Return noise-free outcomes of conditions ``X`` (n, d)."""
        C = np.broadcast_to(constants, (len(X), constants.shape[1]))
        plain, hottest, main, side, _ = self._parts
        choices, temperature = self._columns
        levels, rows = X[:, choices].astype(np.intp), np.arange(len(X))
        _, solvents, bases = map(len, self._levels)
        whole = (levels[:, 0] * solvents + levels[:, 1]) * bases + levels[:, 2]
        possible = (levels < C[:, :3]).all(axis=1) & (X[:, temperature] <= C[rows, hottest + levels[:, 1]])
        drawn = dict(zip(PLAIN, C[:, plain:hottest].T, strict=True))
        drawn |= {"main_shift": C[rows, main + whole], "side_shift": C[rows, side + whole]}
        own = np.stack([constant.unit.to_si(drawn[constant.name]) for constant in self._constants], axis=1)
        values, failed = np.full((len(X), len(self.own.outputs)), np.nan), ~possible
        reason = np.where(failed, INFEASIBLE_CODE, 0).astype(np.uint8)
        done = self._simulator(X[possible], own[possible])
        values[possible], failed[possible], reason[possible] = done.values, done.failed, codes(done)
        return Outcome(values, failed, reason)

    def levels(self, constants: Array) -> NDArray[np.bool_]:
        """Return which columns of a box action (n, width) can be chosen."""
        columns = []
        for parameter in Space.from_cards(self.own.parameters):
            size = constants[:, CHOICES.index(parameter.name)] if parameter.name in CHOICES else np.inf
            columns += [np.broadcast_to(i < size, len(constants)) for i in range(parameter.width)]
        return np.stack(columns, axis=1)

    @property
    def context(self) -> int:
        """Entries of :meth:`describe`."""
        ligands, solvents, bases = map(len, self._levels)
        shown = 0 if self.family.descriptors is None else len(self.names) - self._parts[4]
        return ligands + 2 * solvents + bases + shown

    def describe(self, constants: Array) -> Array:
        """Return (n, context): 1 for each level that exists, else 0; hottest temperature in each solvent, from -1 at
        the lower bound of the temperature to 1 at the upper one; features; 0 for levels that do not exist.
        """
        temperature = cast(Continuous, self.own.parameters["temperature"])
        _, hottest, main, _, features = self._parts
        there = [np.arange(len(own)) < constants[:, i : i + 1] for i, own in enumerate(self._levels)]
        span = temperature.high - temperature.low
        caps = np.where(there[1], 2.0 * (constants[:, hottest:main] - temperature.low) / span - 1.0, 0.0)
        parts: list[Array] = [*(mask.astype(float) for mask in there), caps]
        if self.family.descriptors is not None:
            known = np.concatenate([np.repeat(there[0], 2, 1), np.repeat(there[1], 2, 1), there[2]], axis=1)
            parts.append(np.where(known, constants[:, features:], 0.0))
        return np.concatenate(parts, axis=1)

    def card(self, row: Array) -> ReactionCard:
        """Return the card of one task: only its own levels, and the hottest temperature in each solvent."""
        parameters: dict[str, Any] = dict(self.own.parameters)
        _, hottest, main, _, _ = self._parts
        for name, size in zip(CHOICES, row[:3].astype(int), strict=True):
            whole = parameters[name]
            parameters[name] = whole.model_copy(update={"levels": dict(list(whole.levels.items())[:size])})
        caps = zip(parameters["solvent"].levels, row[hottest:main].tolist(), strict=False)
        levels = {level: {"hottest": f"{cap!r} degC"} for level, cap in caps}
        parameters["solvent"] = parameters["solvent"].model_copy(update={"levels": levels})
        return drawn_card(self.own, row, parameters=parameters, family=None)
