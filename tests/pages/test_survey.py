"""The numbers of a page against functions whose numbers are known in closed form."""

from dataclasses import replace

import numpy as np
import pytest

from rxnopt.cards.objective import Limit
from rxnopt.cards.parameters import Binary, Categorical, Continuous, Integer
from rxnopt.pages.survey import POINTS, Survey, corners, effects, place
from rxnopt.seeds import stream
from rxnopt.simulators import Optimum, load
from rxnopt.simulators.outcome import Outcome
from rxnopt.space import Parameter, Space

SQUARE = Space.from_cards({"x": Continuous(low=-1, high=1), "y": Continuous(low=-1, high=1)})


def surveyed(space, objective, optimum, failing=lambda X: np.zeros(len(X), bool), limits=None):
    """A survey of a function in the place of the objective of a card."""
    card = load("williams_otto").card.model_copy(update={"limits": limits or {}})
    place_of = list(card.outputs).index("profit")

    def simulate(X):
        values = np.zeros((len(X), len(card.outputs)))
        values[:, place_of] = objective(X)
        values[failing(X)] = np.nan
        return Outcome(values, failing(X))

    reaction = replace(load("williams_otto"), card=card, space=space, simulator=simulate)
    X = space.sample(POINTS, stream(0, "test"))
    return Survey(reaction, X, reaction.outcome(X), Optimum(optimum, dict.fromkeys(space.names, 0.0), ""))


def test_main_effects_are_those_of_the_ishigami_function():
    """Ishigami and Homma 1990 with a = 7, b = 0.1: indices 0.3139, 0.4424 and 0 in closed form."""
    pi = float(np.pi)
    space = Space.from_cards({name: Continuous(low=-pi, high=pi) for name in "abc"})
    X = space.sample(POINTS, stream(0, "test"))
    y = np.sin(X[:, 0]) + 7.0 * np.sin(X[:, 1]) ** 2 + 0.1 * X[:, 2] ** 4 * np.sin(X[:, 0])
    a, b = 7.0, 0.1
    total = a**2 / 8 + b * pi**4 / 5 + b**2 * pi**8 / 18 + 1 / 2
    exact = [(1 + b * pi**4 / 5) ** 2 / 2 / total, a**2 / 8 / total, 0.0]
    # 32 bins cannot see the 1/32^2 of the variance that lies inside them; sampling adds 1/sqrt(100 000) = 0.003
    assert effects(space, X, y) == pytest.approx(exact, abs=0.01)


def test_main_effects_of_levels_whole_numbers_and_log_scales():
    """Independent terms with variances 2/3 (three levels), 2 (five whole numbers), 1/4 (binary), 1/12 (log scale)."""
    cards = {
        "base": Categorical(levels={"a": {}, "b": {}, "c": {}}),
        "tanks": Integer(kind="integer", low=1, high=5),
        "stirred": Binary(kind="binary"),
        "time": Continuous(low=1, high=10, scale="log"),
        "idle": Continuous(low=0, high=1),
    }
    space = Space.from_cards(cards)
    X = space.sample(POINTS, stream(0, "test"))
    y = X[:, 0] + X[:, 1] + X[:, 2] + np.log10(X[:, 3])
    variances = np.array([2 / 3, 2.0, 1 / 4, 1 / 12, 0.0])
    assert effects(space, X, y) == pytest.approx(variances / variances.sum(), abs=0.01)
    assert effects(space, X, np.full(len(X), 3.0)) == [0.0] * 5


@pytest.mark.parametrize("best", [1.0, -1.0, 100.0])
def test_share_near_the_best_is_the_area_of_a_disc(best):
    """Of best - |x|^2 the target is missed by 5 % of the size of best: a disc of that squared radius, if it fits."""
    survey = surveyed(SQUARE, lambda X: best - 1000.0 * np.sum(X**2, axis=1), best)
    area = np.pi * 0.05 * abs(best) / 1000.0 / 4.0
    assert survey.near == pytest.approx(area, abs=4.0 * np.sqrt(area / POINTS))


def test_failed_experiments_are_not_near_the_best_and_have_no_effect():
    survey = surveyed(SQUARE, lambda X: 1.0 + 0.0 * X[:, 0], 1.0, failing=lambda X: X[:, 0] > 0.5)
    assert survey.failed == pytest.approx(0.25, abs=0.01)
    assert survey.near == pytest.approx(0.75, abs=0.01)
    assert survey.effects == {"x": 0.0, "y": 0.0}


def test_worst_value_lies_in_a_corner():
    survey = surveyed(SQUARE, lambda X: 5.0 - X[:, 0] ** 2 - X[:, 1] ** 2, 5.0)
    assert survey.extremes == (3.0, 5.0)
    assert survey.effects == pytest.approx({"x": 0.5, "y": 0.5}, abs=0.01)


def test_what_lies_beyond_limits_is_attained_and_not_near():
    survey = surveyed(SQUARE, lambda X: X[:, 0], 0.5, limits={"profit": Limit(high=0.5)})
    assert survey.within_limits == pytest.approx(0.75, abs=0.01)
    assert survey.near == pytest.approx(0.025 / 2.0, abs=0.002)
    assert survey.extremes == (-1.0, 1.0)


def test_best_of_n_random_experiments_is_the_median_of_their_maximum():
    survey = surveyed(SQUARE, lambda X: (X[:, 0] + 1.0) / 2.0, 1.0)
    maxima = stream(0, "maxima").random((20_000, 25)).max(axis=1)
    assert survey.best_of(25) == pytest.approx(float(np.median(maxima)), abs=0.002)
    assert survey.best_of(1) == pytest.approx(survey.scale.baseline)


@pytest.mark.parametrize(
    ("card", "value", "where"),
    [
        (Continuous(low=0, high=100), 50, "interior"),
        (Continuous(low=0, high=100), 0.09, "lower bound"),
        (Continuous(low=0, high=100), 0.11, "interior"),
        (Continuous(low=0, high=100), 99.95, "upper bound"),
        (Continuous(low=0.01, high=1000, scale="log"), 0.02, "interior"),
        (Integer(kind="integer", low=1, high=8), 1, "lower bound"),
        (Integer(kind="integer", low=1, high=8), 2, "interior"),
        (Integer(kind="integer", low=1, high=8), 8, "upper bound"),
        (Categorical(levels={"a": {}, "b": {}}), "a", ""),
        (Binary(kind="binary"), 1, ""),
    ],
)
def test_place_of_a_value(card, value, where):
    assert place(Parameter("p", card), value) == where


def test_corners_are_all_bounds_with_all_levels():
    space = Space.from_cards({"x": Continuous(low=-1, high=1), "c": Categorical(levels={"a": {}, "b": {}, "c": {}})})
    assert corners(space).tolist() == [[x, c] for x in (-1.0, 1.0) for c in (0.0, 1.0, 2.0)]
