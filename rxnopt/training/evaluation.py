"""The score of a trained policy, on seeds that no training has seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from rxnopt.agents import Agent
from rxnopt.agents.design import Design
from rxnopt.campaign import Campaign
from rxnopt.seeds import stream_seed
from rxnopt.simulators import Reaction

CAMPAIGNS = 32
"""Campaigns of an evaluation, each with noise of its own."""


def evaluate(agent: Agent, reaction: Reaction, seed: int) -> dict[str, Any]:
    """Return the score of an agent beside that of random search in campaigns with the budget of the reaction card.

    The score is the mean over :data:`CAMPAIGNS` of the best noise-free objective, as a share of the known optimum:
    1 - (optimum - best) / abs(optimum), both turned so that larger is better.
    """
    budget, optimum = reaction.card.budget, reaction.optimum().value
    best = reaction.card.objective.sign * optimum

    def share(who: Agent) -> float:
        found = [best_of(who, reaction, seed, i) for i in range(CAMPAIGNS)]
        return round(float(1 - (best - np.mean(found)) / (abs(best) or 1.0)), 4)

    return {
        "share_of_optimum": share(agent),
        "random_search": share(Design("random", budget, seed)),
        "optimum": optimum,
        "campaigns": CAMPAIGNS,
        "budget": budget,
    }


def best_of(agent: Agent, reaction: Reaction, seed: int, number: int) -> float:
    """Return the best noise-free objective (larger is better) of campaign ``number``; its measurements have noise."""
    with Campaign(reaction, agent, seed=stream_seed(seed, "evaluation", number)) as campaign:
        campaign.run()
        values = [trial.noise_free for trial in campaign if trial.noise_free is not None]
    return max((reaction.card.objective.sign * value for value in values), default=np.nan)
