"""Speed of measured tables: looked up in batches, beside the same look-up in pandas, in the same run.

    python benchmarks/tables.py

Ten million random experiments on direct arylation (1,728 cells, five parameters, yield and cost), in batches of
100,000. ``simulator``: indices in, outputs out. ``reaction``: with the checks of bounds, levels and constraints.
``environment``: steps of a vector environment of 10,000 campaigns. ``pandas``: ``DataFrame.loc`` on a sorted MultiIndex
of level names, and ``merge``, both with names as a user has them. Then the time to fetch and check all files of all
data sets from a mirror into an empty cache (RXNOPT_DATA_MIRROR), and to read each table.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import machine

import rxnopt
from rxnopt.data import data_sets, fetch, mirror, published
from rxnopt.envs import ReactionVectorEnv

BATCH, BATCHES, CAMPAIGNS, PANDAS = 100_000, 100, 10_000, 5
RESULT = Path(__file__).parent / "results" / "tables.txt"


def rate(work, count, repeats):
    """Return experiments a second, the median of three rounds."""
    found = []
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(repeats):
            work()
        found.append(count * repeats / (time.perf_counter() - start))
    return sorted(found)[1]


def main():
    reaction, rng = rxnopt.load("direct_arylation"), np.random.default_rng(0)
    X = reaction.space.sample(BATCH, rng)
    table = pd.read_csv(fetch(reaction.card.data["experiments"], "direct_arylation"), dtype={"temperature": str})
    names, keys = list(reaction.space.names), reaction.space.to_frame(X)
    table["concentration"] = table["concentration"].map("{:g}".format)
    indexed = table.set_index(names)[["yield", "cost"]].sort_index()
    wanted = pd.MultiIndex.from_frame(keys)
    outcome = reaction.outcome(X).values
    assert np.array_equal(indexed.loc[wanted].to_numpy(), outcome)  # noqa: S101 - equal work, or no comparison
    envs = ReactionVectorEnv(reaction, CAMPAIGNS, budget=50)
    envs.reset(seed=0)
    actions = rng.uniform(-1, 1, (CAMPAIGNS, reaction.space.width)).astype(np.float32)
    rows = {
        "rxnopt, simulator": rate(lambda: reaction.simulator(X), BATCH, BATCHES),
        "rxnopt, reaction": rate(lambda: reaction.outcome(X), BATCH, BATCHES),
        "rxnopt, environment": rate(lambda: envs.step(actions), CAMPAIGNS, 20),
        "pandas, loc on a MultiIndex": rate(lambda: indexed.loc[pd.MultiIndex.from_frame(keys)], BATCH, PANDAS),
        "pandas, merge": rate(lambda: keys.merge(table, on=names, how="left"), BATCH, PANDAS),
    }
    text = f"{machine('numpy', 'pandas')}\n\n" + "".join(
        f"{name:<30}{value:>16,.0f} experiments/s\n" for name, value in rows.items()
    )
    text += fetched() + read()
    RESULT.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def fetched():
    """Return how long it takes to fetch and check everything, in words."""
    if mirror() is None:
        return ""
    before = os.environ.get("RXNOPT_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RXNOPT_CACHE"] = folder
        start, files = time.perf_counter(), [(n, f) for n, c in data_sets().items() for _, f in published(c)]
        for name, file in files:
            fetch(file, name)
        seconds = time.perf_counter() - start
    os.environ.pop("RXNOPT_CACHE") if before is None else os.environ.update(RXNOPT_CACHE=before)
    size = sum(file.bytes or 0 for _, file in files) / 1e6
    return f"\n{len(files)} files, {size:.1f} MB, from the mirror and checked: {seconds:.2f} s\n"


def read():
    """Return how long it takes to read each table, in words."""
    lines = []
    for name, card in data_sets().items():
        if card.model.kind == "table":
            start = time.perf_counter()
            reaction = rxnopt.load(name)
            rows = len(reaction.simulator.values)
            lines.append(f"{name:<30}{rows:>6} cells read in {time.perf_counter() - start:.3f} s\n")
    return "".join(lines)


if __name__ == "__main__":
    main()
