"""Runs that end by a condition, against closed forms and against events of SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from kinetics_toys import solved
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

# times are found to 1e-11 of a step; what is left is the error of the integration
PROMISE = 1e-6


def fall(g, k, v0, end):
    def ground(_, y):
        return y[0]

    def top(_, y):
        return y[1]

    ground.terminal, ground.direction = True, -1.0
    path = solve_ivp(
        lambda _, y: [y[1], -g - k * y[1] * abs(y[1])], (0, end), [10.0, v0], rtol=1e-9, atol=1e-12,
        method="DOP853", events=[ground, top],
    )  # fmt: skip
    highest = max([10.0, *(y[0] for y in path.y_events[1])])
    return [path.t[-1], path.y[0, -1], path.y[1, -1], highest]


def test_a_fall_ends_on_the_ground(kernel):
    points = np.column_stack([*np.random.default_rng(1).uniform([1, 0, -5, 5], [20, 0.3, 20, 20], (40, 4)).T])
    found = solved(kernel("falling")(points))
    exact = np.array([fall(*point) for point in points])
    assert found[:, [0, 2, 3]] == pytest.approx(exact[:, [0, 2, 3]], rel=PROMISE)
    assert found[:, 1] == pytest.approx(exact[:, 1], abs=10 * PROMISE)  # of the ten metres


def test_an_event_that_does_not_come_leaves_the_duration(kernel):
    found = solved(kernel("falling")(np.array([[9.81, 0.0, 5.0, 1.0]])))[0]
    assert found == pytest.approx([1.0, 10 + 5 - 9.81 / 2, 5 - 9.81, 10 + 25 / (2 * 9.81)], rel=PROMISE)


@pytest.mark.parametrize("k1", [1.5, 1e6])
def test_explicit_and_stiff_runs_end_alike(kernel, k1):
    k2, level = 1.0, 0.3
    outcome = kernel("intermediate")(np.array([[k1, k2, level, 50.0]]))
    assert outcome.stiff[0] == (k1 > 1e3)

    def b(t):
        return k1 / (k2 - k1) * (np.exp(-k1 * t) - np.exp(-k2 * t))

    top = np.log(k1 / k2) / (k1 - k2)
    end = brentq(lambda t: b(t) - level, top, 50.0, xtol=1e-14)
    time, a, found, peak = solved(outcome)[0]
    assert [time, found, peak] == pytest.approx([end, level, b(top)], rel=PROMISE)
    assert a == pytest.approx(np.exp(-k1 * end), rel=PROMISE, abs=1e-10)


def test_below_from_the_start_is_no_fall(kernel):
    assert solved(kernel("intermediate")(np.array([[0.1, 1.0, 0.3, 2.0]])))[0, 0] == 2.0  # B never reaches 0.3


@pytest.mark.parametrize("level", [0.5, -0.9, -0.999, -0.99999])
def test_a_short_dip_is_not_stepped_over(kernel, level):
    time, x, v = solved(kernel("swing")(np.array([[level, 100.0, 50.0]])))[0]
    # where x is nearly level, an error of x counts the more in the time
    steepness = np.sqrt(1 - level**2)
    assert time == pytest.approx(np.arccos(level), rel=PROMISE / steepness)
    assert [x, v] == pytest.approx([level, -steepness], abs=PROMISE)


def test_a_margin_that_jumps_ends_the_run_there(kernel):
    time, x, v = solved(kernel("swing")(np.array([[-2.0, 3.0, 50.0]])))[0]
    assert time == 3.0
    assert [x, v] == pytest.approx([np.cos(3.0), -np.sin(3.0)], abs=PROMISE)


def test_no_duration_gives_the_start(kernel):
    assert solved(kernel("falling")(np.array([[9.81, 0.0, 3.0, 0.0]])))[0].tolist() == [0.0, 10.0, 3.0, 10.0]
    snar = solved(kernel("snar")(np.array([[0.0, 2.0, 300.0, 350.0]])))[0]
    assert snar.tolist() == [300.0, 600.0, 0.0, 0.0, 0.0]


def test_a_slope_that_jumps_with_the_state(kernel):
    fast, end = np.array([[2.0, 0.6], [50.0, 0.3], [7.0, 0.05]]).T
    # the error estimate of a smooth method is only a rough one where the slope jumps: 1e-5 instead of 1e-6
    # x falls with ``fast`` down to 1/2 and with 1 from there
    switch = 0.5 / fast
    exact = np.where(end < switch, 1 - fast * end, 0.5 - (end - switch))
    assert solved(kernel("thermostat")(np.column_stack([fast, end])))[:, 0] == pytest.approx(exact, rel=1e-5)
