"""Bells whose places are drawn: a population of reactions with a closed form."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rxnopt.simulators import Outcome, Reaction
from rxnopt.space import Array, Space
from rxnopt.testing import toy


@dataclass(frozen=True)
class Bells:
    """The constants are the place of the peak in the unit cube; the yield falls by the square of the distance."""

    own: object
    space: Space

    @property
    def names(self):
        return tuple(f"place_{p.name}" for p in self.space)

    @property
    def nominal(self):
        return np.full(len(self.space), 0.5)

    context = 0

    def draw(self, rng, n):
        return rng.random((n, len(self.space)))

    def simulate(self, X: Array, constants: Array) -> Outcome:
        miss = self.space.to_unit(X) - constants
        return Outcome(90 - 30 * (miss**2).sum(axis=1, keepdims=True), np.zeros(len(X), bool))

    def levels(self, constants):
        return None

    def describe(self, constants):
        return np.empty((len(constants), 0))


def bells(name: str) -> Reaction:
    """A toy whose constants are uncertain."""
    return uncertain(toy(name))


def uncertain(reaction: Reaction) -> Reaction:
    """The reaction with bells for a population."""
    return replace(reaction, population=Bells(reaction.card, reaction.space))
