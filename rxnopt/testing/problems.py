"""Reactions with a closed-form simulator, so that agents are tested without kinetics: bells of height 90."""

from __future__ import annotations

from functools import cache

import numpy as np

from rxnopt.cards import ReactionCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.history import DONE, History
from rxnopt.seeds import stream
from rxnopt.simulators import Outcome, Reaction
from rxnopt.space import Array, Space

SMOOTH = """
  temperature: {low: 30, high: 120, unit: degC}
  time: {low: 0.1, high: 10, unit: min, scale: log}
  equivalents: {low: 1, high: 5}
"""
MIXED = """
  temperature: {low: 30, high: 120, unit: degC}
  tanks: {kind: integer, low: 1, high: 6}
  catalyst: {levels: [none, Pd, Ni, Cu]}
  stirred: {kind: binary}
"""
LEVELS = """
  catalyst: {levels: [none, Pd, Ni, Cu]}
  solvent: {levels: [DMF, MeCN, THF]}
"""
GRID = """
  tanks: {kind: integer, low: 1, high: 6}
  catalyst: {levels: [none, Pd, Ni, Cu]}
  stirred: {kind: binary}
"""
TINY = """
  stirred: {kind: binary}
"""
POINT = """
  stirred: {kind: binary}
  tanks: {kind: integer, low: 1, high: 6}
constraints: {stirred: stirred > 0.5, tanks: tanks > 5.5}
"""
PEAKS = {
    "smooth": "{temperature: 93, time: 2.51188643, equivalents: 3.8}",
    "mixed": "{temperature: 93, tanks: 5, catalyst: Pd, stirred: 1}",
    "levels": "{catalyst: Pd, solvent: MeCN}",
    "grid": "{tanks: 5, catalyst: Pd, stirred: 1}",
    "tiny": "{stirred: 1}",
    "point": "{stirred: 1, tanks: 6}",
}
SPACES = {"smooth": SMOOTH, "mixed": MIXED, "levels": LEVELS, "grid": GRID, "tiny": TINY, "point": POINT}
"""Continuous, mixed, of 12, 48 and two conditions, and with constraints that leave a single one."""


def card(name: str) -> ReactionCard:
    """A card whose model is never run."""
    text = f"""
name: {name}
id: {name.title()}-v0
title: A toy
budget: 25
parameters: {SPACES[name]}
model: {{reactor: {{type: batch, time: 1 min}}, initial: {{A: 1 mol/L}}, reactions: [{{equation: A -> B, k: 1 1/min}}]}}
outputs: {{yield: {{formula: B, unit: "%"}}}}
noise: {{yield: {{sd: 1.0}}}}
optimum: {{value: 90, conditions: {PEAKS[name]}, note: closed form}}
"""
    return validate(parse(text, f"{name}.yaml"), ReactionCard)


@cache
def toy(name: str) -> Reaction:
    """The yield is a bell of height 90 around the point at 0.7 of each range, or around the second level."""
    described = card(name)
    space = Space.of(described)
    peak = space.to_unit(space.from_unit(np.full((1, len(space)), 0.7)))
    for j, p in enumerate(space):
        if p.levels:
            peak[0, j] = 1.5 / p.count

    def simulate(X: Array) -> Outcome:
        miss = np.abs(space.to_unit(X) - peak)
        levels = np.array([bool(p.levels) for p in space])
        miss = np.where(levels, 0.4 * (miss > 1e-9), miss)
        return Outcome(90 * np.exp(-4 * (miss**2).sum(axis=1, keepdims=True)), np.zeros(len(X), bool))

    return Reaction(described, space, simulate)


def history_of(reaction: Reaction, X: Array, seed: int = 0) -> History:
    """Measured trials at ``X``."""
    y = reaction.score(reaction.outcome(X, stream(seed, "noise")))
    return History(X, y, np.full(len(X), DONE, np.uint8))
