"""Rewards: what one experiment earns.

``y`` is the measured score (with noise, larger is better: ``reaction.score``), in the unit of the objective.

=============  ==========================================  ==================================================
mode           reward                                      range without noise
=============  ==========================================  ==================================================
objective      y                                           up to the optimum
improvement    max(0, y - best y so far), where the first  from 0; the return of an episode is the best y
               best is the score of a failed experiment    found, counted from the score of a failed experiment
regret         score without noise - score of the optimum  up to 0, as far as the optimum of the card is one
=============  ==========================================  ==================================================

A failed experiment has the score :func:`failed_score`. Rewards are never NaN.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from rxnopt.cards import ReactionCard
from rxnopt.envs.observations import objective_scale
from rxnopt.errors import CardError
from rxnopt.space import Array

RewardMode = Literal["objective", "improvement", "regret"]


def optimum_score(card: ReactionCard) -> float:
    """Return the score of the known optimum; raise :class:`rxnopt.errors.CardError` where the card has none."""
    if card.optimum is None:
        raise CardError(
            f"reaction {card.name!r} has no known optimum, which reward_mode='regret' needs; add 'optimum' to its "
            "card or choose reward_mode='objective' or 'improvement'"
        )
    return card.objective.sign * card.optimum.value


def failed_score(card: ReactionCard) -> float:
    """Return the score of a failed experiment: the score of the known optimum less its own size.

    That is 0 for a yield to be made large and minus twice the optimum for a cost to be made small, so that to fail is
    never better than to do well. Without a known optimum the size is taken as 1: the score is 0, or -2.
    """
    scale = objective_scale(card)
    best = optimum_score(card) if card.optimum is not None else card.objective.sign * scale
    return best - scale


def reward(
    mode: RewardMode, card: ReactionCard, y: Array, true: Array, best: Array, optima: Array | None = None
) -> Array:
    """Return rewards from measured scores ``y``, noise-free scores ``true`` and the ``best`` y before; all (n,).

    ``optima`` (n,): scores of the optima where each experiment is of another reaction.
    """
    if mode == "objective":
        return y.copy()
    if mode == "improvement":
        return np.maximum(y - best, 0.0)
    return true - (optimum_score(card) if optima is None else optima)
