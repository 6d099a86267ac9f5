"""A reaction in closed form and an agent that draws at random: a campaign without kinetics and samplers."""

from __future__ import annotations

import numpy as np

from rxnopt.cards import ReactionCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.simulators import Outcome, Reaction
from rxnopt.space import Space

CARD = """
name: toy
id: Toy-v0
title: A toy
budget: 20
parameters:
  temperature: {low: 20, high: 120, unit: degC}
  catalyst: {levels: [Pd, Ni, Cu]}
  tanks: {kind: integer, low: 1, high: 8}
model: {reactor: {type: batch, time: 1 h}, initial: {A: 1 mol/L}, reactions: [{equation: A -> B, k: 1 1/h}]}
outputs:
  yield: {formula: B, unit: "%"}
  cost: {formula: temperature}
noise: {yield: {sd: 2.0}, cost: {relative: 0.1}}
limits: {cost: {high: 5}}
"""


def simulate(X: np.ndarray) -> Outcome:
    """yield = 100 - ((T - 70)/10)^2 - 10 catalyst - tanks; cost = T/10 - 2; below 30 degC nothing dissolves."""
    temperature, catalyst, tanks = X.T
    values = np.stack([100 - ((temperature - 70) / 10) ** 2 - 10 * catalyst - tanks, temperature / 10 - 2], axis=1)
    failed = temperature < 30
    values[failed] = np.nan
    return Outcome(values, failed)


def toy(changes: str = "", simulator=simulate) -> Reaction:
    """Return the toy; ``changes`` are further lines of its card."""
    card = validate(parse(CARD + changes, "toy.yaml"), ReactionCard)
    return Reaction(card, Space.from_cards(card.parameters), simulator)


class Draws:
    """Proposes random conditions; shifts them by the best so far, so that it depends on the whole history."""

    def propose(self, space, history, n, rng):
        U = rng.random((n, len(space)))
        if history.done.any():
            best = space.to_unit(history.X[[np.nanargmax(history.y)]])
            U = (U + best + 0.001 * np.nansum(history.y)) % 1.0
        return space.from_unit(U)
