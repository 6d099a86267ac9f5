"""Steps per second of the environments, beside an environment written by hand around SciPy in the same run.

    python benchmarks/environments.py

The peer is what one writes without this project: a Gymnasium environment whose step calls ``solve_ivp`` (LSODA,
rtol 1e-7) on the same reaction, without noise, in Gymnasium's own vector environment.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from measuring import machine, rate, seconds
from scipy.integrate import solve_ivp

import rxnopt  # noqa: F401  (registers the environments)
from rxnopt.envs.sb3 import make_vec_env

ENV, BUDGET = "rxnopt/SnAr-v0", 25


class ByHand(gym.Env[np.ndarray, np.ndarray]):
    """The SNAr reaction as a script would have it (Hone et al. 2017, 10.1039/C6RE00109B)."""

    action_space = gym.spaces.Box(-1.0, 1.0, (4,), np.float32)
    observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float32)
    low, high = np.array([0.5, 1.0, 0.1, 30.0]), np.array([2.0, 5.0, 0.5, 120.0])
    k_ref = 0.6 * np.array([57.9, 2.70, 0.865, 1.63])
    barrier = np.array([33.3, 35.3, 38.9, 44.8]) * 1e3 / 8.314

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.count = 0
        return np.zeros(2, np.float32), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        tau, equivalents, c, temperature = self.low + (self.high - self.low) * (action + 1) / 2
        k = self.k_ref * np.exp(-self.barrier * (1 / (temperature + 273.15) - 1 / 363.15))

        def f(_: float, y: np.ndarray) -> list[float]:
            a, b, o, p, _s = y
            r0, r1, r2, r3 = k[0] * a * b, k[1] * a * b, k[2] * o * b, k[3] * p * b
            return [-r0 - r1, -r0 - r1 - r2 - r3, r0 - r2, r1 - r3, r2 + r3]

        y = solve_ivp(f, (0, tau), [c, equivalents * c, 0, 0, 0], method="LSODA", rtol=1e-7, atol=1e-10).y[:, -1]
        reward = 100.0 * y[2] / c
        self.count += 1
        return np.array([reward, self.count], np.float32), reward, self.count == BUDGET, False, {}


def steps_single(env: gym.Env[Any, Any], count: int) -> None:
    actions = np.random.default_rng(0).uniform(-1, 1, (count, 4)).astype(np.float32)
    env.reset(seed=0)
    for action in actions:
        if env.step(action)[2]:
            env.reset()


def steps_vector(envs: Any, count: int, size: int) -> None:
    actions = np.random.default_rng(0).uniform(-1, 1, (8, size, 4)).astype(np.float32)
    envs.reset()
    for i in range(count):
        envs.step(actions[i % 8])


def main() -> None:
    print(machine("gymnasium", "stable-baselines3", "numpy", "scipy", "numba"))
    print("single environment, random actions, resets included")
    mine = seconds(lambda: steps_single(gym.make(ENV), 5_000))
    peer = seconds(lambda: steps_single(ByHand(), 300), repeats=5)
    print(f"  {ENV}: {rate(5_000, mine)}")
    print(f"  by hand with SciPy: {rate(300, peer)}")
    print(f"  ratio of medians: {5_000 / mine[1] / (300 / peer[1]):,.0f}")
    print("1,024 environments, random actions, autoresets included")
    envs = gym.make_vec(ENV, num_envs=1024, vectorization_mode="vector_entry_point")
    mine = seconds(lambda: steps_vector(envs, 100, 1024))
    face = make_vec_env("snar", n_envs=1024, seed=0)
    sb3 = seconds(lambda: steps_vector(face, 100, 1024))
    by_hand = gym.vector.SyncVectorEnv([ByHand] * 1024)
    peer = seconds(lambda: steps_vector(by_hand, 1, 1024), repeats=3)
    print(f"  {ENV} through gym.make_vec: {rate(102_400, mine)}")
    print(f"  the Stable-Baselines3 VecEnv: {rate(102_400, sb3)}")
    print(f"  by hand with SciPy in SyncVectorEnv: {rate(1024, peer)}")
    print(f"  ratio of medians (make_vec to by hand): {102_400 / mine[1] / (1024 / peer[1]):,.0f}")


if __name__ == "__main__":
    main()
