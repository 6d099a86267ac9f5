"""Campaigns of people and of other programs stand beside those of agents, with what was really done."""

import sys
from pathlib import Path

import numpy as np
import pytest

from rxnopt import compare, load
from rxnopt.errors import CardError, DataError, UnknownNameError
from rxnopt.simulators.past import past_campaigns

CARD = """name: game
id: Game-v0
title: A game
parameters:
  ligand: {levels: [A, B, C]}
  temperature: {levels: ["60", "80"]}
data: {grid: {path: grid.csv}, players: {path: players.csv}, program: {path: program.csv}}
model: {kind: table, files: [grid], columns: {ligand: L, temperature: T}, measured: {found: {column: y, unit: "%"}}}
outputs: {yield: {formula: found, unit: "%"}}
optimum: {value: 90, conditions: {ligand: C, temperature: "80"}}
past:
  players:
    title: Two players
    file: players
    conditions: {ligand: "ligand_{n}", temperature: "T_{n}"}
    outputs: {yield: "yield_{n}"}
  program: {title: A program, file: program, first: 0, outputs: {yield: "{n}"}}
"""
GRID = "L,T,y\nA,60,10\nA,80,10\nB,60,30\nB,80,40\nC,60,\nC,80,90\n"
PLAYERS = "who,yield_1,ligand_1,T_1,yield_2,ligand_2,T_2,yield_3,ligand_3,T_3\nx,10,A,80,90,C,80,,,\ny,30,B,60,,,,,,\n"
PROGRAM = ",0,1,2\n0,10,40,30\n1,90,10,10\n"
EXPERIMENT = """name: duel
title: A duel
reactions: [{}]
agents: [random]
past: [players, program]
seeds: 2
budget: 4
"""


@pytest.fixture
def game(tmp_path):
    def write(card=CARD, players=PLAYERS):
        files = {"grid.csv": GRID, "players.csv": players, "program.csv": PROGRAM, "game.yaml": card}
        files["duel.yaml"] = EXPERIMENT.format(tmp_path / "game.yaml")
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        return load(tmp_path / "game.yaml")

    return write


def test_a_row_is_a_campaign_and_ends_where_it_is_empty(game):
    first, second = past_campaigns(game(), "players")
    assert first.conditions == ({"ligand": "A", "temperature": "80"}, {"ligand": "C", "temperature": "80"})
    assert first.outputs == ({"yield": 10.0}, {"yield": 90.0})
    assert (len(first), len(second), second.number) == (2, 1, 1)


def test_conditions_are_found_where_only_one_experiment_has_the_outcome(game):
    campaign, _ = past_campaigns(game(), "program")
    assert campaign.conditions == (None, {"ligand": "B", "temperature": "80"}, {"ligand": "B", "temperature": "60"})


def test_they_are_scored_and_reported_like_agents(game, tmp_path):
    game()
    results = compare(tmp_path / "duel.yaml", out=tmp_path / "runs", workers=1, progress=False)
    trials = results.trials
    assert trials.groupby("agent").size().to_dict() == {"players": 3, "program": 6, "random": 8}
    assert trials["objective"].equals(trials["objective_noise_free"]) or trials["failure"].notna().any()
    scores = results.scores().set_index("agent")
    assert list(scores.index) == ["random", "players", "program"]
    assert scores.loc[["players", "program"], "runs"].tolist() == [2, 2]
    assert scores.loc["program", "experiments"] == np.inf
    assert scores.loc["players", "reached"] == 0.5
    page = results.report().read_text(encoding="utf-8")
    assert "players" in page
    assert "A program" in page
    assert compare(tmp_path / "duel.yaml", out=tmp_path / "runs", workers=1, progress=False).trials.equals(trials)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("file: players\n", "file: player\n", "'player' is unknown here; did you mean 'players'"),
        ('ligand: "ligand_{n}", ', "", "the columns of 'ligand' are missing; add them"),
        ('{yield: "{n}"}', '{yeld: "{n}"}', "'yeld' is unknown here; did you mean 'yield'"),
        ('"yield_{n}"', '"yield_n"', "must hold '{n}' once"),
    ],
)
def test_a_wrong_block_is_refused(game, old, new, said):
    with pytest.raises(CardError, match=said):
        game(CARD.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("90,C,80", "90,C,", "players.csv:2: the experiments of this row are told in part"),
        ("90,C,80", "many,C,80", "players.csv:2 yield: 'many' is not a number"),
        ("yield_1", "yield_9", "players.csv has no columns 'yield_1'"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(game, old, new, said):
    reaction = game(players=PLAYERS.replace(old, new))
    with pytest.raises(DataError, match=said):
        past_campaigns(reaction, "players")


def test_names_are_checked_before_anything_runs(game, tmp_path):
    reaction = game()
    with pytest.raises(UnknownNameError, match="no past campaigns 'player'; did you mean 'players'"):
        past_campaigns(reaction, "player")
    place = tmp_path / "duel.yaml"
    place.write_text(place.read_text(encoding="utf-8").replace("program]", "programme]"), encoding="utf-8")
    with pytest.raises(CardError, match="has no past campaigns 'programme'; did you mean 'program'"):
        compare(place, out=tmp_path / "runs", progress=False)
    place.write_text(f"{EXPERIMENT.format('snar')}objective: pareto\n", encoding="utf-8")
    with pytest.raises(CardError, match="past campaigns were after the objective of the card"):
        compare(place, out=tmp_path / "runs", progress=False)


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    monkeypatch.delitem(sys.modules, "arylation", raising=False)
    import arylation

    return arylation


PUBLISHED = {
    "chemists": [64.8, 79.8, 85.0, 88.4, 91.7, 92.9, 94.2, 30.5, 56.5, 56],
    "edbo": [50.0, 74.1, 86.2, 91.6, 95.6, 97.5, 99.8, 19.5, 20.0, 100],
}
"""Mean best yield after 5, 10, 15, 20, 25, 30 and 50 experiments, medians to 95 and 99 %, share at 99 %."""
SAMPLED = [52.1, 66.6, 74.3, 78.6, 83.7, 88.4, 116, 27]
"""Random search, by draws: after 5, 10, 15, 20, 30 and 50 experiments, median to 95 %, share at 99 % after 100."""


@pytest.mark.data
@pytest.mark.parametrize("name", PUBLISHED)
def test_chemists_and_edbo_have_the_figures_of_the_literature(benchmark, name):
    found = benchmark.figures(benchmark.best_so_far(benchmark.past(name)))
    np.testing.assert_allclose(found, PUBLISHED[name], atol=0.0501)


@pytest.mark.data
def test_the_exact_figures_of_random_search_are_those_of_draws(benchmark):
    """Of 1,000 draws each within four standard errors; of figures that somebody else sampled, too."""
    yields = load("direct_arylation").simulator.values[:, 0]
    runs, exact = benchmark.drawn(yields, 1000), benchmark.random_search(yields)
    found = benchmark.figures(runs)
    error = np.append(runs[:, [n - 1 for n in benchmark.AT]].std(axis=0), 100 * np.sqrt(0.26 * 0.74)) / np.sqrt(1000)
    told, means = np.array([*exact[:7], exact[9]]), np.array([*found[:7], found[9]])
    assert (np.abs(told - means) < 4 * error).all()
    assert (np.abs(np.delete(told, 4) - np.delete(SAMPLED, 6)) < np.delete(error, 4)).all()
    assert exact[7:9] == [116.0, 224.0]
    np.testing.assert_allclose(found[7:9], exact[7:9], rtol=0.1)


@pytest.mark.data
def test_every_experiment_of_the_chemists_stands_in_the_table():
    reaction = load("direct_arylation")
    campaigns = past_campaigns(reaction, "chemists")
    assert (len(campaigns), sum(map(len, campaigns)), np.median([len(c) for c in campaigns])) == (50, 1548, 25)
    for campaign in campaigns:
        X = reaction.space.to_array(list(campaign.conditions))
        assert reaction.outcome(X).values[:, 0].tolist() == [row["yield"] for row in campaign.outputs]
