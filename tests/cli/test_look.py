"""Commands that look, in process; one run through the installed script."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from rxnopt import sheet
from rxnopt.catalogue import names
from rxnopt.cli import explain, look, work  # noqa: F401  (registers the commands)
from rxnopt.cli.frame import app
from rxnopt.simulators import load

SNAR = ["residence_time=1", "equivalents=2", "concentration=0.3", "temperature=90"]


def rxnopt(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def mistake(*arguments: str) -> str:
    """Run a command that must fail with one sentence and exit code 2; return the sentence."""
    result = rxnopt(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    return result.stderr


def test_list_names_every_card():
    found = json.loads(rxnopt("list", "--json").stdout)
    assert {kind: [row["name"] for row in rows] for kind, rows in found.items()} == {
        kind: names(kind) for kind in ("envs", "agents", "experiments")
    }
    assert {"name": "snar", "id": "rxnopt/SnAr-v0"}.items() <= next(
        row for row in found["envs"] if row["name"] == "snar"
    ).items()
    table = rxnopt("list", "agents").stdout
    assert "tpe" in table
    assert "snar" not in table


def test_show_tells_units_bounds_source_and_optimum():
    text = rxnopt("show", "snar").stdout
    for part in (
        "residence_time",
        "0.5 to 2",
        "min",
        "e_factor",
        "maximise cost_weighted_yield",
        "10.1039/C6RE00109B",
        "76.5388",
    ):
        assert part in text
    assert "TPESampler" in rxnopt("show", "tpe").stdout
    assert json.loads(rxnopt("show", "mit_case5", "--json").stdout)["parameters"]["catalyst"]["levels"]["c0"]


def test_names_with_brackets_are_shown_as_they_are():
    shown = rxnopt("show", "buchwald_hartwig").stdout
    assert "benzo[c]isoxazole" in shown
    assert "benzo[d]isoxazole" in shown


def test_simulate_prints_published_values():
    text = rxnopt("simulate", "snar", *SNAR).stdout
    assert "83.0172" in text  # independent SciPy script: yield 0.8301718
    values = json.loads(rxnopt("simulate", "snar", *SNAR, "--json").stdout)
    assert values["space_time_yield"] == pytest.approx(3141.187, rel=1e-6)  # the published digits
    assert values["failed"] is False


def test_simulate_with_seed_is_noisy_and_repeats():
    first, again, other, exact = (
        json.loads(rxnopt("simulate", "snar", *SNAR, "--json", *seed).stdout)["yield"]
        for seed in (["--seed", "1"], ["--seed", "1"], ["--seed", "2"], [])
    )
    assert first == again
    assert len({first, other, exact}) == 3


def test_simulate_table(tmp_path: Path):
    table = tmp_path / "in.csv"
    table.write_text("tanks,temperature,residence_time\n1,80,5\n4,80,5\n")
    out = tmp_path / "out.csv"
    assert rxnopt("simulate", "lactose", "--csv", str(table), "--out", str(out)).exit_code == 0
    frame = pd.read_csv(out)
    assert list(frame.columns[:4]) == ["residence_time", "temperature", "tanks", "yield"]
    assert frame["yield"][1] == pytest.approx(22.135107, rel=1e-6)  # closed form, n = 4: .22135107
    printed = rxnopt("simulate", "lactose", "--csv", str(table)).stdout
    assert printed == out.read_text()


def test_own_card_by_path(tmp_path: Path):
    card = tmp_path / "mine.yaml"
    card.write_text(
        "name: mine\nid: Mine-v0\ntitle: First order\nparameters: {time: {low: 0, high: 10, unit: s}}\n"
        "model: {reactor: {type: custom, time: time}, states: {a: {initial: 1, derivative: -a * k}}}\n"
        "constants: {k: 0.1 1/s}\noutputs: {yield: {formula: 1 - a, unit: '%'}}\n"
    )
    values = json.loads(rxnopt("simulate", str(card), "time=10", "--json").stdout)
    assert values["yield"] == pytest.approx(100 * (1 - 2.718281828459045**-1), rel=1e-6)  # closed form


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["simulate", "snr", *SNAR], ["'snr'", "did you mean 'snar'"]),
        (["simulate", "snar", "temperature"], ["'temperature' is not name=value"]),
        (["simulate", "snar", *SNAR, "temperature=80"], ["temperature is given twice"]),
        (["simulate", "snar", *SNAR[:3], "temperature=500"], ["temperature = 500.0", "[30.0, 120.0] degC"]),
        (["simulate", "snar", *SNAR[:3], "temperature=nan"], ["temperature = nan", "[30.0, 120.0] degC"]),
        (["simulate", "snar", *SNAR[:3], "temperature=hot"], ["temperature = 'hot' is not a number"]),
        (["simulate", "snar", *SNAR[:3]], ["temperature is missing"]),
        (["simulate", "snar", *SNAR, "temprature=80"], ["'temprature'", "did you mean 'temperature'"]),
        (["simulate", "nowhere.yaml"], ["nowhere.yaml", "no such file"]),
        (["simulate", "snar", "--csv", "nowhere.csv"], ["nowhere.csv", "no such file"]),
        (["show", "sobl"], ["'sobl'", "did you mean 'sobol'"]),
        (["list", "agent"], ["'agent'", "did you mean 'agents'"]),
    ],
)  # fmt: skip
def test_mistakes_are_one_sentence(arguments: list[str], parts: list[str]):
    sentence = mistake(*arguments)
    for part in parts:
        assert part in sentence


def test_show_checks_the_formulas_of_a_card(tmp_path: Path):
    card = tmp_path / "wrong.yaml"
    card.write_text(
        (Path(__file__).parents[2] / "envs" / "snar.yaml").read_text().replace("1.63e-2 L/mol/s", "1.63 1/s")
    )
    assert "wrong.yaml:40 model.reactions[3].k: '1.63 1/s' is in 1/s, but this rate law of order 2" in mistake(
        "show", str(card)
    )


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "there are no rows"),
        ("tanks,temperature,residence_time\n", "there are no rows"),
        ("tanks,temperature,residence_time\n1,80\n", ":2:"),
        ("tanks,temperature,residence_time\n1,80,5,6\n", ":2:"),
        ("tanks,temperature,residence_time\n1,80,5\n\n1.5,80,5\n", "in.csv:4: tanks = 1.5"),
        ("tanks,temperature,residence_time\n1,80,5\n1,800,5\n", "in.csv:3: temperature = 800.0 is not allowed"),
        ('tanks,temperature,residence_time\n1,80,"5\n"\n1,80,five\n', "in.csv:4: residence_time = 'five'"),
        ("tanks,temperature\n1,80\n", "in.csv:2: residence_time is missing"),
        ("tanks,temperature,residence_time,tanks\n1,80,5,2\n", "in.csv:1: there are two columns 'tanks'"),
        ("other,temperature,residence_time,other\n1,80,5,2\n", "in.csv:1: there are two columns 'other'"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str, part: str):
    table = tmp_path / "in.csv"
    table.write_text(text)
    assert part in mistake("simulate", "lactose", "--csv", str(table))


def test_an_endless_table_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch):
    assert "/dev/zero: the table is larger than 100 MB" in mistake("simulate", "lactose", "--csv", "/dev/zero")
    monkeypatch.setattr(sheet, "LIMIT", 1_000_000)
    assert "/dev/full: the table is larger than 1 MB" in mistake("simulate", "lactose", "--csv", "/dev/full")


def test_binary_table(tmp_path: Path):
    table = tmp_path / "in.csv"
    table.write_bytes(b"\xff\xfe\x00\x01")
    assert "cannot be read as CSV" in mistake("simulate", "lactose", "--csv", str(table))


def test_unwritable_output():
    sentence = mistake(
        "simulate", "lactose", "residence_time=1", "temperature=80", "tanks=4", "--out", "/nowhere/x.csv"
    )
    assert "/nowhere" in sentence


def test_unwritable_output_is_told_before_the_work(tmp_path: Path):
    for out in ("/nowhere/x.csv", str(tmp_path)):
        for command in ("simulate", "run"):
            sentence = mistake(command, "no_such_reaction", "--out", out)
            assert out in sentence
            assert "no_such_reaction" not in sentence
    (tmp_path / "file").write_text("")
    for command in (["train", "ppo", "--env", "snar"], ["compare", "quickstart"]):
        assert "file is no folder" in mistake(*command, "--out", str(tmp_path / "file" / "x"))


def test_a_full_device_is_named_and_nothing_untrue_is_said():
    conditions = ["residence_time=1", "temperature=80", "tanks=4"]
    assert mistake("simulate", "lactose", *conditions, "--out", "/dev/full") == (
        "error: /dev/full: No space left on device\n"
    )


@pytest.mark.parametrize("module", ["typer", "pandas"])
@pytest.mark.parametrize("start", ["script", "module"])
def test_ctrl_c_while_it_is_loaded_is_one_line(tmp_path: Path, module: str, start: str):
    (tmp_path / f"{module}.py").write_text("raise KeyboardInterrupt")
    command = [sys.executable, "-m", "rxnopt"] if start == "module" else [Path(sys.executable).with_name("rxnopt")]
    arguments = ["run", "lactose", "--agent", "random", "--budget", "2", "-q"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("stopped")
    assert done.stderr.count("\n") == 1


def test_installed_script_and_module_agree(tmp_path: Path):
    script = subprocess.run(
        [Path(sys.executable).with_name("rxnopt"), "list", "--json"], cwd=tmp_path, capture_output=True
    )
    module = subprocess.run([sys.executable, "-m", "rxnopt", "list", "--json"], cwd=tmp_path, capture_output=True)
    assert script.returncode == module.returncode == 0
    assert script.stdout == module.stdout
    unknown = subprocess.run([sys.executable, "-m", "rxnopt", "simulate", "snr"], capture_output=True, text=True)
    assert unknown.returncode == 2
    assert unknown.stderr.startswith("error: no card 'snr'")


def test_compile_leaves_what_is_compiled_alone():
    load("lactose").simulator.kernel  # noqa: B018  (compiles)
    assert rxnopt("compile", "lactose").stdout == "all were compiled before\n"
    assert mistake("compile", "lactos").startswith("error: no card 'lactos'")


@pytest.mark.parametrize(
    "name", ["list", "show", "compile", "simulate", "run", "train", "tune", "compare", "report", "schema"]
)
def test_every_command_has_help_with_an_example(name: str):
    text = rxnopt(name, "--help").stdout
    assert "Example: " in text
    assert f"rxnopt {name}" in text
