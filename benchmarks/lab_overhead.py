"""What the promise costs: milliseconds per run of journal, gate and look-ups, on a device that answers at once.

Beside it the naive loop that most laboratories have: ask the device, append the result to a file, flush it to the disk.
Run: ``python benchmarks/lab_overhead.py [folder]``; the journal lies in the folder, so that its disk counts.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd  # noqa: F401 - the table at the end is no part of a run

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "lab"))
from rig_toys import Draws, lab, reaction

from rxnopt import Campaign
from rxnopt.lab.interface import TWIN, Capabilities, DeviceInfo, Health, Measured, Quantity, Range, Result, RunState
from rxnopt.lab.interface import Ticket as Accepted

RUNS = 200


class Instant:
    """A device in memory whose runs are over as soon as they begin."""

    def __init__(self) -> None:
        self.runs: set[str] = set()

    async def connect(self):
        return DeviceInfo(TWIN, "instant", str(os.getpid()), "1", "boot")

    async def capabilities(self):
        ranges = {"temperature": Range("K"), "time": Range("s"), "solvent": Range(levels=("THF", "DMF"))}
        return Capabilities(ranges)

    async def health(self):
        return Health("idle", "boot")

    async def preflight(self, request):
        return ()

    async def submit(self, request):
        self.runs.add(request.run_id)
        return Accepted(request.run_id)

    async def lookup(self, run_id):
        return RunState.DONE if run_id in self.runs else RunState.ABSENT

    async def events(self, run_id):
        while False:
            yield

    async def result(self, run_id):
        return Result(run_id, (Measured({"yield": Quantity(0.5)}),))

    async def cancel(self, run_id):
        pass

    async def safe_state(self):
        pass

    async def close(self):
        pass


def naive(folder: Path) -> float:
    """Seconds of RUNS runs of a loop that keeps results only."""
    toy, rng = reaction(), np.random.default_rng(0)
    start = time.perf_counter()
    with (folder / "results.jsonl").open("a") as file:
        for row in toy.space.to_dicts(toy.space.sample(RUNS, rng)):
            file.write(json.dumps({**row, "yield": 0.5}) + "\n")
            file.flush()
            os.fsync(file.fileno())
    return time.perf_counter() - start


def kept(folder: Path) -> tuple[float, float]:
    """Seconds of RUNS runs of a campaign on a rig, and those inside the journal."""
    rig = lab(folder, 'adapter: {kind: python, adapter: "lab_overhead:Instant"}')
    spent = 0.0
    with Campaign(reaction(), Draws(), budget=RUNS, lab=rig, journal=folder / "j.db") as run:
        append = run.journal.append

        def timed(entries):
            nonlocal spent
            begun = time.perf_counter()
            try:
                return append(entries)
            finally:
                spent += time.perf_counter() - begun

        run.journal.append = timed
        start = time.perf_counter()
        run.run()
        return time.perf_counter() - start, spent


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as name:
        folder = Path(name)
        whole, journal = kept(folder)
        loop = naive(folder)
    each = 1000 / RUNS
    print(f"campaign on a rig: {each * whole:.2f} ms per run, {each * journal:.2f} of them in the journal")
    print(f"naive loop (results only): {each * loop:.2f} ms per run")


if __name__ == "__main__":
    main()
