"""Runs under control: one episode is one run, one step is one interval of the profile.

Observations are flat float32 vectors. The first entry is the share of the intervals done, in [0, 1]; then come, by
by ``observation_mode``:

=========  =========================================================================================================
mode       content
=========  =========================================================================================================
state      all states and the extremes of the paths so far, scaled
measured   the outputs that the card calls ``measured``, as they were measured, scaled
time       nothing more
=========  =========================================================================================================

*Scaled* means that what runs with constant controls visit lies in [-1, 1]; other runs may go beyond.

The score is the objective at the end of the interval, turned so that larger is better. Rewards by ``reward_mode``:

=========  =========================================================================================================
mode       reward
=========  =========================================================================================================
terminal   the measured score at the end of the run, 0 before
running    what the interval added to the measured score, counted from 0; the return is that of ``terminal``
regret     the noise-free score at the end less that of the best known profile, 0 before
=========  =========================================================================================================

A run that cannot be integrated ends there with the score of :func:`rxnopt.envs.rewards.failed_score`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import gymnasium as gym
import numpy as np

from rxnopt.envs import actions
from rxnopt.envs.actions import ActionMode, Decoder
from rxnopt.envs.observations import LARGEST, Bools, Floats
from rxnopt.envs.play import Results, member
from rxnopt.envs.rewards import failed_score, optimum_score
from rxnopt.errors import ConditionsError, RxnoptError, at_least
from rxnopt.seeds import stream
from rxnopt.simulators import Outcome, Reaction, load
from rxnopt.simulators.profile import ProfileSimulator, ProfileSpace, Stage
from rxnopt.space import Array, Space

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ObservationMode = Literal["state", "measured", "time"]
RewardMode = Literal["terminal", "running", "regret"]

SCALING_RUNS = 256
"""Runs with constant controls, from which the scales of observations are taken."""


@dataclass(frozen=True)
class ControlTask:
    """What a controller is asked to do; the arguments are those of :class:`rxnopt.envs.ControlEnv`."""

    reaction: Reaction
    intervals: int
    action_mode: ActionMode
    observation_mode: ObservationMode
    reward_mode: RewardMode
    levels: int
    population: None = None
    reward_space: None = None

    @classmethod
    def of(
        cls,
        reaction: Reaction | str | Path,
        intervals: int | None,
        action_mode: str,
        observation_mode: str,
        reward_mode: str,
        noise: bool,
        levels: int,
    ) -> ControlTask:
        """Check the arguments, load the reaction where it is given by name or path, and return the task."""
        member("action_mode", action_mode, get_args(ActionMode))
        member("observation_mode", observation_mode, get_args(ObservationMode))
        member("reward_mode", reward_mode, get_args(RewardMode))
        at_least("levels", levels, 2)
        if not isinstance(reaction, Reaction):
            reaction = load(reaction, intervals=intervals)
        if not isinstance(reaction.space, ProfileSpace):
            raise ConditionsError(f"{reaction.name} is no control problem; take rxnopt.envs.ReactionEnv")
        n, reaction = reaction.space.intervals, reaction.with_realism(True, noise=noise)
        if intervals not in (None, n):
            raise ConditionsError(f"intervals={intervals} does not fit a reaction loaded with {n}; leave it out")
        if reward_mode == "regret":
            optimum_score(reaction.card)
        return cls(
            reaction,
            n,
            cast(ActionMode, action_mode),
            cast(ObservationMode, observation_mode),
            cast(RewardMode, reward_mode),
            levels,
        )

    @property
    def space(self) -> Space:
        """The controls of one interval."""
        return cast(ProfileSpace, self.reaction.space).controls

    @property
    def simulator(self) -> ProfileSimulator:
        """The simulator, interval by interval."""
        return cast(ProfileSimulator, self.reaction.simulator)

    def actions(self) -> tuple[gym.Space[Any], Decoder]:
        """Return the action space of one environment and the decoder of batches."""
        return actions.coded(self.action_mode, self.space, self.levels)

    def observations(self) -> gym.Space[Floats]:
        """Return the observation space of one environment."""
        high = np.full(1 + len(self.scale[0]), LARGEST, np.float32)
        low = -high
        low[0], high[0] = 0.0, 1.0
        return gym.spaces.Box(low, high, dtype=np.float32)

    def episodes(self, b: int) -> Runs:
        """Return b runs."""
        return Runs(self, b)

    def seen(self, stage: Stage, measured: Outcome) -> Array:
        """Return what is observed of n runs beside the time, in units of the card or SI: (n, entries)."""
        if self.observation_mode == "state":
            return stage.carried[:, 1:]
        names = self.reaction.card.control.measured if self.reaction.card.control else ()
        columns = [self.reaction.outputs.index(name) for name in names if self.observation_mode == "measured"]
        return measured.values[:, columns]

    @cached_property
    def scale(self) -> tuple[Array, Array]:
        """Middle and half width (entries,) of what runs with constant controls visit."""
        U = self.space.sample(SCALING_RUNS, stream(0, "observation"))
        stage = self.simulator.begin(SCALING_RUNS)
        seen = [self.seen(stage, stage.outcome)]
        for _ in range(self.intervals):
            stage = self.simulator.advance(stage, U)
            seen.append(self.seen(stage, stage.outcome))
        visited = np.concatenate(seen)
        low, high = np.nanmin(visited, axis=0), np.nanmax(visited, axis=0)
        return (low + high) / 2.0, np.where(high > low, (high - low) / 2.0, 1.0)


class Runs:
    """The state of b runs, each at an interval of its own: one that failed begins anew before the others end."""

    def __init__(self, task: ControlTask, b: int) -> None:
        self.task = task
        self._failed_score = failed_score(task.reaction.card)
        self._stage: Stage | None = None
        self._over: Bools = np.ones(b, bool)
        self._k = np.zeros(b, np.int64)
        self._score = np.zeros(b)
        self._seen = np.zeros((b, len(task.scale[0])))
        self._U = np.zeros((task.intervals, b, len(task.space)))
        self._scores = np.zeros((task.intervals, b))

    def reset(self, rng: np.random.Generator, which: Bools, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Begin the runs ``which`` (b,) anew and return their infos, which are empty."""
        if options is not None and "constants" in options:
            raise ConditionsError("options['constants'] is unknown to runs under control; leave it out")
        new = self.task.simulator.begin(int(which.sum()))
        if self._stage is None:
            self._stage = self.task.simulator.begin(len(which))
        self._stage.carried[which] = new.carried
        self._over[which], self._k[which], self._score[which] = False, 0, 0.0
        self._seen[which] = self.task.seen(new, self._measured(self._U[0, which], new.outcome, rng))
        return {}

    def observe(self) -> Floats:
        """Return the observations (b, obs_dim)."""
        middle, half = self.task.scale
        done = self._k[:, None] / self.task.intervals
        return np.concatenate([done, (self._seen - middle) / half], axis=1).astype(np.float32)

    def run(self, U: Array, rng: np.random.Generator) -> Results:
        """Do one interval of each run, under controls ``U`` (b, c)."""
        if self._stage is None:
            raise RxnoptError("no run has begun; call reset() before step()")
        if self._over.any():
            raise RxnoptError(f"the run of {self.task.intervals} intervals is over; call reset() before step()")
        reaction = self.task.reaction
        self.task.space.check(U)
        self._stage = self.task.simulator.advance(self._stage, U)
        exact = self._stage.outcome
        measured = self._measured(U, exact, rng)
        score = np.where(exact.failed, self._failed_score, reaction.score(measured))
        true = np.where(exact.failed, self._failed_score, reaction.score(exact))
        here = self._k, np.arange(len(U))
        self._U[here], self._scores[here] = U, score
        self._k += 1
        self._over = exact.failed | (self._k == self.task.intervals)
        reward = self._reward(score, true)
        self._score = score.copy()
        seen = self.task.seen(self._stage, measured)
        np.copyto(self._seen, seen, where=~exact.failed[:, None])
        infos = {
            "conditions": U,
            "outputs": measured.values,
            "score": score,
            "score_noise_free": true,
            "failed": exact.failed,
            "within_limits": reaction.within_limits(measured),
            "violation": reaction.violation(measured),
            "cost": np.where(self._over, reaction.cost(measured), 0.0),
            "interval": self._k.copy(),
        }
        return Results(reward, self._over.copy(), infos)

    def _measured(self, U: Array, exact: Outcome, rng: np.random.Generator) -> Outcome:
        """Return outcomes (n, m) under controls ``U`` (n, c) as measured: with the noise of the card."""
        measurement = self.task.reaction.measurement
        draws = measurement.chance.draw(lambda _: rng, len(U), np.zeros(1))
        return measurement.measured(U, U, exact, draws)

    def _reward(self, score: Array, true: Array) -> Array:
        if self.task.reward_mode == "running":
            return score - self._score
        if self.task.reward_mode == "regret":
            return np.where(self._over, true - optimum_score(self.task.reaction.card), 0.0)
        return np.where(self._over, score, 0.0)

    def draw(self, figure: Figure, i: int) -> None:
        """Draw run ``i`` so far into an empty figure."""
        from rxnopt.envs.render_run import draw

        k = int(self._k[i])
        draw(figure, self.task.reaction, self.task.space, self._U[:k, i], self._scores[:k, i], self.task.intervals)
