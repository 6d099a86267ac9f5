"""Experiments per second of every reaction card against SciPy's LSODA, at the same accuracy, both on one core.

    python benchmarks/reactions.py [CARD ...] [--summit PYTHON] [--millions N]

Accuracy is the largest error of an output over random conditions, as a share of the largest value of that output,
against LSODA at rtol 1e-11. Both sides get the loosest tolerance (of two for each decade) that keeps it within 1e-6;
the kernels are also timed at their default. LSODA gets the equations of the card in plain Python floats: what depends
on the conditions alone is computed beforehand, common parts are shared, an event of the card is an event of solve_ivp,
and a switch time ends a call. Extremes on the way are asked of the kernels alone. A steady state is the end of a run
of 1e7 s, tank after tank. An experiment that LSODA cannot do within 20,000 slopes at the tightest tolerance (it may
sit on a switch) is left out on both sides of the comparison of errors and times. Times are processor times: other work
on the machine counts as little as it can. ``--summit`` names a Python with Summit installed, which runs its SnAr and
MIT cases on one core. ``--millions`` runs so many million experiments of the SnAr card in one call and shows time and
memory.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import time
import tracemalloc
from collections.abc import Callable, Sequence
from math import inf, isfinite

import numpy as np
import sympy as sp
from measuring import machine, rate, seconds
from scipy.integrate import solve_ivp
from sympy.core.relational import Relational

from rxnopt.catalogue import names
from rxnopt.kinetics import OdeSystem
from rxnopt.kinetics.codegen.symbols import Hoist
from rxnopt.kinetics.kernel import DEFAULT_RTOL
from rxnopt.seeds import stream
from rxnopt.simulators import load
from rxnopt.simulators.ode import OdeSimulator
from rxnopt.simulators.profile import ProfileSimulator
from rxnopt.space import Array

ACCURACY, BATCH, CHECKED, FOREVER = 1e-6, 20_000, 40, 1e7
MOST_SLOPES = 20_000
TOLERANCES = [10 ** (-p / 2) for p in range(6, 22)]

SUMMIT = """
import time
import tracemalloc
import numpy as np
from summit.benchmarks import {name}
from summit.utils.dataset import DataSet
from summit.strategies import Random
problem = {name}()
conditions = Random(problem.domain, random_state=np.random.RandomState(0)).suggest_experiments({count})
start = time.process_time()
problem.run_experiments(conditions)
print({count} / (time.process_time() - start))
"""


class TooLongError(Exception):
    """LSODA has taken more slopes than anyone would wait for."""


class Equations:
    """A card as Python functions: what depends on the conditions alone is computed before the integration."""

    def __init__(self, system: OdeSystem) -> None:
        self.system, self.kinds = system, np.array(system.nonnegative)
        hoist = Hoist({system.time, *system.states, *system.inlets})
        slopes = [hoist.hoist(f) for f in system.derivatives]
        margin = [] if system.until is None else [hoist.hoist(system.until)]
        arguments = [system.time, system.states, system.inlets, hoist.symbols]
        self.slopes = _python(arguments, slopes)
        self.margin = _python(arguments, margin) if margin else None
        values = list(hoist.values)
        for _ in values:  # constants may hold constants
            values = [value.xreplace(dict(zip(hoist.symbols, hoist.values, strict=True))) for value in values]
        self.constants = _python([system.inputs], values)
        extents = [system.duration or sp.S.Zero, system.tanks or sp.S.One, *_breaks(system)]
        self.extents = _python([system.inputs], extents)
        self.start = _python([system.inputs], system.initial)
        extremes = {path.symbol for path in system.paths}
        plain = [value for value in system.outputs if not value.free_symbols & extremes]
        self.count = len(plain)
        self.outputs = _python([system.inputs, system.time, system.states], plain)


class Peer:
    """One experiment as a Python user would give it to solve_ivp."""

    def __init__(self, equations: Equations, u: Sequence[float]) -> None:
        self.equations, self.system, self.u = equations, equations.system, u
        self.start, self.constants = equations.start(u), equations.constants(u)
        self.duration, tanks, *breaks = equations.extents(u)
        self.tanks = max(1, round(tanks))
        self.stops = [*sorted(t for t in breaks if 0 < t < self.duration), self.duration]

    def __call__(self, rtol: float) -> list[float]:
        """Return the outputs that are no extremes, in SI."""
        y, t, self.slopes = self.start, 0.0, 0
        if self.system.duration is None:
            for _ in range(self.tanks):
                y = self._run(y, 0.0, FOREVER, rtol, y).y[:, -1].tolist()
            return self.equations.outputs(self.u, 0.0, y)
        for stop in self.stops:
            solved = self._run(y, t, stop, rtol, ())
            t, y = solved.t[-1], solved.y[:, -1].tolist()
            if solved.status == 1:
                break
        return self.equations.outputs(self.u, t, y)

    def _run(self, y: Sequence[float], t: float, stop: float, rtol: float, inlets: Sequence[float]):
        slopes, margin, constants = self.equations.slopes, self.equations.margin, self.constants
        fed, kinds = inlets if self.system.inlets else (), self.equations.kinds
        sizes = np.abs(self.start)
        largest = np.array([sizes[kinds == kind].max() or sizes.max() or 1.0 for kind in kinds])
        events = None

        def rates(s: float, x: Array) -> list[float]:
            self.slopes += 1
            if self.slopes > MOST_SLOPES:
                raise TooLongError
            return slopes(s, x.tolist(), fed, constants)

        if margin is not None:

            def events(s, x):
                return margin(s, x, fed, constants)[0]

            events.terminal, events.direction = True, -1.0
        return solve_ivp(
            rates, (t, stop), y, "LSODA",
            rtol=rtol, atol=rtol * 1e-3 * np.where(sizes > 0, sizes, largest), events=events,
        )  # fmt: skip


def _python(arguments: list[object], expressions: Sequence[sp.Expr]) -> Callable[..., list[float]]:
    """Python function of lists of floats, common parts shared."""
    return sp.lambdify(arguments, list(expressions), modules="math", cse=True)


def attempt(peer: Peer, rtol: float) -> list[float]:
    """Outputs, or infinite ones where LSODA does not get to the end."""
    try:
        return peer(rtol)
    except TooLongError:
        return [inf] * peer.equations.count


def error(found: Array, exact: Array) -> float:
    scale = np.nanmax(np.abs(exact), axis=0)
    return float(np.nanmax(np.abs(found - exact)[:, scale > 0] / scale[scale > 0]))


def compare(name: str) -> float:
    """Print a line about one card; return the ratio of medians."""
    reaction = load(name)
    simulator = reaction.simulator
    points = reaction.space.sample(BATCH, stream(0, "speed"))
    inputs = simulator.inputs(points)
    some = inputs[:CHECKED][simulator.kernel(inputs[:CHECKED]).status == 0]
    system = simulator.lower()
    extremes = {path.symbol for path in system.paths}
    plain = [k for k, value in enumerate(system.outputs) if not value.free_symbols & extremes]
    equations = Equations(system)
    peers = [Peer(equations, u) for u in some.tolist()]

    feasible = [isfinite(attempt(peer, 1e-11)[0]) for peer in peers]
    peers = [peer for peer, found in zip(peers, feasible, strict=True) if found]
    some = some[feasible]

    def scipy(rtol: float) -> Array:
        return np.array([attempt(peer, rtol) for peer in peers])

    def own(rtol: float) -> Array:
        return simulator.kernel(some, rtol=rtol).outputs[:, plain]

    exact = scipy(1e-11)
    their_rtol = next((r for r in TOLERANCES if error(scipy(r), exact) <= ACCURACY), TOLERANCES[-1])
    our_rtol = next((r for r in TOLERANCES if error(own(r), exact) <= ACCURACY), TOLERANCES[-1])
    theirs = seconds(lambda: scipy(their_rtol), 3, time.process_time)
    ours = seconds(lambda: simulator.kernel(inputs, rtol=our_rtol, threads=1), 5, time.process_time)
    default = seconds(lambda: simulator.kernel(inputs, threads=1), 5, time.process_time)
    ratio, plainly = (BATCH / spread[1] / (len(some) / theirs[1]) for spread in (ours, default))
    print(
        f"{name:21s} {rate(len(some), theirs):25s} {error(scipy(their_rtol), exact):6.0e}  {rate(BATCH, ours):39s} "
        f"{error(own(our_rtol), exact):6.0e} {ratio:7,.0f}   {rate(BATCH, default):37s} "
        f"{error(own(DEFAULT_RTOL), exact):6.0e} {plainly:7,.0f}"
        + (f"   {feasible.count(False)} of {len(feasible)} left out" if not all(feasible) else ""),
        flush=True,
    )
    return ratio


def _breaks(system: OdeSystem) -> list[sp.Expr]:
    """Times at which a condition on the time alone switches."""
    relations = set().union(*(f.atoms(Relational) for f in system.derivatives))
    found = [sp.solve(sp.Eq(r.lhs, r.rhs), system.time) for r in relations if not r.free_symbols & set(system.states)]
    return [time for times in found for time in times]


def against_summit(python: str) -> None:
    for case, card in [("SnarBenchmark", "snar"), *((f"MIT_case{i}", f"mit_case{i}") for i in range(1, 6))]:
        code = SUMMIT.format(name=case, count=200)
        said = subprocess.run([python, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True).stdout
        reaction = load(card)
        points = reaction.space.sample(BATCH, stream(0, "speed"))
        ours = seconds(lambda points=points, r=reaction: r.outcome(points), 5, time.process_time)
        theirs = float(said.split()[-1])
        print(f"Summit {case}: {theirs:,.0f}/s; {card}: {rate(BATCH, ours)}; ratio {BATCH / ours[1] / theirs:,.0f}")


def grow(millions: int) -> None:
    reaction = load("snar")
    reaction.outcome(reaction.space.sample(1000, stream(0, "speed")))
    for count in (100_000, 1_000_000, millions * 1_000_000):
        points = reaction.space.sample(count, stream(0, "speed"))
        tracemalloc.start()
        start = time.perf_counter()
        outcome = reaction.outcome(points)
        wall, peak = time.perf_counter() - start, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        kept = outcome.values.nbytes + outcome.failed.nbytes
        print(f"{count:12,} experiments of snar: {wall:.2f} s ({count / wall:,.0f}/s), ", end="")
        print(f"outcomes {kept / 2**20:.0f} MiB, at most {(peak - kept) / 2**20:.0f} MiB beside them")
        del outcome, points


def _is_run(name: str) -> bool:
    """True for a card whose experiment is one run with constant parameters."""
    simulator = load(name).simulator
    return isinstance(simulator, OdeSimulator) and not isinstance(simulator, ProfileSimulator)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("cards", nargs="*")
    options.add_argument("--summit")
    options.add_argument("--millions", type=int, default=0)
    given = options.parse_args()
    print(machine("numba", "numpy", "scipy", "sympy"))
    print(
        f"{'':21s} SciPy LSODA{'':15s} error   rxnopt at that accuracy{'':17s} error   ratio   at the default", end=""
    )
    print(f"{'':24s} error   ratio")
    ratios = [compare(name) for name in given.cards or filter(_is_run, names("envs"))]
    print(f"median ratio over {len(ratios)} cards {statistics.median(ratios):,.0f}, worst {min(ratios):,.0f}")
    if given.summit:
        against_summit(given.summit)
    if given.millions:
        grow(given.millions)


if __name__ == "__main__":
    main()
