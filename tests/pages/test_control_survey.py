"""The numbers of the page of a control problem against closed forms."""

import numpy as np
import pytest

from rxnopt.pages.control import ControlSurvey
from rxnopt.simulators import load


@pytest.fixture(scope="module")
def parallel():
    return ControlSurvey.of(load("dyn_parallel"))


def product(u):
    """A -> B at u, A -> waste at u^2 / 2, from A = 1 over a length of 1, u constant."""
    return (1.0 - np.exp(-u - u**2 / 2.0)) / (1.0 + u / 2.0)


def test_best_constant_controls_are_those_of_the_closed_form(parallel):
    u = np.linspace(0.0, 5.0, 100_001)
    [best], value = parallel.best_constant
    assert best == pytest.approx(u[np.argmax(product(u))], abs=5.0 / 5_000)  # the grid of the survey
    assert value == pytest.approx(product(u).max(), rel=1e-6)
    assert parallel.constant_share == pytest.approx(value / parallel.best)


def test_trace_of_constant_controls_follows_the_closed_form(parallel):
    run = parallel.trace(np.full((10, 1), 2.0))
    assert run.time == pytest.approx(np.linspace(0.0, 1.0, 11))
    at = run.time
    exact = (1.0 - np.exp(-(2.0 + 2.0) * at)) / 2.0
    column = parallel.reaction.outputs.index("product")
    assert run.outcome.values[:, column] == pytest.approx(exact, rel=1e-6, abs=1e-9)


def test_the_best_known_profile_is_traced_to_its_value(parallel):
    run = parallel.trace(parallel.profile)
    assert run.outcome.values[-1, parallel.reaction.outputs.index("product")] == pytest.approx(parallel.best, rel=2e-6)


def test_random_profiles_lie_between_the_worst_and_the_best(parallel):
    assert parallel.worst == 0.0  # u = 0 does nothing
    assert 0.0 < parallel.median < parallel.best
    assert parallel.states == ("A", "B", "waste")
