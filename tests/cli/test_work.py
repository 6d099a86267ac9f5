"""Commands that work: run, train, compare, report."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from test_look import mistake, rxnopt

from rxnopt.campaign import Campaign

SMALL = """
name: small
title: Two agents on one reaction
reactions: [lactose]
agents: [random, sobol]
seeds: 3
budget: 8
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_run_prints_the_best_and_writes_all_trials(folder: Path):
    text = rxnopt("run", "lactose", "--agent", "sobol", "--budget", "6", "--seed", "2", "--out", "t.csv", "-q").stdout
    assert "best of 6 trials: cost_weighted_yield = " in text
    assert len(pd.read_csv("t.csv")) == 6
    again = rxnopt("run", "lactose", "--agent", "sobol", "--budget", "6", "--seed", "2", "-q").stdout
    assert again == text


def test_run_goes_on_with_its_journal(folder: Path):
    arguments = ["run", "lactose", "--agent", "random", "--budget", "5", "--journal", "j.db", "--json", "-q"]
    first = json.loads(rxnopt(*arguments).stdout)
    assert json.loads(rxnopt(*arguments).stdout) == first
    with sqlite3.connect("j.db") as journal:
        kinds = [kind for (kind,) in journal.execute("SELECT kind FROM events")]
    assert kinds.count("proposed") == kinds.count("done") == 5


def test_run_takes_realism_from_a_file_or_none(folder: Path):
    Path("hard.yaml").write_text("failures: {probability: 0.5}\ndelay: 2\n")
    arguments = ["run", "lactose", "--agent", "random", "--budget", "12", "--json", "-q", "--realism"]
    reasons = [trial["failure"] for trial in json.loads(rxnopt(*arguments, "hard.yaml").stdout)]
    assert set(reasons) == {"dropout", None}
    exact = json.loads(rxnopt(*arguments, "off").stdout)
    assert all(trial["objective"] == trial["objective_noise_free"] for trial in exact)
    Path("hard.yaml").write_text("delay: 2\nfailures: {probability: 2}\n")
    sentence = mistake(*arguments, "hard.yaml")
    assert "hard.yaml:2 failures.probability: 2 must be less than or equal to 1" in sentence


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["run", "lactose", "--agent", "gq"], ["'gq'"]),
        (["run", "lactos"], ["did you mean 'lactose'"]),
        (["run", "lactose", "--agent", "ppo", "--weights", "missing.pt"], ["missing.pt"]),
        (["run", "lactose", "--agent", "ppo"], ["rxnopt train ppo --env lactose"]),
        (["run", "lactose", "--agent", "tpe", "--weights", "x.pt"], ["'tpe'", "takes no weights"]),
        (["train", "tpe", "--env", "lactose"], ["'tpe'"]),
        (["train", "ppo", "--env", "lactos"], ["did you mean 'lactose'"]),
        (["compare", "quickstar"], ["did you mean 'quickstart'"]),
        (["compare", "nowhere.yaml"], ["nowhere.yaml"]),
        (["report", "nowhere"], ["nowhere"]),
    ],
)  # fmt: skip
def test_mistakes_are_one_sentence(folder: Path, arguments: list[str], parts: list[str]):
    sentence = mistake(*arguments)
    for part in parts:
        assert part in sentence


def test_damaged_weights(folder: Path):
    Path("bad.pt").write_bytes(b"not a weights file")
    assert "bad.pt" in mistake("run", "snar", "--agent", "ppo", "--weights", "bad.pt")


def test_journal_of_another_campaign(folder: Path):
    rxnopt("run", "lactose", "--agent", "random", "--budget", "3", "--journal", "j.db", "-q")
    before = Path("j.db").read_bytes()
    assert "j.db" in mistake("run", "lactose", "--agent", "sobol", "--budget", "3", "--journal", "j.db")
    assert Path("j.db").read_bytes() == before


def test_unknown_agent_in_an_experiment_is_told_before_anything_runs(folder: Path):
    Path("bad.yaml").write_text(SMALL.replace("sobol", "sobl"))
    assert "did you mean 'sobol'" in mistake("compare", "bad.yaml")
    assert not Path("runs").exists()


def test_compare_writes_a_report_and_skips_what_is_there(folder: Path):
    Path("small.yaml").write_text(SMALL)
    result = rxnopt("compare", "small.yaml", "--workers", "2", "-q")
    assert result.exit_code == 0
    assert result.stdout.strip() == "runs/small/report.html"
    cells = {path: path.stat().st_mtime_ns for path in Path("runs/small/cells").iterdir()}
    assert len(cells) == 6
    rxnopt("compare", "small.yaml", "-q")
    assert {path: path.stat().st_mtime_ns for path in Path("runs/small/cells").iterdir()} == cells
    Path("runs/small/report.html").unlink()
    assert rxnopt("report", "runs/small").stdout.strip() == "runs/small/report.html"
    assert Path("runs/small/report.html").stat().st_size > 10_000


def test_ctrl_c_in_run_says_what_was_kept(folder: Path, monkeypatch: pytest.MonkeyPatch):
    whole = json.loads(rxnopt("run", "lactose", "--agent", "random", "--budget", "6", "--json", "-q").stdout)
    simulate, calls = Campaign._simulate, []

    def stopped_at_the_fourth(self, trials):
        calls.append(trials)
        if len(calls) == 4:
            raise KeyboardInterrupt
        simulate(self, trials)

    monkeypatch.setattr(Campaign, "_simulate", stopped_at_the_fourth)
    command = ["run", "lactose", "--agent", "random", "--budget", "6", "-q"]
    result = rxnopt(*command, "--out", "t.csv")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == (
        "stopped after 3 of 6 trials; the table t.csv was written, "
        "and no journal was kept: give --journal next time to be able to go on\n"
    )
    assert list(pd.read_csv("t.csv")["status"]) == ["done"] * 3 + ["pending"]
    calls.clear()
    result = rxnopt(*command, "--journal", "j.db")
    assert result.exit_code == 130
    assert result.stderr == (
        "stopped after 3 of 6 trials; they are in the journal j.db: run the same command again to go on\n"
    )
    assert json.loads(rxnopt(*command, "--journal", "j.db", "--json").stdout) == whole


def test_ctrl_c_in_compare_keeps_what_is_finished(folder: Path):
    Path("long.yaml").write_text(
        SMALL.replace("small", "long").replace("seeds: 3", "seeds: 40").replace("budget: 8", "budget: 400")
    )
    command = [sys.executable, "-m", "rxnopt", "compare", "long.yaml", "--workers", "2", "-q"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    cells = folder / "runs" / "long" / "cells"
    until = time.monotonic() + 120
    while not (cells.exists() and any(cells.glob("*.parquet"))):
        assert time.monotonic() < until
        assert running.poll() is None
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGINT)  # what a terminal does
    _, words = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in words
    assert "rxnopt compare long.yaml" in words
    kept = {path: path.stat().st_mtime_ns for path in cells.glob("*.parquet")}
    assert 0 < len(kept) < 80
    assert rxnopt("compare", "long.yaml", "-q").exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(list(cells.glob("*.parquet"))) == 80


def test_campaigns_without_result_are_told(folder: Path):
    Path("small.yaml").write_text(SMALL.replace("sobol", "ppo"))  # ppo has no weights for lactose
    result = rxnopt("compare", "small.yaml", "-q")
    assert result.exit_code == 1
    assert result.stdout.strip() == "runs/small/report.html"
    assert "3 campaigns gave no result" in result.stderr
    assert "rxnopt train ppo --env lactose" in Path("runs/small/report.html").read_text()


@pytest.mark.data
def test_a_campaign_on_substrates_recommends_conditions(folder: Path):
    text = rxnopt("run", "deoxyfluorination-general", "--agent", "bayes-ucb-normal", "--budget", "60", "-q").stdout
    assert re.fullmatch(
        r"recommended after 60 trials: base=\w+, fluoride=\S+ \(mean yield = [\d.]+ % in \d+ of them\)\n", text
    )
    assert "general over substrate" in rxnopt("show", "deoxyfluorination-general").stdout
