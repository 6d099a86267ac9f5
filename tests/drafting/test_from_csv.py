"""A card from a CSV of results: by the command, with as few questions as there can be."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rxnopt.cli import look, own, work  # noqa: F401  (registers the commands)
from rxnopt.cli.frame import app
from rxnopt.simulators import load

GRID = """run,Ligand,Temp (°C),Yield (%),Note
1,PPh3,60,12.1,ok
2,PPh3,80,38.5,ok
3,XPhos,60,48.3,ok
4,XPhos,80,72.4,ok
5,SPhos,60,,lost
6,SPhos,80,101.2,ok
"""
SCATTERED = """catalyst,time_min,temperature [K],conc_M,yield,impurity
A,5,313.15,0.1,10,1.0
A,10,318.15,0.2,20,1.2
B,15,323.15,0.3,35,2
B,20,328.15,0.1,30,2.2
A,25,333.15,0.2,50,3
A,30,343.15,0.25,66,3.5
B,12,353.15,0.15,70,4
B,8,338.15,0.22,45,3.1
A,18,348.15,0.12,60,3.3
B,28,315.15,0.28,25,1.6
"""


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text):
        Path("results.csv").write_text(text, encoding="utf-8")

    return write


def from_csv(*arguments, answers=None):
    before = Path("results.csv").read_bytes()
    result = CliRunner().invoke(app, ["new", "from-csv", "results.csv", *arguments], answers, catch_exceptions=False)
    assert Path("results.csv").read_bytes() == before
    return result


def test_a_grid_with_one_result_asks_nothing_and_is_looked_up(table):
    table(GRID)
    result = from_csv()
    assert result.exit_code == 0, result.output
    assert "looked up (kind: table)" in result.stdout
    assert "'run' is not used" in result.stdout
    reaction = load("results.yaml")
    found = reaction.simulate({"Ligand": "XPhos", "Temp": "80"})
    assert found == {"Yield": pytest.approx(72.4), "failed": False}
    assert reaction.simulate({"Ligand": "SPhos", "Temp": "60"})["failed"]
    assert reaction.simulate({"Ligand": "SPhos", "Temp": "80"})["Yield"] == 100.0
    assert reaction.card.data["results"].sha256
    told = CliRunner().invoke(app, ["run", "results.yaml", "--agent", "random", "--budget", "4", "-q"])
    assert "best of 4 trials" in told.stdout


def test_scattered_experiments_are_emulated_with_the_units_of_the_header_or_guessed_ones(table):
    table(SCATTERED)
    result = from_csv("--maximize", "yield", "--name", "coupling", "--out", "mine.yaml")
    assert result.exit_code == 0, result.output
    assert "emulated (kind: emulator)" in result.stdout
    assert "temperature: from 313.15 to 353.15 K\n" in result.stdout
    assert "conc_M: from 0.1 to 0.3 mol/L (the unit is guessed)" in result.stdout
    reaction = load("mine.yaml")
    assert reaction.name == "coupling"
    assert reaction.units == {"yield": "%", "impurity": "%", "yield_error": "%", "outside_data": "1"}
    at = {"catalyst": "B", "time_min": 12, "temperature": 353.15, "conc_M": 0.15}
    assert reaction.simulate(at)["yield"] == pytest.approx(70, abs=8)
    assert np.isfinite(reaction.outcome(reaction.space.sample(50, np.random.default_rng(0))).values).all()


def test_several_results_are_asked_for(table):
    table(SCATTERED)
    result = from_csv(answers="impurity\ny\n")
    assert result.exit_code == 0, result.output
    assert load("results.yaml").card.objective.minimize == "impurity"


def test_conditions_at_the_bounds_are_inside_whatever_their_decimals(table):
    table("temp,time_min,yield\n" + "".join(f"{21.9 + 7.7 * i:.1f},{1.3 * i:.1f},{9 * i}\n" for i in range(10)))
    result = from_csv()
    assert result.exit_code == 0, result.output  # 21.9 degC is 295.05 K, and back 21.899999999999977 degC
    assert "temp: from 21.9 to 91.2 degC (the unit is guessed)" in result.stdout


def test_one_column_of_numbers_is_a_curve_and_no_grid(table):
    table("time [min],yield [%]\n" + "".join(f"{t},{100 - 100 * 0.9**t:.1f}\n" for t in range(2, 32, 3)))
    assert "emulated (kind: emulator)" in from_csv().stdout
    curve = load("results.yaml")
    between = curve.simulate({"time": 12.5})
    assert between["yield"] == pytest.approx(100 - 100 * 0.9**12.5, abs=2)
    assert between["outside_data"] == 0
    table("time [min],yield [%]\n2,19\n5,41\n8,57\n11,69\n")  # too few to learn from
    assert "looked up (kind: table)" in from_csv("--out", "few.yaml").stdout
    table("ligand,yield [%]\nA,19\nB,41\nC,57\nD,69\nE,12\nE,13\n")
    assert "looked up (kind: table)" in from_csv("--out", "levels.yaml").stdout


def test_impurities_beyond_100_are_not_cut_off(table):
    table("time_min,ligand,impurity\n" + "".join(f"{i},{'AB'[i % 2]},{100 + 40 * i}\n" for i in range(1, 11)))
    result = from_csv()
    assert result.exit_code == 0, result.output
    reaction = load("results.yaml")
    assert reaction.simulate({"time_min": 8, "ligand": "A"})["impurity"] == pytest.approx(420, abs=20)


@pytest.mark.parametrize(
    ("edit", "arguments", "said"),
    [
        (lambda text: text, [], "say --maximize COLUMN or --minimize COLUMN; columns of numbers are yield, impurity"),
        (lambda text: text, ["--maximize", "yeild"], "there is no column 'yeild'; did you mean 'yield'?"),
        (lambda text: text, ["--maximize", "yield", "--minimize", "impurity"], "give either --maximize or --minimize"),
        (lambda text: text, ["--maximize", "yield", "--out", "/tmp/x.yaml"], "the card names the table beside it"),
        (lambda text: text.replace(",70,", ",110,"), ["--maximize", "yield"], "results.csv:8 yield: 110 % cannot be"),
        (lambda text: text.replace(",70,", ",high,"), ["--maximize", "yield"], "csv:8 yield: 'high' is not a number"),
        (lambda text: text.replace(",70,", ",nd,").replace(",impurity", ",note_2"), [], "csv:8 yield: 'nd' is not"),
        (lambda text: text.replace(",70,", ',"70,5",'), ["--maximize", "yield"], "'70,5' has a decimal comma"),
        (lambda text: text.replace("[K]", "(C)"), ["--maximize", "yield"], ":1 temperature: the unit 'C' is one of"),
        (lambda text: text.replace(",", ";"), [], "the columns are separated by semicolons"),
        (lambda text: text.replace("B,12,", "B,,"), ["--maximize", "yield"], "csv:8 time_min: the cell is empty"),
        (lambda text: text + "A,5,313.15,0.1,60,1.0\n", ["--maximize", "yield"], ":12 yield: 60 disagrees with 10"),
        (lambda text: "".join(row.split(",")[4] + "\n" for row in text.splitlines()), [], "no column is a condition"),
        (lambda text: "".join(text.splitlines(True)[:4]), ["--maximize", "yield"],
         "results.csv: 3 different conditions, not all combinations of some levels, are too few to learn from"),
        (lambda text: text.replace("323.15", "hot"), ["--maximize", "yield"], "csv:4 temperature: 'hot' is not a"),
        (lambda text: text.replace("B,15,", "B,15 min,"), ["--maximize", "yield"], "csv:4 time_min: '15 min' is not a"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line_and_nothing_is_written(table, edit, arguments, said):
    table(edit(SCATTERED))
    result = from_csv(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("error: ") == 1
    assert "Traceback" not in result.output
    assert not Path("results.yaml").exists()


def test_repeats_of_a_grid_stand_for_their_mean_and_tell_the_error(table):
    table(GRID + "7,XPhos,80,74.4,again\n8,PPh3,60,12.1,again\n")
    assert from_csv("-q").exit_code == 0
    reaction = load("results.yaml")
    assert reaction.simulate({"Ligand": "XPhos", "Temp": "80"})["Yield"] == pytest.approx(73.4)
    assert reaction.card.noise["Yield"].sd == 1.0  # of 1, -1, 0 and 0, two of them free


def test_nothing_is_written_over(table):
    table(GRID)
    Path("results.yaml").write_text("mine", encoding="utf-8")
    assert "results.yaml is there already with another content, and is not written over" in from_csv().stderr
    assert Path("results.yaml").read_text(encoding="utf-8") == "mine"
    Path("results.yaml").unlink()
    assert from_csv().stdout == from_csv().stdout  # the same card is no other content


def test_a_table_that_was_changed_afterwards_is_refused(table):
    table(GRID)
    from_csv("-q")
    table(GRID.replace("72.4", "74.2"))
    result = CliRunner().invoke(app, ["simulate", "results.yaml", "Ligand=XPhos", "Temp=80"])
    assert result.exit_code == 2
    assert "SHA-256" in result.stderr
