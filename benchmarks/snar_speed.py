"""Experiments per second of the SNAr card against SciPy, at the same accuracy, in one run, both on one core.

    python benchmarks/snar_speed.py

Accuracy is the largest relative error of yield, space-time yield and E-factor over random conditions, against DOP853 at
rtol 1e-12. SciPy gets LSODA at the loosest tolerance (of three for each decade) that keeps this within 1e-6, and a
right-hand side in plain Python floats, which is faster here than small NumPy arrays. The times are processor times, so
that other work on the machine counts as little as it can.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
from measuring import machine, rate, seconds
from scipy.integrate import solve_ivp

from rxnopt.kinetics.kernel import DEFAULT_RTOL
from rxnopt.seeds import stream
from rxnopt.simulators import load
from rxnopt.simulators.ode import OdeSimulator
from rxnopt.units import unit

ACCURACY, BATCH, CHECKED = 1e-6, 100_000, 200
OUTPUTS = ("yield", "space_time_yield", "e_factor")


def slopes(temperature: float) -> Callable[[float, list[float]], list[float]]:
    """SNAr in mol/L and min (Hone et al. 2017, 10.1039/C6RE00109B)."""
    pairs = ((57.9, 33.3), (2.70, 35.3), (0.865, 38.9), (1.63, 44.8))
    ka, kb, kc, kd = (
        0.6 * k * math.exp(-e * 1e3 / 8.314 * (1 / (temperature + 273.15) - 1 / 363.15)) for k, e in pairs
    )

    def f(_: float, c: list[float]) -> list[float]:
        c1, c2, c3, c4, _c5 = c
        ra, rb, rc, rd = ka * c1 * c2, kb * c1 * c2, kc * c2 * c3, kd * c2 * c4
        return [-ra - rb, -ra - rb - rc - rd, ra - rc, rb - rd, rc + rd]

    return f


def by_scipy(points: np.ndarray, method: str, rtol: float) -> np.ndarray:
    """Return the outputs (n, 3) of conditions (n, 4)."""
    found = []
    for tau, equivalents, c, temperature in points.tolist():
        start = [c, equivalents * c, 0.0, 0.0, 0.0]
        y = solve_ivp(slopes(temperature), (0, tau), start, method, [tau], rtol=rtol, atol=rtol * 1e-3 * c).y[:, -1]
        rest = 789 + 159.09 * y[0] + 71.12 * y[1] + 210.21 * y[3] + 261.33 * y[4]
        found.append([100 * y[2] / c, 60 * 210.21 * y[2] / tau, rest / (210.21 * y[2])])
    return np.array(found)


def error(found: np.ndarray, exact: np.ndarray) -> float:
    return float(np.max(np.abs(found / exact - 1)))


def main() -> None:
    print(machine("numba", "numpy", "scipy"))
    reaction = load("snar")
    points = reaction.space.sample(BATCH, stream(0, "speed"))
    some = points[:CHECKED]
    exact = by_scipy(some, "DOP853", 1e-12)
    rtol = next(
        r for r in (10 ** (-p / 3) for p in range(12, 36)) if error(by_scipy(some, "LSODA", r), exact) <= ACCURACY
    )
    peer = seconds(lambda: by_scipy(some, "LSODA", rtol), 15, time.process_time)
    print(
        f"SciPy LSODA, rtol {rtol:.1e}, error {error(by_scipy(some, 'LSODA', rtol), exact):.1e}: {rate(CHECKED, peer)}"
    )
    simulator = reaction.simulator
    if not isinstance(simulator, OdeSimulator):
        raise TypeError(simulator)
    inputs = simulator.inputs(points)

    def own_error(rtol: float) -> float:
        si = simulator.kernel(inputs[:CHECKED], rtol=rtol).outputs
        found = [unit(reaction.units[name]).from_si(si[:, reaction.outputs.index(name)]) for name in OUTPUTS]
        return error(np.stack(found, axis=1), exact)

    loosest = next(r for r in (10 ** (-p / 3) for p in range(9, 36)) if own_error(r) <= ACCURACY)
    for what, own_rtol in (("the default", DEFAULT_RTOL), ("the loosest that keeps 1e-6", loosest)):
        mine = seconds(lambda r=own_rtol: simulator.kernel(inputs, rtol=r, threads=1), 15, time.process_time)
        print(f"rxnopt, batches of {BATCH:,}, {what}, rtol {own_rtol:.1e}, error {own_error(own_rtol):.1e}: ", end="")
        print(f"{rate(BATCH, mine)}; ratio of medians, one core each: {BATCH / mine[1] / (CHECKED / peer[1]):,.0f}")
    whole = seconds(lambda: reaction.outcome(points), 15)
    print(f"rxnopt, checks and conversions included, all cores, wall time: {rate(BATCH, whole)}")
    one = seconds(lambda: [reaction.outcome(points[:1]) for _ in range(1000)], 15)
    print(f"rxnopt, one experiment a call: {one[1] * 1e3:.1f} microseconds [{one[0] * 1e3:.1f} to {one[2] * 1e3:.1f}]")


if __name__ == "__main__":
    main()
