"""A reaction in closed form with everything that may stand between it and a measurement."""

from __future__ import annotations

from typing import Any

import numpy as np

from rxnopt.cards import ReactionCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.simulators import Outcome, Reaction
from rxnopt.space import Space

CARD = """
name: lab
id: Lab-v0
title: A closed form
budget: 12
constants: {T_limit: 100 degC, slope: 0.1 %/K, T_low: 20 degC}
parameters:
  temperature: {low: 20, high: 120, unit: degC}
  amount: {low: 0.1, high: 1}
  base: {levels: {weak: {price: 0.01}, strong: {price: 0.2}}}
model: {reactor: {type: batch, time: 1 h}, initial: {A: 1 mol/L}, reactions: [{equation: A -> B, k: 1 1/h}]}
outputs:
  yield: {formula: B, unit: "%"}
  hottest: {formula: A, unit: degC}
  worth: {formula: yield * amount - base_price, unit: "%"}
  odds: {formula: log(worth)}
  inside: {formula: yield * A, unit: "%"}
"""


def simulate(X: np.ndarray) -> Outcome:
    """yield = temperature - 30 amount in %; the hottest place is 5 K above; at 120 degC the model has no result."""
    temperature, amount, base = X.T
    rate = temperature - 30 * amount
    worth = rate * amount - 100 * np.array([0.01, 0.2])[base.astype(int)]
    with np.errstate(invalid="ignore"):
        odds = np.log(worth / 100)
    values = np.stack([rate, temperature + 5, worth, odds, 0.5 * rate], axis=1)
    failed = temperature == 120
    values[failed] = np.nan
    return Outcome(values, failed)


def lab(**realism: Any) -> Reaction:
    """Return the toy with these options."""
    card = validate(parse(CARD, "lab.yaml"), ReactionCard)
    return Reaction(card, Space.of(card), simulate).with_realism(realism)


def at(n: int, temperature: float = 80.0, amount: float = 0.8, base: float = 0.0) -> np.ndarray:
    """Return n equal conditions."""
    return np.tile([temperature, amount, base], (n, 1))
