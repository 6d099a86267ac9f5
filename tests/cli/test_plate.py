"""Plates: the table that goes to the laboratory and comes back, and the plate map."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from test_look import mistake, rxnopt

from rxnopt import plate
from rxnopt.campaign import Campaign
from rxnopt.cli import plate as command  # noqa: F401  (registers it)
from rxnopt.errors import ConditionsError, SheetError
from rxnopt.simulators import load
from rxnopt.testing import toy


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_plate_becomes_a_table_and_a_picture_and_comes_back(folder: Path):
    arguments = ["plate", "lactose", "--wells", "24", "--shared", "temperature", "--seed", "3", "--out", "p.csv"]
    assert rxnopt(*arguments).stdout == "p.csv: 24 wells, to be filled in; p.png: the plate map\n"
    first = Path("p.csv").read_bytes()
    assert rxnopt(*arguments, "--figure", "map.svg", "-q").stdout == ""
    assert Path("p.csv").read_bytes() == first
    assert Path("map.svg").read_text().count("<svg") == 1
    with Image.open("p.png") as image:
        assert image.width > 1000
    frame = pd.read_csv("p.csv")
    assert frame["well"].tolist() == [f"{row}{column}" for row in "ABCD" for column in range(1, 7)]
    assert frame["temperature [degC]"].nunique() == 1
    reaction = load("lactose")
    assert plate.read(Path("p.csv"), reaction) == []
    _, results = plate.headers(reaction)
    title = results[reaction.objective]
    frame[title] = [50.0 + i for i in range(20)] + ["failed"] * 2 + [""] * 2
    frame["note"] = "as told"
    frame.to_csv("p.csv", index=False, encoding="utf-8-sig")  # as a spreadsheet writes it
    filled = Path("p.csv").read_bytes()
    assert "p.csv is there already with another content, and is not written over" in mistake(*arguments)
    assert Path("p.csv").read_bytes() == filled
    with Campaign(reaction, "random", budget=3) as campaign:
        for conditions, outcome in plate.read(Path("p.csv"), reaction):
            campaign.add(conditions, outcome)
        table = campaign.trials
    assert table["status"].tolist() == ["done"] * 20 + ["failed"] * 2
    np.testing.assert_allclose(table["temperature"], frame["temperature [degC]"][:22])
    np.testing.assert_allclose(table["objective"][:20], np.arange(50.0, 70.0))


def test_mistakes_are_told_in_one_sentence(folder: Path):
    assert "wells=25 is not allowed; plates have 6, 12, 24, 48, 96, 384 wells" in mistake(
        "plate", "lactose", "--wells", "25", "--out", "p.csv"
    )
    assert "a figure ends in .png, .svg, .pdf" in mistake("plate", "lactose", "--out", "p.csv", "--figure", "p.gif")
    assert "the same name" in mistake("plate", "lactose", "--out", "p.png")
    assert "'temprature' is no parameter; did you mean 'temperature'" in mistake(
        "plate", "lactose", "--out", "p.csv", "--shared", "temprature"
    )
    assert not Path("p.csv").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("temperature [degC]", "temperature [K]", "333"),
        ("temperature [degC]", "temperature [s]", "temperature: the unit 's' is one of s, and K is needed"),
        ("catalyst,", "", "p.csv:2: the row has not"),
        ("catalyst,", "catalist,", "p.csv:1: there is no column 'catalist'; did you mean 'catalyst'"),
        ("yield [%]", "note", "p.csv:1: there is no column of results; there are yield"),
        ("A2,", "A2;", "p.csv:3: the row has not"),
        (",12.5", ",12.5 %", "p.csv:2 yield: '12.5 %' is not a number"),
        (",12.5", ",112.5", "p.csv:2 yield: 112.5 % cannot be"),
    ],
)
def test_wrong_tables_are_refused_with_their_line(tmp_path, old, new, message):
    with Campaign(toy("mixed"), "kmedoids", budget=6) as campaign:
        frame = plate.table(campaign.reaction, campaign.ask(6), 6)
    frame.loc[0, "yield [%]"] = "12.5"
    text = frame.to_csv(index=False)
    assert old in text
    (tmp_path / "p.csv").write_text(text.replace(old, new, 1))
    if message == "333":  # another unit of the same kind is converted
        [(conditions, outcome)] = plate.read(tmp_path / "p.csv", toy("mixed"))
        assert conditions["temperature"] == pytest.approx(float(frame.iloc[0, 1]) - 273.15)
        assert outcome == {"yield": 12.5}
        return
    with pytest.raises(SheetError, match=message):
        plate.read(tmp_path / "p.csv", toy("mixed"))


def test_levels_out_of_the_space_are_refused_by_the_campaign(tmp_path):
    text = "well,temperature [degC],tanks,catalyst,stirred,yield (%)\nA1,60,2,Rh,1,50\n"
    (tmp_path / "p.csv").write_text(text)
    [(conditions, outcome)] = plate.read(tmp_path / "p.csv", toy("mixed"))
    with (
        Campaign(toy("mixed"), "random", budget=3) as campaign,
        pytest.raises(ConditionsError, match="'Rh' is no level"),
    ):
        campaign.add(conditions, outcome)


def test_wells_of_many_levels_carry_their_number(monkeypatch):
    monkeypatch.setattr(plate, "FEW", 3)
    with Campaign(toy("levels"), "kmedoids", budget=12) as campaign:
        trials = campaign.ask(12)
        catalyst, solvent = plate.draw(campaign.reaction, trials, 12).axes
    assert [axis.get_title() for axis in (catalyst, solvent)] == ["catalyst", "solvent"]
    levels = ["none", "Pd", "Ni", "Cu"]
    assert [int(text.get_text()) for text in catalyst.texts] == [
        1 + levels.index(trial.conditions["catalyst"]) for trial in trials
    ]
    assert not solvent.texts
