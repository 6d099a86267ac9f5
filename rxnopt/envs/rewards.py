"""Rewards: what one experiment earns.

``y`` is the measured score (with noise, larger is better: ``reaction.score``), in the unit of the objective.

=============  ==========================================  ==================================================
mode           reward                                      range without noise
=============  ==========================================  ==================================================
objective      y                                           up to the optimum
improvement    max(0, y - best y so far), where the first  from 0; the return of an episode is the best y
               best is the score of a failed experiment    found, counted from the score of a failed experiment
regret         score without noise - score of the optimum  up to 0, as far as the optimum of the card is one
vector         the measured ``objectives`` of the card,    (k,), float32; as environments of MO-Gymnasium give it
               turned so that larger is better
=============  ==========================================  ==================================================

A failed experiment has the score :func:`failed_score`, and the reference of the card as its vector. Rewards are never
NaN. With a ``limit_penalty`` w, w times the ``cost`` of the measured outputs is taken off: the sum of what they are
beyond their limits, each over the size of its limit, and 1 for an experiment that failed (:meth:`Wanted.cost`).
"""

from __future__ import annotations

from typing import Literal

import gymnasium as gym
import numpy as np

from rxnopt.cards import ReactionCard
from rxnopt.envs.observations import LARGEST, objective_scale
from rxnopt.errors import CardError, ConditionsError
from rxnopt.simulators import Outcome, Reaction
from rxnopt.space import Array

RewardMode = Literal["objective", "improvement", "regret", "vector"]


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


def reward_space(reaction: Reaction) -> gym.spaces.Box:
    """Return the space of vector rewards (k,); raise :class:`rxnopt.errors.CardError` for a single objective."""
    return gym.spaces.Box(-LARGEST, LARGEST, (len(reaction.goals),), np.float32)


def vector_reward(reaction: Reaction, measured: Outcome) -> Array:
    """Return the objectives (n, k); the reference of the card where an experiment failed."""
    return np.where(measured.failed[:, None], reaction.reference, reaction.objectives(measured))


def checked_penalty(penalty: float, mode: RewardMode) -> float:
    """Return ``limit_penalty``; raise :class:`ConditionsError` for what is no number from 0 on, and beside a vector."""
    number = isinstance(penalty, int | float) and not isinstance(penalty, bool)
    if not (number and 0.0 <= penalty < np.inf):
        raise ConditionsError(f"limit_penalty={penalty!r} is not allowed; give a number from 0 on")
    if penalty and mode == "vector":
        raise ConditionsError(
            "limit_penalty belongs to a single reward; with reward_mode='vector' look at info['cost']"
        )
    return float(penalty)


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
