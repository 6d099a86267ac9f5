"""Reactions that differ in their constants: how constants are drawn, and what happens with drawn ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rxnopt.cards import ReactionCard
from rxnopt.cards.base import validate
from rxnopt.cards.reaction import DrawnCard, KnownOptimum
from rxnopt.cards.uncertainty import UncertainConstant
from rxnopt.catalogue import Source
from rxnopt.errors import CardError, ConditionsError
from rxnopt.simulators.ode import OdeSimulator
from rxnopt.simulators.outcome import Outcome
from rxnopt.simulators.reaction import Reaction
from rxnopt.simulators.search import find_optima
from rxnopt.space import Array, Space

SMALLEST = 2.0**-54
"""Stands for a uniform number of zero, whose normal quantile would be infinite."""


class Population(Protocol):
    """Reactions with the same parameters and outputs that differ in k constants."""

    @property
    def own(self) -> ReactionCard:
        """The card that they are drawn from."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the constants."""

    @property
    def nominal(self) -> Array:
        """Constants (k,) of the card itself."""

    @property
    def context(self) -> int:
        """Entries of :meth:`describe`."""

    def draw(self, rng: np.random.Generator, n: int) -> Array:
        """Return the constants (n, k) of n reactions; row i is the same whatever n."""

    def simulate(self, X: Array, constants: Array) -> Outcome:
        """Return noise-free outcomes of conditions ``X`` (n, d), each with its own ``constants`` (n, k) or (1, k)."""

    def levels(self, constants: Array) -> NDArray[np.bool_] | None:
        """Return which columns of a box action (n, width) can be chosen; None where all can."""

    def describe(self, constants: Array) -> Array:
        """Return what an agent is told about its reaction (n, context)."""

    def card(self, row: Array) -> ReactionCard:
        """Return the card of the reaction with the constants ``row`` (k,), without its optimum."""


@dataclass(frozen=True)
class Uncertainty:
    """The population of a card with ``uncertainty``; constants are in the units of the card."""

    own: ReactionCard
    source: Source

    @cached_property
    def constants(self) -> tuple[UncertainConstant, ...]:
        """The uncertain constants."""
        return self.own.uncertain()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the constants: a constant of the card, ``<step>.k`` or ``<step>.Ea``."""
        return tuple(constant.name for constant in self.constants)

    @cached_property
    def nominal(self) -> Array:
        """Constants (k,) of the card."""
        return np.array([constant.unit.from_si(constant.nominal) for constant in self.constants])

    @property
    def context(self) -> int:
        """Nothing is told about the constants."""
        return 0

    @cached_property
    def _simulator(self) -> OdeSimulator:
        return OdeSimulator(self.own, self.source, varied=self.constants)

    def draw(self, rng: np.random.Generator, n: int) -> Array:
        """Return constants (n, k)."""
        from scipy.special import ndtri

        groups = list(dict.fromkeys(constant.group for constant in self.constants))
        u = np.maximum(rng.random((n, len(groups))), SMALLEST)
        columns = []
        for constant in self.constants:
            own = u[:, groups.index(constant.group)]
            z = 2.0 * own - 1.0 if constant.distribution == "uniform" else ndtri(own)
            if constant.relative:
                value = constant.nominal * (1.0 + constant.spread) ** z
            else:
                value = constant.nominal + constant.spread * z
            columns.append(constant.unit.from_si(value))
        return np.stack(columns, axis=1)

    def simulate(self, X: Array, constants: Array) -> Outcome:
        """Return noise-free outcomes of conditions ``X`` (n, d)."""
        columns = zip(self.constants, np.atleast_2d(constants).T, strict=True)
        return self._simulator(X, np.stack([constant.unit.to_si(values) for constant, values in columns], axis=1))

    def levels(self, constants: Array) -> None:
        """Return None: every level can be chosen."""

    def describe(self, constants: Array) -> Array:
        """Return an empty array (n, 0)."""
        return np.empty((len(constants), 0))

    def card(self, row: Array) -> ReactionCard:
        """Return the card with the constants ``row``."""
        return drawn_card(self.own, row)


@dataclass(frozen=True)
class Fixed:
    """Simulator of one reaction of a population."""

    population: Population
    row: Array

    def __call__(self, X: Array) -> Outcome:
        """Return noise-free outcomes of conditions ``X`` (n, d)."""
        return self.population.simulate(X, self.row[None])


def drawn_card(card: ReactionCard, row: Array, **changes: Any) -> DrawnCard:
    """Return a card that also holds the constants that were drawn; its name says that it is another reaction."""
    fields = {name: getattr(card, name) for name in ReactionCard.model_fields}
    name = f"{card.name}-{hashlib.sha256(row.tobytes()).hexdigest()[:8]}"
    fields |= {"name": name, "optimum": None, "uncertainty": {}, "drawn": tuple(row.tolist())} | changes
    return DrawnCard.model_construct(**fields)


def population_of(card: ReactionCard, source: Source) -> Population | None:
    """Return the population of a card; None where it says nothing about how constants differ."""
    if card.family is not None:
        from rxnopt.simulators.family import FamilyPopulation

        return FamilyPopulation(card, card.family, source)
    return Uncertainty(card, source) if card.uncertainty else None


def asked_for(reaction: Reaction, uncertainty: bool | Mapping[str, Any] | None) -> Population | None:
    """Return the population from which an environment draws at each reset, None for the card alone.

    ``uncertainty``: True, False or a mapping (see :func:`randomised`); None is True for a family, else False.
    """
    if uncertainty is None:
        uncertainty = reaction.card.family is not None
    if not isinstance(uncertainty, bool | Mapping):
        raise ConditionsError(f"uncertainty={uncertainty!r} is not allowed; give True, False or a mapping")
    return None if uncertainty is False else randomised(reaction, uncertainty)


def randomised(reaction: Reaction, uncertainty: bool | Mapping[str, Any]) -> Population:
    """Return the population that an environment asks for.

    ``uncertainty``: True for that of the card, or a mapping such as its block. Raises :class:`CardError`.
    """
    if isinstance(uncertainty, Mapping) and isinstance(reaction.simulator, OdeSimulator):
        data = reaction.card.model_dump(mode="json", exclude_defaults=True)
        if reaction.card.family is None:
            data["uncertainty"] = dict(uncertainty)
        else:
            data["family"] = data["family"] | dict(uncertainty)
        source = Source(reaction.name, data, {(): 1})
        population = population_of(validate(source, ReactionCard), source)
    else:
        population = reaction.population
    if population is None:
        raise CardError(
            f"reaction {reaction.name!r} has no uncertain constants; add 'uncertainty' to its card or give an "
            "environment a mapping such as uncertainty={'r1.k': {'relative': 0.3}}"
        )
    return population


def fixed(reaction: Reaction, population: Population, row: Any, name: str | None) -> Reaction:
    """Return one reaction of a population, with its optimum."""
    own = checked(population, row)
    (score,), X = find_optima(replace(reaction, population=population), own[None])
    card = population.card(own)
    best = KnownOptimum(
        value=card.objective.sign * float(score),
        conditions=reaction.space.to_dicts(X)[0],
        note="found by a random search with a shrinking radius, not proven",
    )
    update = {"optimum": best if np.isfinite(score) else None} | ({"name": name} if name else {})
    card = card.model_copy(update=update)
    return Reaction(card, Space.of(card), Fixed(population, own), realism=reaction.realism)


def checked(population: Population, row: Any) -> Array:
    """Return constants as an array (k,); raise :class:`ConditionsError` for another shape or what is not finite."""
    try:
        found = np.asarray(row, dtype=float)
    except (TypeError, ValueError) as error:
        raise ConditionsError(f"constants {row!r} are not numbers; give {len(population.names)} of them") from error
    if found.shape != (len(population.names),) or not np.isfinite(found).all():
        raise ConditionsError(
            f"constants of shape {found.shape} do not fit; give {len(population.names)} finite numbers, "
            f"one for each of {', '.join(population.names[:8])}"
        )
    return found
