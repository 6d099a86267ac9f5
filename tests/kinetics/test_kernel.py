"""Calls of a kernel: failures, threads, misuse."""

from __future__ import annotations

import numpy as np
import pytest

from rxnopt.kinetics import Status

BOX = np.array([30, 1, 100, 303.15]), np.array([120, 5, 500, 393.15])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["exponential_decay", "lactose"])
def test_inputs_that_are_not_finite_fail_alone(kernel, name, bad):
    good = [0.5, 2.0, 3.0] if name == "exponential_decay" else [300.0, 350.0, 2.0]
    batch = np.array([good, good, good])
    batch[1, 0] = bad
    outcome = kernel(name)(batch)
    assert outcome.status.tolist() == [Status.OK, Status.NOT_FINITE, Status.OK]
    assert np.isnan(outcome.outputs[1]).all()
    assert np.isfinite(outcome.outputs[[0, 2]]).all()


def test_a_duration_must_not_be_negative(kernel):
    outcome = kernel("exponential_decay")(np.array([[1.0, 1.0, -1.0]]))
    assert outcome.status[0] == Status.NOT_FINITE
    assert np.isnan(outcome.outputs).all()


def test_a_solution_that_ends_before_its_time(kernel):
    outcome = kernel("doomed")(np.array([[1.0, 0.0, 0.5], [1.0, 0.0, 1.5]]))
    assert outcome.status[0] == Status.OK
    assert outcome.outputs[0, 0] == pytest.approx(2.0, rel=1e-6)  # 1 / (1 - t)
    assert outcome.status[1] in (Status.NOT_FINITE, Status.TOO_MANY_STEPS)
    assert np.isnan(outcome.outputs[1]).all()


def test_negative_amounts_fail(kernel):
    outcome = kernel("doomed")(np.array([[0.0, 1.0, 0.5], [0.0, 1.0, 1.0], [0.0, 1.0, 2.0]]))
    assert outcome.status.tolist() == [Status.OK, Status.OK, Status.NOT_CONVERGED]
    assert outcome.outputs[1, 1] == pytest.approx(0.0, abs=1e-15)  # rounding of one step


def test_bits_depend_on_the_experiment_alone(kernel):
    snar = kernel("snar")
    points = np.random.default_rng(5).uniform(*BOX, (3000, 4))
    whole = snar(points, threads=1)
    for other in (snar(points, threads=2), snar(points, threads=5)):
        assert other.outputs.tobytes() == whole.outputs.tobytes()
        assert other.steps.tobytes() == whole.steps.tobytes()
    order = np.random.default_rng(6).permutation(len(points))
    assert snar(points[order], threads=1).outputs.tobytes() == whole.outputs[order].tobytes()
    for i in range(40):  # more than there are lanes
        assert snar(points[i : i + 1]).outputs.tobytes() == whole.outputs[i : i + 1].tobytes()


def test_a_stiff_neighbour_changes_nothing(kernel):
    chain = kernel("linear_chain")
    calm, stiff = [1.0, 0.5, 3.0], [1e5, 1.0, 2.0]
    mixed = chain(np.array([calm, stiff, calm, stiff, calm]))
    assert mixed.stiff.tolist() == [False, True, False, True, False]
    alone = chain(np.array([calm])).outputs[0]
    assert all(row.tobytes() == alone.tobytes() for row in mixed.outputs[::2])


def test_inputs_are_left_alone_and_may_be_of_any_layout(kernel):
    snar = kernel("snar")
    points = np.random.default_rng(7).uniform(*BOX, (5, 4))
    points.flags.writeable = False
    expected = snar(points).outputs
    assert np.array_equal(snar(np.asfortranarray(points)).outputs, expected)
    assert np.array_equal(snar(np.repeat(points, 2, axis=0)[::2]).outputs, expected)


def test_empty_batch(kernel):
    outcome = kernel("snar")(np.empty((0, 4)))
    assert outcome.outputs.shape == (0, 5)
    assert outcome.status.shape == outcome.steps.shape == outcome.stiff.shape == (0,)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((4,), {}, "shape"),
        ((2, 3), {}, "shape"),
        ((2, 4), {"rtol": 0.0}, "rtol"),
        ((2, 4), {"rtol": np.nan}, "rtol"),
        ((2, 4), {"threads": 0}, "threads"),
    ],
)
def test_misuse(kernel, shape, options, message):
    with pytest.raises(ValueError, match=message):
        kernel("snar")(np.ones(shape), **options)
