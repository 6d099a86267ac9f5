"""Find the best known optimum of reaction cards: global search from several seeds, then a local polish.

    python benchmarks/optima.py [NAME ...] [--write]

prints for each reaction the optimum, which parameters lie on a bound, and the share of random points within 95 % of the
way from the median random point to the optimum (high is easy). ``--write`` puts the optimum into the card.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from measuring import put_optimum
from scipy.optimize import minimize

from rxnopt.catalogue import has_field, names
from rxnopt.seeds import stream
from rxnopt.simulators import Reaction, load
from rxnopt.simulators.search import find_optimum
from rxnopt.space import Array

SEEDS, RANDOM_POINTS, TOP = 4, 100_000, 8
NOTE = "global search from four seeds with local polish, benchmarks/optima.py"


def best_conditions(reaction: Reaction) -> Array:
    """Return the best point found, X (1, d)."""
    found = [reaction.space.to_array(find_optimum(reaction, seed).conditions) for seed in range(SEEDS)]
    tried = reaction.space.sample(RANDOM_POINTS, stream(1, "random"))
    outcome = reaction.outcome(tried)
    scores = np.where(reaction.within_limits(outcome), reaction.score(outcome), -np.inf)
    found += [tried[[i]] for i in np.argsort(-scores)[:TOP]]  # narrow peaks escape a global search
    X = np.concatenate([*found, *(polished(reaction, x) for x in found)])
    scores = reaction.score(reaction.outcome(X))
    return X[[int(np.nanargmax(scores))]]


def polished(reaction: Reaction, x: Array) -> Array:
    """Nelder-Mead over the continuous parameters, discrete ones held."""
    space = reaction.space
    free = np.array([not p.discrete for p in space])
    start = space.to_unit(x)[0]

    def place(u: Array) -> Array:
        point = start.copy()
        point[free] = np.clip(u, 0.0, 1.0)
        return np.where(free, space.from_unit(point[None, :]), x)

    def loss(u: Array) -> float:
        return -float(np.nan_to_num(reaction.score(reaction.outcome(place(u)))[0], nan=-1e300))

    options = {"xatol": 1e-9, "fatol": 1e-12, "maxfev": 20_000}
    result = minimize(loss, start[free], method="Nelder-Mead", options=options)
    return place(result.x)


def rounded(reaction: Reaction, x: Array) -> dict[str, float | int | str]:
    """Return conditions with seven significant digits (they stay within the bounds)."""
    conditions = reaction.space.to_dicts(x)[0]
    return {k: float(f"{v:.7g}") if isinstance(v, float) else v for k, v in conditions.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="condition cards; all if left out")
    parser.add_argument("--write", action="store_true", help="put the optimum into the card")
    arguments = parser.parse_args()
    for name in arguments.names or [name for name in names("envs") if not has_field("envs", name, "control")]:
        reaction = load(name)
        x = best_conditions(reaction)
        conditions = rounded(reaction, x)
        value = reaction.simulate(conditions)[reaction.objective]
        scores = reaction.score(reaction.outcome(reaction.space.sample(RANDOM_POINTS, stream(0, "random"))))
        top = reaction.card.objective.sign * value
        share = np.mean(scores >= top - 0.05 * (top - np.nanmedian(scores)))
        unit = reaction.space.to_unit(x)[0]
        bound = [p.name for p, u in zip(reaction.space, unit, strict=True) if not p.discrete and min(u, 1 - u) < 1e-4]
        print(f"{name}: {value:.9g} {reaction.units[reaction.objective]} at {conditions}")
        print(f"    on a bound: {', '.join(bound) or 'none'}; random points within 95 %: {share:.2%}")
        print(f"    best of {RANDOM_POINTS} random points: {np.nanmax(scores):.7g}")
        print(f"    failed: {np.mean(np.isnan(scores)):.2%}")
        if arguments.write:
            inner = ", ".join(f"{k}: {v}" for k, v in conditions.items())
            card = Path(__file__).parents[1] / "envs" / f"{name}.yaml"
            put_optimum(card, value, f"conditions: {{{inner}}}", NOTE)


if __name__ == "__main__":
    main()
