"""Do the intervals of ``rxnopt fit`` have their level? Known constants, synthetic data with errors, many repetitions.

    python benchmarks/fit.py [--repetitions 400]

prints for each constant of three cards how often its 95 % interval held the truth, how often its 80 % interval did, and
the standard error. The truth is not the card: it is drawn from its uncertainty, so that the fit starts elsewhere.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measuring import machine
from scipy.stats import binom, t

from rxnopt.cards import ReactionCard, load_card
from rxnopt.fitting.constants import fitted
from rxnopt.fitting.data import Measured, measured
from rxnopt.fitting.result import Fit
from rxnopt.fitting.solve import solve
from rxnopt.seeds import stream
from rxnopt.sheet import read_sheet
from rxnopt.simulators import load

LEVELS = (0.95, 0.80)


@dataclass(frozen=True)
class Case:
    """A card, what is measured, its error as a share of the largest value, and the design of the experiments."""

    card: str
    measured: tuple[str, ...]
    error: float
    experiments: int
    times: tuple[float, ...] = ()
    spread: float = 0.3


CASES = (
    Case("snar", ("DFNB", "ortho", "para", "bis"), 0.01, 32),
    Case("lactose", ("yield", "side_yield"), 0.01, 32),
    Case("biodiesel", ("triglyceride", "diglyceride", "monoglyceride", "ester", "glycerol"), 0.01, 8,
         (5.0, 10.0, 20.0, 40.0, 80.0, 120.0)),
)  # fmt: skip


def design(case: Case) -> np.ndarray:
    """Return conditions: a Sobol design of end points, or of runs that are sampled at some times."""
    from scipy.stats import qmc

    space = load(case.card).space
    X = space.from_unit(qmc.Sobol(len(space), rng=stream(0, "design")).random(case.experiments))
    if case.times:
        X = np.repeat(X, len(case.times), axis=0)
        X[:, space.names.index("reaction_time")] = np.tile(case.times, case.experiments)
    return X


def table(case: Case, X: np.ndarray) -> Measured:
    """Return the experiments as read from a file, with numbers that are replaced below."""
    frame = load(case.card).space.to_frame(X)
    frame = frame.assign(**dict.fromkeys(case.measured, 10.0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        frame.to_csv(path, index=False)
        card, source = load_card("envs", case.card, ReactionCard)
        return measured(read_sheet(path), card, source)


def run(case: Case, repetitions: int) -> None:
    card, source = load_card("envs", case.card, ReactionCard)
    empty = table(case, design(case))
    constants = fitted(empty.card, source, None, empty.X)
    low, high = constants.bounds
    hits = np.zeros((len(LEVELS), repetitions, len(constants.names)))
    errors, seconds = [], []
    for i in range(repetitions):
        rng = stream(i, case.card)
        shift = case.spread * rng.uniform(-1, 1, len(constants.names)) * np.where(constants.log, 1.0, 3.0)
        truth = np.clip(shift, low, high)
        exact = constants.simulate(empty.X, truth[None]).values[:, empty.columns]
        Y = exact + case.error * exact.max(axis=0) * rng.standard_normal(exact.shape)
        start = time.perf_counter()
        data = Measured(empty.sheet, empty.card, empty.X, Y, empty.outputs, ())
        found = Fit(card, source, solve(constants, data, {}), 0.95)
        seconds.append(time.perf_counter() - start)
        errors.append(found.errors)
        for j, level in enumerate(LEVELS):
            reach = t.ppf(0.5 + level / 2, found.solution.freedom) * found.errors
            hits[j, i] = np.abs(found.solution.theta - truth) < reach
    tell(case, constants.labels, constants.log, hits, np.median(errors, axis=0), empty, seconds)


def tell(case, labels, log, hits, errors, data, seconds) -> None:
    repetitions = hits.shape[1]
    kind = f"{case.experiments} runs sampled at {len(case.times)} times" if case.times else f"{len(data.X)} end points"
    print(
        f"\n{case.card}: {kind} of {', '.join(case.measured)}; errors {case.error:.0%} of the largest value; "
        f"{len(labels)} constants; {repetitions} repetitions; {np.median(seconds):.2f} s a fit"
    )
    ends = [binom.interval(0.95, repetitions, level) for level in LEVELS]
    print("    95 % of such shares lie within " + ", ".join(
        f"{100 * low / repetitions:.1f} to {100 * high / repetitions:.1f} % at {level:.0%}"
        for level, (low, high) in zip(LEVELS, ends, strict=True)
    ))  # fmt: skip
    print(f"    {'constant':<26}{'95 %':>8}{'80 %':>8}   standard error (median)")
    for i, (name, _) in enumerate(labels):
        size = f"{100 * errors[i]:.2g} %" if log[i] else f"{errors[i]:.2g} R T"
        print(f"    {name:<26}" + "".join(f"{100 * hits[j, :, i].mean():7.1f} " for j in range(2)) + f"   {size}")
    print(f"    {'all':<26}" + "".join(f"{100 * hits[j].mean():7.1f} " for j in range(2)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=400)
    arguments = parser.parse_args()
    print(machine("numpy", "scipy"))
    for case in CASES:
        run(case, arguments.repetitions)


if __name__ == "__main__":
    main()
