"""A reaction as its users meet it: dicts, lists and tables in; outcomes, noise, limits and optimum out."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rxnopt.catalogue import has_field, names
from rxnopt.errors import CardError, ConditionsError, UnknownNameError
from rxnopt.seeds import stream
from rxnopt.simulators import load

IMAGINED = Path(__file__).parents[1] / "cards" / "imagined"
ESTER = {"reaction_time": 90.0, "temperature": 60.0, "excess": 2.5, "solvent": "dioxane"}


@pytest.fixture(scope="module")
def ester():
    return load(IMAGINED / "ester.yaml")


def test_a_dict_gives_a_dict_and_a_table_gives_a_table(ester):
    one = ester.simulate(ESTER)
    assert set(one) == {"yield", "profit", "failed"}
    assert one["failed"] is False
    for table in (ester.simulate([ESTER, ESTER]), ester.simulate(pd.DataFrame([ESTER, ESTER]))):
        assert list(table.columns) == ["yield", "profit", "failed"]
        assert table["yield"].tolist() == [one["yield"]] * 2


@pytest.mark.parametrize("seed", [-1, 1.5, "1", True])
def test_a_seed_is_a_whole_number(ester, seed):
    with pytest.raises(ConditionsError, match=r"^seed=.* is not allowed; give a whole number from 0 on$"):
        ester.simulate(ESTER, seed=seed)


def test_a_batch_is_the_same_as_its_experiments_one_by_one(ester):
    X = ester.space.sample(50, stream(0, "batch"))
    together = ester.outcome(X).values
    np.testing.assert_array_equal(together, np.vstack([ester.outcome(row[None]).values for row in X]))


def test_conditions_out_of_bounds_are_refused(ester):
    with pytest.raises(ConditionsError, match=r"temperature = 80\.0 is not allowed"):
        ester.simulate(ESTER | {"temperature": 80.0})
    with pytest.raises(ConditionsError, match=r"temperature = 80\.0 is not allowed"):
        ester.outcome(ester.space.to_array(ESTER) + np.array([0.0, 20.0, 0.0, 0.0]))


def test_noise_has_the_size_that_the_card_states_and_repeats(ester):
    X = np.repeat(ester.space.to_array(ESTER), 4000, axis=0)
    clean, noisy = ester.outcome(X), ester.outcome(X, stream(1, "noise"))
    error = noisy.values - clean.values
    # the profit is the yield less what is exact: it has the error of the yield, but for rounding
    np.testing.assert_allclose(error[:, 1], error[:, 0], rtol=0, atol=1e-11)
    wanted = np.hypot(0.5, 0.01 * clean.values[0, 0])
    # the standard deviation of 4000 draws scatters by 1 / sqrt(8000) = 1.1 %, their mean by wanted / 63: five sigma
    assert error[:, 0].std() == pytest.approx(wanted, rel=0.056)
    assert abs(error[:, 0].mean()) < 5 * wanted / np.sqrt(4000)
    np.testing.assert_array_equal(noisy.values, ester.outcome(X, stream(1, "noise")).values)
    assert ester.simulate(ESTER, seed=3) == ester.simulate(ESTER, seed=3) != ester.simulate(ESTER, seed=4)


def test_the_score_is_larger_where_the_outcome_is_better():
    reaction = load(IMAGINED / "autocatalysis.yaml")
    outcome = reaction.outcome(reaction.space.sample(20, stream(0, "start")))
    np.testing.assert_array_equal(reaction.score(outcome), -outcome.values[:, reaction.outputs.index("top_rate")])


def test_limits_mark_experiments_and_do_not_alter_them():
    reaction = load("fogler")
    outcome = reaction.outcome(reaction.space.sample(200, stream(0, "start")))
    peak, volume = (outcome.values[:, reaction.outputs.index(name)] for name in ("peak_temperature", "volume"))
    kept = reaction.within_limits(outcome)
    np.testing.assert_array_equal(kept, (peak <= 420) & (volume <= 200) & ~outcome.failed)
    assert 0 < kept.sum() < 200


def test_a_reaction_travels_to_another_process(ester):
    again = pickle.loads(pickle.dumps(ester))
    assert again.simulate(ESTER) == ester.simulate(ESTER)


MEASURED = [name for name in names("envs") if has_field("envs", name, "data")]
KINETIC = [name for name in names("envs") if name not in MEASURED]
CAMPAIGNS = [name for name in KINETIC if not has_field("envs", name, "control")]


@pytest.mark.parametrize("name", CAMPAIGNS + [pytest.param(name, marks=pytest.mark.data) for name in MEASURED])
def test_the_known_optimum_is_reached_and_not_beaten(name):
    reaction = load(name)
    known = reaction.card.optimum
    assert known is not None, "python benchmarks/optima.py NAME --write finds it"
    # conditions are kept with seven digits and the value is that of the kept ones: what is left is the stated accuracy
    slack = 1e-6 * abs(known.value)
    assert reaction.simulate(known.conditions)[reaction.objective] == pytest.approx(known.value, abs=slack)
    outcome = reaction.outcome(reaction.space.sample(100_000, stream(0, "optimum test")))
    best = np.nanmax(reaction.score(outcome))
    assert best <= reaction.card.objective.sign * known.value + slack


@pytest.mark.parametrize("name", KINETIC)
def test_no_experiment_of_the_catalogue_fails(name):
    reaction = load(name)
    outcome = reaction.outcome(reaction.space.sample(500, stream(1, "optimum test")))
    assert not outcome.failed.any()
    assert np.isfinite(outcome.values).all()
    fractions = [i for i, key in enumerate(reaction.outputs) if key in ("yield", "conversion", "selectivity")]
    # a yield beyond the feed would mean that matter is made; 1e-4 % is the stated accuracy of 1e-6
    assert (outcome.values[:, fractions] >= -1e-4).all()
    assert (outcome.values[:, fractions] <= 100 + 1e-4).all() or name == "williams_otto"  # mass of P over mass of A


def test_ids_of_the_catalogue_are_unique():
    ids = [load(name).card.id for name in names("envs")]
    assert len(set(ids)) == len(ids)


def test_unknown_names_and_wrong_cards_are_refused_at_load_or_at_first_use(tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'fogler'"):
        load("folger")
    text = (IMAGINED / "ester.yaml").read_text(encoding="utf-8").replace("2e-5 L/mol/s", "2e-5 1/s")
    (tmp_path / "wrong.yaml").write_text(text, encoding="utf-8")
    wrong = load(tmp_path / "wrong.yaml")
    with pytest.raises(CardError, match="rate law of order 2 needs L/mol/s"):
        wrong.simulate(ESTER)
