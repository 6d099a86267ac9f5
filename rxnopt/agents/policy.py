"""A policy trained in simulation, as an agent."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.policies import BasePolicy

from rxnopt.agents.algorithm import acting, action_mode, algorithm, policy_of
from rxnopt.agents.base import distinct, feasible_draw, pending
from rxnopt.agents.borrow import borrowed
from rxnopt.agents.choice import remembered
from rxnopt.agents.family import Family
from rxnopt.agents.weights import check, find, fit
from rxnopt.cards.agent import AgentCard, Sb3Trained
from rxnopt.envs.actions import ActionMode, Decoder, coded
from rxnopt.envs.drawn import with_context
from rxnopt.envs.masks import Masks
from rxnopt.envs.observations import Bools, Floats, Observer, encode_history, objective_scale, observation_space
from rxnopt.errors import AgentError
from rxnopt.history import PENDING, History
from rxnopt.simulators import Reaction
from rxnopt.space import Array, Space

_logger = logging.getLogger(__name__)
MOST_VALUES = 20_000
"""Most actions of an algorithm that has one output of its network for each."""


class Policy:
    """A distribution over actions, given what has been seen.

    Sees the history as the environment of its training shows it, without pending trials and those outside the space; a
    recurrent one sees it trial by trial, as it does in training, so that its memory too is a function of the history.
    Proposes draws (:mod:`rxnopt.agents.choice`); a deterministic policy proposes its best action first, unless that is
    being run, and draws only what it is asked for beyond that.
    """

    def __init__(
        self, settings: Sb3Trained, net: BasePolicy, budget: int, scale: float, family: Family | None = None
    ) -> None:
        self._settings, self._net, self._budget, self._scale, self._family = settings, net, budget, scale, family

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return n conditions (n, d).

        Raises :class:`rxnopt.errors.AgentError` beyond the budget of the training and
        :class:`rxnopt.errors.WeightsError` for weights so large that the network overflows.
        """
        own = space if self._family is None else self._family.space
        mode = action_mode(self._settings)
        seen = torch.as_tensor(self._seen(own, history))
        choice = remembered(self._settings, self._net, seen, self._masks(mode, own, history))
        decode = coded(mode, own, self._settings.env.levels)[1]

        def conditions(action: NDArray[Any]) -> Array:
            if mode == "box" and self._family is not None:
                return self._family.conditions(action)
            return decode(action, 1)

        drawn = [feasible_draw(space, lambda: choice.draw(rng), conditions) for _ in range(n)]
        X = np.array([conditions(action)[0] for action in drawn]).reshape(n, len(space))
        running, best = pending(space, history), conditions(choice.best())[0]
        if self._settings.deterministic and not (running == best).all(axis=1).any():
            X[:1] = best
        return distinct(space, X, rng, running)

    def _masks(self, mode: ActionMode, space: Space, history: History) -> Bools | None:
        """Return which actions (1, n) a masked policy may choose; trials that are being run count as done."""
        if not self._settings.env.mask:
            return None
        existing = None if self._family is None else self._family.levels
        inside = space.inside(history.X)
        return Masks(mode, space, self._settings.env.levels)(history.X[inside][None], existing)

    def _seen(self, space: Space, history: History) -> Floats:
        """Return observations (t, obs_dim): the last one, before it those that a recurrent policy has seen."""
        mode = self._settings.env.observation_mode
        known = (history.status != PENDING) & space.inside(history.X)
        over = int(known.sum())
        if mode == "history" and over > self._budget:
            raise AgentError(
                f"{over} trials are more than the {self._budget} that this policy was trained to see; "
                "train it with a larger budget"
            )
        budget = max(self._budget, over)
        if self._settings.algorithm == "RecurrentPPO":
            observer = Observer(mode, space, budget, self._scale, 1)
            steps = [observer.observe()]
            for x, y, done in zip(history.X[known], history.y[known], history.done[known], strict=True):
                observer.add(x[None], np.array([y]), np.array([done]))
                steps.append(observer.observe())
            seen = np.concatenate(steps)
        else:
            seen = encode_history(mode, space, history, budget, self._scale)[None]
        if self._family is None:
            return seen
        return np.concatenate([seen, np.repeat(self._family.context, len(seen), axis=0)], axis=1)


def build_policy(card: AgentCard, reaction: Reaction, budget: int, given: Path | None) -> Policy:
    """Return the trained agent; raise :class:`rxnopt.errors.WeightsError` for weights that do not fit.

    For a reaction with drawn constants those trained on the card from which it was drawn.
    """
    settings, family = card.agent, Family.of(reaction)
    if not isinstance(settings, Sb3Trained):
        raise AgentError(f"agent {card.name!r} has no policy that is trained beforehand")
    space = reaction.space if family is None else family.space
    actions(card.name, settings, space)
    weights = find(card.name, reaction.origin.name, given, reaction.place)
    warning = check(weights, card, reaction)
    if warning:
        _logger.warning(warning)
    seen = weights.provenance["budget"] if settings.env.observation_mode == "history" else budget
    net = network(settings, space, seen, 0 if family is None else family.context.shape[1])
    fit(net, weights)
    return policy(settings, net, reaction, seen)


def policy(settings: Sb3Trained, net: BasePolicy, reaction: Reaction, budget: int) -> Policy:
    """Return the agent around a network."""
    net.set_training_mode(False)
    return Policy(settings, net, budget, objective_scale(reaction.origin), Family.of(reaction))


def actions(name: str, settings: Sb3Trained, space: Space) -> tuple[gym.Space[Any], Decoder]:
    """Return the action space of a card; raise :class:`rxnopt.errors.AgentError` where its algorithm cannot take it."""
    algorithm(name, settings)
    mode, levels = action_mode(settings), settings.env.levels
    if mode == "discrete":
        size = math.prod(levels if p.kind == "continuous" else p.count for p in space)
        if size > MOST_VALUES:
            raise AgentError(
                f"agent {name!r}: {settings.algorithm} would need a value for each of {size:,} actions on this space, "
                f"more than {MOST_VALUES:,}; give fewer than {levels} levels in its env, or take an algorithm for "
                "action_mode 'box' or 'multidiscrete'"
            )
    return coded(mode, space, levels)


def network(settings: Sb3Trained, space: Space, budget: int, context: int = 0) -> BasePolicy:
    """Return the network of a card that acts in a space, with the weights that it has when it is made.

    ``context``: entries of an observation that tell of the reaction.
    """
    observations = with_context(observation_space(settings.env.observation_mode, space, budget), context)
    kind, arguments = policy_of(settings)
    with borrowed(0):
        own = actions(settings.algorithm, settings, space)[0]
        made = kind(observations, own, lambda _: 0.0, **arguments)
    return acting(settings, made)
