"""Tables: what is looked up is what stands in the file, and what does not stand there has failed."""

import csv
import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rxnopt import data
from rxnopt.campaign import Campaign
from rxnopt.catalogue import gym_ids, has_field, names, owner_of_part, parts
from rxnopt.errors import CardError, DataError, UnknownNameError
from rxnopt.simulators import load
from rxnopt.simulators.search import find_optimum
from rxnopt.simulators.table import TableSimulator

CARD = """name: screen
id: Screen-v0
title: A screen
parameters:
  ligand: {levels: {PPh3: {smiles: c1ccc(P)cc1}, XPhos: {smiles: CC}, none: {smiles: ""}}}
  solvent: {levels: [THF, MeOH]}
  temperature: {levels: {"60": {value: 60 degC}, "80": {value: 80 degC}}}
data:
  thf: {path: thf.csv}
  methanol: {path: methanol.csv}
model:
  kind: table
  files: [{file: thf, levels: {solvent: THF}}, {file: methanol, levels: {solvent: MeOH}}]
  columns: {ligand: {column: Ligand, by: smiles}, temperature: T}
  measured: {found: {column: yield, unit: "%"}, price: {column: price}}
outputs:
  yield: {formula: "max(0, min(1, found))", unit: "%"}
  raw: {formula: found, unit: "%"}
  cost: {formula: price * 2}
failures: {rules: {too_dear: price_limit < cost}}
constants: {price_limit: "100"}
"""
THF = "\ufeffn,Ligand,T,yield,price\n1,c1ccc(P)cc1,60,12.5,1\n2,c1ccc(P)cc1,80,110.25,2\n3,CC,60,-0.8,3\n4,CC,80,,3\n"
METHANOL = "n,Ligand,T,yield,price\n5,,60,7,4\n\n6,,80,8,90\n"


@pytest.fixture
def screen(tmp_path):
    def write(card=CARD, thf=THF, methanol=METHANOL):
        (tmp_path / "thf.csv").write_text(thf, encoding="utf-8")
        (tmp_path / "methanol.csv").write_text(methanol, encoding="utf-8")
        (tmp_path / "screen.yaml").write_text(card, encoding="utf-8")
        return load(tmp_path / "screen.yaml")

    return write


def at(ligand, solvent, temperature):
    return {"ligand": ligand, "solvent": solvent, "temperature": temperature}


def test_what_stands_in_the_files_comes_back(screen):
    reaction = screen()
    assert reaction.simulate(at("PPh3", "THF", "60")) == {"yield": 12.5, "raw": 12.5, "cost": 2.0, "failed": False}
    assert reaction.simulate(at("PPh3", "THF", 80)) == {"yield": 100.0, "raw": 110.25, "cost": 4.0, "failed": False}
    assert reaction.simulate(at("XPhos", "THF", "60"))["yield"] == 0.0
    assert reaction.simulate(at("XPhos", "THF", "60"))["raw"] == -0.8
    assert reaction.simulate(at("none", "MeOH", "60"))["yield"] == pytest.approx(7.0, rel=1e-15)


def test_what_nobody_measured_fails_with_its_reason(screen):
    reaction = screen()
    rows = [at("XPhos", "THF", "80"), at("none", "THF", "60"), at("none", "MeOH", "80"), at("PPh3", "THF", "60")]
    outcome = reaction.outcome(reaction.space.to_array(rows))
    assert reaction.reasons(outcome).tolist() == ["missing", "missing", "too_dear", None]
    assert outcome.failed.tolist() == [True, True, True, False]
    assert np.isnan(outcome.values[:3]).all()
    with Campaign(reaction, "random", budget=12, seed=1) as campaign:
        assert campaign.run()["failure"].isin(["missing", "too_dear", None]).all()


def test_the_optimum_is_that_of_the_whole_table(screen):
    best = find_optimum(screen())
    assert (best.value, best.conditions) == (100.0, at("PPh3", "THF", "80"))
    assert "all" in best.note


def test_only_rows_that_are_asked_for_count(screen):
    reaction = screen(CARD.replace("  measured:", "  where: {n: '1'}\n  measured:"))
    assert (~reaction.outcome(reaction.simulator.grid).failed).sum() == 1


def test_a_table_travels_to_another_process(screen):
    reaction = screen()
    before = reaction.outcome(reaction.simulator.grid)
    after = pickle.loads(pickle.dumps(reaction)).outcome(reaction.simulator.grid)
    np.testing.assert_array_equal(before.values, after.values)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2,c1ccc(P)cc1,80", "2,c1ccc(P)cc1,60", r"thf.csv:3: these conditions stood in .*thf.csv:2 before; leave one"),
        ("12.5", "'12,5'", r"thf.csv:2: 6 values stand here and 5 in the first line"),
        ("12.5", '"12,5"', r"thf.csv:2 yield: '12,5' has a decimal comma; write 12.5"),
        ("12.5", "12 %", r"thf.csv:2 yield: '12 %' is not a number; give one, without its unit"),
        ("12.5", "inf", r"thf.csv:2 yield: 'inf' is not a number"),
        ("12.5", "1_2", r"thf.csv:2 yield: '1_2' is not a number"),
        ("3,CC,60", "3,CCC,60", r"thf.csv:4: 'CCC' is no level of 'ligand'"),
        ("Ligand,T", "Ligand,Temp", r"thf.csv has no columns 'T'; columns are 'n', 'Ligand', 'Temp'"),
        ("Ligand,T", "yield,T", r"thf.csv has no columns 'Ligand'"),
        ("n,Ligand", "yield,Ligand", r"thf.csv has 2 columns 'yield'"),
        (",", ";", r"thf.csv:1: the columns are separated by semicolons; save it with commas"),
        (THF[1:], "n,Ligand,T,yield,price\n", r"thf.csv has no rows"),
        ("1,c1", '"1,c1', r"thf.csv cannot be read as CSV"),
    ],
)
def test_a_file_that_is_no_table_is_told_with_its_line(screen, old, new, said):
    reaction = screen(thf=THF.replace(old, new))
    with pytest.raises(DataError, match=said):
        reaction.simulate(at("PPh3", "THF", "60"))


def test_a_file_that_is_not_there_or_no_text_is_told(screen, tmp_path):
    reaction = screen()
    (tmp_path / "thf.csv").write_bytes(b"n,Ligand\n1,\xe9\n")
    with pytest.raises(DataError, match=r"thf.csv:2: the file is not UTF-8 text"):
        reaction.simulate(at("PPh3", "THF", "60"))
    (tmp_path / "thf.csv").unlink()
    with pytest.raises(DataError, match=r"thf.csv cannot be read \(No such file"):
        reaction.simulate(at("PPh3", "THF", "60"))


def test_a_file_beside_the_card_may_be_held_to_its_hash(screen):
    reaction = screen(CARD.replace("{path: thf.csv}", f"{{path: thf.csv, sha256: {'a' * 64}}}"))
    with pytest.raises(DataError, match=rf"has SHA-256 [0-9a-f]{{64}} where the card says {'a' * 64}"):
        reaction.simulate(at("PPh3", "THF", "60"))


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("uncertainty: {price_limit: {relative: 0.1}}", "no kinetics, which 'uncertainty' needs"),
        ("parts: {hot: {title: hot, levels: {solvent: THF}}}", "'solvent' is told by no column of the table"),
        ('parts: {hot: {title: hot, levels: {temperature: "70"}}}', "'70' is no level of 'temperature'"),
    ],
)
def test_a_block_that_does_not_fit_is_told(screen, block, said):
    with pytest.raises(CardError, match=said):
        screen(f"{CARD}{block}\n")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{file: thf,", "{file: thg,", "'thg' is no file under 'data'; did you mean 'thf'"),
        ("temperature: T}", "temperatur: T}", "the level of 'temperature' must be told once"),
        ("levels: {solvent: THF}}", "levels: {solvent: TFH}}", "'TFH' is no level of 'solvent'; did you mean 'THF'"),
        ("by: smiles", "by: smile", "the levels have no property 'smile'; did you mean 'smiles'"),
        ("found: {", "cost: {", "the name 'cost' is taken"),
        ("formula: found,", "formula: fund,", "uses unknown name 'fund'; did you mean 'found'"),
        ('formula: found, unit: "%"', "formula: found, unit: degC", "'found' is in 1 .a plain number.; its unit is K"),
    ],
)
def test_a_card_that_does_not_fit_is_told_before_any_file_is_read(screen, old, new, said):
    assert old in CARD
    with pytest.raises(CardError, match=said):
        screen(CARD.replace(old, new))


MEASURED = [name for name in names("envs") if has_field("envs", name, "data")]
TABLES = [name for name in MEASURED if load(name).card.model.kind == "table"]
PARTS = [f"{name}-{part}" for name in TABLES for part in parts(name)]


@pytest.mark.data
@pytest.mark.parametrize("name", [*TABLES, *PARTS])
def test_known_optima_are_the_largest_of_their_tables(name):
    reaction = load(name)
    assert isinstance(reaction.simulator, TableSimulator)
    known, outcome = reaction.card.optimum, reaction.outcome(reaction.simulator.grid)
    assert known.value == np.nanmax(reaction.score(outcome))
    assert reaction.simulate(known.conditions)[reaction.objective] == known.value
    assert set(reaction.reasons(outcome)[outcome.failed]) <= {"missing"}


@pytest.mark.data
def test_the_spreadsheet_of_perera_says_what_the_table_of_edbo_says():
    """3,696 of the 5,760 yields are in both, rounded to two digits in one of them."""
    csv_, sheet = load("suzuki_perera"), load("suzuki_perera_all")
    rows = csv_.space.to_frame(csv_.simulator.grid)
    words = {
        "electrophile": dict(
            zip(csv_.space.parameters[0].levels, list(sheet.space.parameters[0].levels), strict=False)
        ),
        "nucleophile": dict(zip(csv_.space.parameters[1].levels, list(sheet.space.parameters[1].levels), strict=False)),
    }
    same = pd.DataFrame(
        {
            "quinoline": rows["electrophile"].map(words["electrophile"]),
            "indazole": rows["nucleophile"].map(words["nucleophile"]),
            "ligand": rows["ligand"].replace("CataCXiumA", "CataCXium A"),
            "base": rows["base"],
            "solvent": rows["solvent"],
        }
    )
    found = sheet.simulate(same)["yield"]
    np.testing.assert_allclose(found, csv_.simulator.values[:, 0], atol=0.00501)


def test_an_excel_file_needs_a_hash(screen, tmp_path):
    (tmp_path / "thf.xlsx").write_bytes(b"PK")
    reaction = screen(CARD.replace("thf.csv", "thf.xlsx"))
    with pytest.raises(DataError, match="is an Excel file without a hash in the card; save it as CSV"):
        reaction.simulate(at("PPh3", "THF", "60"))


def test_levels_may_be_told_in_other_words(screen):
    card = CARD.replace("temperature: T}", 'temperature: {column: T, also: {"60C": "60"}}}')
    assert screen(card, thf=THF.replace(",60,", ",60C,")).simulate(at("PPh3", "THF", "60"))["yield"] == 12.5
    with pytest.raises(CardError, match="'70' is no level of 'temperature'"):
        screen(card.replace('"60C": "60"', '"60C": "70"'))
    with pytest.raises(CardError, match="levels of 'temperature' are told in several words, so that none is held"):
        screen(f'{card}parts: {{hot: {{title: hot, levels: {{temperature: "80"}}}}}}\n')


SETS = {
    "amidation": (960, 10, 98.71),
    "buchwald_hartwig": (3955, 15, 99.99999),
    "ch_arylation_scope": (1536, 0, 100.0),
    "deoxyfluorination": (740, 0, 100.0),
    "direct_arylation": (1728, 0, 100.0),
    "ni_borylation": (1518, 0, 100.0),
    "suzuki_perera": (3696, 12, 100.0),
    "suzuki_perera_all": (5760, 15, 100.0),
}


@pytest.mark.data
def test_every_grid_that_was_published_is_an_environment():
    """Experiments, parts and the best yield, as the papers and the files say."""
    assert set(TABLES) >= set(SETS)
    for name, (experiments, count, best) in SETS.items():
        reaction = load(name)
        assert (~reaction.outcome(reaction.simulator.grid).failed).sum() == experiments
        assert len(parts(name)) == count
        assert reaction.optimum().value == best


@pytest.mark.data
def test_pandas_finds_the_same_yields():
    """All 3,955 experiments of Buchwald and Hartwig, row by row, and those of one halide in its part."""
    reaction = load("buchwald_hartwig")
    frame = pd.read_csv(data.fetch(reaction.card.data["experiments"], "test"))
    names_of = {
        column.column: {level[column.by]: name for name, level in reaction.card.parameters[parameter].levels.items()}
        for parameter, column in reaction.card.model.columns.items()
    }
    columns = {p: frame[c.column].map(names_of[c.column]) for p, c in reaction.card.model.columns.items()}
    np.testing.assert_array_equal(reaction.simulate(pd.DataFrame(columns))["yield"], frame["yield"])
    part = load("buchwald_hartwig-ome_i")
    mine = columns.pop("aryl_halide") == "1-iodo-4-methoxybenzene"
    np.testing.assert_array_equal(part.simulate(pd.DataFrame(columns)[mine])["yield"], frame["yield"][mine])


def test_a_part_is_known_by_name_and_id():
    assert load("buchwald_hartwig-cf3_cl").card.id == "BuchwaldHartwigCf3Cl-v0"
    assert load("rxnopt/BuchwaldHartwigCf3Cl-v0").name == "buchwald_hartwig-cf3_cl"
    assert gym_ids()["AmidationN10-v0"] == "amidation-n10"
    assert owner_of_part("suzuki_perera-otf_bpin") == ("suzuki_perera", "otf_bpin")
    assert owner_of_part("snar-7") is None
    assert load("amidation-n1").card.digest() != load("amidation-n2").card.digest()
    with pytest.raises(UnknownNameError, match="did you mean 'buchwald_hartwig-cf3_cl'"):
        load("buchwald_hartwig-cf3cl")


def test_without_the_data_all_but_the_experiment_works(monkeypatch, tmp_path):
    monkeypatch.setenv("RXNOPT_CACHE", str(tmp_path))
    monkeypatch.setenv(data.fetching.MIRROR, str(tmp_path / "nowhere"))
    reaction = load("direct_arylation")
    assert reaction.optimum().value == 100.0
    assert reaction.space.width == 26
    with pytest.raises(DataError, match="'direct_arylation' is not there"):
        reaction.simulate(reaction.optimum().conditions)


def test_no_file_of_data_lies_in_the_repository():
    root = Path(__file__).parents[2]
    kept = {row["sha256"] for row in manifest()}
    hashes = {file.sha256 for card in data.data_sets().values() for _, file in data.published(card)}
    assert not kept or hashes <= kept
    assert not [path for path in (root / "envs").glob("*.csv") if path.stem in MEASURED]


def manifest():
    place = Path(os.environ.get(data.fetching.MIRROR, "")) / "MANIFEST.csv"
    return list(csv.DictReader(place.read_text(encoding="utf-8").splitlines())) if place.is_file() else []
