"""Observations: what has been seen so far, as one flat float32 vector.

``w`` is ``space.width``; *objective* is the score (larger is better) over the scale of the reaction, see
:func:`objective_scale`; *conditions* are :meth:`rxnopt.space.Space.to_box`, in [-1, 1]; *flag* is 1 for an experiment
with a result, -1 for a failed one (its objective is then 0) and 0 where there was none (all else is then 0).

``summary``, shape (5 + 2 w,):

=============  ==========================================
entry          content
=============  ==========================================
0              part of the budget that is left, in [0, 1]
1              1 as soon as there is a result, else 0
2              best objective so far
3              flag of the last experiment
4              objective of the last experiment
5 .. 5+w       conditions of the best experiment
5+w .. 5+2w    conditions of the last experiment
=============  ==========================================

``history``, shape (budget (w + 2),): for each experiment of the budget its conditions (w), objective and flag.

:func:`encode` is the definition; :class:`Observer` keeps the same numbers up to date, one experiment at a time.
"""

from __future__ import annotations

from typing import Literal

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from rxnopt.cards import ReactionCard
from rxnopt.errors import ConditionsError
from rxnopt.history import PENDING, History
from rxnopt.space import Array, Space

ObservationMode = Literal["summary", "history"]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]

LEFT, SEEN, BEST, FLAG, LAST, HEAD = 0, 1, 2, 3, 4, 5
LARGEST = float(np.finfo(np.float32).max)
"""Bound of an objective: any float32. (Both checkers of environments warn about infinite bounds.)"""


def objective_scale(card: ReactionCard) -> float:
    """Return the size of the known optimum, by which objectives are divided; 1 where it is unknown or zero."""
    return abs(card.optimum.value) or 1.0 if card.optimum is not None else 1.0


def observation_space(mode: ObservationMode, space: Space, budget: int) -> gym.Space[Floats]:
    """Return the Box of one environment."""
    w = space.width
    if mode == "summary":
        high = np.array([1.0, 1.0, LARGEST, 1.0, LARGEST] + [1.0] * 2 * w, np.float32)
        low = -high
        low[[LEFT, SEEN]] = 0.0
    else:
        high = np.tile(np.array([1.0] * w + [LARGEST, 1.0], np.float32), budget)
        low = -high
    return gym.spaces.Box(low, high, dtype=np.float32)


def encode(mode: ObservationMode, space: Space, X: Array, y: Array, done: Bools, budget: int, scale: float) -> Floats:
    """Return observations (b, obs_dim) of b campaigns after t experiments each.

    ``X`` (b, t, d): conditions; ``y`` (b, t): scores, read only where ``done`` (b, t), elsewhere the experiment failed.
    Raises :class:`rxnopt.errors.ConditionsError` for more experiments than the budget.
    """
    b, t = y.shape
    if t > budget:
        raise ConditionsError(
            f"{t} experiments do not fit into an observation made for {budget}; "
            "take an agent that was trained with a larger budget"
        )
    F = space.to_box(X.reshape(b * t, len(space))).reshape(b, t, space.width)
    objective, flag = np.where(done, y, 0.0) / scale, np.where(done, 1.0, -1.0)
    if mode == "summary":
        best = np.argmax(np.where(done, y, -np.inf), axis=1) if t else np.zeros(b, np.intp)
        return _summary(F, objective, flag, best, 1.0 - t / budget)
    rows = np.zeros((b, budget, space.width + 2), np.float32)
    rows[:, :t, :-2], rows[:, :t, -2], rows[:, :t, -1] = F, objective, flag
    return rows.reshape(b, -1)


def _summary(F: Array, objective: Array, flag: Array, best: NDArray[np.intp], left: float) -> Floats:
    b, t, w = F.shape
    obs: Floats = np.zeros((b, HEAD + 2 * w), np.float32)
    obs[:, LEFT] = left
    if t:
        copies = np.arange(b)
        seen: Bools = np.any(flag > 0, axis=1)
        obs[:, SEEN] = seen
        obs[:, BEST] = np.where(seen, objective[copies, best], 0.0)
        obs[:, FLAG], obs[:, LAST] = flag[:, -1], objective[:, -1]
        obs[:, HEAD : HEAD + w] = np.where(seen[:, None], F[copies, best], 0.0)
        obs[:, HEAD + w :] = F[:, -1]
    return obs


def encode_history(mode: ObservationMode, space: Space, history: History, budget: int, scale: float) -> Floats:
    """Return the observation (obs_dim,) of a campaign, without pending experiments and those outside the space."""
    known = (history.status != PENDING) & space.inside(history.X)
    X, y, done = history.X[known], history.y[known], history.done[known]
    observation: Floats = encode(mode, space, X[None], y[None], done[None], budget, scale)[0]
    return observation


class Observer:
    """Observations of b campaigns that run in step, kept up to date at the cost of one experiment each."""

    def __init__(self, mode: ObservationMode, space: Space, budget: int, scale: float, b: int) -> None:
        self._mode, self._space, self._budget, self._scale = mode, space, budget, scale
        self._best = np.empty(b)
        length = HEAD + 2 * space.width if mode == "summary" else budget * (space.width + 2)
        self._obs: Floats = np.empty((b, length), np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._obs[:] = 0.0
        self._best[:] = -np.inf
        self._t = 0
        if self._mode == "summary":
            self._obs[:, LEFT] = 1.0

    def observe(self) -> Floats:
        """Return the observations (b, obs_dim), a copy."""
        return self._obs.copy()

    def add(self, X: Array, y: Array, done: Bools) -> None:
        """Add one experiment to each campaign: conditions (b, d), scores (b,), which have a result (b,)."""
        F = self._space.to_box(X)
        objective = y / self._scale
        if not done.all():
            objective = np.where(done, objective, 0.0)
        flag: Array = np.where(done, 1.0, -1.0)
        if self._mode == "summary":
            self._add_summary(F, y, done, objective, flag)
        else:
            row = self._obs[:, self._t * (F.shape[1] + 2) : (self._t + 1) * (F.shape[1] + 2)]
            row[:, :-2], row[:, -2], row[:, -1] = F, objective, flag
        self._t += 1

    def _add_summary(self, F: Array, y: Array, done: Bools, objective: Array, flag: Array) -> None:
        obs, w = self._obs, self._space.width
        better = done & (y > self._best)
        np.copyto(self._best, y, where=better)
        np.copyto(obs[:, BEST], objective, where=better, casting="same_kind")
        np.copyto(obs[:, HEAD : HEAD + w], F, where=better[:, None], casting="same_kind")
        obs[:, SEEN] = self._best > -np.inf
        obs[:, LEFT] = 1.0 - (self._t + 1) / self._budget
        obs[:, FLAG], obs[:, LAST] = flag, objective
        obs[:, HEAD + w :] = F
