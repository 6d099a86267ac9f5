"""Steady states of stirred tanks against closed forms and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq, fsolve

from rxnopt.kinetics import Status

# Newton's method ends at a relative correction of 1e-13; what is left is rounding in the formulas.
ROUNDING = 1e-9


@pytest.mark.parametrize("tanks", range(1, 9))
def test_cascade_of_linear_reactions(kernel, tanks):
    rng = np.random.default_rng(tanks)
    tau, temp = rng.uniform(30, 600, 20), rng.uniform(298.15, 373.15, 20)
    outcome = kernel("lactose")(np.column_stack([tau, temp, np.full(20, tanks)]))
    assert (outcome.status == Status.OK).all()
    factors, energies = (9.5e14, 7.0e24, 4.0e7), (105.1e3, 174.0e3, 54.9e3)
    k1, k2, k3 = (f / 60 * np.exp(-e / 8.314 / temp) for f, e in zip(factors, energies, strict=True))
    a, b = 1000.0, 0.0
    for _ in range(tanks):
        a = a / (1 + (k1 + k2) * tau / tanks)
        b = (b + k1 * a * tau / tanks) / (1 + k3 * tau / tanks)
    assert outcome.outputs == pytest.approx(np.column_stack([a, b, 1000.0 - a - b]), rel=ROUNDING)


def test_tanks_are_rounded(kernel):
    lactose = kernel("lactose")
    found = lactose(np.array([[300, 350, 2.6], [300, 350, 3.4], [300, 350, 0.2]])).outputs
    exact = lactose(np.array([[300 * 3 / 2.6, 350, 3], [300 * 3 / 3.4, 350, 3], [300 / 0.2, 350, 1]])).outputs
    # the rates of flow hold the number before rounding, so the residence time is scaled to match
    assert found == pytest.approx(exact, rel=ROUNDING)


def van_de_vusse_slopes(x, dilution, cooling, feed):
    a, b, temp, jacket = x
    k1, k3 = 1.287e12 * np.exp(-9758.3 / (temp + 273.15)), 9.043e9 * np.exp(-8560 / (temp + 273.15))
    heat = (k1 * a * 4.2 - 11 * k1 * b - 41.85 * k3 * a * a) / (0.9342 * 3.01)
    return [
        dilution * (5.1 - a) - k1 * a - k3 * a * a,
        -dilution * b + k1 * a - k1 * b,
        dilution * (feed - temp) - heat + 4032 * 0.215 * (jacket - temp) / (0.9342 * 3.01 * 10),
        (cooling + 4032 * 0.215 * (temp - jacket)) / 10,
    ]


@pytest.mark.parametrize("dilution", [5.0, 14.19, 35.0, 100.0])
@pytest.mark.parametrize("cooling", [0.0, -1113.5, -8500.0])
def test_reactor_with_heat_of_reaction(kernel, dilution, cooling):
    outcome = kernel("van_de_vusse")(np.array([[dilution, cooling, 104.9]]))
    assert outcome.status[0] == Status.OK
    found = outcome.outputs[0]
    exact = fsolve(van_de_vusse_slopes, found * 1.01, args=(dilution, cooling, 104.9), xtol=1e-13)
    assert found == pytest.approx(exact, rel=ROUNDING)


def test_published_operating_point(kernel):
    # Chen, Kremling & Allgoewer 1995 print 2.14, 1.09, 114.2, 112.9; hence half a unit of the last digit
    found = kernel("van_de_vusse")(np.array([[14.19, -1113.5, 104.9]])).outputs[0]
    assert found[:2] == pytest.approx([2.14, 1.09], abs=0.005)
    assert found[2:] == pytest.approx([114.2, 112.9], abs=0.05)


def williams_otto_slopes(x, feed, temp):
    a, b, c, p, e, g = x
    k = np.array([1.6599e6, 7.2117e8, 2.6745e12]) * np.exp(-np.array([6666.7, 8333.3, 11111.0]) / temp)
    r1, r2, r3 = k * [a * b, b * c, c * p] * 2105.2
    total = feed + 1.8275
    return [
        1.8275 - total * a - r1,
        feed - total * b - r1 - r2,
        -total * c + 2 * r1 - 2 * r2 - r3,
        -total * p + r2 - 0.5 * r3,
        -total * e + 2 * r2,
        -total * g + 1.5 * r3,
    ]


@pytest.mark.parametrize("point", [(4.7836, 362.797), (3.0, 348.15), (6.0, 373.15)])
def test_williams_otto(kernel, point):
    outcome = kernel("williams_otto")(np.array([point]))
    assert outcome.status[0] == Status.OK
    profit, *found = outcome.outputs[0]
    exact = fsolve(williams_otto_slopes, found, args=point, xtol=1e-13)
    assert found == pytest.approx(exact, rel=ROUNDING)
    assert np.sum(found) == pytest.approx(1.0, rel=1e-12)  # mass fractions
    if point[0] == 4.7836:
        assert profit == pytest.approx(190.990, abs=0.0005)  # the optimum as printed, Forbes & Marlin 1996


def test_no_steady_state_without_negative_amounts(kernel):
    outcome = kernel("drained")(np.array([[0.5], [1.5]]))
    assert outcome.status.tolist() == [Status.OK, Status.NOT_CONVERGED]
    assert outcome.outputs[0, 0] == pytest.approx(0.5, rel=ROUNDING)
    assert np.isnan(outcome.outputs[1, 0])


def steady_conversions(da, heat):
    """All roots of x = da (1 - x) exp(heat x), by bisection between the turning points of x exp(-heat x) / (1 - x)."""

    def excess(x):
        return da * (1 - x) * np.exp(heat * x) - x

    turn = np.sqrt(0.25 - 1 / heat)
    return [brentq(excess, *ends, xtol=1e-15) for ends in [(0, 0.5 - turn), (0.5 - turn, 0.5 + turn), (0.5 + turn, 1)]]


def test_of_three_steady_states_the_unstable_one_is_never_returned(kernel, caplog):
    da, heat = 0.02, 10.0
    cold, middle, hot = steady_conversions(da, heat)
    guesses = np.array([0.0, middle - 0.01, middle + 0.01, 0.9])
    with caplog.at_level("INFO", "rxnopt"):
        outcome = kernel("ignition")(np.column_stack([np.full(4, da), np.full(4, heat), guesses]))
    assert (outcome.status == Status.OK).all()
    assert outcome.outputs[:, 0] == pytest.approx([cold, cold, hot, hot], rel=ROUNDING)
    assert outcome.outputs[:, 1] == pytest.approx(heat * outcome.outputs[:, 0], rel=ROUNDING)
    if outcome.stiff.any():
        assert f"{outcome.stiff.sum()} of 4 experiments: no stable state by Newton's method" in caplog.text


def test_a_tank_that_oscillates_fails_alone(kernel, caplog):
    with caplog.at_level("INFO", "rxnopt"):
        outcome = kernel("brusselator")(np.array([[0.5], [3.0], [1.9], [2.1]]))
    assert outcome.status.tolist() == [Status.OK, Status.NOT_CONVERGED, Status.OK, Status.NOT_CONVERGED]
    assert outcome.outputs[[0, 2]] == pytest.approx(np.array([[1.0, 0.5], [1.0, 1.9]]), rel=ROUNDING)
    assert np.isnan(outcome.outputs[[1, 3]]).all()
    assert "experiments: no stable state by Newton's method, followed in time" in caplog.text


def test_a_steady_state_that_does_not_exist_fails_alone(kernel):
    outcome = kernel("filling")(np.array([[1.0, 0.5], [1.0, 0.0], [1.0, -0.1], [3.0, 1e-6]]))
    assert (outcome.status == Status.OK).tolist() == [True, False, False, True]
    assert outcome.outputs[[0, 3], 0] == pytest.approx([2.0, 3e6], rel=ROUNDING)


def test_stability_is_that_of_the_eigenvalues():
    import numba

    from rxnopt.kinetics.layout import Layout
    from rxnopt.kinetics.runtime import table, tank

    stable, rng = numba.njit(lambda w, q: tank.stable(w, q)), np.random.default_rng(2)
    for n in (1, 2, 3, 6, 10):
        layout = Layout(kept=n, states=n, params=0, paths=0, breaks=0, lanes=0)
        q = np.array(layout.table(range(n), [True] * n, [], 0, 0))
        for _ in range(60):
            matrix = rng.normal(size=(n, n)) * 10 ** rng.uniform(-3, 3, (n, 1)) - rng.uniform(0, 5) * np.eye(n)
            w = np.zeros(layout.bench.count)
            w[q[table.JAC] : q[table.JAC] + n * n] = matrix.ravel()
            w[q[table.ATOL] : q[table.ATOL] + n] = 10 ** rng.uniform(-2, 2, n)
            assert stable(w, q) == (np.linalg.eigvals(matrix).real.max() < 0)
