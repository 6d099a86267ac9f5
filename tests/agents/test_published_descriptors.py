"""Agents that ask for them see what was published of levels."""

import numpy as np
import pytest

from rxnopt import Campaign, agents, load
from rxnopt.agents.descriptors import known
from rxnopt.cards.base import load_card
from rxnopt.cards.medoids import Medoids
from rxnopt.cards.reaction import ReactionCard
from rxnopt.data import data_sets, published_descriptors
from rxnopt.errors import AgentError, CardError, DataError

CARD = """name: alike
id: Alike-v0
title: Ligands that are alike
parameters:
  ligand: {levels: {A: {smiles: C}, B: {smiles: CC}, C: {smiles: CCC}, D: {smiles: CCCC}}}
  temperature: {levels: {"60": {value: 60 degC, note: mild}, "80": {value: 80 degC, note: warm}}}
  solvent: {levels: [THF, MeOH]}
data: {grid: {path: grid.csv}, dft: {path: dft.csv}}
descriptors: {ligand: {file: dft, column: SMILES, by: smiles}}
model:
  kind: table
  files: [grid]
  columns: {ligand: L, temperature: T, solvent: S}
  measured: {found: {column: y, unit: "%"}}
outputs: {yield: {formula: found, unit: "%"}}
"""
GRID = "L,T,S,y\n" + "".join(
    f"{ligand},{t},{s},{10 * i + t / 10}\n"
    for i, ligand in enumerate("ABCD")
    for t in (60, 80)
    for s in ("THF", "MeOH")
)
DFT = "SMILES,formula,size,charge,gap\nCCCC,x,4,0,0.4\nC,x,1,0,0.1\nCC,y,2,0,0.2\nCCC,y,3,0,\nCO,y,9,9,9\n"


@pytest.fixture
def alike(tmp_path):
    def write(card=CARD, dft=DFT):
        for name, text in {"grid.csv": GRID, "dft.csv": dft, "alike.yaml": card}.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        return load(tmp_path / "alike.yaml")

    return write


def described(reaction):
    return published_descriptors(reaction.card, "ligand", reaction.simulator.source.folder)


def test_columns_of_numbers_become_components(alike):
    rows = described(alike())
    assert list(rows) == ["A", "B", "C", "D"]
    assert {len(row) for row in rows.values()} == {1}  # text, gaps and what is the same for all are left out
    sizes = np.array([row[0] for row in rows.values()])
    np.testing.assert_allclose(np.diff(sizes), np.diff(sizes)[0])


def test_an_agent_that_asks_sees_them_and_numeric_properties(alike):
    settings = Medoids(kind="kmedoids", published_descriptors=True)
    found = known("test", settings, alike())
    assert list(found) == ["ligand", "temperature"]
    assert found["temperature"] == ["value"]
    assert known("test", Medoids(kind="kmedoids"), alike()) == {}
    own = Medoids(kind="kmedoids", published_descriptors=True, descriptors={"temperature": {"60": [1.0], "80": [2.0]}})
    assert known("test", own, alike())["temperature"] == {"60": [1.0], "80": [2.0]}


def test_a_campaign_runs_on_them(alike):
    with Campaign(alike(), "logei-dft", budget=11, seed=0) as campaign:
        assert campaign.run()["objective"].notna().all()


def test_without_a_reaction_they_are_refused():
    with pytest.raises(AgentError, match="'logei-dft' wants published descriptors; give it their reaction"):
        agents.build(agents.load("logei-dft"), None, budget=5, seed=0)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("CCC,y", "CCN,y", r"dft.csv has no row for 'CCC', level 'C' of 'ligand'"),
        ("SMILES,", "Smiles,", r"dft.csv has no columns 'SMILES'; columns are 'Smiles'"),
        ("CC,y,2,0,0.2", "CC,y,2,0", r"dft.csv:4: 4 values stand here and 5 in the first line"),
        ("size", "SMILES", r"dft.csv has 2 columns 'SMILES'"),
    ],
)
def test_a_table_that_lacks_something_is_told(alike, old, new, said):
    with pytest.raises(DataError, match=said):
        described(alike(dft=DFT.replace(old, new)))


def test_a_table_that_tells_nothing_is_told(alike):
    with pytest.raises(DataError, match="no column of numbers that differ between the levels of 'ligand'"):
        described(alike(dft="SMILES,size\nC,1\nCC,1\nCCC,1\nCCCC,1\n"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("file: dft", "file: dtf", "'dtf' is no file under 'data'; did you mean 'dft'"),
        ("by: smiles", "by: smile", "the levels have no property 'smile'; did you mean 'smiles'"),
        (
            "descriptors: {ligand",
            "descriptors: {ligands",
            "'ligands' is no categorical parameter; did you mean 'ligand'",
        ),
    ],
)
def test_a_wrong_block_is_refused(alike, old, new, said):
    with pytest.raises(CardError, match=said):
        alike(CARD.replace(old, new, 1))


@pytest.mark.data
def test_every_level_with_published_descriptors_has_them():
    count = 0
    for name in data_sets():
        card, source = load_card("envs", name, ReactionCard)
        for parameter in card.descriptors:
            rows = published_descriptors(card, parameter, source.folder)
            assert len({tuple(row) for row in rows.values()}) == len(card.parameters[parameter].levels)
            count += 1
    assert count >= 12
