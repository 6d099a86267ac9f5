"""Noise, drift, failures and cost against closed forms.

Tolerances are five standard deviations of the estimate, said beside each: a right program fails once in two million.
"""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from lab_toys import at, lab

from rxnopt.errors import CardError
from rxnopt.seeds import beside, stream
from rxnopt.simulators.draws import Walkthrough

N = 20_000


def measured(reaction, X, seed=0):
    chance = reaction.measurement.chance
    return reaction.experiment(X, chance.of_rows(lambda name: stream(seed, name), len(X)))[1]


def errors(seed=0, output=0, X=None, **noise):
    """Errors (n,) of one output with this noise on the yield."""
    X = at(N) if X is None else X
    reaction = lab(noise={"yield": noise})
    return (measured(reaction, X, seed).values - reaction.simulator(X).values)[:, output]


@pytest.mark.parametrize(
    ("noise", "variance", "kurtosis"),
    [
        ({"sd": 2.0}, 4.0, 3.0),
        ({"sd": 2.0, "relative": 0.05}, 4.0 + (0.05 * 56.0) ** 2, 3.0),
        ({"sd": 2.0, "run": 1.5, "replicates": 4}, 1.5**2 + 4.0 / 4, 3.0),
        # a share p of errors c times as large: variance 1 + p (c^2 - 1), fourth moment 3 (1 + p (c^4 - 1))
        ({"sd": 2.0, "outliers": {"probability": 0.1, "scale": 5.0}}, 4.0 * 3.4, 3 * 63.4 / 3.4**2),
        # a mean of two: its excess kurtosis is half of that of one
        ({"sd": 2.0, "replicates": 2, "outliers": {"probability": 0.1, "scale": 5.0}}, 4.0 * 3.4 / 2,
         3 + (3 * 63.4 / 3.4**2 - 3) / 2),
        ({"sd": "slope * (temperature - T_low)"}, 36.0, 3.0),
        ({"sd": "0.1 * yield", "run": "0.05 * yield"}, 5.6**2 + 2.8**2, 3.0),
    ],
    ids=str,
)  # fmt: skip
def test_variance_of_a_measurement(noise, variance, kurtosis):
    error = errors(**noise)
    assert abs(error.mean()) < 5 * np.sqrt(variance / N)
    # the variance of n draws scatters by variance * sqrt((kurtosis - 1) / n)
    assert abs(error.var() - variance) < 5 * variance * np.sqrt((kurtosis - 1) / N)


def test_options_leave_the_draws_of_others_alone():
    plain = errors(sd=2.0)
    np.testing.assert_array_equal(plain, errors(sd=2.0, outliers={"probability": 0.0}))
    with_run = errors(sd=2.0, run=1.0)
    assert abs(np.corrcoef(plain, with_run - plain)[0, 1]) < 5 / np.sqrt(N)
    off = errors(sd=2.0, outliers={"probability": 0.2, "scale": 3.0})
    assert set(np.round(off / plain, 9)) == {1.0, 3.0}


def test_noise_goes_through_formulas_with_the_conditions_that_were_set():
    reaction, X = lab(noise={"yield": {"sd": 2.0}}), at(100, base=1.0)
    true, found = reaction.simulator(X).values, measured(reaction, X).values
    np.testing.assert_allclose(found[:, 2], 0.8 * found[:, 0] - 20.0, rtol=1e-12)
    np.testing.assert_allclose(found[:, 3], np.log(found[:, 2] / 100), rtol=1e-12)
    np.testing.assert_array_equal(found[:, [1, 4]], true[:, [1, 4]])  # not measured; needs the state of the reactor
    assert (found[:, 0] != true[:, 0]).all()


def test_an_entry_of_its_own_stands_before_the_formula_and_shares_the_draw():
    reaction, X = lab(noise={"yield": {"sd": 2.0}, "worth": {"sd": 0.5}}), at(100)
    error = measured(reaction, X).values - reaction.simulator(X).values
    np.testing.assert_allclose(error[:, 2], error[:, 0] / 4, rtol=0, atol=1e-12)


def test_nothing_is_clamped_and_what_is_no_number_has_failed():
    reaction, X = lab(noise={"yield": {"sd": 60.0}}), at(1000)
    found = measured(reaction, X)
    negative = found.values[:, 0] < 1.25  # there the worth is below 0, which has no logarithm
    assert found.failed.any()
    assert list(reaction.reasons(found)[found.failed]) == ["measurement"] * found.failed.sum()
    assert np.isnan(found.values[found.failed]).all()
    assert not negative.any()
    assert (found.values[~found.failed, 0] > 100).any()
    free = lab(noise={"hottest": {"sd": 300.0}})
    assert (measured(free, X).values[:, 1] < -273.15).any()


def test_drift_of_an_output_and_of_a_parameter():
    k = np.arange(6.0)
    instrument = lab(drift={"yield": {"slope": -0.5, "relative": 0.1}})
    found = measured(instrument, at(6)).values
    np.testing.assert_allclose(found[:, 0], 56.0 * 1.1**k - 0.5 * k, rtol=1e-12)
    np.testing.assert_allclose(found[:, 2], 0.8 * found[:, 0] - 1.0, rtol=1e-12)
    plant = lab(drift={"temperature": {"slope": 9.0}})
    true, seen = plant.experiment(at(6), plant.measurement.chance.of_rows(lambda name: stream(0, name), 6))
    np.testing.assert_allclose(true.values[:, 0], 80.0 + 9.0 * k - 24.0, rtol=1e-12)  # beyond the bound of 120 too
    np.testing.assert_array_equal(seen.values, true.values)


def test_variance_of_a_random_walk_grows_with_the_number_of_the_experiment():
    reaction, b, steps = lab(drift={"yield": {"walk": 2.0}, "temperature": {"walk": 1.0}}), 5000, 9
    for rng in (stream(0, "a"), stream(1, "a")):  # a new generator begins new streams
        walks = Walkthrough(reaction.measurement.chance, b)
        path = np.array([walks.draw(rng).walk for _ in range(steps)])
        assert (path[0] == 0).all()
        for k in range(1, steps):
            # a variance of b normal draws scatters by variance sqrt(2 / b); 16 are looked at
            assert (abs(path[k].var(axis=0) - k) < 5 * k * np.sqrt(2 / b)).all()
        # increments over disjoint times are independent
        assert abs(np.corrcoef(path[4, :, 0], path[8, :, 0] - path[4, :, 0])[0, 1]) < 5 / np.sqrt(b)
        walks.reset()
        assert (walks.draw(rng).walk == 0).all()
    ends = [reaction.measurement.chance.of_trials(seed, [9]).walk[0, 0] for seed in range(2000)]
    assert abs(np.var(ends) - 9) < 5 * 9 * np.sqrt(2 / 2000)


def test_what_chance_does_in_a_trial_depends_on_seed_and_number_only():
    chance = lab(
        noise={"yield": {"sd": 1.0, "run": 1.0, "replicates": 3, "outliers": {"probability": 0.1}}},
        drift={"yield": {"walk": 1.0}},
        failures={"probability": 0.1},
    ).measurement.chance
    chance = replace(chance, substrates=5)
    together, alone, other = chance.of_trials(3, [2, 7, 5]), chance.of_trials(3, [7]), chance.of_trials(4, [7])
    known = {name: draws for name, draws in vars(together).items() if name != "substrate"}  # follows from the order
    for name, draws in known.items():
        np.testing.assert_array_equal(draws[1], vars(alone)[name][0])
        assert name == "index" or (vars(other)[name] != vars(alone)[name]).all()


def test_failures_by_rules_and_by_chance_say_why():
    rules = {"too_hot": "hottest > T_limit", "crowded": "amount > 0.9"}
    reaction = lab(failures={"rules": rules, "probability": 0.1})
    X = np.array([[80, 0.5, 0], [96, 0.95, 0], [90, 0.95, 0], [120, 0.95, 0]])
    outcome = reaction.outcome(X)  # without chance
    assert list(reaction.reasons(outcome)) == [None, "too_hot", "crowded", "model"]
    assert np.isnan(outcome.values[outcome.failed]).all()
    assert outcome.failed.tolist() == [False, True, True, True]
    found = measured(reaction, np.tile(X, (N // 4, 1)))
    reasons = reaction.reasons(found)
    assert list(np.unique(reasons[found.failed])) == ["crowded", "dropout", "model", "too_hot"]
    # a share p of n scatters by sqrt(p (1 - p) / n)
    assert abs((reasons == "dropout").sum() / (N / 4) - 0.1) < 5 * np.sqrt(0.09 / (N / 4))
    assert (reasons.reshape(-1, 4)[:, 1:] == ["too_hot", "crowded", "model"]).all()


def test_cost_of_experiments():
    reaction = lab(
        constants={"price": "2 USD", "flask": "100 USD"},
        cost={"formula": "price * amount + flask * base_price", "unit": "USD"},
    )
    np.testing.assert_allclose(reaction.measurement.cost(at(2, amount=0.5, base=1.0)), [21.0, 21.0])
    assert lab().measurement.cost(at(2)) is None


def test_false_switches_everything_off_and_a_field_replaces_one_of_the_card():
    noisy = lab(noise={"yield": {"sd": 1.0}}, drift={"yield": {"slope": 1.0}}, delay=2)
    X = at(5)
    exact = noisy.with_realism(False)
    np.testing.assert_array_equal(measured(exact, X).values, exact.simulator(X).values)
    assert noisy.with_realism(True) is noisy
    changed = noisy.with_realism({"delay": 0}).options
    assert (changed.delay, changed.noise, changed.drift) == (0, noisy.options.noise, noisy.options.drift)
    assert noisy.with_realism(True, noise=False).options.noise == {}
    assert noisy.options.delay == 2


def test_a_reaction_with_options_travels():
    reaction = lab(noise={"yield": {"sd": "slope * (temperature - T_low)"}}, failures={"rules": {"a": "amount > 0.9"}})
    again = pickle.loads(pickle.dumps(reaction))
    np.testing.assert_array_equal(measured(again, at(3)).values, measured(reaction, at(3)).values)


def test_streams_beside_a_generator():
    root = np.random.default_rng(5)
    first = beside(root, "drift").random()
    root.random(100)
    assert beside(root, "drift").random() == first != beside(root, "run").random()
    assert beside(np.random.default_rng(6), "drift").random() != first


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"nois": {}}, "realism.nois: there is no field 'nois' here; did you mean 'noise'?"),
        ({"noise": {"yeild": {"sd": 1.0}}}, "realism.noise.yeild: 'yeild' is no output; did you mean 'yield'?"),
        ({"noise": {"yield": {"sd": -1.0}}}, "realism.noise.yield.sd: -1.0 must be greater than or equal to 0"),
        ({"noise": {"yield": {"sd": "0.1 * temperature"}}},
         "realism.noise.yield.sd: '0.1 * temperature' is in K; this field needs 1 (a plain number)"),
        ({"noise": {"yield": {"sd": "2.0"}}},
         "realism.noise.yield.sd: '2.0' names no parameter, constant or output; a number stands without quotes"),
        ({"drift": {"base": {"slope": 1.0}}},
         "realism.drift.base: 'base' is no output and no continuous parameter; these may drift: yield, hottest, worth, "
         "odds, inside, temperature, amount"),
        ({"drift": {"yield": {}}}, "realism.drift.yield: give 'slope', 'relative' or 'walk'"),
        ({"failures": {"rules": {"hot": "temperature > 100"}}},
         "realism.failures.rules.hot: formula 'temperature > 100' adds or compares 1 (a plain number) with K; units "
         "must agree"),
        ({"failures": {"rules": {"hot": "temprature > T_limit"}}},
         "realism.failures.rules.hot: formula 'temprature > T_limit' uses unknown name 'temprature'; did you mean "
         "'temperature'?"),
        ({"failures": {"rules": {"dropout": "amount > 0.5"}}},
         "realism.failures.rules.dropout: the reason 'dropout' has a meaning of its own; choose another name"),
        ({"plate": {"size": 4, "shared": ["temperature", "amount", "base"]}},
         "realism.plate.shared: all parameters are shared, so that a plate has one experiment; leave one free"),
        ({"plate": {"size": 4, "shared": ["heat"]}},
         "realism.plate.shared: 'heat' is no parameter; parameters are temperature, amount, base"),
        ({"cost": {"formula": "yield"}}, "realism.cost.formula: formula 'yield' uses unknown name 'yield'; known are "
         "R_gas, T_limit, T_low, amount, base_price, slope, temperature"),
        ({"constants": {"amount": "1"}}, "realism.constants.amount: the name is taken by the card; choose another"),
        ("hard", "realism='hard' is not allowed; give a mapping of options, True or False"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_one_sentence(given, said):
    with pytest.raises(CardError) as caught:
        lab().with_realism(given)
    assert str(caught.value) == said
