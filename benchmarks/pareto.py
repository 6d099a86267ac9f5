"""Find the Pareto fronts of reaction cards with several objectives.

    python benchmarks/pareto.py [NAME ...] [--write]

prints for each front its points, its hypervolume, and that of 100,000 random experiments; of searches from several
seeds the front with the largest hypervolume counts. ``--write`` puts it into ``envs/fronts``, where comparisons,
scalarised objectives and tests find it.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

from rxnopt.catalogue import names
from rxnopt.seeds import stream
from rxnopt.simulators import Reaction, load
from rxnopt.simulators.pareto import Front, find_front

POINTS, RANDOM_POINTS, SEEDS = 65, 100_000, (0, 1000)


def write(path: Path, reaction: Reaction, front: Front) -> None:
    """Write a row per point: conditions, and objectives in the units of the card."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*reaction.space.names, *reaction.goals])
        for conditions, y in zip(reaction.space.to_dicts(front.X), front.Y, strict=True):
            values = [f"{goal.sign * value:.10g}" for goal, value in zip(reaction.goals.values(), y, strict=True)]
            writer.writerow([*conditions.values(), *values])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="reactions; all with objectives if left out")
    parser.add_argument("--write", action="store_true", help="put the front into envs/fronts")
    arguments = parser.parse_args()
    for name in arguments.names or names("envs"):
        reaction = load(name)
        if not reaction.card.objectives:
            continue
        start = time.perf_counter()
        front = max((find_front(reaction, POINTS, seed) for seed in SEEDS), key=lambda found: found.hypervolume)
        seconds = time.perf_counter() - start
        chance = Front.of(reaction, reaction.space.sample(RANDOM_POINTS, stream(0, "random")))
        share = chance.hypervolume / front.hypervolume
        print(f"{name}: {len(front.X)} points, hypervolume {front.hypervolume:.6g}, found in {seconds:.0f} s")
        print(f"    {RANDOM_POINTS:,} random points have {share:.2%} of it")
        if arguments.write:
            write(Path(__file__).parents[1] / "envs" / "fronts" / f"{name}.csv", reaction, front)


if __name__ == "__main__":
    main()
