"""Bayesian agents on BoTorch, an extra."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING

from rxnopt.cards.agent import AgentCard
from rxnopt.errors import AgentError
from rxnopt.simulators import Reaction

if TYPE_CHECKING:
    from rxnopt.agents.bayes.agent import Bayes


def build_bayes(card: AgentCard, reaction: Reaction | None, budget: int, seed: int) -> Bayes:
    """Return the agent of a card; raise :class:`rxnopt.errors.AgentError` without BoTorch or for wrong descriptors."""
    if find_spec("botorch") is None:
        raise AgentError(
            f"agent {card.name!r} needs BoTorch, which is not installed; "
            "run \"pip install '.[botorch]'\" in the checkout"
        )
    with warnings.catch_warnings():  # what BoTorch stands on compiles functions as it is imported
        warnings.filterwarnings("ignore", r"`torch\.jit\.script", DeprecationWarning)
        from rxnopt.agents.bayes.agent import Bayes

    return Bayes(card, reaction, budget, seed)
