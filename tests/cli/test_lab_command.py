"""A campaign by hand over a folder: the runner in one terminal, a person in another."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rxnopt.cli import lab as _lab  # noqa: F401  (registers)
from rxnopt.cli import work as _work  # noqa: F401
from rxnopt.cli.frame import app

LAB = """
name: bench
title: A person with a balance
adapter: {kind: filedrop, folder: drop, format: csv, manual: true}
parameters:
  residence_time: {low: 30, high: 120, unit: s}
  equivalents: {low: 1, high: 5}
  concentration: {low: 0.1, high: 0.5, unit: mol/L}
  temperature: {low: 30, high: 120, unit: degC}
outputs: {yield: {unit: "%"}}
timeouts: {poll: 0.05 s}
"""


def lab(folder: Path, *words: str, code: int = 0) -> str:
    found = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["lab", *words])
    assert found.exit_code == code, found.output
    return found.output


def until(what, limit: float = 30.0):
    """Return what ``what()`` returns as soon as it is true."""
    end = time.monotonic() + limit
    while not (found := what()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "drop").mkdir()
    (tmp_path / "lab.yaml").write_text(LAB)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fill(request: Path, value: str) -> None:
    """Write a result into the empty column of a request, and put it where results are looked for."""
    rows = list(csv.reader(request.read_text().splitlines()))
    rows[1][rows[0].index("yield [%]")] = value
    text = "\n".join(",".join(row) for row in rows)
    target = Path("drop/results") / request.name
    target.write_text(text[:-3])  # half of it first: the runner must wait
    time.sleep(0.2)
    target.write_text(text + "\n")


def state() -> str:
    place = Path("j.db.status.json")
    return json.loads(place.read_text())["state"] if place.exists() else ""


def meanwhile(folder: Path) -> None:
    """What a person does while the runner works."""
    until(lambda: "waits for approval" in state())
    assert "r0000 waits for a person: rxnopt lab approve j.db r0000" in lab(folder, "status", "j.db")
    lab(folder, "pause", "j.db")
    assert "temperature" in lab(folder, "approve", "j.db")
    assert "no run 'r0009'" in lab(folder, "resolve", "j.db", "r0009", "yield=3", code=2)
    assert not list(Path("drop/requests").glob("*.csv"))
    lab(folder, "resume", "j.db")
    [request] = until(lambda: list(Path("drop/requests").glob("*.csv")))
    assert "residence_time [s]" in request.read_text()
    fill(request, "61.5")
    until(lambda: "run r0001" in state())
    assert "cannot be true" in lab(folder, "correct", "j.db", "0", "yield=250", code=2)
    lab(folder, "correct", "j.db", "0", "yield=62.5")
    lab(folder, "stop", "j.db")


def test_approve_run_by_hand_pause_add_correct_and_export(folder: Path):
    start = [sys.executable, "-m", "rxnopt", "run", "snar", "-a", "random", "--budget", "2", "--lab", "lab.yaml"]
    runner = subprocess.Popen([*start, "--journal", "j.db"], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        meanwhile(folder)
        out, _ = runner.communicate(timeout=30)
    finally:
        runner.kill()
        runner.communicate()
    assert runner.returncode == 0
    assert "(trial 0)" in out.decode()
    told = json.loads(lab(folder, "status", "j.db", "--json"))
    assert [row["status"] for row in told["runs"]] == ["done", "awaiting_approval"]
    assert "1 of 2 trials are over" in lab(folder, "status", "j.db")
    lab(folder, "deny", "j.db", "--reason", "wet")
    point = ["residence_time=1", "equivalents=2", "concentration=0.2", "temperature=60"]
    lab(folder, "add", "j.db", *point, "-o", "yield=40")
    assert "'58 %' is no number" in lab(folder, "correct", "j.db", "0", "yield=58 %", code=2)
    assert "no parameter 'flow'" in lab(folder, "add", "j.db", *point, "flow=3", code=2)
    assert "no runner works" in lab(folder, "pause", "j.db", code=2)
    assert "no run is awaiting approval" in lab(folder, "approve", "j.db", code=2)
    lab(folder, "export", "j.db", "all.csv")
    rows = list(csv.DictReader(Path("all.csv").read_text().splitlines()))
    assert [row["run_status"] for row in rows] == ["done", "denied", ""]
    assert [row["status"] for row in rows] == ["done", "failed", "done"]
    assert rows[0]["yield"] == "62.5"
    assert json.loads(rows[0]["raw"])["outputs"] == {"yield": [61.5, "%"]}
    assert rows[0]["corrected_by"]
    assert [row["within_limits_noise_free"] for row in rows] == [""] * 3  # a rig cannot know it
    begun, ended = (datetime.fromisoformat(rows[0][name]) for name in ("submitted", "ended"))
    assert timedelta(0) <= ended - begun < timedelta(minutes=1)
    assert abs(ended - datetime.now(UTC)) < timedelta(minutes=2)
    assert rows[1]["submitted"] == ""


def test_mistakes_are_told_in_one_sentence(folder: Path):
    def run(*words: str) -> str:
        found = CliRunner().invoke(app, ["run", "snar", "-a", "random", "--budget", "1", "-q", *words])
        assert found.exit_code == 2
        return found.output

    assert "needs a journal" in run("--lab", "lab.yaml")
    assert "no such file" in run("--lab", "nowhere.yaml", "--journal", "a.db")
    Path("secret.yaml").write_text(LAB.replace("folder: drop", "folder: gone"))
    assert "there is no such folder" in run("--lab", "secret.yaml", "--journal", "b.db")
    Path("hot.yaml").write_text(LAB.replace("unit: degC", "unit: bar"))
    assert "temperature" in run("--lab", "hot.yaml", "--journal", "c.db")
    assert "there is no such journal" in lab(folder, "status", "nothing.db", code=2)
