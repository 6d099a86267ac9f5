"""Make ``profiles.csv``: reference numbers for the control cards, from equations written down a second time.

This script shares no code with rxnopt: every model is plain Python over floats in the units of its source, solved by
SciPy interval by interval (LSODA, relative tolerance 1e-11). Each card is run with its best known profile, the CSV
beside it, and with a saw-tooth of seven intervals that has no merit. The objective of the best profile must reach the
value below to the digits given: each is that of a profile of piecewise constant controls, found and verified elsewhere,
and thus a lower bound of the true optimum. Where one falls short nothing is written.

Run ``python tests/golden/make_profiles.py`` (about ten seconds).
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

ENVS = Path(__file__).parents[2] / "envs"
SOLVER = {"method": "LSODA", "rtol": 1e-11, "atol": 1e-13}
SAW = 7

Slopes = Callable[[Sequence[float], Sequence[float]], list[float]]


def batch_abc(x, u):
    k1, k2 = 4000 * exp(-2500 / u[0]), 6.2e5 * exp(-5000 / u[0])
    return [-k1 * x[0] ** 2, k1 * x[0] ** 2 - k2 * x[1]]


def parallel(x, u):
    return [-(u[0] + u[0] ** 2 / 2) * x[0], u[0] * x[0]]


def catalyst_mixing(x, u):
    first = u[0] * (10 * x[1] - x[0])
    return [first, -first - (1 - u[0]) * x[1]]


def oil_shale(x, u):
    logs, barriers = (8.86, 24.25, 23.67, 18.75, 20.70), (20.3, 37.4, 33.8, 28.2, 31.0)
    k = [exp(a - e * 1000 / 1.9872 / u[0]) for a, e in zip(logs, barriers, strict=True)]
    a, b = x
    return [-k[0] * a - (k[2] + k[3] + k[4]) * a * b, k[0] * a - k[1] * b + k[2] * a * b]


def park_ramirez(x, u):
    p_m, p_t, cells, s, volume = x
    growth = 21.87 * s / ((s + 0.4) * (s + 62.5))
    expression, secretion = s / (0.1 + s) * exp(-5 * s), 4.75 * growth / (0.12 + growth)
    d = u[0] / volume
    return [
        secretion * (p_t - p_m) - d * p_m,
        expression * cells - d * p_t,
        growth * cells - d * cells,
        -7.3 * growth * cells + d * (20 - s),
        u[0],
    ]


def lee_ramirez(x, u):
    volume, cells, s, p, i, f, r, _ = x
    below = 14.35 + s + s * s / 111.5
    growth = s / below * (f + 0.22 * r / (0.22 + i))
    expression, shock = 0.233 * s / below * (0.0005 + i) / (0.022 + i), 0.09 * i / (0.034 + i)
    d = (u[0] + u[1]) / volume
    return [
        u[0] + u[1],
        growth * cells - d * cells,
        100 * u[0] / volume - d * s - growth * cells / 0.51,
        expression * cells - d * p,
        4 * u[1] / volume - d * i,
        -shock * f,
        shock * (1 - r),
        u[1],
    ]


def pyrrole(x, u):
    a, b, c, d, volume = x
    q = u[0] / volume
    return [
        -0.053 * a * b - q * a,
        -0.053 * a * b - 2 * 0.128 * b * b - 0.028 * b - 0.001 * b * c + q * (5 - b),
        0.053 * a * b - 0.001 * b * c - q * c,
        0.128 * b * b - q * d,
        u[0],
    ]


def fogler(x, u):
    a, b, c, temperature, volume = x
    r1 = 1.25 * exp(9500 / 1.987 * (1 / 320 - 1 / temperature)) * a
    r2 = 0.08 * exp(7000 / 1.987 * (1 / 300 - 1 / temperature)) * b
    heat = 35000 * (u[1] - temperature) - 4 * u[0] * 30 * (temperature - 305) + (6500 * r1 - 8000 * r2) * volume
    return [
        -r1 + (4 - a) * u[0] / volume,
        r1 / 2 - r2 - b * u[0] / volume,
        3 * r2 - c * u[0] / volume,
        heat / ((30 * a + 60 * b + 20 * c) * volume + 3500),
        u[0],
    ]


def srinivasan(x, u):
    cells, s, p, volume = x
    growth, d = 0.02 * s / (0.05 + s + s * s / 5), u[0] / volume
    return [
        growth * cells - d * cells,
        -growth * cells / 0.5 - 0.004 * cells / 1.2 + d * (200 - s),
        0.004 * cells - d * p,
        u[0],
    ]


def photobioreactor(x, u):
    cells, n, q = x
    growth = 0.0572 * u[0] / (u[0] + 178.9 + u[0] ** 2 / 447.1) * cells * n / (n + 393.1)
    made = 1.6e-4 * u[0] / (u[0] + 23.51 + u[0] ** 2 / 800) * cells
    return [growth, u[1] - 504.5 * growth, made - 0.281 * q / (n + 16.89)]


def penicillin(x, u):
    cells, p, s, volume = x
    growth = 0.11 * s / (0.006 * cells + s) if s else 0.0
    formation = 0.0055 * s / (1e-4 + s * (1 + 10 * s))
    d = u[0] / 500 / volume
    return [
        growth * cells - d * cells,
        formation * cells - 0.01 * p - d * p,
        -growth * cells / 0.47
        - formation * cells / 1.2
        - 0.029 * cells * s / (1e-4 + s)
        + u[0] / volume * (1 - s / 500),
        u[0] / 500,
    ]


def beyond(value: float, limit: float) -> float:
    return max(0.0, value - limit)


@dataclass(frozen=True)
class Problem:
    """A model, its start and horizon, the box of its controls, its outputs from the end and from peaks of states."""

    slopes: Slopes
    start: tuple[float, ...]
    horizon: float | None
    low: tuple[float, ...]
    high: tuple[float, ...]
    outputs: Callable[[Sequence[float], Sequence[float]], dict[str, float]]
    known: str
    peaks: tuple[int, ...] = ()


def _worth(product: float, more: dict[str, float], penalty: float) -> dict[str, float]:
    return {"product": product, **more, "worth": product - penalty}


PROBLEMS = {
    "dyn_batch_abc": Problem(
        batch_abc, (1, 0), 1, (298,), (398,), lambda x, _: {"product": x[1], "reactant": x[0]}, "0.610776"
    ),
    "dyn_parallel": Problem(
        parallel, (1, 0), 1, (0,), (5,), lambda x, _: {"product": x[1], "reactant": x[0]}, "0.573534"
    ),
    "dyn_catalyst_mixing": Problem(
        catalyst_mixing, (1, 0), 1, (0,), (1,), lambda x, _: {"product": 1 - x[0] - x[1]}, "0.0480557"
    ),
    "dyn_catalyst_mixing_long": Problem(
        catalyst_mixing, (1, 0), 12, (0,), (1,), lambda x, _: {"product": 1 - x[0] - x[1]}, "0.477702"
    ),
    "dyn_oil_shale": Problem(
        oil_shale, (1, 0), None, (698.15, 5), (748.15, 14),
        lambda x, _: {"bitumen": x[1], "kerogen_left": x[0]}, "0.353693",
    ),
    "dyn_park_ramirez": Problem(
        park_ramirez, (0, 0, 1, 5, 1), 15, (0,), (2,),
        lambda x, _: {"product": x[0] * x[4], "cells": x[2], "glucose": x[3]}, "32.574",
    ),
    "dyn_lee_ramirez": Problem(
        lee_ramirez, (1, 0.1, 40, 0, 0, 1, 0, 0), 10, (0, 0), (1, 1),
        lambda x, _: {"product": x[3] * x[0], "profit": x[3] * x[0] - 5 * x[7], "cells": x[1], "nutrient_left": x[2]},
        "6.1482",
    ),
    "dyn_pyrrole_diketene": Problem(
        pyrrole, (0.72, 0.05, 0.08, 0.01, 1), 250, (0,), (2e-3,),
        lambda x, _: _worth(
            x[2] * x[4], {"diketene_left": x[1], "dimer_made": x[3]}, 10 * (beyond(x[1], 0.025) + beyond(x[3], 0.15))
        ),
        "0.508135",
    ),
    "dyn_fogler_13_5": Problem(
        fogler, (1, 0, 0, 290, 100), 0.4, (0, 200), (250, 500),
        lambda x, peak: _worth(
            x[2] * x[4], {"peak_temperature": peak[0]}, 20 * beyond(peak[0], 420) + 5 * beyond(x[4], 200)
        ),
        "240.04", (3,),
    ),
    "dyn_srinivasan_fedbatch": Problem(
        srinivasan, (1, 0.5, 0, 150), 150, (0,), (1,),
        lambda x, peak: _worth(x[2], {"cells": x[0], "peak_cells": peak[0]}, 5 * beyond(peak[0], 3.7)),
        "1.68250", (0,),
    ),
    "dyn_photobioreactor": Problem(
        photobioreactor, (1, 150, 0), 240, (120, 0), (400, 40),
        lambda x, peak: {
            "phycocyanin": x[2], "cells": x[0], "nitrate": x[1], "peak_nitrate": peak[0],
            "worth": x[2] - 0.002 * (beyond(peak[0], 800) + beyond(x[1], 150)),
        },
        "", (1,),
    ),
    "dyn_penicillin": Problem(
        penicillin, (1.5, 0, 0, 7), 132, (0,), (50,),
        lambda x, peak: _worth(
            x[1] * x[3], {"cells": x[0], "peak_cells": peak[0], "peak_glucose": peak[1]},
            5 * (beyond(peak[0], 40) + beyond(peak[1], 25)) + 100 * beyond(x[3], 10),
        ),
        "87.166", (0, 2),
    ),
}  # fmt: skip


def saw(problem: Problem) -> np.ndarray:
    """Return a profile (7, c) that goes up and down through the inner 80 % of the box, each control at its own pace."""
    low, high = np.array(problem.low, float), np.array(problem.high, float)
    k, j = np.arange(SAW)[:, None], np.arange(len(low))[None, :]
    place = 0.1 + 0.8 * ((3 + j) * (k + 1) % 7) / 6
    return low + (high - low) * place


def best(name: str) -> np.ndarray:
    """Return the profile (intervals, c) beside the card."""
    return np.loadtxt(ENVS / f"{name}.csv", delimiter=",", skiprows=1, ndmin=2)


def run(problem: Problem, profile: np.ndarray) -> dict[str, float]:
    """Solve interval by interval; a peak is the largest of the ends of intervals and of the points of zero slope."""
    x, peak = np.array(problem.start, float), [problem.start[i] for i in problem.peaks]
    for u in profile:
        span = (problem.horizon if problem.horizon is not None else u[-1]) / len(profile)
        turns = [lambda _, x, i=i, u=u: problem.slopes(x, u)[i] for i in problem.peaks]
        step = {"max_step": span / 20} if turns else {}
        solved = solve_ivp(lambda _, x, u=u: problem.slopes(x, u), (0, span), x, events=turns or None, **SOLVER, **step)
        if not solved.success:
            raise SystemExit(f"{problem.slopes.__name__}: {solved.message}; nothing written")
        x = solved.y[:, -1]
        for j, i in enumerate(problem.peaks):
            peak[j] = max([peak[j], x[i], *(y[i] for y in solved.y_events[j])])
    return problem.outputs(x, peak)


def objective(found: dict[str, float]) -> float:
    """Return the output that is made large: the last one of those with penalties, else the first."""
    return found["worth"] if "worth" in found else next(iter(found.values()))


def main(place: Path) -> None:
    """Run every card, compare, write."""
    rows = []
    for name, problem in PROBLEMS.items():
        for kind, profile in (("best", best(name)), ("saw", saw(problem))):
            found = run(problem, profile)
            if kind == "best" and problem.known:
                digits = len(problem.known.split(".")[1])
                if round(objective(found), digits) < float(problem.known):
                    raise SystemExit(f"{name}: {objective(found):.12g} here, {problem.known} known; nothing written")
            text = ";".join(" ".join(f"{x:.12g}" for x in u) for u in profile) if kind == "saw" else ""
            rows += [[name, kind, text, output, f"{value:.12g}", problem.known] for output, value in found.items()]
    with place.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["card", "kind", "profile", "output", "value", "known"])
        writer.writerows(rows)
    sys.stdout.write(f"{len(rows)} rows written to {place}\n")


if __name__ == "__main__":
    main(Path(__file__).with_name("profiles.csv"))
