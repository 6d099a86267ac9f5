"""A policy trained in simulation, as an agent."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy

from rxnopt.agents.algorithm import algorithm
from rxnopt.agents.base import distinct, feasible_draw
from rxnopt.agents.borrow import borrowed
from rxnopt.agents.weights import Weights, check, find
from rxnopt.cards.agent import AgentCard, Sb3Trained
from rxnopt.cards.reaction import ReactionCard
from rxnopt.envs.observations import encode_history, objective_scale, observation_space
from rxnopt.errors import AgentError, WeightsError
from rxnopt.history import PENDING, History
from rxnopt.simulators import Reaction
from rxnopt.space import Array, Space

_logger = logging.getLogger(__name__)


class Policy:
    """A normal distribution over the action box, given what has been seen.

    Sees the history as the environment of its training shows it (pending trials are left out of it). Proposes a draw,
    cut off at the box; a deterministic policy proposes the mean first and draws only what it is asked for beyond that.
    """

    def __init__(self, settings: Sb3Trained, net: ActorCriticPolicy, budget: int, scale: float) -> None:
        self._settings, self._net, self._budget, self._scale = settings, net, budget, scale

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return n conditions (n, d).

        Raises :class:`rxnopt.errors.AgentError` beyond the budget of the training and
        :class:`rxnopt.errors.WeightsError` for weights so large that the network overflows.
        """
        mode, over = self._settings.env.observation_mode, int((history.status != PENDING).sum())
        if mode == "history" and over > self._budget:
            raise AgentError(
                f"{over} trials are more than the {self._budget} that this policy was trained to see; "
                "train it with a larger budget"
            )
        observation = encode_history(mode, space, history, max(self._budget, over), self._scale)
        mean, sd = self._answer(observation)
        mean, sd = mean[0], sd[0]

        def draw() -> Array:
            drawn: Array = np.clip(mean + sd * rng.standard_normal(space.width), -1.0, 1.0)
            return drawn

        A = np.array([feasible_draw(space, draw) for _ in range(n)]).reshape(n, space.width)
        if self._settings.deterministic:
            A[:1] = np.clip(mean, -1.0, 1.0)
        return distinct(space, space.from_box(A), rng)

    def _answer(self, observation: NDArray[np.float32]) -> tuple[Array, Array]:
        """Return mean and standard deviation (1, width) of the next action."""
        try:
            with torch.no_grad():
                normal: Any = self._net.get_distribution(torch.as_tensor(observation)[None]).distribution
            mean, sd = normal.mean.double().numpy(), normal.stddev.double().numpy()
            finite = bool(np.isfinite(mean).all() and np.isfinite(sd).all())
        except ValueError:  # torch's word for a mean that is no number
            finite = False
        if not finite:
            raise WeightsError("the policy answers what it sees with numbers that are not finite; train anew")
        return mean, sd


def build_policy(card: AgentCard, reaction: Reaction, budget: int, given: Path | None) -> Policy:
    """Return the trained agent; raise :class:`rxnopt.errors.WeightsError` for weights that do not fit."""
    settings = card.agent
    if not isinstance(settings, Sb3Trained):
        raise AgentError(f"agent {card.name!r} has no policy that is trained beforehand")
    algorithm(card.name, settings)
    weights = find(card.name, reaction.name, given, reaction.place)
    warning = check(weights, card, reaction)
    if warning:
        _logger.warning(warning)
    seen = weights.provenance["budget"] if settings.env.observation_mode == "history" else budget
    net = network(settings, reaction.space, seen)
    _load(net, weights)
    return policy(settings, net, reaction.card, seen)


def policy(settings: Sb3Trained, net: ActorCriticPolicy, reaction: ReactionCard, budget: int) -> Policy:
    """Return the agent around a network."""
    net.set_training_mode(False)
    return Policy(settings, net, budget, objective_scale(reaction))


def network(settings: Sb3Trained, space: Space, budget: int) -> ActorCriticPolicy:
    """Return the network of a card for a space, with the weights that it has when it is made."""
    observations = observation_space(settings.env.observation_mode, space, budget)
    actions = gym.spaces.Box(-1.0, 1.0, (space.width,), np.float32)
    with borrowed(0):
        return ActorCriticPolicy(observations, actions, lambda _: 0.0, **settings.options.get("policy_kwargs", {}))


def _load(net: ActorCriticPolicy, weights: Weights) -> None:
    expected = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in weights.tensors.items()}
    if expected != given:
        name = next(name for name in sorted(expected | given) if expected.get(name) != given.get(name))
        raise WeightsError(
            f"{weights.label}: {name} has shape {given.get(name)} where the card and the reaction need "
            f"{expected.get(name)}; train anew"
        )
    for name, wanted in net.state_dict().items():
        value = weights.tensors[name]
        if (value.dtype, value.layout, value.device) != (wanted.dtype, wanted.layout, wanted.device):
            raise WeightsError(
                f"{weights.label}: {name} holds {value.dtype} ({value.layout}, {value.device}) where "
                f"{wanted.dtype} ({wanted.layout}, {wanted.device}) is needed; train anew"
            )
        if not torch.isfinite(value).all():
            raise WeightsError(f"{weights.label}: {name} holds numbers that are not finite; train anew")
    net.load_state_dict(weights.tensors)
