"""Reinforcement learning that starts from nothing, within the budget of the campaign."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import DummyVecEnv

from rxnopt.agents.algorithm import algorithm, learner
from rxnopt.agents.base import distinct, feasible_draw, known
from rxnopt.agents.borrow import borrowed
from rxnopt.cards.agent import Sb3Online
from rxnopt.history import History
from rxnopt.seeds import stream_seed
from rxnopt.space import Array, Space

REACH = 3.0
"""Standard deviations of the policy, in each column of the box; a far trial would tear the policy to pieces."""


class Online:
    """A policy gradient on a problem of one state, in which each trial is an episode of one step.

    The learner is not kept: each proposal sets it up anew from the seed and lets it learn from the trials that are
    over, in their order, every one counted. At step k it is given the action that was run in trial k, with the
    probability that its own policy has for it, and the result as its reward. So a trial added by hand or moved by
    the machine teaches too, as if the policy had drawn it; where it lies further than :data:`REACH` from what the
    policy would draw, it teaches as a trial at that distance in its direction. A failed trial has the worst value
    measured so far; pending ones wait. Rewards are standardised over the trials that are over.
    Trials after the last full rollout (``n_steps``) wait for the next one. Proposals are drawn from the policy.
    """

    def __init__(self, name: str, settings: Sb3Online, seed: int) -> None:
        algorithm(name, settings)
        self._name, self._settings, self._seed = name, settings, stream_seed(seed, "online")

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return n draws (n, d) from the policy learnt so far."""
        over = known(space, history)
        actions = torch.as_tensor(space.to_box(over.X), dtype=torch.float32)
        with borrowed(self._seed):
            mean, sd = self._learn(space.width, actions, _standardised(over.y))

        def draw() -> Array:
            return np.clip(mean + sd * rng.standard_normal(space.width), -1.0, 1.0)

        A = np.array([feasible_draw(space, draw) for _ in range(n)])
        return distinct(space, space.from_box(A.reshape(n, space.width)), rng, over.pending)

    def _learn(self, width: int, actions: torch.Tensor, rewards: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation (width,) of the policy after all full rollouts."""
        env = DummyVecEnv([lambda: _Replay(width, rewards)])
        model: Any = learner(self._name, self._settings, env, policy=_Replayed)
        model.policy.past = iter(torch.split(actions, 1))
        model.learn(len(rewards) // model.n_steps * model.n_steps)
        with torch.no_grad():
            normal: Any = model.policy.get_distribution(torch.ones(1, 1)).distribution
        return normal.mean.double().numpy()[0], normal.stddev.double().numpy()[0]


def _standardised(y: Array) -> Array:
    spread = float(np.std(y)) if len(y) else 0.0
    scaled: Array = (y - y.mean()) / spread if spread > 0 else np.zeros(len(y))
    return scaled


class _Replayed(ActorCriticPolicy):
    """A policy that, instead of drawing actions, takes those of the past."""

    past: Any

    def forward(
        self,
        obs: Any,
        deterministic: bool = False,  # noqa: ARG002 - the past has been drawn
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the next action of the past, its value and its log probability."""
        normal: Any = self.get_distribution(obs).distribution
        draw = (next(self.past) - normal.mean) / normal.stddev
        action = normal.mean + normal.stddev * draw.clamp(-REACH, REACH)
        values, log_prob, _ = self.evaluate_actions(obs, action)
        return action, values, log_prob


class _Replay(gym.Env[Any, Any]):
    """Answers step k with the k-th reward; the only observation is 1."""

    def __init__(self, width: int, rewards: Array) -> None:
        self.observation_space = gym.spaces.Box(0.0, 1.0, (1,), np.float32)
        self.action_space = gym.spaces.Box(-1.0, 1.0, (width,), np.float32)
        self._rewards = iter(rewards.tolist())

    def reset(self, **_: Any) -> tuple[Any, dict[str, Any]]:
        """Return the observation."""
        return np.ones(1, np.float32), {}

    def step(self, _: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Return the next reward and the end of the episode."""
        return np.ones(1, np.float32), next(self._rewards), True, False, {}
