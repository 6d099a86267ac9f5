"""Past campaigns as a part of a comparison: the same tables as those of agents, with what was really done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from rxnopt.cards import ExperimentCard
from rxnopt.cards.parts import load_reaction
from rxnopt.errors import CardError, did_you_mean
from rxnopt.experiments.cells import schema
from rxnopt.simulators import Reaction, load
from rxnopt.simulators.past import PastCampaign, past_campaigns
from rxnopt.trials import as_outcome

if TYPE_CHECKING:
    import pyarrow as pa


def check_past(card: ExperimentCard) -> None:
    """Raise :class:`CardError` unless each reaction of a comparison has the past campaigns that are named."""
    for place in card.reactions if card.past else ():
        known = load_reaction(place)[0].past
        for name in card.past:
            if name not in known:
                hint = did_you_mean(name, known) or f"; there are {', '.join(known) or 'none'}"
                raise CardError(f"experiment {card.name!r}: {place} has no past campaigns {name!r}{hint}")


def past_tables(card: ExperimentCard) -> list[pa.Table]:
    """Return a table for each past campaign of a comparison, cut at the budget; ``seed`` is its number."""
    found = []
    for place in card.reactions if card.past else ():
        reaction = load(place)
        budget = card.budget or reaction.card.budget
        found += [
            _table(card.name, reaction, campaign, budget)
            for name in card.past
            for campaign in past_campaigns(reaction, name)
            if len(campaign)
        ]
    return found


def about_past(card: ExperimentCard) -> dict[str, dict[str, Any]]:
    """Return what a report says about the past campaigns of a comparison, by name."""
    known = load_reaction(card.reactions[0])[0].past
    return {
        name: known[name].model_dump(include={"title", "description", "source"}) | {"digest": None, "practice": {}}
        for name in card.past
    }


def _table(experiment: str, reaction: Reaction, campaign: PastCampaign, budget: int) -> pa.Table:
    import pyarrow as pa

    outputs, n = list(campaign.outputs[:budget]), min(len(campaign), budget)
    objective = np.array([row[reaction.objective] for row in outputs])
    within = ~(reaction.violation(as_outcome(reaction, outputs)) > 0.0).any(axis=1)
    results = [json.dumps(row) for row in outputs]
    columns: dict[str, Any] = {
        "experiment": [experiment] * n,
        "reaction": [reaction.name] * n,
        "agent": [campaign.name] * n,
        "seed": [campaign.number] * n,
        "trial": range(n),
        "status": ["done"] * n,
        "objective": objective,
        "objective_noise_free": objective,
        "within_limits": within,
        "within_limits_noise_free": within,
        "failure": [None] * n,
        "conditions": [None if row is None else json.dumps(row) for row in campaign.conditions[:budget]],
        "outputs": results,
        "outputs_noise_free": results,
    }
    return pa.table({field.name: columns[field.name] for field in schema()}, schema=schema())
