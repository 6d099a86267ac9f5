"""Find the best known profile of control cards: global search at few intervals, then gradients at more and more.

    python benchmarks/profiles.py [NAME ...] [--write]

CMA-ES (Hansen, arXiv:1604.00772) searches profiles of few intervals from several seeds, in turn over the whole box
and around the best constant controls. SLSQP (Kraft 1988, as in SciPy) polishes each, with central differences that are
one batch of runs, splits the intervals and polishes again, up to the number of intervals below. Limits on the way are
there a constraint on the peak of every interval. ``--write`` puts the profile beside the card and its value into it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cmaes import CMA
from measuring import put_optimum
from scipy.optimize import minimize

from rxnopt.catalogue import names
from rxnopt.simulators import Reaction, load
from rxnopt.simulators.profile import ProfileSimulator
from rxnopt.space import Array

ENVS = Path(__file__).parents[1] / "envs"
NOTE = "CMA-ES from several seeds, then SLSQP with intervals split again and again, benchmarks/profiles.py"
STEP, EXACT = 1e-4, 1e-11
SEEDS, GENERATIONS, ROUNDS = 6, 250, 5


@dataclass(frozen=True)
class Problem:
    """How a card is searched: first and last number of intervals, the output without penalties, and limits.

    ``limits``: output, largest value, and whether it holds in every interval or only at the end.
    """

    first: int
    last: int
    output: str = ""
    limits: tuple[tuple[str, float, bool], ...] = ()


PROBLEMS = {
    "dyn_batch_abc": Problem(5, 80),
    "dyn_parallel": Problem(25, 100),
    "dyn_catalyst_mixing": Problem(10, 160),
    "dyn_catalyst_mixing_long": Problem(10, 160),
    "dyn_oil_shale": Problem(5, 80),
    "dyn_park_ramirez": Problem(15, 60),
    "dyn_lee_ramirez": Problem(10, 40),
    "dyn_pyrrole_diketene": Problem(
        25, 100, "product", (("diketene_left", 0.025, False), ("dimer_made", 0.15, False))
    ),
    "dyn_fogler_13_5": Problem(
        10, 40, "product", (("peak_temperature", 420.0, True), ("volume", 200.0, False))
    ),
    "dyn_srinivasan_fedbatch": Problem(15, 30, "product", (("peak_cells", 3.7, True),)),
    "dyn_photobioreactor": Problem(
        12, 48, "phycocyanin", (("peak_nitrate", 800.0, True), ("nitrate", 150.0, False))
    ),
    "dyn_penicillin": Problem(
        11, 44, "product", (("peak_cells", 40.0, True), ("peak_glucose", 25.0, True), ("end_volume", 10.0, False)),
    ),
}  # fmt: skip


class Rollout:
    """Outputs of profiles ``Z`` (n, intervals c) in the unit cube at the end of every interval: (n, intervals, m).

    Peaks are those of each interval for itself, and not those of the run so far: the objective with its penalties is
    none here.
    """

    def __init__(self, reaction: Reaction, rtol: float) -> None:
        simulator = reaction.simulator
        self.reaction, self.space = reaction, reaction.space
        self.simulator = ProfileSimulator(reaction.card, simulator.source, simulator.intervals, rtol)

    def __call__(self, Z: Array) -> Array:
        U = self.space.from_unit(np.clip(Z, 0.0, 1.0)).reshape(len(Z), self.simulator.intervals, -1)
        stage, found = self.simulator.begin(len(Z)), []
        for k in range(self.simulator.intervals):
            if self.reaction.card.model.path:
                stage.carried[:, -len(self.reaction.card.model.path) :] = -1e300
            stage = self.simulator.advance(stage, U[:, k])
            found.append(stage.outcome.values)
        return np.stack(found, axis=1)


def coarse(reaction: Reaction, seed: int, mean: Array, sigma: float) -> Array:
    """Return the best profile of CMA-ES on the objective, penalties and all."""
    d = len(reaction.space)
    optimizer = CMA(mean=mean, sigma=sigma, bounds=np.tile([0.0, 1.0], (d, 1)), seed=seed, population_size=64)
    best, value = mean, -np.inf
    for _ in range(GENERATIONS):
        Z = np.array([optimizer.ask() for _ in range(64)])
        score = np.nan_to_num(reaction.score(reaction.outcome(reaction.space.from_unit(Z))), nan=-1e9)
        optimizer.tell([(z, -s) for z, s in zip(Z, score.tolist(), strict=True)])
        if score.max() > value:
            best, value = Z[int(np.argmax(score))], float(score.max())
        if optimizer.should_stop():
            break
    return best


def polished(reaction: Reaction, problem: Problem, z: Array) -> Array:
    """SLSQP from ``z``; the margin below limits grows until the rounded profile keeps them."""
    rollout, outputs = Rollout(reaction, EXACT), reaction.outputs
    goal = outputs.index(problem.output or reaction.objective)
    scale = max(1e-3, abs(float(rollout(z[None])[0, -1, goal])))
    memory: dict[bytes, tuple[Array, Array]] = {}

    def both(z: Array) -> tuple[Array, Array]:
        """Return outputs (intervals, m) and their derivatives (d, intervals, m)."""
        if z.tobytes() not in memory:
            memory.clear()
            moves = STEP * np.eye(len(z))
            up, down = np.clip(z + moves, 0.0, 1.0), np.clip(z - moves, 0.0, 1.0)
            values = rollout(np.concatenate([z[None], up, down]))
            span = np.diagonal(up - down)
            memory[z.tobytes()] = values[0], (values[1 : len(z) + 1] - values[len(z) + 1 :]) / span[:, None, None]
        return memory[z.tobytes()]

    def room(values: Array, margin: float) -> Array:
        parts = []
        for name, limit, always in problem.limits:
            column = values[:, outputs.index(name)] if always else values[-1:, outputs.index(name)]
            parts.append(1.0 - margin - column / limit)
        return np.concatenate(parts)

    def slopes(derivatives: Array) -> Array:
        parts = []
        for name, limit, always in problem.limits:
            columns = derivatives[:, :, outputs.index(name)]
            parts.append(-(columns if always else columns[:, -1:]) / limit)
        return np.concatenate(parts, axis=1).T

    margin, best = 0.0, z
    for _ in range(ROUNDS):
        constraints = [
            {"type": "ineq", "fun": lambda z, m=margin: room(both(z)[0], m), "jac": lambda z: slopes(both(z)[1])}
        ] if problem.limits else []  # fmt: skip
        found = minimize(
            lambda z: -both(z)[0][-1, goal] / scale, best, jac=lambda z: -both(z)[1][:, -1, goal] / scale,
            method="SLSQP", bounds=[(0.0, 1.0)] * len(z), constraints=constraints,
            options={"maxiter": 400, "ftol": 1e-13},
        )  # fmt: skip
        best = np.clip(found.x, 0.0, 1.0)
        passed = excess(reaction, reaction.outcome(rounded(reaction, best)).values[0])
        if passed <= 0.0:
            break
        margin += 1.02 * passed + 1e-9
    return best


def excess(reaction: Reaction, values: Array) -> float:
    """Return by how much the worst limit of the card is passed, as a share of it."""
    limits = {name: limit.high for name, limit in reaction.card.limits.items() if limit.high is not None}
    return max((values[reaction.outputs.index(name)] / high - 1.0 for name, high in limits.items()), default=0.0)


def refined(name: str, problem: Problem, seed: int) -> tuple[float, Reaction, Array]:
    """Return score, reaction and profile (unit cube) after the last splitting."""
    n, reaction = problem.first, load(name, intervals=problem.first)
    if seed % 2:  # around the best constant controls
        mean = np.tile(reaction.space.controls.to_unit(constant(name))[0], n)
        z = coarse(reaction, seed, mean, 0.03)
    else:
        z = coarse(reaction, seed, np.full(len(reaction.space), 0.5), 0.3)
    while True:
        z = polished(reaction, problem, z)
        score = score_of(reaction, z)
        print(f"    {name} seed {seed}: {n} intervals, score {score:.9g}", flush=True)
        if n >= problem.last:
            return score, reaction, z
        z = np.repeat(z.reshape(n, -1), 2, axis=0).ravel()
        n *= 2
        reaction = load(name, intervals=n)


def score_of(reaction: Reaction, z: Array) -> float:
    return float(np.nan_to_num(reaction.score(reaction.outcome(rounded(reaction, z)))[0], nan=-np.inf))


def rounded(reaction: Reaction, z: Array) -> Array:
    """Return the profile X (1, d) with ten significant digits."""
    X = reaction.space.from_unit(z[None])
    return np.array([[float(f"{x:.10g}") for x in X[0]]])


def constant(name: str) -> Array:
    """Return the best constant controls X (1, c), found by CMA-ES."""
    single = load(name, intervals=1)
    found = (coarse(single, seed, np.full(len(single.space), 0.5), 0.3) for seed in range(3))
    return rounded(single, max(found, key=lambda z: score_of(single, z)))


def write(reaction: Reaction, value: float, X: Array) -> None:
    """Put the profile beside the card and its value into the card."""
    controls = list(reaction.card.parameters)
    lines = [",".join(controls)]
    lines += [",".join(f"{x:.10g}" for x in row) for row in X.reshape(-1, len(controls))]
    (ENVS / f"{reaction.name}.csv").write_text("\n".join(lines) + "\n")
    put_optimum(ENVS / f"{reaction.name}.yaml", value, f"profile: {reaction.name}.csv", NOTE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="control cards; all if left out")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="starts of the search")
    parser.add_argument("--write", action="store_true", help="put profile and optimum into the catalogue")
    arguments = parser.parse_args()
    for name in arguments.names or [name for name in names("envs") if name in PROBLEMS]:
        found = [refined(name, PROBLEMS[name], seed) for seed in range(arguments.seeds)]
        score, reaction, z = max(found, key=lambda each: each[0])
        X, flat = rounded(reaction, z), constant(name)
        outcome, single = reaction.outcome(X), load(name, intervals=1)
        shown = ", ".join(f"{k} {v:.7g}" for k, v in zip(reaction.outputs, outcome.values[0], strict=True))
        print(f"{name}: {score:.9g} with {reaction.simulator.intervals} intervals; {shown}")
        print(f"    within limits: {bool(reaction.within_limits(outcome)[0])};", end=" ")
        print(f"best constant {single.score(single.outcome(flat))[0]:.7g} at {single.space.to_dicts(flat)[0]}")
        if arguments.write:
            write(reaction, reaction.card.objective.sign * score, X)


if __name__ == "__main__":
    main()
