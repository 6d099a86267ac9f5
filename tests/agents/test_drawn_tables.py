"""Tables drawn from the prior of gp-prior, and the few-shot agent that is taught on them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from rxnopt.agents import build, load
from rxnopt.agents.prior import Prior, Similarity, find_prior
from rxnopt.agents.prior.tables import Tables, with_tables
from rxnopt.campaign import Campaign
from rxnopt.cards.agent import AgentCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.errors import AgentError, WeightsError
from rxnopt.history import DONE, FAILED, PENDING, History
from rxnopt.seeds import stream
from rxnopt.simulators import load as load_reaction
from rxnopt.training import train

CARD = """
name: {name}
id: Drawn-v0
title: A table that nobody has measured
data: {{experiments: {{path: nowhere.csv}}}}
parameters:
  acid: {{levels: {{formic: {{smiles: OC=O}}, acetic: {{smiles: CC(O)=O}}, benzoic: {{smiles: OC(=O)c1ccccc1}}}}}}
  metal: {{levels: [Pd, Ni, Cu, Fe]}}
  solvent: {{levels: [water, toluene, DMF, THF]}}
  temperature: {{levels: ["80 degC", "100 degC", "120 degC"]}}
model:
  kind: table
  files: [experiments]
  columns: {{acid: acid, metal: metal, solvent: solvent, temperature: temperature}}
  measured: {{found: {{column: y, unit: "%"}}, price: {{column: price}}}}
outputs: {{cost: {{formula: price}}, yield: {{formula: found, unit: "%"}}}}
objective: {{maximize: yield}}
optimum: {{value: 100, conditions: {{acid: formic, metal: Pd, solvent: water, temperature: 80 degC}}}}
"""
AGENT = """
name: taught
title: A small one
agent: {kind: pretrained, width: 32, heads: 2, budget: 10, reactions: 2048, updates: 640, batch: 128,
  learning_rate: 0.004, deterministic: false}
"""


@pytest.fixture
def reaction(tmp_path):
    """A table whose file is not there: who looks at what was measured fails."""
    (tmp_path / "drawn.yaml").write_text(CARD.format(name="drawn"))
    return load_reaction(tmp_path / "drawn.yaml")


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A network that was taught for some seconds, on a table whose file is not there."""
    folder = tmp_path_factory.mktemp("train")
    (folder / "drawn.yaml").write_text(CARD.format(name="drawn"))
    card = validate(parse(AGENT, "taught.yaml"), AgentCard)
    return card, train(card, folder / "drawn.yaml", out=folder, progress=False)


def tables(reaction, values=(-3.0, -3.5, -4.0, -3.2, -5.0, 0.5), spread=1e-12) -> Tables:
    """Tables of a prior that is nearly certain of these hyperparameters."""
    prior = Prior(mean=values, covariance=tuple(map(tuple, spread * np.eye(6))), warped=(0.5, 0.3))
    return Tables(reaction.card, Similarity("mine", reaction.space, 0.5), prior)


def test_tables_have_the_covariance_of_the_kernel_of_gp_prior(reaction):
    drawn = tables(reaction)
    z = drawn.process(stream(0, "z"), 6000)
    X, variances = drawn.grid.X, np.exp([-3.0, -3.5, -4.0, -3.2])
    expected = np.tensordot(variances, drawn.similarity.parts(X, X), 1) + np.exp(-5.0) * np.eye(len(X))
    error = np.sqrt((expected**2 + np.outer(np.diag(expected), np.diag(expected))) / len(z))  # of a covariance
    assert z.mean() == pytest.approx(0.5, abs=0.02)
    assert np.abs((np.cov(z.T) - expected) / error).max() < 6
    assert np.square((np.cov(z.T) - expected) / error).mean() == pytest.approx(1.0, abs=0.2)


def test_hyperparameters_are_drawn_too(reaction):
    drawn = tables(reaction, spread=0.25)
    noise = drawn.prior.of(stream(0, "n").standard_normal((4000, 6))).noise
    np.testing.assert_allclose([np.log(noise).mean(), np.log(noise).std()], [-5.0, 0.5], atol=0.03)


def test_a_drawn_table_is_looked_up_and_has_yields_only(reaction):
    drawn = tables(reaction)
    constants = drawn.draw(stream(0, "tables"), 300)
    np.testing.assert_array_equal(constants[:5], drawn.draw(stream(0, "tables"), 5))  # whatever their number
    assert constants.shape == (300, 144)
    assert constants.min() >= 0
    assert constants.max() == 100  # roots beyond 1 are yields of 100 %
    outcome = drawn.simulate(drawn.grid.X[[7, 9]], constants[:2])
    np.testing.assert_array_equal(outcome.values[:, 1], [constants[0, 7], constants[1, 9]])
    assert np.isnan(outcome.values[:, 0]).all()


def test_a_table_without_its_file_is_enough_to_teach(taught):
    """And the network has learnt: on tables that it has not seen it finds more optima than chance."""
    told = taught[1].provenance
    assert told["uncertainty"] == {"tables": "gp-prior", "sha256": find_prior(load("gp-prior")).sha256}
    assert told["score"]["sampled"]["reached"] > told["score"]["random_search"]["reached"] + 0.05


def test_campaigns_on_drawn_tables_come_to_better_yields_than_chance(taught):
    """Mean share of the optimum after ten experiments, on the same forty drawn tables."""
    card, training = taught
    table = with_tables("taught", load_reaction(training.weights.parent / "drawn.yaml"))
    found = {"taught": [], "random": []}
    for row in table.draw(stream(1, "held-out"), 40):
        if row.max() == 0:
            continue
        one = replace(table.with_constants(row), place=table.place)
        agents = {"taught": build(card, one, budget=10, seed=0, weights=training.weights), "random": "random"}
        for name, agent in agents.items():
            with Campaign(one, agent, budget=10, seed=0) as campaign:
                found[name].append(campaign.run()["objective"].max() / row.max())
    gain = np.array(found["taught"]) - np.array(found["random"])
    assert gain.mean() > 2 * gain.std() / np.sqrt(len(gain))


def test_nothing_is_proposed_again_before_all_others(taught):
    card, training = taught
    reaction = load_reaction(training.weights.parent / "drawn.yaml")
    agent = build(card, reaction, budget=10, seed=0, weights=training.weights)
    X, rng = np.empty((0, 4)), stream(0, "y")
    for batch in (1, 5, 60, 70, 8):
        y, status = rng.random(len(X)) * 100, np.full(len(X), DONE, np.uint8)
        status[-3:], status[-5:-3], y[-5:-3] = PENDING, FAILED, np.nan
        X = np.vstack([X, agent.propose(reaction.space, History(X, y, status), batch, stream(len(X), "a"))])
    assert len(X) == 144
    assert len({tuple(x) for x in X}) == 144
    again = agent.propose(reaction.space, History(X, np.ones(144), np.zeros(144, np.uint8)), 2, stream(0, "a"))
    assert (again[0] != again[1]).any()


def test_the_shipped_network_proposes_only_what_was_not_tested_in_direct_arylation():
    """It needs neither the data nor RDKit, and other seeds begin elsewhere."""
    reaction = load_reaction("direct_arylation")
    agent = build(load("few-shot"), reaction, budget=50, seed=0)
    X, y = np.empty((0, 5)), np.empty(0)
    for trial in range(30):
        x = agent.propose(reaction.space, History(X, y, np.zeros(trial, np.uint8)), 1, stream(trial, "a"))
        assert not (X == x).all(axis=1).any()
        X, y = np.vstack([X, x]), np.append(y, float(trial))
    first = [agent.propose(reaction.space, History.empty(reaction.space), 1, stream(k, "a"))[0] for k in range(5)]
    assert any((one != other).any() for one, other in pairwise(first))


def test_what_it_cannot_be_taught_on_is_said(tmp_path):
    with pytest.raises(WeightsError, match=r"run 'rxnopt train few-shot --env amidation'$"):
        build(load("few-shot"), load_reaction("amidation"), budget=20, seed=0)
    (tmp_path / "cheap.yaml").write_text(CARD.format(name="cheap").replace("maximize: yield", "minimize: cost"))
    said = {
        "suzuki_perera_all": "up to 8,192 conditions and 'suzuki_perera_all' has 10,752; take gp-prior itself",
        "amidation-general": "is taught on single yields without limits; 'amidation-general' asks for more",
        tmp_path / "cheap.yaml": "of a yield in % that is maximised; 'cost' of 'cheap' is none, take gp-prior itself",
    }
    for name, sentence in said.items():
        with pytest.raises(AgentError, match=sentence):
            train("few-shot", name, out=tmp_path)
