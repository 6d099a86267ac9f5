"""A table of made-up yields, so that generality is tested without data: three ligands, two bases, five halides."""

from __future__ import annotations

import numpy as np

from rxnopt.cards import ReactionCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.simulators import Outcome, Reaction
from rxnopt.simulators.general import GeneralReaction, generalised
from rxnopt.space import Space

CARD = """
name: couplings
id: Couplings-v0
title: Made-up couplings
budget: 30
parameters:
  halide: {levels: {h1: {price: 1 USD}, h2: {price: 2 USD}, h3: {price: 3 USD}, h4: {price: 4 USD}, h5: {price: 5 USD}}}
  ligand: {levels: [L1, L2, L3]}
  base: {levels: [b1, b2]}
generality: {over: [halide]}
model: {reactor: {type: batch, time: 1 h}, initial: {A: 1 mol/L}, reactions: [{equation: A -> B, k: 1 1/h}]}
outputs: {yield: {formula: B, unit: "%"}}
"""
YIELDS = np.random.default_rng(3).uniform(0, 100, (5, 3, 2)).round(1)
"""Yield of each halide with each ligand and base; h4 with L2 and b1 is a missing cell."""
YIELDS[3, 1, 0] = np.nan


def couplings(more: str = "") -> Reaction:
    """The table as a reaction."""
    card = validate(parse(CARD + more, "couplings.yaml"), ReactionCard)

    def simulate(X):
        values = YIELDS[tuple(X.astype(int).T)]
        return Outcome(values[:, None], np.isnan(values))

    return Reaction(card, Space.of(card), simulate)


def general(more: str = "", **given) -> GeneralReaction:
    """The search for general conditions."""
    return generalised(couplings(more), given or True)
