"""Fits: known constants come back, what data cannot tell is told, cards hold what was found, mistakes are told."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from rxnopt.errors import FitError, RxnoptError, SheetError
from rxnopt.fitting import fit
from rxnopt.fitting.calibrated import calibrated
from rxnopt.seeds import stream
from rxnopt.simulators import load

CARD = """
name: decay
id: Decay-v0
title: A decays, in two steps, one of them with formulas
constants: {slow: 0.01 1/min, barrier: 60 kJ/mol, A_0: 1 mol/L}
parameters:
  minutes: {low: 1, high: 90, unit: min}
  temperature: {low: 20, high: 90, unit: degC}
  strength: {low: 0.5, high: 2}
model:
  kind: ode
  reactor: {type: batch, time: minutes, temperature: temperature}
  initial: {A: A_0}
  reactions:
    - {equation: A -> P, k: 0.02 1/min, at: 50 degC, Ea: 70 kJ/mol}
    - {equation: P -> S, k: strength * slow, at: 50 degC, Ea: barrier}
outputs:
  yield: {formula: P / A_0, unit: "%"}
"""
TRUTH = {"r1.k": 0.02, "r1.Ea": 70.0, "r2.k": 1.0, "r2.Ea": 0.0}
ALL = ["r1.k", "r1.Ea", "r2.k", "r2.Ea"]


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    path = tmp_path_factory.mktemp("fit") / "decay.yaml"
    path.write_text(CARD, encoding="utf-8")
    return path


def closed_form(X, k1=0.02, E1=70e3, k2=0.01, E2=60e3):
    """Return P over A_0 in %, from the solution of two consecutive first-order steps."""
    minutes, celsius, strength = X.T
    slope = (1 / (celsius + 273.15) - 1 / 323.15) / 8.314462618
    a, b = k1 * np.exp(-E1 * slope), strength * k2 * np.exp(-E2 * slope)
    return 100 * a / (b - a) * (np.exp(-a * minutes) - np.exp(-b * minutes))


def table(card, n=40, sd=0.5, seed=0, **constants):
    space = load(card).space
    X, rng = space.sample(n, stream(seed, "points")), stream(seed, "noise")
    return space.to_frame(X).assign(**{"yield": closed_form(X, **constants) + sd * rng.standard_normal(n)})


@pytest.fixture
def write(tmp_path):
    def put(frame):
        path = tmp_path / "data.csv"
        path.write_text(frame if isinstance(frame, str) else frame.to_csv(index=False), encoding="utf-8")
        return path

    return put


def test_constants_other_than_those_of_the_card_are_found(card, write):
    """Data of a closed form, without noise: three digits and more, whatever is a number and whatever is a formula."""
    data = write(table(card, sd=0.0, k1=0.05, E1=55e3, k2=0.004, E2=80e3))
    found = fit(card, data, constants=ALL, profiles=False)
    rows = dict(zip(found.constants.names, found.constant_rows, strict=True))
    assert rows["r1.k"] == pytest.approx(0.05, rel=1e-3)
    assert rows["r1.Ea"] == pytest.approx(55.0, rel=1e-3)
    assert rows["r2.k"] == pytest.approx(0.4, rel=1e-3)
    assert rows["r2.Ea"] == pytest.approx(20.0, rel=1e-2)
    assert found.warnings == ()


def test_standard_errors_are_those_of_the_normal_equations(card, write):
    """The covariance from an own Jacobian of the closed form, and the t interval of SciPy."""
    frame = table(card)
    found = fit(card, write(frame), constants=["r1.k", "r1.Ea"], profiles=False)
    X, theta = load(card).space.to_array(frame[["minutes", "temperature", "strength"]]), found.constant_rows
    k, E = theta[0], theta[1] * 1e3
    step = 1e-5
    J = np.stack([
        (closed_form(X, k * np.exp(step), E) - closed_form(X, k * np.exp(-step), E)) / (2 * step),
        (closed_form(X, k, E + 10) - closed_form(X, k, E - 10)) / 20,
    ], axis=1)  # fmt: skip
    residuals = frame["yield"] - closed_form(X, k, E)
    C = np.linalg.inv(J.T @ J) * (residuals**2).sum() / 38
    barrier = found.estimates[1]
    assert barrier.error == pytest.approx(np.sqrt(C[1, 1]) / 1e3, rel=1e-3)
    assert barrier.high - barrier.value == pytest.approx(student.ppf(0.975, 38) * barrier.error, rel=1e-6)
    rate, reference = found.estimates[0], found.constants.reference
    d = (1 / 323.15 - 1 / reference) / 8.314462618  # ln k(reference) = ln k + E d
    variance = C[0, 0] + 2 * d * C[0, 1] + d**2 * C[1, 1]
    assert rate.error == pytest.approx(np.sqrt(variance), rel=1e-3)
    assert rate.value == pytest.approx(k * np.exp(E * d), rel=1e-9)
    assert f"at {reference - 273.15:.0f} degC" in rate.label


def test_intervals_have_their_level(card, write):
    """40 data sets: 95 % intervals of four constants; the binomial standard deviation over 160 is 1.7 %."""
    hits = []
    for seed in range(40):
        found = fit(card, write(table(card, n=25, sd=1.0, seed=seed)), constants=ALL, profiles=False)
        hits += [abs(theta) < found.quantile * e for theta, e in zip(found.solution.theta, found.errors, strict=True)]
    assert 0.90 < np.mean(hits) < 0.99


def test_profiles_agree_with_the_sum_of_squares(card, write):
    found = fit(card, write(table(card, n=25, sd=1.0)), constants=["r1.k", "r2.k"])
    for each in found.estimates:
        low, high = each.profile
        assert low == pytest.approx(each.low, rel=0.02)
        assert high == pytest.approx(each.high, rel=0.02)
    profile, i = found.profiles["r1.k"], 0
    place = np.argmax(profile.rise > 0.5)
    theta = np.log(profile.values[place] / found.estimates[i].start)
    others = np.linspace(-1, 1, 4001)
    grid = np.stack([np.full_like(others, theta), others + found.solution.theta[1]], axis=1)
    squares = (found.solution.problem.residuals(grid) ** 2).sum(axis=1).min()
    assert profile.rise[place] == pytest.approx(squares - found.solution.squares, abs=0.01)


def test_the_calibrated_card_does_what_was_fitted_and_draws_as_the_covariance_says(card, write, tmp_path):
    before = card.read_bytes()
    found = fit(card, write(table(card, k1=0.04, E2=70e3)), constants=ALL, profiles=False)
    path = tmp_path / "decay_fitted.yaml"
    path.write_text(calibrated(found), encoding="utf-8")
    own = load(path)
    np.testing.assert_allclose(own.outcome(found.data.X).values[:, 0], found.predicted[:, 0], rtol=1e-5)
    assert "fitted by rxnopt" in own.card.source.note
    assert card.read_bytes() == before
    rows = own.draw(stream(0, "constants"), 20_000)
    names = list(own.population.names)
    k, E = np.log(rows[:, names.index("r1.k")]), rows[:, names.index("r1.Ea")]
    assert np.std(E) == pytest.approx(found.estimates[1].error, rel=0.03)
    held = own.card.uncertain()[names.index("r1.Ea")].at
    drawn = k - 1e3 * (E - found.constant_rows[1]) / 8.314462618 * (1 / found.constants.reference - 1 / held)
    assert np.std(drawn) == pytest.approx(found.errors[0], rel=0.03)
    assert np.corrcoef(drawn, E)[0, 1] == pytest.approx(found.correlation[0, 1], abs=0.03)


def test_time_courses_species_missing_values_and_other_units(card, write):
    """A time course is rows; species are columns; empty cells are not measured; the rest is not used and told."""
    X = np.array([[m, c, 1.0] for c in (30.0, 60.0) for m in (1.0, 5, 10, 20, 40, 80)])
    frame = pd.DataFrame({"run": 1, "minutes [s]": X[:, 0] * 60, "temperature [K]": X[:, 1] + 273.15, "strength": 1.0})
    frame["P [mmol/L]"] = closed_form(X, k1=0.03) * 10
    frame.loc[3, "P [mmol/L]"] = np.nan
    found = fit(card, write(frame), constants=["r1.k"], profiles=False)
    assert found.data.count == 11
    assert found.data.unused == ("run",)
    assert found.constant_rows[0] == pytest.approx(0.03, rel=1e-4)
    assert "measured_P" not in calibrated(found)


def test_given_errors_weigh_and_are_judged(card, write):
    data = write(table(card, sd=1.0))
    right, small = (fit(card, data, constants=["r1.k"], sd={"yield": sd}, profiles=False) for sd in (1.0, 0.1))
    assert right.errors[0] == pytest.approx(10 * small.errors[0], rel=1e-3)
    assert right.warnings == ()
    assert any("times as large as the given errors" in words for words in small.warnings)


def test_one_temperature_says_nothing_about_barriers(card, write):
    data = write(table(card).assign(temperature=50.0).drop(columns="yield").pipe(measured))
    found = fit(card, data, constants=ALL, profiles=False)
    assert any(words.startswith("temperature is the same in all experiments") for words in found.warnings)
    assert np.isinf(found.estimates[1].error)
    assert found.constant_rows[1] == pytest.approx(70.0, abs=0.01)
    text = calibrated(found)
    assert "Not determined by the data, and left as they were: r1.Ea" in text
    assert "r1.Ea: {absolute" not in text


def measured(frame):
    X = frame.to_numpy(float)
    return frame.assign(**{"yield": closed_form(X) + 0.5 * stream(3, "noise").standard_normal(len(X))})


def test_constants_that_only_act_together_are_told(card, write):
    found = fit(card, write(table(card)), constants=["r2.k", "slow", "r1.k"], profiles=False)
    assert any("factor of r2.k and slow cannot be told apart" in words for words in found.warnings)


def test_a_constant_without_influence_is_told(card, write):
    """An output in which the constant has no part: what is left of A says nothing about the second step."""
    frame = table(card).drop(columns="yield")
    X = frame.to_numpy(float)
    rate = 0.02 * np.exp(-70e3 / 8.314462618 * (1 / (X[:, 1] + 273.15) - 1 / 323.15))
    frame["A"] = np.exp(-rate * X[:, 0]) + 0.005 * stream(4, "noise").standard_normal(len(X))
    found = fit(card, write(frame), constants=["r1.k", "r2.k"], profiles=False)
    assert [words for words in found.warnings if "factor of r2.k has no influence" in words]


def test_fructose_tells_that_acid_and_time_are_confounded(write):
    """Every rate is proportional to the acid: only acid times time matters for what comes out."""
    reaction = load("fructose")
    X = reaction.space.sample(40, stream(0, "points"))
    names = ["yield", "levulinic_yield", "conversion"]
    Y = reaction.outcome(X).values[:, [reaction.outputs.index(name) for name in names]]
    noise = stream(0, "noise").standard_normal(Y.shape)
    columns = dict(zip(names, (Y + 0.5 * noise).T, strict=True))
    data = write(reaction.space.to_frame(X).assign(**columns))
    found = fit("fructose", data, constants=["r1.k", "r3.k"], profiles=False)
    assert any(
        words.startswith("pH and residence_time act on what was measured only together") for words in found.warnings
    )
    assert not any("temperature and" in words for words in found.warnings)


@pytest.mark.parametrize(
    ("edit", "constants", "said"),
    [
        (lambda f: f.head(3), ALL, "has 3 measured values, too few for 4 constants, and one more"),
        (lambda f: f, ["r1.K"], "'r1.K' is no constant of decay; did you mean 'r1.k'?"),
        (lambda f: f, ["r1.k", "r1.k"], "a constant is named twice"),
        (
            lambda f: f.drop(columns="minutes"),
            ALL,
            "data.csv:1: there is no column for the parameter 'minutes'; add it",
        ),
        (lambda f: f.rename(columns={"minutes": "minuts"}), ALL, "'minutes'; did you mean 'minuts'?"),
        (lambda f: f.drop(columns="yield"), ALL, "no column is an output or a species of decay"),
        (lambda f: f.rename(columns={"yield": "yeild"}), ALL, "'yeild' is no parameter, output or species"),
        (lambda f: f.assign(**{"yield": np.nan}), ALL, "yield: the column is empty"),
        (lambda f: f.replace({"strength": {f["strength"][2]: np.nan}}), ALL, "data.csv:4 strength: the cell is empty"),
        (lambda f: f.assign(temperature=110.0), ALL, "data.csv:2 temperature: temperature = 110.0 is not allowed"),
        (lambda f: f.assign(**{"yield": 110}), ALL, "data.csv:2 yield: 110 % cannot be"),
        (lambda f: pd.concat([f, f[1:2].assign(**{"yield": f["yield"][1] - 50})]), ALL, "data.csv:42 yield"),
    ],
)
def test_mistakes_are_told_in_one_sentence(card, write, edit, constants, said):
    data = write(edit(table(card)))
    with pytest.raises(RxnoptError) as caught:
        fit(card, data, constants=constants)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_mistakes(card, write):
    data = write(table(card))
    for options, said in (
        ({"sd": {"yeild": 1.0}}, "'yeild' is no measured output"),
        ({"sd": {"yield": 0.0}}, "give a number above 0"),
        ({"level": 95}, "level=95 is not allowed"),
    ):
        with pytest.raises(FitError, match=said):
            fit(card, data, **options)
    with pytest.raises(FitError, match="dyn_batch_abc has no rate constants of its own to fit"):
        fit("dyn_batch_abc", data)
    with pytest.raises(SheetError, match="no such file"):
        fit(card, "nowhere.csv")
