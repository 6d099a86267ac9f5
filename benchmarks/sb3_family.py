"""Every SB3 algorithm on three reactions, against random search with the same budget of experiments.

    python benchmarks/sb3_family.py [--share 1.0] [--seeds 1]

Each agent card is trained as it is (``--share``: with that share of its steps). Scores are means over 64 campaigns on
seeds that no training has seen: the best of 25 experiments, noise-free, as a share of the known optimum. Curves, the
score after each twentieth of the training, go to ``results/sb3_family.csv`` beside this script.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

from measuring import machine

from rxnopt import catalogue
from rxnopt.agents import load
from rxnopt.cards.sb3 import Sb3Trained
from rxnopt.training import train

REACTIONS = ("snar", "mit_case5", "fogler")
CURVES = Path(__file__).parent / "results" / "sb3_family.csv"


def family() -> list[str]:
    """The cards of the catalogue with the options of one algorithm each: those that take any card alone."""
    cards = {name: load(name) for name in catalogue.names("agents")}
    found = {name: card.agent for name, card in cards.items() if isinstance(card.agent, Sb3Trained)}
    return [name for name, settings in found.items() if not settings.env.uncertainty]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=1)
    given = parser.parse_args()
    print(machine("stable-baselines3", "sb3-contrib", "torch", "numba"))
    print(f"share of the steps of the cards: {given.share:g}; seeds: {given.seeds}")
    print(
        f"{'agent':15}{'reaction':11}{'seed':>5}{'steps':>9}{'s':>7}{'draws':>8}{'best':>8}{'random':>8}  beats random"
    )
    rows = []
    for name in family():
        for reaction in REACTIONS:
            for seed in range(given.seeds):
                with tempfile.TemporaryDirectory() as folder:
                    steps = max(int(given.share * load(name).agent.steps), 1)
                    facts = train(name, reaction, steps=steps, seed=seed, out=folder, progress=False).provenance
                score = facts["score"]
                better = score["share_of_optimum"] > score["random_search"]
                print(
                    f"{name:15}{reaction:11}{seed:5}{facts['steps']:9,}{facts['wall_s']:7.1f}{score['sampled']:8.4f}"
                    f"{score['deterministic']:8.4f}{score['random_search']:8.4f}  {'yes' if better else 'no'}",
                    flush=True,
                )
                rows += [(name, reaction, seed, *point) for point in facts["evaluations"]]
    with CURVES.open("w", newline="") as file:
        csv.writer(file).writerows([("agent", "reaction", "seed", "experiments", "share_of_optimum"), *rows])


if __name__ == "__main__":
    main()
