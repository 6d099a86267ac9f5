"""The learning itself: an algorithm of Stable-Baselines3 on a batch of simulated campaigns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from rxnopt.agents.algorithm import learner
from rxnopt.agents.borrow import borrowed
from rxnopt.cards.agent import Sb3Trained
from rxnopt.envs import ReactionVectorEnv
from rxnopt.envs.sb3 import SB3VecEnv
from rxnopt.progress import bar
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
    envs = SB3VecEnv(ReactionVectorEnv(reaction, settings.n_envs, **settings.env.model_dump()))
    envs.seed(start)
    interrupted = False
    with borrowed(start), bar(progress, f"{name} on {reaction.name}", steps) as advance:
        model = learner(name, settings, ActorCriticPolicy, _Scaled(envs, scale))
        watch = _Watch(advance)
        try:
            model.learn(steps, callback=watch)
        except KeyboardInterrupt:
            interrupted = True
    return Lesson(model.policy, model.num_timesteps, model._n_updates, watch.seconds, watch.curve, interrupted)


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

    def __init__(self, advance: Callable[[int, str], None]) -> None:
        super().__init__()
        self.curve: list[tuple[int, float, float]] = []
        self._advance = advance
        self._begun = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._begun

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        mean = float(self.locals["rollout_buffer"].rewards.mean())
        before = self.curve[-1][0] if self.curve else 0
        self.curve.append((self.num_timesteps, self.seconds, mean))
        self._advance(self.num_timesteps - before, f"mean reward {mean:.3f}")
