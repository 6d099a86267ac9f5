"""A comparison: equal bytes for any number of workers, nothing done twice, nothing lost."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from comparison_toys import write_cards

from rxnopt.campaign import Campaign
from rxnopt.cards import ExperimentCard, load_card
from rxnopt.cards.realism import Realism
from rxnopt.errors import CardError, ReportError, UnknownNameError
from rxnopt.experiments import compare
from rxnopt.experiments.cells import read_cell, run_cell
from rxnopt.experiments.runner import plan

COLUMNS = [
    "experiment", "reaction", "agent", "seed", "trial", "status", "objective", "objective_noise_free",
    "within_limits", "within_limits_noise_free", "failure", "conditions", "outputs", "outputs_noise_free",
]  # fmt: skip


def cells(folder):
    return sorted((folder / "cells").glob("*.parquet"))


def stamps(folder):
    return {path: path.stat().st_mtime_ns for path in cells(folder)}


def test_the_table_holds_every_experiment(small):
    trials = small.trials
    assert list(trials) == COLUMNS
    assert len(trials) == 2 * 2 * 3 * 8
    assert list(trials["reaction"].unique()) == ["made", "left"]
    assert list(trials["agent"].unique()) == ["random", "tpe"]
    for (_, _, _), part in trials.groupby(["reaction", "agent", "seed"]):
        assert list(part["trial"]) == list(range(8))
    first = trials.iloc[0]
    assert set(json.loads(first["conditions"])) == {"time", "solvent"}
    assert json.loads(first["outputs"])["yield"] == first["objective"]
    assert (trials["objective"] != trials["objective_noise_free"]).all()


def test_a_campaign_of_the_table_can_be_repeated_alone(small):
    part = small.trials.query("reaction == 'left' and agent == 'tpe'")
    seed = int(part["seed"].iloc[0])
    place = small.folder.parents[1] / "left.yaml"
    alone = Campaign(place, "tpe", budget=8, seed=seed).run()
    np.testing.assert_array_equal(alone["objective"], part[part["seed"] == seed]["objective"])


def test_agents_meet_the_same_seeds_and_reactions_different_ones(small):
    seeds = {key: set(part["seed"]) for key, part in small.trials.groupby(["reaction", "agent"])}
    assert seeds["made", "random"] == seeds["made", "tpe"]
    assert len(seeds["made", "tpe"] | seeds["left", "tpe"]) == 6


def test_a_failing_agent_is_named_and_the_others_go_on(small):
    assert {(f["agent"], f["reaction"]) for f in small.failed} == {("broken", "made"), ("broken", "left")}
    assert len(small.failed) == 6
    assert "did you mean" in small.failed[0]["error"]
    assert list(small.scores()["agent"]) == ["random", "tpe", "broken"]


def test_agents_that_cannot_work_are_told_before_anything_runs(tmp_path, caplog, monkeypatch):
    def nothing_runs(**options):
        raise RuntimeError("the work began")

    monkeypatch.setattr("joblib.Parallel", nothing_runs)
    with pytest.raises(RuntimeError, match="the work began"):
        compare(write_cards(tmp_path, "random, ppo, BROKEN"), out=tmp_path, progress=False)
    said = [record.getMessage() for record in caplog.records]
    assert [text.split(": ")[0] for text in said] == [
        f"{agent} on {reaction} will give no result" for reaction in ("made", "left") for agent in ("ppo", "broken")
    ]
    assert "rxnopt train ppo --env" in said[0]
    assert "NoSuchSampler" in said[1]


def test_the_manifest_says_what_was_done(small):
    manifest = json.loads((small.folder / "manifest.json").read_text())
    assert manifest == small.manifest
    assert manifest["table"]["sha256"] == hashlib.sha256((small.folder / "trials.parquet").read_bytes()).hexdigest()
    assert set(manifest["versions"]) >= {"rxnopt", "python", "numpy", "optuna"}
    assert len(manifest["campaigns"]) == 12
    made = manifest["reactions"]["made"]
    assert made["source"]["doi"] == "10.1000/toy"
    assert made["baseline"] < made["optimum"]
    left = manifest["reactions"]["left"]
    assert (left["sign"], left["baseline"] > left["optimum"]) == (-1, True)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_table_does_not_depend_on_the_number_of_workers(small, tmp_path, workers):
    card = small.folder.parents[1] / "small.yaml"
    again = compare(card, out=tmp_path, workers=workers, progress=False)
    assert (again.folder / "trials.parquet").read_bytes() == (small.folder / "trials.parquet").read_bytes()


def test_finished_campaigns_are_skipped_and_damaged_ones_made_again(small, tmp_path, caplog):
    folder = tmp_path / "runs" / "small"
    shutil.copytree(small.folder, folder)
    table, before = (folder / "trials.parquet").read_bytes(), stamps(folder)
    assert len(before) == 12
    card = small.folder.parents[1] / "small.yaml"

    compare(card, out=tmp_path / "runs", workers=2, progress=False)
    assert stamps(folder) == before
    assert "broken on made" in caplog.text

    paths = cells(folder)
    paths[0].write_bytes(paths[0].read_bytes()[:500])
    paths[1].write_bytes(paths[2].read_bytes())
    data = bytearray(paths[3].read_bytes())
    data[60] ^= 255  # in a data page: found by its checksum
    paths[3].write_bytes(data)
    paths[4].unlink()
    caplog.clear()
    compare(card, out=tmp_path / "runs", workers=2, progress=False)
    after = stamps(folder)
    assert {path for path in paths if after[path] != before[path]} >= {paths[0], paths[1], paths[3], paths[4]}
    assert all(after[path] == before[path] for path in paths[5:])
    assert caplog.text.count("damaged and are made again") == 3
    assert (folder / "trials.parquet").read_bytes() == table


def test_a_changed_card_is_run_again(small, tmp_path):
    for name in ("small", "made", "left", "broken"):
        text = (small.folder.parents[1] / f"{name}.yaml").read_text()
        (tmp_path / f"{name}.yaml").write_text(text.replace(str(small.folder.parents[1]), str(tmp_path)))
    shutil.copytree(small.folder, tmp_path / "runs" / "small")
    before = stamps(tmp_path / "runs" / "small")
    left = tmp_path / "left.yaml"
    left.write_text(left.read_text().replace("relative: 0.05", "relative: 0.06"))
    compare(tmp_path / "small.yaml", out=tmp_path / "runs", workers=2, progress=False)
    after = stamps(tmp_path / "runs" / "small")
    assert len(set(after) - set(before)) == 6
    assert all(after[path] == before[path] for path in before)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (("random, tpe", "random, tpee"), UnknownNameError, "no card 'tpee' in agents; did you mean 'tpe'"),
        (("/left.yaml", "/lift.yaml"), CardError, "there is no such file"),
        (("random, tpe", "random, random"), CardError, "'random' stands twice"),
        (("seeds: 3", "seeds: 0"), CardError, "seeds"),
        (("random, tpe", ""), CardError, "agents"),
    ],
)
def test_mistakes_in_the_card_are_told_before_anything_runs(tmp_path, change, error, message):
    card = write_cards(tmp_path)
    card.write_text(card.read_text().replace(*change))
    with pytest.raises(error, match=message) as caught:
        compare(card, out=tmp_path / "runs", progress=False)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_two_cards_of_one_name_are_refused(tmp_path):
    card = write_cards(tmp_path)
    (tmp_path / "left.yaml").write_text((tmp_path / "left.yaml").read_text().replace("name: left", "name: made"))
    with pytest.raises(CardError, match="two reaction cards called 'made'"):
        compare(card, out=tmp_path / "runs", progress=False)


def test_no_result_at_all_is_an_error(tmp_path):
    with pytest.raises(ReportError, match=r"none of 2 campaigns gave a result.*NoSuchSampler"):
        compare(write_cards(tmp_path, "BROKEN", seeds=1), out=tmp_path / "runs", progress=False)


# in processes of their own, to be killed

SCRIPT = """
import signal
import sys
from rxnopt.experiments import compare
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job inherits that it is ignored
    {before}
    try:
        compare(sys.argv[1], out=sys.argv[2], workers=2)
    except BaseException as error:
        print(type(error).__name__, error, file=sys.stderr)
        sys.exit(3)
"""


SLOW = """\
import time
from rxnopt.experiments import runner
own = runner.run_cell
runner.run_cell = lambda cell, folder: time.sleep(0.2) or own(cell, folder)
"""
"""So that a signal finds a comparison of more than two seconds, however fast campaigns become."""


def start(card, out, before="pass"):
    script = Path(card).with_name("script.py")
    script.write_text(textwrap.dedent(SCRIPT).format(before=textwrap.indent(before, "    ").strip()))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, script, card, out], stderr=subprocess.PIPE, text=True, start_new_session=True, env=environment
    )


def wait_for_cells(process, folder, number):
    for _ in range(6000):
        if len(cells(folder)) >= number or process.poll() is not None:
            return
        time.sleep(0.005)


@pytest.fixture
def long(tmp_path):
    """A comparison of a few seconds."""
    return write_cards(tmp_path, "random, lhs", seeds=6, budget=150)


def finish(card, tmp_path, most=23):
    """Go on, and compare with the comparison that nobody stopped."""
    folder = tmp_path / "runs" / "small"
    done = stamps(folder)
    assert 0 < len(done) <= most
    results = compare(card, out=tmp_path / "runs", workers=2, progress=False)
    assert {path: stamp for path, stamp in stamps(folder).items() if path in done} == done, "finished ones are skipped"
    whole = compare(card, out=tmp_path / "whole", workers=2, progress=False)
    assert (results.folder / "trials.parquet").read_bytes() == (whole.folder / "trials.parquet").read_bytes()
    assert len(cells(folder)) == 24


def test_killed_and_gone_on(long, tmp_path):
    process = start(long, tmp_path / "runs", SLOW)
    wait_for_cells(process, tmp_path / "runs" / "small", 3)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -9
    assert not (tmp_path / "runs" / "small" / "trials.parquet").exists()
    finish(long, tmp_path)


def test_stopped_with_ctrl_c_and_gone_on(long, tmp_path):
    process = start(long, tmp_path / "runs", SLOW)
    wait_for_cells(process, tmp_path / "runs" / "small", 3)
    os.killpg(process.pid, signal.SIGINT)
    error = process.communicate(timeout=30)[1]
    assert process.returncode == 3, error
    assert "KeyboardInterrupt stopped; finished campaigns are in" in error
    assert "run 'rxnopt compare" in error
    assert "Traceback" not in error
    finish(long, tmp_path)


@pytest.mark.parametrize(("size", "finished"), [(2_000, 0), (60_000, 24)])
def test_a_full_disk_is_told_and_loses_nothing(small, long, tmp_path, size, finished):
    """No file may grow beyond ``size`` bytes: too small for a cell (10 kB), or only for the table of all.

    The comparison ``small`` has left compiled kernels behind, whose files are larger.
    """
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, -1))"
    process = start(long, tmp_path / "runs", limit)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 3, error
    assert f"ReportError {tmp_path / 'runs' / 'small'}: results cannot be written (File too large)" in error
    assert "Traceback" not in error
    assert "Warning" not in error
    assert len(cells(tmp_path / "runs" / "small")) == finished
    if finished:
        finish(long, tmp_path, most=24)


def test_the_death_of_a_worker_is_told(small, long, tmp_path):
    kill = "import os; from rxnopt.experiments import runner; runner.run_cell = lambda cell, folder: os._exit(9)"
    process = start(long, tmp_path / "runs", kill)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 3, error
    assert f"ReportError {tmp_path / 'runs' / 'small'}: a worker process died" in error


def test_an_experiment_card_may_ask_for_realism(tmp_path):
    card = load_card("experiments", write_cards(tmp_path, seeds=1, budget=8), ExperimentCard)[0]
    hard = card.model_copy(update={"realism": Realism.model_validate({"failures": {"probability": 0.6}, "delay": 2})})
    keys = {cell.key for option in (card, hard, card.model_copy(update={"realism": False})) for cell in plan(option)}
    assert len(keys) == 3 * len(plan(card))
    cell = plan(hard)[0]
    assert run_cell(cell, tmp_path).error is None
    table = read_cell(cell, tmp_path).to_pandas()
    assert (table["failure"].dropna() == "dropout").all()
    assert 0 < table["failure"].isna().sum() < len(table)
    exact = plan(card.model_copy(update={"realism": False}))[0]
    assert run_cell(exact, tmp_path).error is None
    table = read_cell(exact, tmp_path).to_pandas()
    assert (table["objective"] == table["objective_noise_free"]).all()
