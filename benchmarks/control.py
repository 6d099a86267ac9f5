"""Control problems: steps a second, how near CMA-ES over profiles comes, what PPO learns interval by interval.

    python benchmarks/control.py [speed] [search] [learn]

``learn`` writes the learning curves to benchmarks/results/control_learning.csv and .png. What PPO learns is judged by
its mean action without noise. Shares are of the best known value of the card.
"""

from __future__ import annotations

import csv
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import gymnasium as gym
import numpy as np
import optuna
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from measuring import machine, rate, seconds
from profiles import constant
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from rxnopt.envs.sb3 import SB3VecEnv, make_vec_env
from rxnopt.simulators import Reaction, load

RESULTS = Path(__file__).with_name("results")
ENVS, STEPS = 4096, 100
MIDDLE, CUBES = (0.5, None, None, 3000, 1), (0.3, 0.2, 40, 6000, 3)
SEARCHED = [
    ("dyn_batch_abc", *MIDDLE), ("dyn_parallel", *MIDDLE), ("dyn_catalyst_mixing", *MIDDLE),
    ("dyn_pyrrole_diketene", *MIDDLE), ("dyn_lee_ramirez", *MIDDLE), ("dyn_lee_ramirez", *CUBES),
]  # fmt: skip
"""Start and first step (shares of the box), population (None is the sampler's own), runs in a study, and the power of
what is searched that is the control. Most of the best feeds of Lee and Ramirez are nearly zero: a search over the feeds
themselves from the middle of the box collapses on its bounds, one over their cube roots does not."""
INTERVALS, SEEDS = 10, 3
LEARNT = {"dyn_batch_abc": 10, "dyn_parallel": 10}
COPIES, TRAINING = 256, 400_000
PPO_OPTIONS = {
    "n_steps": 10, "batch_size": 640, "n_epochs": 10, "learning_rate": lambda left: 2e-3 * left + 1e-5, "gamma": 1.0,
    "gae_lambda": 1.0, "policy_kwargs": {"log_std_init": -1.5, "net_arch": [32, 32]}, "device": "cpu",
}  # fmt: skip


def speed() -> None:
    print(f"interval-steps a second, gymnasium.make_vec, {ENVS} runs, median of 7 [slowest to fastest]")
    for env_id in ("BatchAbc", "ParallelReactions", "CatalystMixing", "CatalystMixingLong"):
        envs = gym.make_vec(f"rxnopt/{env_id}-v0", num_envs=ENVS)
        envs.action_space.seed(0)
        actions = [envs.action_space.sample() for _ in range(STEPS)]
        envs.reset(seed=0)

        def work(envs: gym.vector.VectorEnv = envs, actions: list = actions) -> None:
            for action in actions:
                envs.step(action)

        print(f"    {env_id}: {rate(ENVS * STEPS, seconds(work))}")


def search() -> None:
    print(f"Optuna CmaEsSampler over whole profiles, seeds 0 to {SEEDS - 1}")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=FutureWarning)  # x0 and sigma0 will go with Optuna 6
    for name, start, sigma, population, trials, power in SEARCHED:
        reaction, begun = load(name, intervals=INTERVALS), time.perf_counter()
        studied = [found(reaction, seed, start, sigma, population, trials, power) for seed in range(SEEDS)]
        shares = [value / reaction.card.optimum.value for value in studied]
        wall = (time.perf_counter() - begun) / SEEDS
        told = ", ".join(f"{share:.3%}" for share in shares)
        print(
            f"    {name}, {INTERVALS} intervals, {trials:,} runs, power {power}: {told} of "
            f"{reaction.card.optimum.value:.7g} ({wall:.0f} s each)",
            flush=True,
        )


def found(
    reaction: Reaction, seed: int, start: float, sigma: float | None, population: int | None, trials: int, power: int
) -> float:
    """Return the best objective of one study."""

    def objective(trial: optuna.Trial) -> float:
        shares = np.array([trial.suggest_float(p.name, 0.0, 1.0) for p in reaction.space])
        return float(reaction.outcome((low + (high - low) * shares**power)[None]).values[0, place])

    place = reaction.outputs.index(reaction.objective)
    low, high = np.array([(p.low, p.high) for p in reaction.space]).T
    sampler = optuna.samplers.CmaEsSampler(
        x0={p.name: start for p in reaction.space}, sigma0=sigma, seed=seed, popsize=population
    )
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(objective, n_trials=trials)
    return float(study.best_value)


class Curve(BaseCallback):
    """Runs the mean action without noise from time to time."""

    def __init__(self, name: str, n: int, every: int) -> None:
        super().__init__()
        self.judge, self.every, self.points = make_vec_env(name, 1, seed=0, intervals=n, noise=False), every, []

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        if self.num_timesteps // self.every > (self.points[-1][0] // self.every if self.points else -1):
            self.points.append((self.num_timesteps, judged(self.model, self.judge)))


def judged(model: PPO, judge: SB3VecEnv) -> float:
    """Return the objective at the end of one run."""
    observation, total, done = judge.reset(), 0.0, False
    while not done:
        observation, reward, dones, _ = judge.step(model.predict(observation, deterministic=True)[0])
        total, done = total + float(reward[0]), bool(dones[0])
    return total


def learn() -> None:
    print(f"SB3 PPO, observation state, reward running, {COPIES} runs at once, {TRAINING:,} interval-steps")
    rows = []
    for name, n in LEARNT.items():
        best, flat = load(name).optimum().value, load(name, intervals=1)
        still = float(flat.score(flat.outcome(constant(name)))[0])
        for seed in range(SEEDS):
            start, curve = time.perf_counter(), Curve(name, n, TRAINING // 40)
            envs = make_vec_env(name, COPIES, seed=seed, intervals=n, reward_mode="running", noise=False)
            model = PPO("MlpPolicy", envs, seed=seed, **PPO_OPTIONS)
            model.learn(TRAINING, callback=curve)
            value, wall = judged(model, curve.judge), time.perf_counter() - start
            rows += [(name, seed, step, f"{point:.7g}") for step, point in curve.points]
            print(
                f"    {name}, {n} intervals, seed {seed}: {value:.6f} = {value / best:.3%} of {best:.6f}; closes "
                f"{(value - still) / (best - still):.1%} of the gap to the best constant {still:.6f} ({wall:.0f} s)",
                flush=True,
            )
        rows += [(name, "best known", "", f"{best:.9g}"), (name, "best constant", "", f"{still:.9g}")]
    with (RESULTS / "control_learning.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([("card", "seed", "interval_steps", "objective"), *rows])
    draw(rows)


def draw(rows: list) -> None:
    figure = Figure(figsize=(9.0, 3.6), dpi=100)
    canvas = FigureCanvasAgg(figure)
    for axes, name in zip(figure.subplots(1, len(LEARNT)), LEARNT, strict=True):
        for seed in range(SEEDS):
            steps, values = zip(*((row[2], float(row[3])) for row in rows if row[:2] == (name, seed)), strict=True)
            axes.plot(steps, values, label=f"PPO, seed {seed}", linewidth=1.4)
        levels = {row[1]: float(row[3]) for row in rows if row[0] == name and row[2] == ""}
        for (label, level), style in zip(levels.items(), ("--", ":"), strict=True):
            axes.axhline(level, color="#222222", linestyle=style, linewidth=1.0, label=label)
        axes.set(title=name, xlabel="interval-steps", ylabel="objective of a run without noise")
        span = levels["best known"] - levels["best constant"]
        axes.set_ylim(levels["best constant"] - 2 * span, levels["best known"] + 0.3 * span)
        axes.legend(fontsize=7, frameon=False, loc="lower right")
    figure.tight_layout()
    canvas.print_png(str(RESULTS / "control_learning.png"))


def parts() -> Iterator[str]:
    yield from sys.argv[1:] or ("speed", "search", "learn")


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(machine("stable-baselines3", "optuna", "cmaes", "gymnasium", "numba"))
    for part in parts():
        {"speed": speed, "search": search, "learn": learn}[part]()
