"""Emulators: how well they tell experiments that were left out, how long they learn, how many they answer in a second.

    python benchmarks/emulators.py [NAME ...] [--write]

``--write`` puts the cross-validated scores into the cards. Learning is timed without the cache.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from pathlib import Path
from typing import cast
from unittest.mock import patch

from measuring import machine, rate, seconds

from rxnopt.catalogue import names
from rxnopt.regression import FOLDS, learned
from rxnopt.seeds import stream
from rxnopt.simulators import Reaction, load
from rxnopt.simulators.emulator import EmulatorSimulator

BATCH = 10_000


def emulator(reaction: Reaction) -> EmulatorSimulator:
    return cast(EmulatorSimulator, reaction.simulator)


def scores(simulator: EmulatorSimulator) -> dict[str, tuple[float, float]]:
    """Return R2 and RMSE of each measured name."""
    return {name: (each.r2, each.rmse) for name, each in simulator.learned.items()}


def learning(name: str) -> float:
    """Return how long it takes to learn and to cross-validate, in s."""
    with tempfile.TemporaryDirectory() as folder, patch.object(learned, "cache_folder", lambda _: Path(folder)):
        simulator = emulator(load(name))
        start = time.perf_counter()
        scores(simulator)
        return time.perf_counter() - start


def write(path: Path, found: dict[str, tuple[float, float]]) -> None:
    """Replace or append the scores of a card file, the last field of its model."""
    text = re.sub(r"^  scores: .*\n", "", path.read_text(), flags=re.MULTILINE)
    told = ", ".join(f"{name}: {{r2: {r2:.3f}, rmse: {rmse:.4g}}}" for name, (r2, rmse) in found.items())
    path.write_text(text.replace("\noutputs:\n", f"\n  scores: {{{told}}}\noutputs:\n", 1))


def tell(name: str, reaction: Reaction) -> None:
    """Print a block about one emulator."""
    simulator = emulator(reaction)
    X = reaction.space.sample(BATCH, stream(0, "points"))
    outside = simulator.outside(X).mean()
    print(f"\n{name}: {simulator.model.learner}, {len(simulator.experiments[0])} experiments")
    for measured, (r2, rmse) in scores(simulator).items():
        unit = simulator.model.measured[measured].unit
        print(f"    {measured}: R2 {r2:.3f}, RMSE {rmse:.4g}{'' if unit == '1' else f' {unit}'}, {FOLDS} folds")
    print(f"    learnt and cross-validated in {learning(name):.1f} s; {outside:.0%} of the space is outside the data")
    print(f"    batches of {BATCH:,}: {rate(BATCH, seconds(lambda: reaction.outcome(X), 3))} experiments")
    print(f"    one by one: {rate(1, seconds(lambda: reaction.outcome(X[:1]), 20))}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="emulator cards; all if left out")
    parser.add_argument("--write", action="store_true", help="put the scores into the cards")
    arguments = parser.parse_args()
    print(machine("numpy", "scikit-learn"))
    for name in arguments.names or names("envs"):
        reaction = load(name)
        if isinstance(reaction.simulator, EmulatorSimulator):
            tell(name, reaction)
            if arguments.write:
                write(Path(__file__).parents[1] / "envs" / f"{name}.yaml", scores(emulator(reaction)))


if __name__ == "__main__":
    main()
