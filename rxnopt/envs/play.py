"""What environments need of a task and of its episodes, and checks of arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from rxnopt.envs.actions import Decoder
from rxnopt.envs.observations import Bools, Floats
from rxnopt.errors import UnknownNameError, did_you_mean
from rxnopt.simulators import Reaction
from rxnopt.simulators.population import Population
from rxnopt.space import Array, Space

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Results(NamedTuple):
    """One step of b episodes: ``reward`` (b,), in mode vector (b, k); which are ``over`` (b,); ``infos``, batched."""

    reward: Array
    over: Bools
    infos: dict[str, NDArray[Any]]
    """``conditions`` (b, d) of the space of the task; ``outputs`` (b, m) and ``violation`` (b, c) of the limits, NaN
    where ``failed`` (b,); others (b,)."""


def render_mode_checked(mode: str | None, allowed: list[str]) -> str | None:
    """Return ``mode``; raise :class:`rxnopt.errors.UnknownNameError` unless it is None or allowed."""
    if mode is not None:
        member("render_mode", mode, tuple(allowed))
    return mode


def member(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise :class:`rxnopt.errors.UnknownNameError` unless the value of an argument is allowed."""
    if value not in allowed:
        hint = did_you_mean(value, allowed) or f"; choose one of {', '.join(allowed)}"
        raise UnknownNameError(f"{name}={value!r} is unknown{hint}")


class Play(Protocol):
    """The state of b episodes on one task."""

    def reset(self, rng: np.random.Generator, which: Bools, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Begin the episodes ``which`` (b,) anew and return their infos."""

    def observe(self) -> Floats:
        """Return the observations (b, obs_dim), a copy."""

    def run(self, X: Array, rng: np.random.Generator) -> Results:
        """Do one step of each episode, at values ``X`` (b, d) of the space of the task."""

    def draw(self, figure: Figure, i: int) -> None:
        """Draw episode ``i`` so far into an empty figure."""


class AnyTask(Protocol):
    """What the environments need to know of a task."""

    @property
    def reaction(self) -> Reaction:
        """The reaction."""

    @property
    def space(self) -> Space:
        """What an action sets."""

    @property
    def reward_space(self) -> gym.Space[Any] | None:
        """Space of vector rewards, None where they are numbers."""

    @property
    def population(self) -> Population | None:
        """What the reactions of episodes are drawn from, None where they are all the same."""

    def actions(self) -> tuple[gym.Space[Any], Decoder]:
        """Return the action space of one environment and the decoder of batches."""

    def observations(self) -> gym.Space[Floats]:
        """Return the observation space of one environment."""

    def episodes(self, b: int) -> Play:
        """Return b episodes."""
