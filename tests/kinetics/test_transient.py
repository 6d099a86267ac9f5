"""Integration in time against closed forms and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from kinetics_toys import solved
from scipy.integrate import solve_ivp

# What the kernels promise for outputs at their default tolerance, wherever an output is not the small remainder of
# a large cancellation.
PROMISE = 1e-6


def test_exponential_decay(kernel):
    rng = np.random.default_rng(1)
    k, a0, end = rng.uniform(0.01, 2, 50), 10 ** rng.uniform(-3, 4, 50), rng.uniform(0.1, 5, 50)
    left, made = solved(kernel("exponential_decay")(np.column_stack([k, a0, end]))).T
    assert left == pytest.approx(a0 * np.exp(-k * end), rel=PROMISE)
    assert made == pytest.approx(-a0 * np.expm1(-k * end), rel=PROMISE)


def test_linear_chain_and_its_path_maximum(kernel):
    k1, k2, end = np.random.default_rng(2).uniform(0.2, 2, (50, 3)).T
    a, b, c, peak = solved(kernel("linear_chain")(np.column_stack([k1, k2, end]))).T
    b_exact = 100 * k1 / (k2 - k1) * (np.exp(-k1 * end) - np.exp(-k2 * end))
    t_peak = np.minimum(np.log(k1 / k2) / (k1 - k2), end)
    peak_exact = 100 * k1 / (k2 - k1) * (np.exp(-k1 * t_peak) - np.exp(-k2 * t_peak))
    assert a == pytest.approx(100 * np.exp(-k1 * end), rel=PROMISE)
    assert b == pytest.approx(b_exact, rel=PROMISE)
    assert peak == pytest.approx(peak_exact, rel=PROMISE)
    # the sum is one of the conservation laws and exact but for rounding (a few 1e-16 for each of three terms)
    assert a + b + c == pytest.approx(np.full(50, 100.0), rel=1e-14)


def test_stiff_chain_and_its_path_maximum(kernel):
    outcome = kernel("linear_chain")(np.array([[1e5, 1.0, 2.0]]))
    assert outcome.stiff.all()
    a, b, _, peak = solved(outcome)[0]
    assert b == pytest.approx(100 / (1 - 1e-5) * np.exp(-2), rel=PROMISE)
    assert peak == pytest.approx(100 * 1e-5 ** (1 / (1e5 - 1)), rel=PROMISE)
    assert a == pytest.approx(0.0, abs=1e-8)  # 1e-10 of the scale of 100, where the tolerance starts to be absolute


def test_orbit(kernel):
    w, end = np.array([[1.0, 10.0], [3.0, 5.0], [1.0, 0.5]]).T
    x, v, high, low = solved(kernel("orbit")(np.column_stack([w, end]))).T
    # 15 rad of an undamped phase add up about a hundred steps of 1e-7 without any to forget: 1e-6 in the amplitude
    assert x == pytest.approx(np.cos(w * end), abs=PROMISE)
    assert v == pytest.approx(-np.sin(w * end), abs=PROMISE)
    # x + 2 v starts at 1 and falls until 2.03 rad; its first maximum is at 5.18 rad
    assert high == pytest.approx([np.sqrt(5), np.sqrt(5), 1.0], rel=1e-7)
    assert low == pytest.approx([-1.0, -1.0, np.cos(0.5)], rel=1e-7)


def test_robertson_is_found_stiff(kernel):
    ends = np.array([[40.0], [4e5], [4e10]])
    outcome = kernel("robertson")(ends)
    assert outcome.stiff.all()

    def slopes(_, y):
        r1, r2, r3 = 0.04 * y[0], 3e7 * y[1] ** 2, 1e4 * y[1] * y[2]
        return [-r1 + r3, r1 - r2 - r3, r2]

    for (end,), found in zip(ends, solved(outcome), strict=True):
        exact = solve_ivp(slopes, (0, end), [1, 0, 0], method="Radau", rtol=1e-10, atol=1e-16).y[:, -1]
        # at the last time y1 is 5e-8 and y2 is 2e-13 of the scale, where the tolerance of 3e-8 * 1e-3 is absolute
        assert found == pytest.approx(exact, rel=PROMISE, abs=1e-10 if end > 1e6 else 1e-14)
    # Hairer & Wanner II, IV.10 print y1 at 40 s as 0.7158270688
    assert outcome.outputs[0, 0] == pytest.approx(0.7158270688, rel=PROMISE)


def snar_reference(tau, eq, conc, temp):
    k90, energy = np.array([57.9, 2.70, 0.865, 1.63]) * 1e-5, np.array([33.3, 35.3, 38.9, 44.8]) * 1e3
    k = k90 * np.exp(-energy / 8.314 * (1 / temp - 1 / 363.15))

    def slopes(_, c):
        r = k * np.array([c[0] * c[1], c[0] * c[1], c[1] * c[2], c[1] * c[3]])
        return [-r[0] - r[1], -r.sum(), r[0] - r[2], r[1] - r[3], r[2] + r[3]]

    start = [conc, eq * conc, 0, 0, 0]
    return solve_ivp(slopes, (0, tau), start, method="LSODA", rtol=1e-10, atol=1e-13 * conc).y[:, -1]


def test_snar(kernel):
    low, high = np.array([30, 1, 100, 303.15]), np.array([120, 5, 500, 393.15])
    points = np.random.default_rng(3).uniform(low, high, (200, 4))
    found = solved(kernel("snar")(points))
    exact = np.array([snar_reference(*point) for point in points])
    # the starting material may be used up to 1e-300 of what it was, so it is measured against what it was
    assert np.abs(found - exact)[:, 0] == pytest.approx(np.zeros(200), abs=1e-7 * 100)
    assert found[:, 1:] == pytest.approx(exact[:, 1:], rel=PROMISE)


def test_snar_published_point(kernel):
    # yield of the ortho product from an independent integration at rtol 1e-9 (1 min, 2 eq, 0.3 mol/L, 90 degC)
    ortho = solved(kernel("snar")(np.array([[60, 2, 300, 363.15]])))[0, 2]
    assert ortho / 300 == pytest.approx(0.8301718, rel=1e-7)  # the digits of the printed value


def semibatch_reference(flow, jacket, end):
    def slopes(_, y):
        a, b, c, temp, vol = y
        r1 = 1.25 * np.exp(9500 / 1.987 * (1 / 320 - 1 / temp)) * a
        r2 = 0.08 * np.exp(7000 / 1.987 * (1 / 300 - 1 / temp)) * b
        heat = 35000 * (jacket - temp) - 4 * flow * 30 * (temp - 305) + (6500 * r1 - 8000 * r2) * vol
        dilution = flow / vol
        concentrations = [-r1 + (4 - a) * dilution, r1 / 2 - r2 - b * dilution, 3 * r2 - c * dilution]
        return [*concentrations, heat / ((30 * a + 60 * b + 20 * c) * vol + 3500), flow]

    def turn(t, y):
        return slopes(t, y)[3]

    path = solve_ivp(slopes, (0, end), [1, 0, 0, 290, 100], method="Radau", rtol=1e-11, atol=1e-11, events=turn)
    hottest = max([path.y[3, 0], path.y[3, -1], *(y[3] for y in path.y_events[0])])
    return path.y[2, -1] * path.y[4, -1], hottest, path.y[4, -1]


@pytest.mark.parametrize("point", [(240.0, 298.0, 1.5), (120.0, 298.0, 0.8), (60.0, 320.0, 1.2), (0.0, 400.0, 0.3)])
def test_semibatch_and_its_temperature_maximum(kernel, point):
    found = solved(kernel("semibatch")(np.array([point])))[0]
    exact = semibatch_reference(*point)
    assert found[[0, 2]] == pytest.approx([exact[0], exact[2]], rel=PROMISE)
    # the maximum is searched inside the step, so it is as good as the integration, not as the spacing of steps
    assert found[1] == pytest.approx(exact[1], rel=2e-7)


def test_switch_times_are_hit(kernel):
    height, width = 2.0, 3.0
    x = solved(kernel("driven")(np.array([[height, width, 1.0, 9.0]])))[0, 0]
    exact = height * -np.expm1(-width) * np.exp(-3.0)
    exact = exact * np.exp(-0.001) + height * -np.expm1(-0.001)
    # the last pulse lasts 1/9000 of the run and makes 2 % of the result: a solver that steps over it fails
    assert x == pytest.approx(exact * np.exp(-1.999), rel=PROMISE)


def test_time_in_the_slopes(kernel):
    k, end = np.array([[1.0, 5.0], [1e5, 5.0]]).T
    outcome = kernel("driven")(np.column_stack([0 * k, 0 * k, k, end]))
    assert outcome.stiff.tolist() == [False, True]
    settled = (k * np.sin(end) - np.cos(end)) / (k**2 + 1)
    exact = settled + (1 + 1 / (k**2 + 1)) * np.exp(-k * end)
    assert solved(outcome)[:, 1] == pytest.approx(exact, rel=PROMISE)


def test_tighter_tolerance_is_more_accurate(kernel):
    decay, point = kernel("exponential_decay"), np.array([[1.0, 1.0, 3.0]])
    errors = [abs(decay(point, rtol=rtol).outputs[0, 0] - np.exp(-3)) for rtol in (1e-4, 1e-7, 1e-10)]
    assert errors[0] > 30 * errors[1] > 900 * errors[2]  # proportional would be 1000 for each three decades
