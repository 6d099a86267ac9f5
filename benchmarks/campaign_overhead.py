"""What a campaign costs besides its agent and its simulator: microseconds per trial.

The overhead is the wall time of ``Campaign.run`` less the time spent inside ``agent.propose`` and inside the
simulator. Reaction: two formulas in NumPy; agent: random points. Run: ``python benchmarks/campaign_overhead.py``.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "campaign"))
from campaign_toys import simulate, toy

from rxnopt.campaign import Campaign


class Clock:
    """Adds up the seconds spent in the functions that it wraps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def timed(self, function):
        def inner(*arguments):
            start = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                self.seconds += time.perf_counter() - start

        return inner


class Random:
    """Random points."""

    def propose(self, space, history, n, rng):
        return space.sample(n, rng)


def overhead(budget: int, batch: int, journal: Path | None) -> float:
    """Return seconds per trial of one campaign, without the table at the end."""
    clock, agent = Clock(), Random()
    agent.propose = clock.timed(agent.propose)
    with Campaign(toy(simulator=clock.timed(simulate)), agent, budget=budget, journal=journal) as run:
        start = time.perf_counter()
        while run.remaining:
            run._simulate(run.ask(min(batch, run.remaining)))
        return (time.perf_counter() - start - clock.seconds) / budget


def main() -> None:
    """Print the median of 7 campaigns of each kind."""
    print("journal  trials  batch  overhead per trial")
    for journal in ("memory", "file"):
        for budget, batch in ((25, 1), (1000, 1), (1000, 10), (10_000, 1)):
            if journal == "file" and budget > 1000:
                continue
            with tempfile.TemporaryDirectory() as folder:
                paths = [Path(folder) / f"{i}.db" if journal == "file" else None for i in range(7)]
                seconds = float(np.median([overhead(budget, batch, path) for path in paths]))
            print(f"{journal:7}  {budget:6}  {batch:5}  {1e6 * seconds:8.0f} us")


if __name__ == "__main__":
    main()
