"""Control cards as problems of conditions: profiles in several forms, the intervals of a run, known profiles."""

import csv
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rxnopt.catalogue import has_field, names
from rxnopt.errors import CardError, ConditionsError
from rxnopt.seeds import stream
from rxnopt.simulators import load
from rxnopt.simulators.profile import ProfileSimulator, best_profile, resampled

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS / "envs"))
from control_toys import CHARGE, FREE, write  # noqa: E402 - toys of the environments

CONTROL = [name for name in names("envs") if has_field("envs", name, "control")]
STATED, EXACT = 1e-6, 1e-11
DIFFERENCES = {"profit": "product"}
"""Outputs that are the difference of two larger ones are as accurate as these."""
with (TESTS / "golden" / "profiles.csv").open(encoding="utf-8") as file:
    GOLDEN = list(csv.DictReader(file))


@pytest.fixture(scope="module")
def charge(tmp_path_factory):
    return load(write(tmp_path_factory.mktemp("charge"), CHARGE))


def replayed(name, kind, rtol=None):
    """Outputs of the best known profile, or of the saw-tooth of the golden table."""
    texts = {row["profile"] for row in GOLDEN if (row["card"], row["kind"]) == (name, kind)}
    card = load(name).card
    rows = [[float(x) for x in row.split(" ")] for row in texts.pop().split(";")] if kind == "saw" else None
    profile = best_profile(card, "") if rows is None else np.array(rows)
    reaction = load(name, intervals=len(profile))
    simulator = reaction.simulator
    if rtol is not None:
        simulator = ProfileSimulator(reaction.card, simulator.source, simulator.intervals, rtol)
    reaction.space.check(profile.reshape(1, -1))
    outcome = simulator(profile.reshape(1, -1))
    assert not outcome.failed[0]
    return reaction, outcome


@pytest.mark.parametrize("kind", ["best", "saw"])
@pytest.mark.parametrize("name", CONTROL)
def test_runs_agree_with_another_solver(name, kind):
    golden = {row["output"]: float(row["value"]) for row in GOLDEN if (row["card"], row["kind"]) == (name, kind)}
    for rtol, accuracy in ((None, STATED), (EXACT, 1e-9)):
        reaction, outcome = replayed(name, kind, rtol)
        for output, value in golden.items():
            found = outcome.values[0, reaction.outputs.index(output)]
            size = golden[DIFFERENCES.get(output, output)]
            assert found == pytest.approx(value, abs=accuracy * max(abs(size), 1e-3)), output


@pytest.mark.parametrize("name", CONTROL)
def test_the_best_known_profile_has_the_value_of_the_card_within_its_limits(name):
    reaction, outcome = replayed(name, "best")
    known = reaction.card.optimum.value
    assert outcome.values[0, reaction.outputs.index(reaction.objective)] == pytest.approx(known, rel=STATED)
    assert reaction.within_limits(outcome).all()
    published = next(row["known"] for row in GOLDEN if row["card"] == name)
    if published:  # to the digits given
        assert round(known, len(published.split(".")[1])) >= float(published)


@pytest.mark.parametrize("name", CONTROL)
def test_no_random_profile_beats_it(name):
    reaction = load(name)
    outcome = reaction.outcome(reaction.space.sample(20_000, stream(0, "optimum test")))
    assert np.nanmax(reaction.score(outcome)) <= reaction.card.optimum.value
    assert reaction.optimum().value == reaction.card.optimum.value
    reaction.space.to_array(reaction.optimum().conditions)


def test_a_profile_may_be_given_in_several_forms(charge):
    by_interval = charge.simulate({"inflow_1": 0.5, "inflow_2": -1, "inflow_3": 0, "inflow_4": 1})
    assert by_interval["content"] == pytest.approx(3.5)
    assert by_interval["fullest_so_far"] == pytest.approx(3.5)
    assert charge.simulate({"inflow": [0.5, -1, 0, 1]}) == by_interval
    frame = charge.simulate(pd.DataFrame({"inflow": [0.5, -1, 0, 1]}))
    assert frame.to_dict("records") == [by_interval]
    assert charge.simulate({"inflow": 0.25})["content"] == pytest.approx(4.0)
    assert len(charge.simulate([{"inflow": 0.25}, {"inflow": [0, 0, 0, 0]}])) == 2


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ({"inflow": [0.5, 0.5]}, "the profile of inflow has 2 values; give 4, one for each interval"),
        (pd.DataFrame({"inflow": [0.5] * 6}), "the profile of inflow has 6 values; give 4"),
        ({"inflow": [0, 0, 3, 0]}, r"inflow_3 = 3\.0 is not allowed; give a number in \[-2\.0, 2\.0\]"),
        ({"inflow": [0, 0, np.nan, 0]}, "inflow_3 = nan is not allowed"),
        ({"inflow": 0, "outflow": 1}, "there is no parameter 'outflow'; did you mean 'inflow'"),
        ({"inflow_1": 0.5}, "inflow_2 is missing"),
    ],
)
def test_wrong_profiles_are_refused_in_a_sentence(charge, conditions, said):
    with pytest.raises(ConditionsError, match=said):
        charge.simulate(conditions)


def test_a_run_does_not_depend_on_how_it_is_cut(charge, tmp_path):
    """The same controls in finer intervals give the same end: what is carried is all that matters."""
    for name in ("dyn_fogler_13_5", "dyn_penicillin"):
        coarse, fine = load(name, intervals=5), load(name, intervals=15)
        X = coarse.space.sample(20, stream(0, "cut"))
        cut = np.repeat(X.reshape(20, 5, -1), 3, axis=1).reshape(20, -1)
        np.testing.assert_allclose(fine.outcome(cut).values, coarse.outcome(X).values, rtol=2e-6, atol=1e-9)


def test_the_length_of_a_run_may_be_free(tmp_path):
    free = load(write(tmp_path, FREE, "inflow,length\n0.5,1\n0,1\n0,1\n0,1\n"))
    found = free.simulate({"inflow": [0.5, 0, 0, 1], "length": [2, 0.5, 1, 1]})
    assert found["content"] == pytest.approx(3 + 0.5 * 2 + 1)
    assert found["end"] == pytest.approx((2 + 0.5 + 1 + 1) / 4)


def test_the_number_of_intervals_belongs_to_the_card_and_profiles_are_averaged(charge):
    again = load(charge.place, intervals=8)
    assert again.card.control.intervals == 8
    assert again.card.digest() != charge.card.digest()
    assert list(again.optimum().conditions.values()) == [0.5, 0.5, 0, 0, 0, 0, 0, 0]
    np.testing.assert_allclose(resampled(np.array([[1.0], [2.0], [6.0]]), 2)[:, 0], [4 / 3, 14 / 3])
    with pytest.raises(ConditionsError, match="intervals=0 is not allowed"):
        load(charge.place, intervals=0)
    with pytest.raises(ConditionsError, match="snar is no control problem"):
        load("snar", intervals=3)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("initial: 3", "initial: inflow", "states.x.initial: the start of 'x' depends on the control 'inflow'"),
        ("{max: x}", "{max: x * inflow}", "model.path.fullest: the path 'fullest' depends on the control 'inflow'"),
        ("{formula: x}", "{formula: x + inflow}", "outputs.content: the output 'content' depends on the control"),
        ("custom, time: hour", "custom", "control: a steady state has no intervals"),
        ("time: hour", "time: hour, until: x > 5", "model.reactor.until: intervals end by their time alone"),
        ("measured: [content]", "measured: [contents]", "did you mean 'content'"),
        ("profile: charge.csv", "conditions: {inflow: 1}", "the optimum of a control card is a 'profile'"),
        ("profile: charge.csv", "profile: ../charge.csv", "must be the name of a .csv file beside the card"),
    ],
)
def test_wrong_control_cards_are_refused_with_file_and_field(tmp_path, old, new, said):
    path = write(tmp_path, CHARGE)
    path.write_text(CHARGE.replace(old, new), encoding="utf-8")
    with pytest.raises(CardError, match=said.replace("[", r"\[")):
        load(path).simulator.lower()


@pytest.mark.parametrize(
    ("profile", "said"),
    [("", "there is no row"), ("inflow\nmuch\n", "inflow = 'much' is not a number"), ("flow\n1\n", "did you mean")],
)
def test_a_wrong_file_with_the_profile_is_told(tmp_path, profile, said):
    reaction = load(write(tmp_path, CHARGE, profile))
    with pytest.raises(CardError, match=rf"charge\.csv, the profile of charge: .*{said}"):
        reaction.optimum()
