"""Reaction systems for the tests, written by hand in SI units."""

from __future__ import annotations

import sympy as sp

from rxnopt.kinetics import OdeSystem, PathExtreme

T = sp.Symbol("time")
GAS_CONSTANT = sp.Float(8.314)


def exponential_decay() -> OdeSystem:
    k, a0, end, a = sp.symbols("k a0 end a")
    return OdeSystem((k, a0, end), (a,), T, (-k * a,), (a0,), end, (a, a0 - a), nonnegative=(True,))


def snar() -> OdeSystem:
    """SNAr of 2,4-difluoronitrobenzene with pyrrolidine; inputs s, -, mol/m^3, K; outputs: five concentrations."""
    tau, eq, conc, temp = sp.symbols("tau eq conc temp")
    c = sp.symbols("c1:6")
    k90 = [sp.Float(x) * sp.Float("1e-2") / 1000 for x in (57.9, 2.70, 0.865, 1.63)]
    energy = [sp.Float(x) * 1000 for x in (33.3, 35.3, 38.9, 44.8)]
    k = [k0 * sp.exp(-e / GAS_CONSTANT * (1 / temp - 1 / sp.Float(363.15))) for k0, e in zip(k90, energy, strict=True)]
    ra, rb, rc, rd = k[0] * c[0] * c[1], k[1] * c[0] * c[1], k[2] * c[1] * c[2], k[3] * c[1] * c[3]
    return OdeSystem(
        (tau, eq, conc, temp),
        c,
        T,
        (-ra - rb, -ra - rb - rc - rd, ra - rc, rb - rd, rc + rd),
        (conc, eq * conc, sp.S.Zero, sp.S.Zero, sp.S.Zero),
        tau,
        c,
        nonnegative=(True,) * 5,
    )
