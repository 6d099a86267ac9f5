"""How long a first and a later command take, as whole processes.

    python benchmarks/startup.py

The first run compiles into an empty cache, ``rxnopt compile`` the whole catalogue; the peer is a process that imports
SciPy and solves the same reaction once. Every kinetic card, 3 times: load it, do one experiment at
random conditions.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import machine, seconds

from rxnopt.catalogue import names
from rxnopt.simulators import load

SIMULATE = [
    "-m",
    "rxnopt",
    "simulate",
    "snar",
    "residence_time=1",
    "equivalents=2",
    "concentration=0.3",
    "temperature=90",
]
SCIPY = """
import numpy as np
from scipy.integrate import solve_ivp
k = 0.6 * np.array([57.9, 2.70, 0.865, 1.63])
def f(t, y):
    a, b, o, p, s = y
    r = k * np.array([a * b, a * b, o * b, p * b])
    return [-r[0] - r[1], -r.sum(), r[0] - r[2], r[1] - r[3], r[2] + r[3]]
print(solve_ivp(f, (0, 1), [0.3, 0.6, 0, 0, 0], method="LSODA", rtol=1e-7, atol=1e-10).y[2, -1] / 0.3)
"""


EXPERIMENT = """
import sys
import numpy as np
from rxnopt.simulators import load
reaction = load(sys.argv[1])
reaction.outcome(reaction.space.sample(1, np.random.default_rng(0)))
"""


def python(*arguments: str, cache: str | None = None) -> None:
    environment = os.environ | ({"RXNOPT_CACHE": cache} if cache else {})
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)


def cold(*arguments: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        python(*arguments, cache=str(Path(folder)))


def show(what: str, spread: tuple[float, float, float]) -> None:
    least, median, most = spread
    print(f"  {what}: {median:.2f} s [{least:.2f} to {most:.2f}]")


def main() -> None:
    print(machine("numba", "sympy", "numpy", "scipy"))
    print("whole processes, median [least to most] of 5")
    show("import rxnopt", seconds(lambda: python("-c", "import rxnopt"), 5))
    show("rxnopt simulate snar, empty cache", seconds(lambda: cold(*SIMULATE), 5))
    show("rxnopt simulate snar, afterwards", seconds(lambda: python(*SIMULATE), 5))
    show("rxnopt compile, empty cache", seconds(lambda: cold("-m", "rxnopt", "compile"), 3))
    kinetic = [name for name in names("envs") if load(name).card.model.kind == "ode"]
    cards = {name: seconds(lambda name=name: python("-c", EXPERIMENT, name), 3) for name in kinetic}
    slowest = max(cards, key=lambda name: cards[name][1])
    show(f"one experiment, afterwards, slowest of {len(cards)} cards ({slowest})", cards[slowest])
    show("peer: import SciPy, solve the same reaction once", seconds(lambda: python("-c", SCIPY), 5))


if __name__ == "__main__":
    main()
