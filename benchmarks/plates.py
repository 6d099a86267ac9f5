"""First plates on measured tables: how well a design stands for all conditions, and what is learnt from it.

    python benchmarks/plates.py [REACTION ...] [--seeds 10] [--write]

For each design: the mean dissimilarity of a condition to the nearest one on the plate (that of ``kmedoids``: 1 along
each parameter that differs, root of the sum); the best yield on the plate as a share of the best of all; and the root
mean square error, in % of yield, of a random forest of scikit-learn that is taught with the plate and asked for all
other conditions. Means over the seeds with their standard errors. ``--write`` writes what is printed to
benchmarks/results.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from measuring import machine
from scipy.spatial.distance import cdist
from sklearn.ensemble import RandomForestRegressor

from rxnopt.agents import build, load
from rxnopt.history import History
from rxnopt.seeds import stream
from rxnopt.simulators import Reaction
from rxnopt.simulators import load as load_reaction
from rxnopt.simulators.grid import Grid

REACTIONS = ["deoxyfluorination", "amidation", "direct_arylation", "suzuki_perera"]
DESIGNS = ["kmedoids", "sobol", "lhs", "random"]
WELLS = (24, 96)
OUT = Path(__file__).with_name("results") / "plates.txt"


def learnt(reaction: Reaction, agent: str, wells: int, seed: int) -> tuple[float, float, float]:
    """Return dissimilarity, best yield as a share, and error of a forest for one plate."""
    grid = Grid(reaction.space)
    built = build(load(agent), reaction, budget=wells, seed=seed)
    X = built.propose(reaction.space, History.empty(reaction.space), wells, stream(seed, "agent", 0))
    rows, y = grid.places(X), reaction.score(reaction.outcome(grid.X))
    features = (reaction.space.to_box(grid.X) + 1.0) / 2.0
    near = cdist(features, features[rows]).min(axis=1).mean() / np.sqrt(2.0)
    known = rows[np.isfinite(y[rows])]
    forest = RandomForestRegressor(200, random_state=seed).fit(features[known], y[known])
    others = np.setdiff1d(np.flatnonzero(np.isfinite(y)), rows)
    error = np.sqrt(np.mean((forest.predict(features[others]) - y[others]) ** 2))
    return float(near), float(np.nanmax(y[rows]) / np.nanmax(y)), float(error)


def lines(name: str, seeds: int) -> Iterator[str]:
    """Yield what is found on one table."""
    reaction = load_reaction(name)
    yield f"{name}: {len(Grid(reaction.space).X):,} conditions, {len(reaction.space)} parameters"
    for wells in WELLS:
        yield f"    {f'{wells} wells':12}{'dissimilarity':18}{'best yield':18}error of a forest, %"
        for agent in DESIGNS:
            found = np.array([learnt(reaction, agent, wells, seed) for seed in range(seeds)])
            mean, error = found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(seeds)
            near, best = (f"{mean[i]:.3f} +- {error[i]:.3f}" for i in (0, 1))
            yield f"    {agent:12}{near:18}{best:18}{mean[2]:.1f} +- {error[2]:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reactions", nargs="*", default=REACTIONS)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    said = ["$ python benchmarks/plates.py", machine("numpy", "scipy", "scikit-learn")]
    print(said[-1])
    for name in args.reactions:
        for line in lines(name, args.seeds):
            said.append(line)
            print(line, flush=True)
    if args.write:
        OUT.write_text("\n".join(said) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
