"""The learning itself: an algorithm of Stable-Baselines3 on a batch of simulated campaigns."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from rxnopt.agents.algorithm import learner
from rxnopt.agents.borrow import borrowed
from rxnopt.cards.agent import Sb3Trained
from rxnopt.envs.sb3 import SB3VecEnv, make_vec_env
from rxnopt.seeds import stream_seed
from rxnopt.simulators import Reaction


@dataclass(frozen=True)
class Lesson:
    """The network, what it cost, and how it ended.

    ``steps`` counts the experiments simulated, ``updates`` the passes over them that have changed the network;
    ``curve`` has a row per rollout; ``interrupted`` is True where Ctrl-C ended the learning.
    """

    net: ActorCriticPolicy
    steps: int
    updates: int
    seconds: float
    curve: list[tuple[int, float, float]]
    interrupted: bool


def learn(name: str, settings: Sb3Trained, reaction: Reaction, steps: int, seed: int, progress: bool) -> Lesson:
    """Let the algorithm of a card learn from at least ``steps`` experiments."""
    start, scale = stream_seed(seed, "training"), abs(reaction.optimum().value) or 1.0
    envs = make_vec_env(reaction, settings.n_envs, start, **settings.env.model_dump())
    interrupted = False
    with borrowed(start), _bar(progress) as bar:
        model = learner(name, settings, ActorCriticPolicy, _Scaled(envs, scale))
        watch = _Watch(bar, f"{name} on {reaction.name}", steps)
        try:
            model.learn(steps, callback=watch)
        except KeyboardInterrupt:
            interrupted = True
    return Lesson(model.policy, model.num_timesteps, model._n_updates, watch.seconds, watch.curve, interrupted)


def _bar(shown: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[mean]}"))
    return Progress(*columns, console=Console(stderr=True), disable=not shown)


class _Scaled(VecEnvWrapper):
    """Rewards over the size of the known optimum, so that one set of hyperparameters fits all reactions."""

    def __init__(self, envs: SB3VecEnv, scale: float) -> None:
        super().__init__(envs)
        self._scale = np.float32(scale)

    def reset(self) -> VecEnvObs:
        """Return the observations."""
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        """Return the step with its rewards scaled."""
        observations, rewards, dones, infos = self.venv.step_wait()
        return observations, rewards / self._scale, dones, infos


class _Watch(BaseCallback):
    """Draws the progress bar and notes the learning curve."""

    def __init__(self, bar: Progress, title: str, steps: int) -> None:
        super().__init__()
        self.curve: list[tuple[int, float, float]] = []
        self._bar, self._task = bar, bar.add_task(title, total=steps, mean="")
        self._begun = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._begun

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        mean = float(self.locals["rollout_buffer"].rewards.mean())
        self.curve.append((self.num_timesteps, self.seconds, mean))
        self._bar.update(self._task, completed=self.num_timesteps, mean=f"mean reward {mean:.3f}")
