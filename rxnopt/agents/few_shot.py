"""From a card of kind 'pretrained' to its network and its agent, on a simulated reaction or on a table."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from rxnopt.agents.base import Agent
from rxnopt.agents.chooser import Chooser, TableFewShot, chooser
from rxnopt.agents.family import Family
from rxnopt.agents.prior.tables import about_tables, is_table
from rxnopt.agents.transformer import FewShot, Transformer, network
from rxnopt.agents.weights import check, find, fit
from rxnopt.cards.agent import AgentCard
from rxnopt.cards.pretrained import Pretrained
from rxnopt.envs.observations import objective_scale
from rxnopt.errors import AgentError
from rxnopt.simulators import Reaction

_logger = logging.getLogger(__name__)


def uncertainty(reaction: Reaction) -> dict[str, Any]:
    """Return how reactions are drawn, as the provenance of weights tells it; the digest of a card is without it."""
    if is_table(reaction):
        return about_tables()
    told: dict[str, Any] = reaction.origin.model_dump(mode="json", exclude_defaults=True).get("uncertainty", {})
    return told


def network_for(settings: Pretrained, reaction: Reaction, context: int = 0) -> Transformer:
    """Return the network of a card for a reaction, with the weights that it has when it is made."""
    return chooser(settings, reaction.space) if is_table(reaction) else network(settings, reaction.space, context)


def build_few_shot(card: AgentCard, reaction: Reaction, given: Path | None) -> Agent:
    """Return the trained agent; raise :class:`rxnopt.errors.WeightsError` for weights that do not fit.

    A reaction that was drawn from the uncertainty of a card, or from a family, gets the weights of that card.
    """
    settings, family = card.agent, Family.of(reaction)
    if not isinstance(settings, Pretrained):
        raise AgentError(f"agent {card.name!r} is not one of kind 'pretrained'")
    weights = find(card.name, reaction.origin.name, given, reaction.place)
    warning = check(weights, card, reaction)
    if warning is None and weights.provenance.get("uncertainty") != uncertainty(reaction):
        warning = f"{weights.label}: the uncertainty of {reaction.origin.name!r} is another one since the training"
    if warning:
        _logger.warning(warning)
    scale = objective_scale(reaction.origin)
    if family is None:
        net = network_for(settings, reaction)
    else:
        net = network(settings, family.space, family.context.shape[1])
    fit(net, weights)
    return TableFewShot(settings, net, scale) if isinstance(net, Chooser) else FewShot(settings, net, scale, family)
