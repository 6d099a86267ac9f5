"""Reaction cards against an oracle: the published equations in plain SciPy, written by somebody else.

The oracle is no part of the project (``tests/golden/make_oracle.py`` says where it is looked for); its answers to a few
random experiments of each card are, in ``oracle.csv``.
"""

import csv
import json
import os
import runpy
from pathlib import Path

import numpy as np
import pytest

from rxnopt.simulators import load

GOLDEN = Path(__file__).parents[1] / "golden"
MAKER = runpy.run_path(str(GOLDEN / "make_oracle.py"))


def samples():
    with (GOLDEN / "oracle.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


CARDS = sorted({row["card"] for row in samples()})

POINTS = 1000
FEWER = {"snar_morpholine": 200, "williams_otto": 200}
"""Cards whose steady states the oracle integrates for, 20 ms each; ``RXNOPT_ORACLE_POINTS=1000`` asks for all."""

STATED = 1e-6
"""Largest relative error that the simulator states for an output; the oracle's is 1e-8 or less."""
NOTHING = 1e-8
"""Below this share of the largest value of an output there is only rounding: a yield of 1e-26 is zero to a solver."""
TRACES = {"trambouze": 1e-7}
"""The same for a zero-order step, which stops at 1e-9 of what is fed; from that trace a hot tank makes ten times as
much product in its residence time."""
GRIDDED = {name: {"peak_temperature": 0.05} for name in ("fogler", "acetic_anhydride", "nitroaniline")}
"""The oracle takes a peak from the points at which its solver happened to stop, so that it lies below the true one by
up to this much (kelvin); ours is found between the steps."""


def compare(name, conditions, answers):
    """Compare outputs of the card with those of the oracle."""
    reaction = load(name)
    outcome = reaction.outcome(reaction.space.to_array(conditions))
    assert not outcome.failed.any()
    for output in answers[0]:
        ours = outcome.values[:, reaction.outputs.index(output)]
        theirs = np.array([answer[output] for answer in answers])
        gap = GRIDDED.get(name, {}).get(output)
        if gap is not None:
            slack = STATED * np.abs(theirs)
            assert (ours >= theirs - slack).all()
            assert (ours <= theirs + gap).all()
            continue
        nothing = TRACES.get(name, NOTHING) * np.abs(theirs).max()
        np.testing.assert_allclose(ours, theirs, rtol=STATED, atol=nothing, err_msg=output)


@pytest.fixture(scope="module")
def models():
    place = MAKER["place"]()
    if not place.is_file():
        pytest.skip(f"the oracle is not at {place}; RXNOPT_ORACLE can say where it is")
    return MAKER["models"](MAKER["oracle"]())


# the oracle asks fsolve for 1e-13, which it reports as no progress where rounding stops it just before
@pytest.mark.filterwarnings("ignore:The iteration is not making good progress:RuntimeWarning")
@pytest.mark.parametrize("name", CARDS)
def test_random_experiments_come_out_as_the_oracle_says(models, name):
    n = int(os.environ.get("RXNOPT_ORACLE_POINTS", FEWER.get(name, POINTS)))
    conditions = MAKER["conditions"](load(name), n)
    compare(name, conditions, [models[name](**at) for at in conditions])


@pytest.mark.parametrize("name", CARDS)
def test_kept_answers_of_the_oracle_come_back(name):
    rows = [row for row in samples() if row["card"] == name]
    assert len(rows) == MAKER["SAMPLES"]
    compare(name, [json.loads(row["conditions"]) for row in rows], [json.loads(row["outputs"]) for row in rows])


def test_kept_answers_are_those_of_their_maker(models, tmp_path):
    assert set(models) == set(CARDS)
    MAKER["main"](tmp_path / "again.csv")
    with (tmp_path / "again.csv").open(encoding="utf-8") as file:
        made = list(csv.DictReader(file))
    for new, old in zip(made, samples(), strict=True):
        assert (new["card"], new["conditions"]) == (old["card"], old["conditions"])
        # LSODA at 1e-9 takes other steps in another SciPy, and then stops at other points on its way to a peak
        answers = json.loads(old["outputs"])
        assert json.loads(new["outputs"]) == pytest.approx(answers, rel=1e-4 if old["card"] in GRIDDED else 1e-7)
