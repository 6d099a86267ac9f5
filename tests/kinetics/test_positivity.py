"""Steps that would take what is not there: they run dry, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from rxnopt.simulators import load

CARD = """
name: dry
id: Dry-v0
title: Steps of order below one
constants:
  c_0: 1 mol/L
  k_free: 2e-3 mol/L/s
parameters:
  time: {low: 1, high: 5000, unit: s, scale: log}
  zero: {low: 0, high: 2, unit: mmol/L/s}
model:
  kind: ode
  reactor: {type: TYPE, time: time}
  FIELD: {A: c_0, C: c_0, E: c_0}
  reactions:
    - {equation: A -> X, orders: {A: 0}, k: zero}
    - {equation: A -> B, k: 1e-3 1/s}
    - {equation: C -> D, orders: {C: 0.5}, k: 1.5e-3 mol^0.5/L^0.5/s}
    - {equation: E -> 2 F, rate: k_free}
outputs:
  yield: {formula: B / c_0}
  A_left: {formula: A / c_0}
  C_left: {formula: C / c_0}
  F_made: {formula: F / c_0}
"""
# a reactant counts as used up below 1e-9 of all that is charged and fed; the kink there costs the solver some digits
TRACE = 1e-8


def made(tmp_path, kind, field):
    path = tmp_path / "dry.yaml"
    path.write_text(CARD.replace("TYPE", kind).replace("FIELD", field), encoding="utf-8")
    reaction = load(path)
    rng = np.random.default_rng(1)
    X = np.column_stack([10 ** rng.uniform(0, np.log10(5000), 300), rng.uniform(0, 2, 300)])
    outcome = reaction.outcome(X)
    assert not outcome.failed.any()
    assert (outcome.values >= 0).all()
    return X[:, 0], X[:, 1] * 1e-3, outcome.values.T


def test_a_batch_runs_dry(tmp_path):
    t, zero, (b, a, c, f) = made(tmp_path, "batch", "initial")
    empty = np.log1p(1e-3 / zero) / 1e-3  # a' = -zero - 1e-3 a from 1
    end = np.minimum(t, empty)
    a_exact = (1 + zero / 1e-3) * np.exp(-1e-3 * end) - zero / 1e-3
    assert a == pytest.approx(np.where(t < empty, a_exact, 0.0), abs=TRACE)
    assert b == pytest.approx(1 - a_exact - zero * end, abs=1e-7)  # all that is left is X, at 1e-7 of the charge
    assert c == pytest.approx(np.maximum(1 - 0.75e-3 * t, 0.0) ** 2, abs=TRACE)
    assert f == pytest.approx(2 * np.minimum(2e-3 * t, 1.0), abs=TRACE)


def test_a_stirred_tank_takes_no_more_than_the_feed(tmp_path):
    tau, zero, (b, a, c, f) = made(tmp_path, "cstr", "feed")
    exact = np.maximum((1 - zero * tau) / (1 + 1e-3 * tau), 0.0)
    assert a == pytest.approx(exact, abs=TRACE)
    assert b == pytest.approx(1e-3 * tau * exact, abs=5 * TRACE)  # tau is up to 5000 s: five times what is left of A
    half = 1.5e-3 * tau / 2  # c + 1.5e-3 tau sqrt(c) = 1
    assert c == pytest.approx((np.sqrt(half**2 + 1) - half) ** 2, abs=TRACE)
    assert f == pytest.approx(2 * np.minimum(2e-3 * tau, 1.0), abs=TRACE)


def test_a_textbook_tank_that_runs_dry_is_found_wherever_that_is():
    """Near these conditions of R12 Newton's method alone jumps from one side of the kink to the other."""
    reaction = load("trambouze")
    X = np.array([[7.16738588, 332.2641484, 0.94063916], [3.31505334, 338.8036628, 0.77892473],
                  [2.28966978, 336.4651276, 0.43390531], [2.66126645, 339.7973481, 0.69599602]])  # fmt: skip
    tau, c = X[:, 0] * 60, X[:, 2]
    k_zero, k_first = (k * np.exp(-Ea / 1.987 * (1 / X[:, 1] - 1 / 300)) for k, Ea in ((1e-4, 20e3), (1.5e-3, 10e3)))
    left = (c / tau) / (1 / tau + k_first + k_zero / (1e-9 * c))  # the rate of the first step is in proportion to it
    outcome = reaction.outcome(np.vstack([X, X + 1e-6]))
    assert not outcome.failed.any()
    reactant = outcome.values[:4, reaction.outputs.index("reactant")]
    assert reactant == pytest.approx(left, rel=1e-6)  # the second-order step takes 1e-9 of that
