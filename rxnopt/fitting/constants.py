"""Which constants of a card are fitted, and on which scale.

Estimates are looked for on the scale of ``theta``, in which rates are nearly exponential and constants nearly
uncorrelated: the logarithm of a rate constant *at a temperature among those of the data* (``reference``), barriers over
R times that temperature, logarithms of other constants. ``theta`` is 0 at the numbers of the card.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, log
from typing import Any

import numpy as np

from rxnopt.cards import ReactionCard
from rxnopt.cards.base import validate
from rxnopt.cards.model import OdeModel
from rxnopt.cards.parameters import Continuous
from rxnopt.cards.uncertainty import UncertainConstant
from rxnopt.catalogue import Source
from rxnopt.errors import FitError, did_you_mean
from rxnopt.simulators.outcome import Outcome
from rxnopt.simulators.population import Uncertainty
from rxnopt.space import Array
from rxnopt.units import Quantity, quantity, same_dimension, unit

ZERO = 273.15
FACTOR, MORE = log(1e6), 80.0
"""Bounds: a rate constant by a factor of a million, a barrier from 0 to 80 R T (some 200 kJ/mol) above the card."""


@dataclass(frozen=True)
class Fitted:
    """The constants that are fitted; ``names``: a constant of the card, ``<step>.k`` or ``<step>.Ea``.

    ``population`` varies them and all other rate constants, so that one kernel serves whatever is fitted. ``reference``
    in K, None where there is no temperature.
    """

    population: Uncertainty
    names: tuple[str, ...]
    reference: float | None

    @cached_property
    def _places(self) -> list[int]:
        return [self.population.names.index(name) for name in self.names]

    @cached_property
    def constants(self) -> tuple[UncertainConstant, ...]:
        """The constants as the simulator varies them."""
        return tuple(self.population.constants[place] for place in self._places)

    @cached_property
    def log(self) -> Array:
        """Which are logarithms (k,)."""
        return np.array([constant.relative for constant in self.constants])

    @cached_property
    def size(self) -> Array:
        """What one unit of ``theta`` is, in SI, of constants that are no logarithms; 1 elsewhere (k,)."""
        return np.array([1.0 if c.relative else _size(c, self._temperature, self._gas) for c in self.constants])

    @cached_property
    def _gas(self) -> float:
        known = quantity(self.population.own.gas_constant)
        return known.si if known else 8.314462618

    @property
    def _temperature(self) -> float:
        return self.reference or 298.15

    @cached_property
    def mix(self) -> Array:
        """The way (k, k) from ``theta`` to what the kernel varies: rate constants as the card tells them."""
        found = np.eye(len(self.names))
        for i, name in enumerate(self.names):
            if (j := self._partner(i)) is not None and self.reference is not None:
                told = quantity(self.population.own.steps[name[:-2]].at or "")
                found[i, j] = 1.0 - (self.reference / told.si if told else 0.0)
        return found

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Lowest and highest ``theta`` (k,)."""
        low, high = np.where(self.log, -FACTOR, -MORE / 2), np.where(self.log, FACTOR, MORE)
        for i, constant in enumerate(self.constants):
            if not constant.relative and constant.name.endswith(".Ea") and constant.nominal > 0:
                low[i] = -constant.nominal / self.size[i]
        return low, high

    def moved(self, theta: Array) -> Array:
        """Return constants (n, k) in SI for ``theta`` (n, k); those of the card's own rate laws."""
        phi = theta @ self.mix.T
        nominal = np.array([constant.nominal for constant in self.constants])
        return np.where(self.log, nominal * np.exp(np.where(self.log, phi, 0.0)), nominal + phi * self.size)

    def rows(self, theta: Array) -> Array:
        """Return constants (n, k) in the units of the card."""
        si = self.moved(theta)
        return np.stack([c.unit.from_si(v) for c, v in zip(self.constants, si.T, strict=True)], axis=1)

    def natural(self, theta: Array) -> Array:
        """Return what is reported (..., k) of ``theta`` (..., k), in the units of :meth:`labels`."""
        nominal = np.array([1.0 if bare else c.nominal for bare, c in zip(self.factor, self.constants, strict=True)])
        scaled = nominal * np.exp(self._at_reference + np.where(self.log, theta, 0.0))
        si = np.where(self.log, scaled, nominal + theta * self.size)
        units = [unit("1") if bare else c.unit for bare, c in zip(self.factor, self.constants, strict=True)]
        return np.stack([own.from_si(si[..., i]) for i, own in enumerate(units)], axis=-1)

    @cached_property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """What is reported of each constant: name and unit."""
        found = []
        for i, constant in enumerate(self.constants):
            name, own = constant.name, "1" if self.factor[i] else constant.unit.text
            held = self._partner(i) is not None and self.reference is not None
            at = f" at {self.reference - ZERO:.0f} degC" if held and self.reference else ""
            found.append((f"{'factor of ' if self.factor[i] else ''}{name}{at}", own))
        return tuple(found)

    def _partner(self, i: int) -> int | None:
        """Return the place of the barrier that is fitted together with rate constant ``i``."""
        name = self.names[i]
        barrier = f"{name[:-2]}.Ea"
        return self.names.index(barrier) if name.endswith(".k") and barrier in self.names else None

    @cached_property
    def factor(self) -> list[bool]:
        """Which are told as factors of the card's: where it has a formula, for the constant or for its barrier."""
        found = []
        for i, constant in enumerate(self.constants):
            j = self._partner(i)
            barrier = j is not None and self.constants[j].formula
            found.append(constant.relative and (constant.formula or barrier))
        return found

    @cached_property
    def _at_reference(self) -> Array:
        """Logarithm (k,) of rate constants of the card at the reference over those told there; 0 for others."""
        found = np.zeros(len(self.names))
        for i, bare in enumerate(self.factor):
            if (j := self._partner(i)) is not None and not bare:
                found[i] = -self.mix[i, j] * self.constants[j].nominal / self.size[j]
        return found

    def simulate(self, X: Array, theta: Array) -> Outcome:
        """Return true outcomes of conditions ``X`` (n, d), each with its own ``theta`` (n, k) or (1, k)."""
        rows = np.tile(self.population.nominal, (len(theta), 1))
        rows[:, self._places] = self.rows(theta)
        return self.population.simulate(X, rows)


def _size(constant: UncertainConstant, temperature: float, gas: float) -> float:
    if same_dimension(constant.unit.dimension, unit("J/mol").dimension):
        return gas * temperature
    return temperature if constant.name.endswith(".Ea") else constant.unit.factor


def fitted(card: ReactionCard, source: Source, names: Sequence[str] | None, X: Array) -> Fitted:
    """Return the constants to fit: those named, else those under ``uncertainty``, else each k and Ea of the steps.

    ``X`` (n, d): the conditions of the data. Raises :class:`FitError`.
    """
    known = [*card.constants, *_rate_constants(card)]
    chosen = list(names or card.uncertainty or _rate_constants(card))
    for name in chosen:
        if name not in known:
            hint = did_you_mean(name, known) or f"; constants are {', '.join(known)}"
            raise FitError(f"{name!r} is no constant of {card.name}{hint}")
    if len(set(chosen)) < len(chosen):
        raise FitError(f"a constant is named twice in {', '.join(chosen)}; leave one out")
    zero = [name for name in known if (own := _told(card, name)) is not None and own.si == 0]
    varied = dict.fromkeys([*card.uncertainty, *(n for n in _rate_constants(card) if n not in zero), *chosen])
    data = card.model_dump(mode="json", exclude_defaults=True) | {"uncertainty": {n: _spread(card, n) for n in varied}}
    source = Source(source.file, data, {(): 1}, source.folder)
    return Fitted(Uncertainty(validate(source, ReactionCard), source), tuple(chosen), reference(card, X))


def kinetics(card: ReactionCard) -> OdeModel:
    """Return the model of a card whose constants can be fitted; raise :class:`FitError` for another card."""
    if not isinstance(card.model, OdeModel) or card.control is not None or card.family is not None:
        raise FitError(f"{card.name} has no rate constants of its own to fit; give a card with kinetics (kind: ode)")
    return card.model


def _told(card: ReactionCard, name: str) -> Quantity | None:
    """Return a constant as the card tells it, None for a formula."""
    step, _, field = name.partition(".")
    return quantity(getattr(card.steps[step], field) if field else card.constants[name])


def _rate_constants(card: ReactionCard) -> list[str]:
    fields = [(name, field) for name, step in card.steps.items() for field in ("k", "Ea")]
    return [f"{name}.{field}" for name, field in fields if getattr(card.steps[name], field) is not None]


def _spread(card: ReactionCard, name: str) -> dict[str, Any]:
    """Return how a constant is varied: on the log scale, but barriers, energies and temperatures on their own."""
    step, _, field = name.partition(".")
    if field == "Ea":
        return {"absolute": "1 kJ/mol"} | ({} if card.steps[step].at else {"at": "infinity"})
    known = _told(card, name)
    if known is None:  # a formula: a factor of it
        return {"relative": 1.0}
    linear = [unit("J/mol").dimension, unit("K").dimension]
    if not field and (known.si == 0 or any(same_dimension(known.dimension, own) for own in linear)):
        return {"absolute": f"1 {known.unit.text}"}
    if known.si == 0:
        raise FitError(f"{name} is 0 in {card.name}, and constants are looked for on the log scale; guess a number")
    return {"relative": 1.0}


def reference(card: ReactionCard, X: Array) -> float | None:
    """Return the harmonic mean (K, a whole number of degC) of the temperatures of ``X`` (n, d); None without any.

    The temperature is the parameter that the reactor names, or else the only parameter that is one.
    """
    names = list(card.parameters)
    kelvin = [
        name for name, p in card.parameters.items()
        if isinstance(p, Continuous) and same_dimension(unit(p.unit).dimension, unit("K").dimension)
    ]  # fmt: skip
    told = kinetics(card).reactor.temperature
    chosen = told if told in kelvin else kelvin[0] if len(kelvin) == 1 else None
    if chosen is None:
        return None
    own = card.parameters[chosen]
    T = unit(own.unit).to_si(X[:, names.index(chosen)]) if isinstance(own, Continuous) else np.array([inf])
    return float(round(1.0 / np.mean(1.0 / T) - ZERO) + ZERO)


__all__ = ["Fitted", "fitted", "kinetics", "reference"]
