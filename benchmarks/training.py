"""Training a policy on rxnopt/SnAr-v0: a million experiments with Stable-Baselines3's PPO, and how good it becomes.

    python benchmarks/training.py

The peer is PPO with the same options and as many copies on an environment written by hand around SciPy
(benchmarks/environments.py; without noise, in DummyVecEnv), for as many steps as it does in about a minute. Published
for comparison: ChemGymRL's whole training runs at 911 steps/s.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from environments import ByHand
from measuring import machine
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv

from rxnopt.agents import load
from rxnopt.training import train

SEEDS, PEER_STEPS = 3, 51_200


def main() -> None:
    print(machine("stable-baselines3", "torch", "gymnasium", "numba"))
    rates = []
    for seed in range(SEEDS):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            result = train("ppo", "snar", seed=seed, out=Path(folder), progress=False)
            wall = time.perf_counter() - start
        facts = result.provenance
        rates.append(facts["steps"] / facts["wall_s"])
        score = facts["score"]
        print(
            f"rxnopt, seed {seed}: {facts['steps']:,} experiments in {facts['wall_s']:.1f} s ({rates[-1]:,.0f}/s), "
            f"{wall:.1f} s with evaluation; best of {score['budget']} experiments: {score['share_of_optimum']:.2%} of "
            f"the known optimum (random search {score['random_search']:.2%})"
        )
    settings = load("ppo").agent
    model = PPO("MlpPolicy", DummyVecEnv([ByHand] * settings.n_envs), seed=0, **settings.options)
    start = time.perf_counter()
    model.learn(PEER_STEPS)
    peer = model.num_timesteps / (time.perf_counter() - start)
    print(f"by hand with SciPy: {model.num_timesteps:,} experiments at {peer:,.0f}/s")
    print(f"ratio (median of {SEEDS} to by hand): {sorted(rates)[SEEDS // 2] / peer:,.0f}")


if __name__ == "__main__":
    main()
