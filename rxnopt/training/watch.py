"""What looks on while an algorithm learns: the learning curve, evaluations, what is kept, and reasons to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil
from typing import Literal, cast

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from rxnopt.agents.algorithm import acting
from rxnopt.agents.choice import answer
from rxnopt.cards.sb3 import Sb3Trained
from rxnopt.envs.observations import Floats
from rxnopt.errors import WeightsError
from rxnopt.training.checkpoint import Course
from rxnopt.training.evaluation import HeldOut

Ended = Literal["done", "interrupted", "plateau", "diverged"]
EVALUATIONS = 20
"""Evaluations in a training of as many experiments as were asked for."""
TOLERANCE = 0.005
"""Shares of the optimum that differ by less count as equal: the later network is kept, and the score has not risen."""


class Scaled(VecEnvWrapper):
    """Rewards over the size of the known optimum, so that one set of hyperparameters fits all reactions.

    ``count`` and ``total`` add up the rewards since :meth:`mean` was last asked for.
    """

    def __init__(self, envs: VecEnv, scale: float) -> None:
        super().__init__(envs)
        self._scale = np.float32(scale)
        self.count, self.total = 0, 0.0

    def reset(self) -> VecEnvObs:
        """Return the observations."""
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        """Return the step with its rewards scaled."""
        observations, rewards, dones, infos = self.venv.step_wait()
        rewards = rewards / self._scale
        self.count, self.total = self.count + len(rewards), self.total + float(rewards.sum())
        return observations, rewards, dones, infos

    def mean(self) -> float:
        """Return the mean reward since this was last asked for."""
        mean, self.count, self.total = self.total / self.count, 0, 0.0
        return mean


class Watch(BaseCallback):
    """Notes the curve and the scores in ``course``, and ends the learning where ``ended`` is set.

    A row of the curve stands for at least one episode in each copy. After each share of the steps the policy plays the
    ``held_out`` campaigns: its network is kept where none before was better by :data:`TOLERANCE`, and ``store`` is
    called.
    """

    def __init__(
        self,
        settings: Sb3Trained,
        course: Course,
        rewards: Scaled,
        held_out: HeldOut,
        steps: int,
        patience: int | None,
        advance: Callable[[int, str], None],
        store: Callable[[], None],
    ) -> None:
        super().__init__()
        self.course, self.curve = course, course.curve
        self.ended: Ended | None = None
        self._settings, self._rewards, self._held_out, self._patience = settings, rewards, held_out, patience
        self._advance, self._store = advance, store
        self._row, self._interval = rewards.num_envs * held_out.budget, ceil(steps / EVALUATIONS)
        self._begun = time.perf_counter() - course.seconds

    @property
    def net(self) -> BasePolicy:
        """The network that acts."""
        return acting(self._settings, self.model.policy)

    def _on_step(self) -> bool:
        return self.ended is None

    def _on_rollout_start(self) -> None:
        last = self.course.scores[-1][0] if self.course.scores else 0
        if self.model.num_timesteps >= last + self._interval:
            self.evaluate()

    def _on_rollout_end(self) -> None:
        if self._rewards.count < self._row:
            return
        before = self.curve[-1][0] if self.curve else 0
        steps, mean = self.model.num_timesteps, self._rewards.mean()
        self.curve.append((steps, time.perf_counter() - self._begun, mean))
        self.logger.record("rollout/mean_reward", mean)
        score = f", {self.course.scores[-1][1]:.1%} of optimum" if self.course.scores else ""
        self._advance(steps - before, f"reward {mean:.3f}{score}")

    def note(self) -> None:
        """Bring the numbers of the course up to date."""
        self.course.steps, self.course.updates = self.model.num_timesteps, self.model._n_updates
        self.course.seconds = time.perf_counter() - self._begun

    def evaluate(self) -> None:
        """Score the policy as it is, and keep it if it is as good as any before."""
        self.model.policy.set_training_mode(False)
        if not self.sound():
            self.ended = "diverged"
            return
        share = float(self._held_out.shares(self.net, self._settings.deterministic).mean())
        self.note()
        course = self.course
        course.scores.append((course.steps, share))
        self.logger.record("eval/share_of_optimum", share)
        self.logger.dump(course.steps)
        if share >= max(score for _, score in course.scores) - TOLERANCE:
            course.kept = {name: value.detach().cpu().clone() for name, value in self.net.state_dict().items()}
            course.kept_at = course.steps
        self._store()
        if self._patience is not None and plateau([score for _, score in course.scores], self._patience):
            self.ended = "plateau"

    def sound(self) -> bool:
        """Return whether all numbers of the policy are finite, and its answer to what it saw last."""
        if not all(bool(torch.isfinite(value).all()) for value in self.model.policy.state_dict().values()):
            return False
        if self.model._last_obs is None:  # it has not begun
            return True
        seen = torch.as_tensor(cast(Floats, self.model._last_obs), device=self.net.device)
        try:
            answer(self._settings, self.net, seen)
        except WeightsError:
            return False
        return True


def plateau(scores: list[float], patience: int) -> bool:
    """Return whether the last ``patience`` scores are no higher than those before them, by :data:`TOLERANCE`."""
    return len(scores) > patience and max(scores[-patience:]) <= max(scores[:-patience]) + TOLERANCE
