"""Reaction systems for the tests, written by hand in SI units, and what a run of them returns."""

from __future__ import annotations

import numpy as np
import sympy as sp

from rxnopt.kinetics import KernelResult, OdeSystem, PathExtreme, Status

T = sp.Symbol("time")
GAS_CONSTANT = sp.Float(8.314)


def solved(outcome: KernelResult) -> np.ndarray:
    """Return the outputs of runs, all of which went well."""
    assert (outcome.status == Status.OK).all()
    assert np.isfinite(outcome.outputs).all()
    return outcome.outputs


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


def linear_chain() -> OdeSystem:
    """A -> B -> C with first-order rates k1, k2 (1/s); outputs: all three and the largest B on the way."""
    k1, k2, end, a, b, c, peak = sp.symbols("k1 k2 end a b c peak")
    return OdeSystem(
        (k1, k2, end),
        (a, b, c),
        T,
        (-k1 * a, k1 * a - k2 * b, k2 * b),
        (sp.Integer(100), sp.S.Zero, sp.S.Zero),
        end,
        (a, b, c, peak),
        paths=(PathExtreme(peak, b, "max"),),
        nonnegative=(True, True, True),
    )


def orbit() -> OdeSystem:
    """Harmonic oscillator with angular frequency w from (1, 0); outputs: x, v, largest x + 2 v, smallest x."""
    w, end, x, v, high, low = sp.symbols("w end x v high low")
    return OdeSystem(
        (w, end),
        (x, v),
        T,
        (w * v, -w * x),
        (sp.S.One, sp.S.Zero),
        end,
        (x, v, high, low),
        paths=(PathExtreme(high, x + 2 * v, "max"), PathExtreme(low, x, "min")),
    )


def robertson() -> OdeSystem:
    end, a, b, c = sp.symbols("end a b c")
    r1, r2, r3 = sp.Float("0.04") * a, sp.Float("3e7") * b**2, sp.Float("1e4") * b * c
    return OdeSystem(
        (end,),
        (a, b, c),
        T,
        (-r1 + r3, r1 - r2 - r3, r2),
        (sp.S.One, sp.S.Zero, sp.S.Zero),
        end,
        (a, b, c),
        nonnegative=(True,) * 3,
    )


def semibatch() -> OdeSystem:
    """Fogler's example 13-5 in the units of the book (dm^3, mol, h, cal, K); outputs: moles of C, Tmax, V."""
    flow, jacket, end = sp.symbols("flow jacket end")
    a, b, c, temp, vol, hottest = sp.symbols("a b c temp vol hottest")
    k1 = sp.Float("1.25") * sp.exp(9500 / sp.Float("1.987") * (sp.Rational(1, 320) - 1 / temp))
    k2 = sp.Float("0.08") * sp.exp(7000 / sp.Float("1.987") * (sp.Rational(1, 300) - 1 / temp))
    r1, r2 = k1 * a, k2 * b
    heat = 35000 * (jacket - temp) - 120 * flow * (temp - 305) + (6500 * r1 - 8000 * r2) * vol
    return OdeSystem(
        (flow, jacket, end),
        (a, b, c, temp, vol),
        T,
        (
            -r1 + (4 - a) * flow / vol,
            r1 / 2 - r2 - b * flow / vol,
            3 * r2 - c * flow / vol,
            heat / ((30 * a + 60 * b + 20 * c) * vol + 3500),
            flow,
        ),
        (sp.S.One, sp.S.Zero, sp.S.Zero, sp.Integer(290), sp.Integer(100)),
        end,
        (c * vol, hottest, vol),
        paths=(PathExtreme(hottest, temp, "max"),),
        nonnegative=(True, True, True, False, True),
    )


def driven() -> OdeSystem:
    """Two states that do not know each other.

    x' = u(t) - x, with u = height from 1 s on for ``width`` seconds and from 7 s on for 1 ms, else 0;
    v' = -k v + sin(t), explicit in time and stiff for large k.
    """
    height, width, k, end, x, v = sp.symbols("height width k end x v")
    feed = sp.Piecewise((0, T < 1), (height, T < 1 + width), (0, T < 7), (height, T < sp.Float("7.001")), (0, True))
    slopes = (feed - x, -k * v + sp.sin(T))
    return OdeSystem((height, width, k, end), (x, v), T, slopes, (sp.S.Zero, sp.S.One), end, (x, v))


def doomed() -> OdeSystem:
    """x' = g x^2 from 1, infinite at 1 / g s; a' = -k, a rate that does not stop when nothing is left of a."""
    g, k, end, x, a = sp.symbols("g k end x a")
    start = (sp.S.One, sp.S.One)
    return OdeSystem((g, k, end), (x, a), T, (g * x**2, -k), start, end, (x, a), nonnegative=(True, True))


def lactose() -> OdeSystem:
    """Lactose -> lactulose -> others in a cascade; inputs: residence time (s), temperature (K), tanks."""
    tau, temp, tanks = sp.symbols("tau temp tanks")
    c, z = sp.symbols("a b c"), sp.symbols("az bz cz")
    pairs = (("9.5e14", "105.1e3"), ("7.0e24", "174.0e3"), ("4.0e7", "54.9e3"))
    k1, k2, k3 = (sp.Float(k) / 60 * sp.exp(-sp.Float(e) / (GAS_CONSTANT * temp)) for k, e in pairs)
    r1, r2, r3 = k1 * c[0], k2 * c[0], k3 * c[1]
    flow = [(zi - ci) * tanks / tau for ci, zi in zip(c, z, strict=True)]
    return OdeSystem(
        (tau, temp, tanks),
        c,
        T,
        (flow[0] - r1 - r2, flow[1] + r1 - r3, flow[2] + r2 + r3),
        (sp.Integer(1000), sp.S.Zero, sp.S.Zero),
        None,
        c,
        tanks=tanks,
        inlets=z,
        nonnegative=(True,) * 3,
    )


def van_de_vusse() -> OdeSystem:
    """Chen, Kremling and Allgoewer's reactor (mol/L, degC, kJ, h); inputs: dilution 1/h, cooling kJ/h, feed degC."""
    dilution, cooling, feed = sp.symbols("dilution cooling feed")
    a, b, temp, jacket = sp.symbols("a b temp jacket")
    kelvin = temp + sp.Float("273.15")
    k1 = sp.Float("1.287e12") * sp.exp(-sp.Float("9758.3") / kelvin)
    k3 = sp.Float("9.043e9") * sp.exp(-8560 / kelvin)
    heat_capacity = sp.Float("0.9342") * sp.Float("3.01")
    exchange = sp.Float("4032") * sp.Float("0.215")
    heat = k1 * a * sp.Float("4.2") - 11 * k1 * b - k3 * a**2 * sp.Float("41.85")
    return OdeSystem(
        (dilution, cooling, feed),
        (a, b, temp, jacket),
        T,
        (
            dilution * (sp.Float("5.1") - a) - k1 * a - k3 * a**2,
            -dilution * b + k1 * a - k1 * b,
            dilution * (feed - temp) - heat / heat_capacity + exchange * (jacket - temp) / (10 * heat_capacity),
            (cooling + exchange * (temp - jacket)) / 10,
        ),
        (sp.Float("5.1"), sp.S.Zero, feed, feed),
        None,
        (a, b, temp, jacket),
        nonnegative=(True, True, False, False),
    )


def williams_otto() -> OdeSystem:
    """Williams and Otto's reactor in mass fractions; inputs: feed of B (kg/s), temperature (K); output: profit."""
    feed, temp = sp.symbols("feed temp")
    a, b, c, p, e, g = sp.symbols("a b c p e g")
    pairs = (("1.6599e6", "6666.7"), ("7.2117e8", "8333.3"), ("2.6745e12", "11111"))
    k1, k2, k3 = (sp.Float(k) * sp.exp(-sp.Float(t) / temp) for k, t in pairs)
    mass, other = sp.Float("2105.2"), sp.Float("1.8275")
    total = feed + other
    r1, r2, r3 = k1 * a * b, k2 * b * c, k3 * c * p
    outlet = [-total * x / mass for x in (a, b, c, p, e, g)]
    profit = sp.Float("1143.38") * p * total + sp.Float("25.92") * e * total
    profit += -sp.Float("76.23") * other - sp.Float("114.34") * feed
    return OdeSystem(
        (feed, temp),
        (a, b, c, p, e, g),
        T,
        (
            other / mass + outlet[0] - r1,
            feed / mass + outlet[1] - r1 - r2,
            outlet[2] + 2 * r1 - 2 * r2 - r3,
            outlet[3] + r2 - r3 / 2,
            outlet[4] + 2 * r2,
            outlet[5] + 3 * r3 / 2,
        ),
        (other / total, feed / total, sp.S.Zero, sp.S.Zero, sp.S.Zero, sp.S.Zero),
        None,
        (profit, a, b, c, p, e, g),
        nonnegative=(True,) * 6,
    )


def ignition() -> OdeSystem:
    """Exothermic first-order reaction in an adiabatic tank (Uppal, Ray & Poore, Chem. Eng. Sci. 29 (1974) 967).

    Inputs: da, heat, first guess of the conversion x; outputs: x and the temperature heat x.
    """
    da, heat, guess, x, hot = sp.symbols("da heat guess x hot")
    rate = da * (1 - x) * sp.exp(hot)
    return OdeSystem(
        (da, heat, guess), (x, hot), T, (rate - x, heat * rate - hot), (guess, heat * guess), None, (x, hot)
    )


def brusselator() -> OdeSystem:
    """x' = 1 - (b + 1) x + x^2 y, y' = b x - x^2 y from (1, 1): steady at (1, b), which is stable for b < 2."""
    b, x, y = sp.symbols("b x y")
    slopes = (1 - (b + 1) * x + x**2 * y, b * x - x**2 * y)
    return OdeSystem((b,), (x, y), T, slopes, (sp.S.One, sp.S.One), None, (x, y), nonnegative=(True, True))


def filling() -> OdeSystem:
    """a' = supply - loss a: without a loss it rises for ever; output: a."""
    supply, loss, a = sp.symbols("supply loss a")
    return OdeSystem((supply, loss), (a,), T, (supply - loss * a,), (sp.S.One,), None, (a,), nonnegative=(True,))


def drained() -> OdeSystem:
    """A tank with a constant loss that its inlet cannot cover if ``loss`` is above 1: no nonnegative steady state."""
    loss, a = sp.symbols("loss a")
    return OdeSystem((loss,), (a,), T, (1 - a - loss,), (sp.S.One,), None, (a,), nonnegative=(True,))


def falling() -> OdeSystem:
    """x'' = -g - k v |v| from 10 m, ends on the ground; outputs: time, height, speed, highest place."""
    g, k, v0, end, x, v, high = sp.symbols("g k v0 end x v high")
    return OdeSystem(
        (g, k, v0, end),
        (x, v),
        T,
        (v, -g - k * v * sp.Abs(v)),
        (sp.Integer(10), v0),
        end,
        (T, x, v, high),
        paths=(PathExtreme(high, x, "max"),),
        until=x,
    )


def intermediate() -> OdeSystem:
    """A -> B -> C from 1 of A, ends where B falls below ``level``; outputs: time, A, B, largest B."""
    k1, k2, level, end, a, b, peak = sp.symbols("k1 k2 level end a b peak")
    return OdeSystem(
        (k1, k2, level, end),
        (a, b),
        T,
        (-k1 * a, k1 * a - k2 * b),
        (sp.S.One, sp.S.Zero),
        end,
        (T, a, b, peak),
        paths=(PathExtreme(peak, b, "max"),),
        until=b - level,
    )


def swing() -> OdeSystem:
    """Harmonic oscillator from (1, 0), ends where x falls below ``level``, or at ``switch``; outputs: time, x, v."""
    level, switch, end, x, v = sp.symbols("level switch end x v")
    margin = sp.Piecewise((x - level, T < switch), (-1, True))
    return OdeSystem((level, switch, end), (x, v), T, (v, -x), (sp.S.One, sp.S.Zero), end, (T, x, v), until=margin)


def thermostat() -> OdeSystem:
    """x' = -1 - (fast - 1) where x is above 1/2, from 1: a slope that jumps with the state; output: x."""
    fast, end, x = sp.symbols("fast end x")
    return OdeSystem(
        (fast, end), (x,), T, (sp.Piecewise((-fast, x > sp.Rational(1, 2)), (-1, True)),), (sp.S.One,), end, (x,)
    )


def kepler() -> OdeSystem:
    """Two bodies from the pericentre; inputs: eccentricity, time; outputs: x, y, nearest and farthest distance."""
    e, end, x, y, u, v, near, far = sp.symbols("e end x y u v near far")
    distance = sp.sqrt(x**2 + y**2)
    return OdeSystem(
        (e, end),
        (x, y, u, v),
        T,
        (u, v, -x / distance**3, -y / distance**3),
        (1 - e, sp.S.Zero, sp.S.Zero, sp.sqrt((1 + e) / (1 - e))),
        end,
        (x, y, near, far),
        paths=(PathExtreme(near, distance, "min"), PathExtreme(far, distance, "max")),
    )


def arenstorf() -> OdeSystem:
    """A satellite in the plane of earth and moon, which stand still; outputs: x, y."""
    end, x, y, u, v = sp.symbols("end x y u v")
    moon = sp.Float("0.012277471", 30)
    earth = 1 - moon
    d1, d2 = ((x + moon) ** 2 + y**2) ** sp.Rational(3, 2), ((x - earth) ** 2 + y**2) ** sp.Rational(3, 2)
    pull = (
        x + 2 * v - earth * (x + moon) / d1 - moon * (x - earth) / d2,
        y - 2 * u - earth * y / d1 - moon * y / d2,
    )
    start = (sp.Float("0.994", 30), sp.S.Zero, sp.S.Zero, sp.Float("-2.00158510637908252240537862224", 30))
    return OdeSystem((end,), (x, y, u, v), T, (u, v, *pull), start, end, (x, y))


def network() -> OdeSystem:
    """A <-> B <-> C -> D -> A with first-order rates, from 1 of A over 1 s."""
    ab, ba, bc, cb, cd, da = rates = sp.symbols("ab ba bc cb cd da")
    a, b, c, d = states = sp.symbols("a b c d")
    slopes = (
        -ab * a + ba * b + da * d,
        ab * a - ba * b - bc * b + cb * c,
        bc * b - cb * c - cd * c,
        cd * c - da * d,
    )
    return OdeSystem(rates, states, T, slopes, (sp.S.One, *[sp.S.Zero] * 3), sp.S.One, states, nonnegative=(True,) * 4)
