"""Campaigns on a device: each experiment is started once, whatever goes wrong; the oracle is the device's own log."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest
from pydantic import TypeAdapter, ValidationError
from rig_toys import REACTION, Draws, campaign, lab, reaction, starts, truth

from rxnopt import Campaign
from rxnopt.cards import ReactionCard
from rxnopt.cards.adapters import Address, Secret
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.envs import ReactionEnv
from rxnopt.errors import CardError, LabError
from rxnopt.lab.secrets import secret
from rxnopt.lab.settings import to_setting
from rxnopt.runs import RunStatus
from rxnopt.simulators import Reaction
from rxnopt.space import Space


def test_a_campaign_runs_to_its_end(tmp_path):
    with campaign(tmp_path) as run:
        table = run.run()
        assert list(table["status"]) == ["done"] * 4
        assert starts(tmp_path / "rig") == list(run.ledger.runs)
        for trial in run:
            setting = to_setting(run.space, run.lab.card, trial.conditions)
            assert abs(trial.outputs["yield"] - 100 * truth(setting)) < 1e-9
            assert abs(trial.achieved["temperature"] - trial.conditions["temperature"]) < 1e-9
        assert {r.status for r in run.ledger.runs.values()} == {RunStatus.DONE}


def test_the_journal_of_a_rig_is_read_like_any_other(tmp_path):
    with campaign(tmp_path) as run:
        frame = run.run()
    with Campaign(reaction(), Draws(), budget=4, journal=tmp_path / "j.db") as again:
        pd.testing.assert_frame_equal(again.trials, frame)
        assert again.best.number == frame["objective"].idxmax()
        with pytest.raises(LabError, match="of a laboratory"):
            again.run()


def test_a_status_that_cannot_be_written_does_not_end_a_campaign(tmp_path):
    (tmp_path / ".j.db.status.json.part").symlink_to("/dev/full")
    told = []
    with campaign(tmp_path, budget=2) as run:
        run.conduct(show=told.append)
        assert [trial.status for trial in run] == ["done"] * 2
    assert {(status["trials"], status["budget"]) for status in told} == {(1, 2), (2, 2)}
    assert told[-1]["state"] == f"ended ({tmp_path}/j.db.status.json cannot be written: No space left on device)"


def test_what_follows_from_a_measured_output_is_worked_out(tmp_path):
    profit = 'outputs: {yield: {formula: B, unit: "%"}, profit: {formula: yield - 0.01 * time / minute, unit: "%"}}'
    text = REACTION.replace('outputs: {yield: {formula: B, unit: "%"}}', profit)
    text += "constants: {minute: 1 min}\nobjective: {maximize: profit}\n"
    card = validate(parse(text, "toy.yaml"), ReactionCard)
    toy = Reaction(card, Space.from_cards(card.parameters), None)
    with Campaign(toy, Draws(), budget=2, journal=tmp_path / "j.db", lab=lab(tmp_path / "rig")) as run:
        for trial in (run.run(), *run)[1:]:
            expected = trial.outputs["yield"] - trial.conditions["time"]
            assert trial.outputs["profit"] == pytest.approx(expected)
            assert trial.score == trial.outputs["profit"]


def test_importing_rxnopt_and_a_lab_loads_no_adapter_library():
    code = (
        "import rxnopt, rxnopt.laboratory.conductor, sys; "
        "print([m for m in ('asyncua', 'unitelabs', 'sila2', 'httpx', 'torch', 'optuna') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_secret_in_the_file_is_refused_and_one_in_the_environment_is_read(monkeypatch):
    monkeypatch.setenv("PLANT_PASSWORD", "s3cret")
    assert secret("${PLANT_PASSWORD}") == "s3cret"
    assert secret(None) is None
    with pytest.raises(LabError, match="variable NOBODY"):
        secret("${NOBODY}")
    with pytest.raises(ValidationError, match="does not stand in a file"):
        TypeAdapter(Secret).validate_python("s3cret")
    with pytest.raises(ValidationError, match="does not stand in an address"):
        TypeAdapter(Address).validate_python("opc.tcp://me:s3cret@plant:4840")


@pytest.mark.parametrize(
    ("adapter", "said"),
    [
        ("{kind: opcua, url: localhost}", "adapter.url: 'localhost' must look like 'opc.tcp://192.168.0.10:4840'"),
        ("{kind: sila, address: plant}", "adapter.address: 'plant' must look like '192.168.0.10:50052'"),
        ("{kind: flowchem, url: 'plant:80'}", "adapter.url: 'plant:80' must look like 'http://192.168.0.10:8000'"),
    ],
)
def test_an_address_that_is_none_is_told_before_anything_is_called(tmp_path, adapter, said):
    with pytest.raises(CardError, match=said):
        lab(tmp_path, f"adapter: {adapter}")


CARD = """
name: mine
id: Mine-v0
title: A reaction that is run on a rig
budget: 2
parameters:
  temperature: {low: 20, high: 120, unit: degC}
  time: {low: 1, high: 10, unit: min}
outputs: {yield: {formula: measured, unit: "%"}}
lab: bench.yaml
"""
BENCH = """
name: bench
title: A function
adapter: {kind: callable, function: "rig.py:run"}
parameters: {temperature: {low: 20, high: 120, unit: degC}, time: {low: 1, high: 10, unit: min}}
outputs: {yield: {unit: "%"}}
approval: {required: false}
"""


def test_a_card_names_its_lab_in_place_of_a_model(tmp_path):
    (tmp_path / "mine.yaml").write_text(CARD)
    (tmp_path / "bench.yaml").write_text(BENCH)
    (tmp_path / "rig.py").write_text("def run(setting, run_id):\n    return {'yield': setting['time'].value}\n")
    with Campaign(tmp_path / "mine.yaml", "random", journal=tmp_path / "j.db") as run:
        table = run.run()
        assert table["yield"].tolist() == pytest.approx(table["time"].tolist())
        with pytest.raises(LabError, match="has a 'lab' and no model"):
            run.reaction.simulate({"temperature": 50, "time": 3})
    with ReactionEnv(tmp_path / "mine.yaml", journal=tmp_path / "env.db") as env:
        env.reset(seed=0)
        _, reward, *_, info = env.step(env.action_space.sample())
        assert reward == pytest.approx(info["conditions"]["time"])
    for change, said in [
        (("lab: bench.yaml\n", ""), "the field 'model' is missing; add it"),
        (("lab: bench.yaml", "lab: bench.yaml\nmodel: {reactor: {type: batch, time: 1 h}, initial: {A: 1 mol/L}, "
          "reactions: [{equation: A -> B, k: 1 1/h}]}"), "'model' or a 'lab'"),
    ]:  # fmt: skip
        with pytest.raises(CardError, match=said):
            validate(parse(CARD.replace(*change), "mine.yaml"), ReactionCard)
