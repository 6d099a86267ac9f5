"""Problems that every integrator is asked about: Robertson's reaction, two orbits, linear systems."""

from __future__ import annotations

import numpy as np
import pytest
from kinetics_toys import solved
from scipy.linalg import expm
from scipy.optimize import brentq


@pytest.mark.parametrize(
    ("end", "printed"),
    [
        (40.0, [0.7158270688, 9.185534765e-6, 0.2841637457]),
        (1e11, [0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050]),
    ],
)
def test_robertson(kernel, end, printed):
    """Hairer & Wanner II, IV.10, and the reference solution of problem ROBER in Mazzia & Magherini's test set."""
    outcome = kernel("robertson")(np.array([[end]]), rtol=1e-10)
    assert outcome.stiff.all()
    # the absolute tolerance is 1e-13 of the largest state, far above the smallest state at the end
    assert solved(outcome)[0] == pytest.approx(printed, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("eccentricity", [0.0, 0.3, 0.6])
def test_two_bodies(kernel, eccentricity):
    """Kepler's orbit from the pericentre; where the planet is follows from Kepler's equation."""
    times = np.linspace(0.5, 2 * np.pi, 9)
    x, y, nearest, farthest = solved(kernel("kepler")(np.column_stack([np.full(9, eccentricity), times]))).T
    anomaly = np.array([brentq(lambda a, t=t: a - eccentricity * np.sin(a) - t, 0, 7, xtol=1e-15) for t in times])
    # an error of the period is multiplied by the speed, which is 2 at the pericentre of e = 0.6
    assert x == pytest.approx(np.cos(anomaly) - eccentricity, abs=3e-6)
    assert y == pytest.approx(np.sqrt(1 - eccentricity**2) * np.sin(anomaly), abs=3e-6)
    assert nearest == pytest.approx(np.full(9, 1 - eccentricity), rel=1e-6)
    distance = 1 - eccentricity * np.cos(np.minimum(anomaly, np.pi))
    assert farthest == pytest.approx(np.maximum(distance, 1 - eccentricity), rel=1e-6)


def test_arenstorf_orbit_closes(kernel):
    """A satellite between earth and moon (Hairer, Norsett & Wanner I, II.0), which is back after 17.06521656015796."""
    period = 17.0652165601579625588917206249
    x, y = solved(kernel("arenstorf")(np.array([[period]]), rtol=1e-12))[0]
    # passes close to the moon multiply errors; 1e-9 is a thousand times the tolerance
    assert [x, y] == pytest.approx([0.994, 0.0], abs=1e-9)


def test_linear_systems(kernel):
    """First-order networks against the exponential of their matrix, some of them stiff."""
    rates = 10 ** np.random.default_rng(4).uniform(-2, [1, 1, 1, 1, 1, 5], (40, 6))
    outcome = kernel("network")(rates)
    assert 5 < outcome.stiff.sum() < 35
    exact = []
    for ab, ba, bc, cb, cd, da in rates:
        matrix = np.array([[-ab, ba, 0, da], [ab, -ba - bc, cb, 0], [0, bc, -cb - cd, 0], [0, 0, cd, -da]])
        exact.append(expm(matrix) @ [1.0, 0.0, 0.0, 0.0])
    # a state below 1e-3 of the whole is measured against that
    assert solved(outcome) == pytest.approx(np.array(exact), rel=1e-6, abs=1e-9)
