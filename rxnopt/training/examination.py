"""The final examination of a trained policy."""

from __future__ import annotations

from typing import Any

import numpy as np

from rxnopt.agents.base import Agent
from rxnopt.agents.design import Design
from rxnopt.history import DONE, FAILED, History
from rxnopt.seeds import stream
from rxnopt.simulators import Reaction

CAMPAIGNS = 32
"""Campaigns, each with noise of its own that no training has seen."""


def examine(agent: Agent, reaction: Reaction, seed: int) -> dict[str, Any]:
    """Return the score of an agent beside that of random search in campaigns of the same size.

    The score is the mean over :data:`CAMPAIGNS` of the best noise-free objective, as a share of the known optimum:
    1 - (optimum - best) / abs(optimum), both turned so that larger is better.
    """
    budget, optimum = reaction.card.budget, reaction.optimum().value
    best = reaction.card.objective.sign * optimum

    def share(who: Agent) -> float:
        found = [best_of(who, reaction, budget, seed, i) for i in range(CAMPAIGNS)]
        return round(float(1 - (best - np.mean(found)) / (abs(best) or 1.0)), 4)

    return {
        "share_of_optimum": share(agent),
        "random_search": share(Design("random", budget, seed)),
        "optimum": optimum,
        "campaigns": CAMPAIGNS,
        "budget": budget,
    }


def best_of(agent: Agent, reaction: Reaction, budget: int, seed: int, i: int) -> float:
    """Return the best noise-free objective (larger is better) of one campaign with noisy measurements."""
    history = History.empty(reaction.space)
    for k in range(budget):
        x = agent.propose(reaction.space, history, 1, stream(seed, "examination-agent", i, k))
        outcome = reaction.outcome(x, stream(seed, "examination-noise", i, k))
        status = np.where(outcome.failed, FAILED, DONE).astype(np.uint8)
        history = History(
            np.vstack([history.X, x]),
            np.append(history.y, reaction.score(outcome)),
            np.append(history.status, status),
        )
    return float(np.nanmax(reaction.score(reaction.outcome(history.X))))
