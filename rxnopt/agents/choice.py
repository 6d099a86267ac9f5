"""What a policy network answers: for each of b observations its best action, and draws.

A deterministic policy takes the best action. Draws are those of training: from the distribution of the network (PPO,
A2C, TRPO, SAC and their kin), from a normal distribution around its action with the sd of the exploration noise (TD3,
DDPG; 0 where there is none), or epsilon-greedy with the epsilon at the end of training (DQN). What lies beyond the
action box is cut off at its bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.policies import BasePolicy

from rxnopt.agents.algorithm import KINDS
from rxnopt.agents.borrow import one_thread
from rxnopt.cards.sb3 import Sb3Trained
from rxnopt.envs.observations import Bools
from rxnopt.errors import WeightsError
from rxnopt.space import Array

Memory = tuple[torch.Tensor, torch.Tensor]
"""Hidden and cell states of an LSTM, each (layers, b, size)."""


class Choice(Protocol):
    """Actions of b policies, in the action space of one of the modes."""

    def best(self) -> NDArray[Any]:
        """Return the best actions (b, ...)."""

    def draw(self, rng: np.random.Generator) -> NDArray[Any]:
        """Return a draw (b, ...)."""


@dataclass(frozen=True)
class Spread:
    """Normal distributions over the action box: ``mean`` and ``sd`` (b, width), both before a ``squashed`` tanh."""

    mean: Array
    sd: Array
    squashed: bool = False

    def best(self) -> NDArray[Any]:
        """Return the means."""
        return self._inside(self.mean)

    def draw(self, rng: np.random.Generator) -> NDArray[Any]:
        """Return a draw."""
        return self._inside(self.mean + self.sd * rng.standard_normal(self.mean.shape))

    def _inside(self, A: Array) -> Array:
        cut: Array = np.tanh(A) if self.squashed else np.clip(A, -1.0, 1.0)
        return cut


@dataclass(frozen=True)
class Odds:
    """Probabilities of indices: ``odds`` has an array (b, count) for each index; ``single``: an action is a number."""

    odds: tuple[Array, ...]
    single: bool

    def best(self) -> NDArray[Any]:
        """Return the most probable indices."""
        return self._indices([np.argmax(p, axis=1) for p in self.odds])

    def draw(self, rng: np.random.Generator) -> NDArray[Any]:
        """Return a draw."""
        found = []
        for p in self.odds:
            steps = np.cumsum(p, axis=1)
            found.append((steps < rng.random((len(p), 1)) * steps[:, -1:]).sum(axis=1))
        return self._indices(found)

    def _indices(self, columns: list[NDArray[Any]]) -> NDArray[Any]:
        return columns[0] if self.single else np.stack(columns, axis=1)


def answer(
    settings: Sb3Trained,
    net: BasePolicy,
    observations: torch.Tensor,
    memory: Memory | None = None,
    masks: Bools | None = None,
) -> tuple[Choice, Memory | None]:
    """Return what the network of a card chooses after observations (b, obs_dim), and its memory after them.

    ``masks`` (b, n): which actions a masked policy may choose (:mod:`rxnopt.envs.masks`).

    Raises :class:`rxnopt.errors.WeightsError` for numbers that are not finite.
    """
    try:
        with torch.no_grad():
            return _answer(settings, net, observations, memory, masks)
    except ValueError as error:  # torch's word for a mean that is no number
        raise _not_finite() from error


def _not_finite() -> WeightsError:
    return WeightsError("the policy answers what it sees with numbers that are not finite; train anew")


def _answer(
    settings: Sb3Trained, net: Any, observations: torch.Tensor, memory: Memory | None, masks: Bools | None
) -> tuple[Choice, Memory | None]:
    part = KINDS[settings.algorithm].acts
    if part == "q_net":
        return _greedy(_numbers(net(observations)), float(settings.options.get("exploration_final_eps", 0.05))), None
    if settings.algorithm in ("TD3", "DDPG"):
        mean = _numbers(net(observations))
        return Spread(mean, np.full(mean.shape, float(settings.options.get("action_noise") or 0.0))), None
    if part == "actor":
        mean, log_sd = map(_numbers, net.get_action_dist_params(observations)[:2])
        return Spread(mean, np.exp(log_sd), squashed=True), None
    if settings.algorithm == "RecurrentPPO":
        memory = start(net, len(observations)) if memory is None else memory
        found, memory = net.get_distribution(observations, memory, torch.zeros(len(observations), device=net.device))
        return _distributed(found), memory
    if masks is not None:
        return _distributed(net.get_distribution(observations, action_masks=masks)), None
    return _distributed(net.get_distribution(observations)), None


def start(net: Any, b: int) -> Memory:
    """Return the memory of b recurrent policies that have seen nothing."""
    layers, _, size = net.lstm_hidden_state_shape
    zeros = torch.zeros((layers, b, size), device=net.device)
    return zeros, zeros


def remembered(settings: Sb3Trained, net: Any, observations: torch.Tensor, masks: Bools | None = None) -> Choice:
    """Return the choice after a sequence of observations (t, obs_dim) of one campaign; others see the last one only.

    ``masks`` (1, n): as in :func:`answer`.
    """
    memory = None
    with one_thread(), torch.no_grad():
        if settings.algorithm == "RecurrentPPO" and len(observations) > 1:
            before = observations[:-1]
            memory = net.get_distribution(before, start(net, 1), torch.zeros(len(before)))[1]
        return answer(settings, net, observations[-1:], memory, masks)[0]


def _distributed(found: Any) -> Choice:
    """Return the choice of a distribution of Stable-Baselines3."""
    several = getattr(found, "distributions", None)  # the masked ones have another name for theirs
    inner = found.distribution if several is None else several
    if isinstance(inner, torch.distributions.Normal):
        return Spread(_numbers(inner.mean), _numbers(inner.stddev))
    if isinstance(inner, torch.distributions.Categorical):
        return Odds((_numbers(inner.probs),), single=True)
    return Odds(tuple(_numbers(each.probs) for each in inner), single=False)


def _greedy(values: Array, epsilon: float) -> Odds:
    """Return the odds of an epsilon-greedy choice among values (b, count)."""
    b, count = values.shape
    odds = np.full((b, count), epsilon / count)
    odds[np.arange(b), np.argmax(values, axis=1)] += 1.0 - epsilon
    return Odds((odds,), single=True)


def _numbers(values: torch.Tensor) -> Array:
    numbers: Array = values.double().cpu().numpy()
    if not np.isfinite(numbers).all():
        raise _not_finite()
    return numbers
