"""Small reactions with closed forms, so that every number of an environment can be computed by hand."""

from __future__ import annotations

import numpy as np

from rxnopt.cards import ReactionCard
from rxnopt.catalogue import parse
from rxnopt.simulators import Outcome, Reaction
from rxnopt.space import Array, Space

NUMBERS = """
name: toy
id: Toy-v0
title: A closed form
budget: 6
parameters:
  temperature: {low: 30, high: 120, unit: degC}
  residence_time: {low: 0.5, high: 20, unit: min, scale: log}
model: {reactor: {type: batch, time: residence_time}, initial: {A: 1 mol/L}, reactions: [{equation: A -> B, k: 1 1/s}]}
outputs:
  yield: {formula: B, unit: "%"}
  impurity: {formula: A, unit: "%"}
noise: {yield: {sd: 1.0}}
limits: {impurity: {high: 5}}
optimum: {value: 80, conditions: {temperature: 75, residence_time: 20}}
"""

MIXED = (
    NUMBERS.replace("name: toy", "name: mixed")
    .replace("Toy-v0", "Mixed-v0")
    .replace(
        "model:",
        """  catalyst: {levels: [Pd, Ni, Cu]}
  tanks: {kind: integer, low: 2, high: 5}
  stirring: {kind: binary}
model:""",
    )
    .replace("value: 80", "value: 88")
    .replace("residence_time: 20}", "residence_time: 20, catalyst: Cu, tanks: 5, stirring: 1}")
)

COST = (
    NUMBERS.replace("name: toy", "name: cost")
    .replace("Toy-v0", "Cost-v0")
    .replace("optimum: {value: 80", "objective: {minimize: yield}\noptimum: {value: 49.75")
    .replace("{temperature: 75, residence_time: 20}", "{temperature: 30, residence_time: 0.5}")
)

HOT = 110.0
"""Above this temperature (degC) a toy experiment fails."""


def simulate(X: Array) -> Outcome:
    """A parabola in temperature (top at 75 degC), plus the place of the time on its log scale, plus all levels."""
    place = np.log(X[:, 1] / 0.5) / np.log(40.0)
    value = 70.0 - ((X[:, 0] - 75.0) / 10.0) ** 2 + 10.0 * place + X[:, 2:].sum(axis=1)
    values = np.stack([value, 100.0 - value], axis=1)
    failed = X[:, 0] > HOT
    values[failed] = np.nan
    return Outcome(values, failed)


def toy(text: str = NUMBERS) -> Reaction:
    """Return the reaction of one of the texts above."""
    card = ReactionCard.model_validate(parse(text, "toy.yaml").data)
    return Reaction(card, Space.from_cards(card.parameters), simulate)
