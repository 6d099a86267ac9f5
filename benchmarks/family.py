"""Experiments per second of the random reaction family, every experiment in a task of its own, beside SciPy.

    python benchmarks/family.py

The peer solves the same equations, one experiment after the other, by LSODA at the accuracy that the kernel states.
Environments: steps of a vector environment in which every copy has its own reaction, resets included.
"""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from measuring import machine, rate, seconds
from scipy.integrate import solve_ivp

import rxnopt  # noqa: F401  (registers the environments)
from rxnopt.seeds import stream
from rxnopt.simulators import load
from rxnopt.simulators.search import find_optima

TASKS, PEER, COPIES, BUDGET, OPTIMA = 100_000, 200, 1024, 25, 16


def by_hand(task: dict[str, float], x: np.ndarray) -> float:
    """Yield of one experiment: hours, fractions of A charged."""
    level = f"L{x[0] + 1:.0f}.S{x[1] + 1:.0f}.B{x[2] + 1:.0f}"
    T, ref = x[3] + 273.15, 353.15
    main = task["main"] * np.exp(-1e3 / 8.314 * (task["Ea_main"] * (1 / T - 1 / ref) + task[f"main_shift.{level}"] / T))
    side = task["main"] * np.exp(-1e3 / 8.314 * (task["Ea_side"] * (1 / T - 1 / ref) + task[f"side_shift.{level}"] / T))
    fading = task["fading"] * np.exp(-1e3 / 8.314 * task["Ea_fading"] * (1 / T - 1 / ref))
    lost, over, back = task["parallel"] * side, task["consecutive"] * side, task["reversal"] * main

    def rhs(_: float, c: np.ndarray) -> list[float]:
        a, b, p, cat = c
        made, gone = main * a * b * cat - back * p * cat, over * p * b
        return [-made - lost * a, -made - gone, made - gone, -fading * cat]

    start = [1.0, x[6], 0.0, x[5] / 5.0]
    return float(solve_ivp(rhs, (0, x[4]), start, method="LSODA", rtol=1e-7, atol=1e-10).y[2, -1])


def main() -> None:
    family = load("random_reaction")
    population = family.population
    if population is None:
        raise SystemExit("the card random_reaction has no family")
    C = population.draw(stream(0, "benchmark"), TASKS)
    X = family.space.sample(TASKS, stream(1, "benchmark"))
    names = population.names
    X[:, :3] = np.floor(X[:, :3] / [8, 4, 3] * C[:, :3])
    caps = C[:, [names.index(f"hottest.S{k}") for k in (1, 2, 3, 4)]]
    X[:, 3] = np.minimum(X[:, 3], caps[np.arange(TASKS), X[:, 1].astype(int)])
    print(machine("numpy", "numba", "scipy"))
    print(f"kernel, {TASKS:,} experiments in {TASKS:,} tasks:", rate(TASKS, seconds(lambda: population.simulate(X, C))))
    print(f"draws of {10_000:,} tasks:", rate(10_000, seconds(lambda: population.draw(stream(2, "benchmark"), 10_000))))
    tasks = [dict(zip(names, row, strict=True)) for row in C[:PEER].tolist()]
    print(
        "SciPy LSODA, one core:",
        rate(PEER, seconds(lambda: [by_hand(t, x) for t, x in zip(tasks, X, strict=False)], 3)),
    )
    ours, theirs = (
        population.simulate(X[:PEER], C[:PEER]).values[:, 0],
        [by_hand(t, x) for t, x in zip(tasks, X, strict=False)],
    )
    print(f"largest difference in yield: {np.abs(ours / 100 - theirs).max():.1e}")
    envs = gym.make_vec("rxnopt/RandomReaction-v0", num_envs=COPIES)
    envs.reset(seed=0)
    actions = [envs.action_space.sample() for _ in range(BUDGET)]
    print(f"vector environment of {COPIES}:", rate(COPIES * BUDGET, seconds(lambda: [envs.step(a) for a in actions])))
    print("optima of tasks:", rate(OPTIMA, seconds(lambda: find_optima(family, C[:OPTIMA]), 3)))


if __name__ == "__main__":
    main()
