"""The command that fits: what it prints and writes, and mistakes in one line."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from rxnopt.cli import look, own  # noqa: F401  (registers the command)
from rxnopt.cli.frame import app
from rxnopt.seeds import stream
from rxnopt.simulators import load


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reaction = load("lactose")
    X = reaction.space.sample(25, stream(0, "points"))
    Y = reaction.outcome(X).values[:, :2] + 0.3 * stream(0, "noise").standard_normal((25, 2))
    frame = reaction.space.to_frame(X).assign(**dict(zip(reaction.outputs[:2], Y.T, strict=True)))
    frame.to_csv("kinetics.csv", index=False)
    return frame


def rxnopt(*arguments):
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_a_fit_is_printed_and_kept(data):
    before = Path("kinetics.csv").read_bytes()
    result = rxnopt("fit", "lactose", "kinetics.csv", "-q")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "runs/fit-lactose/lactose_fitted.yaml"
    folder = Path("runs/fit-lactose")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    assert "r1.k at" in page
    assert list(pd.read_csv(folder / "estimates.csv")["unit"]) == ["1/min"] * 3 + ["kJ/mol"] * 3
    assert pd.read_csv(folder / "correlation.csv", index_col=0).shape == (6, 6)
    assert yaml.safe_load((folder / "lactose_fitted.yaml").read_text())["name"] == "lactose_fitted"
    assert Path("kinetics.csv").read_bytes() == before
    shown = rxnopt("simulate", str(folder / "lactose_fitted.yaml"), "residence_time=5", "temperature=80", "tanks=4")
    assert shown.exit_code == 0


def test_a_card_that_was_edited_is_not_written_over(data):
    arguments = ["fit", "lactose", "kinetics.csv", "--constants", "r1.k", "--no-profiles"]
    first = rxnopt(*arguments)
    card, page = Path("runs/fit-lactose/lactose_fitted.yaml"), Path("runs/fit-lactose/report.html")
    assert rxnopt(*arguments).stdout == first.stdout  # the same again is no harm
    mine = card.read_text(encoding="utf-8").replace("title:", "title: My own")
    card.write_text(mine, encoding="utf-8")
    page.unlink()
    again = rxnopt(*arguments)
    assert again.exit_code == 2
    assert again.stdout in first.stdout  # what was found is told
    assert "lactose_fitted.yaml is there already with another content, and is not written over" in again.stderr
    assert card.read_text(encoding="utf-8") == mine
    assert not page.exists()


def test_json_holds_the_estimates(data):
    result = rxnopt("fit", "lactose", "kinetics.csv", "--constants", "r1.k, r1.Ea", "--sd", "yield=0.3",
                    "--sd", "side_yield=0.3", "--no-profiles", "--json", "-q", "--out", "here")  # fmt: skip
    told = json.loads(result.stdout)
    assert [row["constant"].split(" ")[0] for row in told["estimates"]] == ["r1.k", "r1.Ea"]
    assert told["card"] == "here/lactose_fitted.yaml"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lactose", "nowhere.csv"], "nowhere.csv: there is no such file"),
        (["lactse", "kinetics.csv"], "did you mean 'lactose'?"),
        (["lactose", "kinetics.csv", "--sd", "yield"], "'yield' is not name=value; write it like --sd yield=1.5"),
        (["lactose", "kinetics.csv", "--sd", "yield=1,5"], "--sd yield=1,5: '1,5' is not a number"),
        (["lactose", "kinetics.csv", "--constants", "r9.k"], "'r9.k' is no constant of lactose"),
    ],
)
def test_mistakes_are_one_line(data, arguments, said):
    result = rxnopt("fit", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not Path("runs").exists()


def test_the_data_are_never_written_over(data):
    given = Path("kinetics.csv").rename("estimates.csv").read_bytes()
    result = rxnopt("fit", "lactose", "estimates.csv", "--out", ".")
    assert result.exit_code == 2
    assert "estimates.csv would be written over" in result.stderr
    assert Path("estimates.csv").read_bytes() == given
