"""Commands that learn: train and tune, with real kills."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_look import mistake, rxnopt


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_train_takes_a_gymnasium_id_and_tells_the_score(folder: Path):
    ran = rxnopt("train", "td3", "--env", "rxnopt/SnAr-v0", "--steps", "64")
    assert ran.stdout == "runs/train/td3-snar.pt\n"
    assert re.search(r"best of 25 experiments, in 64 campaigns on other seeds: \d+\.\d\d% of the optimum", ran.stderr)
    assert "best of 25 trials" in rxnopt("run", "snar", "--agent", "td3", "-q").stdout


def test_a_few_shot_agent_is_trained_for_a_table_by_the_command_that_is_advised(folder: Path):
    Path("few.yaml").write_text(
        "name: few\ntitle: Few\nagent: {kind: pretrained, width: 8, heads: 1, reactions: 64, updates: 2, batch: 8, "
        "deterministic: false}\n"
    )
    advised = mistake("run", "amidation-n1", "--agent", "few.yaml")
    assert "run 'rxnopt train CARD.yaml --env amidation-n1'" in advised
    ran = rxnopt("train", "few.yaml", "--env", "amidation-n1")
    assert ran.stdout == "runs/train/few-amidation-n1.pt\n"
    told = (
        r"within 5% of the optimum in 20 experiments, in 100 campaigns on other seeds: \d+% by draws, \d+% by its best"
    )
    assert re.search(told, ran.stderr)


def test_a_training_that_is_killed_goes_on(folder: Path):
    command = ["train", "td3", "--env", "snar", "--steps", "6400", "--quiet"]
    running = subprocess.Popen([sys.executable, "-m", "rxnopt", *command], env=os.environ)
    checkpoint = folder / "runs" / "train" / "td3-snar.checkpoint.pt"
    while not checkpoint.exists():
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert rxnopt(*command, "--resume").stdout == "runs/train/td3-snar.pt\n"
    provenance = json.loads(Path("runs/train/td3-snar.json").read_text())
    assert [steps for steps, _ in provenance["evaluations"]] == [320 * k for k in range(1, 21)]


def test_tune_prints_the_best_and_goes_on(folder: Path):
    command = ["tune", "td3", "--env", "snar", "--steps", "64", "-q", "--trials"]
    assert rxnopt(*command, "1").stdout.startswith("best of 1 trials, 0 of them pruned: ")
    text = rxnopt(*command, "2").stdout
    assert re.match(r"best of 2 trials, 0 of them pruned: \d+\.\d\d% of the optimum with learning_rate=", text)
    assert text.endswith("\nruns/tune/td3-snar.yaml\n")
    assert "there is no checkpoint" in mistake("train", "runs/tune/td3-snar.yaml", "--env", "snar", "--resume")
