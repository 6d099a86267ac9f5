"""Experiments per second of the compiled SNAr kernel against SciPy, at the same accuracy, in one run on one core.

Reference: DOP853 at rtol 1e-12. SciPy gets its LSODA with the loosest tolerance (of three for each decade) that
keeps every output within a relative error of 1e-6, and a right-hand side in plain Python floats, which is faster
here than small NumPy arrays. Run: python benchmarks/snar_speed.py
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

from rxnopt.kinetics import compile_kernel

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "kinetics"))
LOW, HIGH = np.array([30.0, 1.0, 100.0, 303.15]), np.array([120.0, 5.0, 500.0, 393.15])
ACCURACY = 1e-6
TRACE = 1e-4
"""An amount below this share of the feed is measured against this share: used-up feed has no meaningful digits."""
POINTS, CHECKED, REPEATS = 20_000, 100, 15


def slopes(temp: float) -> Callable[[float, list[float]], list[float]]:
    pairs = ((57.9, 33.3), (2.70, 35.3), (0.865, 38.9), (1.63, 44.8))
    ka, kb, kc, kd = (k * 1e-5 * math.exp(-e * 1e3 / 8.314 * (1 / temp - 1 / 363.15)) for k, e in pairs)

    def f(_: float, c: list[float]) -> list[float]:
        c1, c2, c3, c4, _c5 = c
        ra, rb, rc, rd = ka * c1 * c2, kb * c1 * c2, kc * c2 * c3, kd * c2 * c4
        return [-ra - rb, -ra - rb - rc - rd, ra - rc, rb - rd, rc + rd]

    return f


def scipy_solve(points: np.ndarray, method: str, rtol: float) -> np.ndarray:
    return np.array(
        [
            solve_ivp(
                slopes(temp), (0, tau), [conc, eq * conc, 0, 0, 0], method, [tau], rtol=rtol, atol=rtol * 1e-3 * conc
            ).y[:, -1]
            for tau, eq, conc, temp in points
        ]
    )


def error(found: np.ndarray, exact: np.ndarray, points: np.ndarray) -> float:
    return float(np.max(np.abs(found - exact) / np.maximum(exact, TRACE * points[:, 2:3])))


def best_of(repeats: int, call: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Shortest time of a call; processor time, so that other work on the machine counts as little as it can."""
    times = []
    for _ in range(repeats):
        start = clock()
        call()
        times.append(clock() - start)
    return min(times)


def main() -> None:
    from kinetics_toys import snar

    start = time.process_time()
    kernel = compile_kernel("benchmark-snar", snar)
    print(f"kernel ready after {time.process_time() - start:.2f} s")
    points = np.random.default_rng(0).uniform(LOW, HIGH, (POINTS, 4))
    some = points[:CHECKED]
    exact = scipy_solve(some, "DOP853", 1e-12)
    for rtol in (10 ** (-power / 3) for power in range(12, 36)):
        scipy_error = error(scipy_solve(some, "LSODA", rtol), exact, some)
        if scipy_error <= ACCURACY:
            break
    scipy_time = best_of(REPEATS, lambda: scipy_solve(some, "LSODA", rtol)) / CHECKED
    print(f"SciPy LSODA   rtol {rtol:.1e}  error {scipy_error:.1e}  {1 / scipy_time:12,.0f} experiments/s")
    kernel_error = error(kernel(some).outputs, exact, some)
    kernel_time = best_of(REPEATS, lambda: kernel(points, threads=1)) / POINTS
    steps = kernel(points).steps.mean()
    print(
        f"kernel, 1 core  default rtol  error {kernel_error:.1e}  {1 / kernel_time:12,.0f} experiments/s"
        f"  ({steps:.1f} steps each)"
    )
    print(f"ratio {scipy_time / kernel_time:,.0f}")
    every = best_of(REPEATS, lambda: kernel(points), time.perf_counter) / POINTS
    print(f"kernel, all threads  {1 / every:,.0f} experiments/s of wall time")
    single = best_of(REPEATS, lambda: [kernel(points[:1]) for _ in range(1000)]) / 1000
    print(f"kernel, batch of 1  {single * 1e6:.1f} microseconds a call")


if __name__ == "__main__":
    main()
