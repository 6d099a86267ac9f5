"""The prior of gp-prior is fitted to tables as it says, and the one that is shipped has seen no direct arylation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal

from rxnopt.agents import build, load
from rxnopt.agents.prior import Similarity
from rxnopt.catalogue import catalogue
from rxnopt.errors import AgentError
from rxnopt.history import History
from rxnopt.seeds import stream
from rxnopt.simulators import load as load_reaction
from rxnopt.testing import toy
from rxnopt.training import train
from rxnopt.training.prior import fitted, improbability, largest, task_of

SHIPPED = json.loads((catalogue("agents") / "weights" / "gp-prior.json").read_text())
CARD = """
name: small
id: Small-v0
title: A small table
data: {experiments: {path: small.csv}}
parameters:
  acid: {levels: {formic: {smiles: OC=O}, acetic: {smiles: CC(O)=O}, propionic: {smiles: CCC(O)=O}}}
  metal: {levels: [Pd, Ni, Cu, Fe]}
  solvent: {levels: [water, toluene, DMF, THF, DME]}
model:
  kind: table
  files: [experiments]
  columns: {acid: acid, metal: metal, solvent: solvent}
  measured: {measured_yield: {column: yield, unit: "%"}}
outputs: {yield: {formula: measured_yield, unit: "%"}}
"""


AGENT = """
name: mine
title: A prior of two tables
agent: {kind: gp-prior, tables: [first.yaml, second.yaml]}
"""


@pytest.fixture
def tables(tmp_path: Path, monkeypatch) -> Path:
    """Two tables whose yields are sums of effects, one with a hole, and an agent that names them."""
    monkeypatch.chdir(tmp_path)
    for k, name in enumerate(("first", "second")):
        rng = stream(k, "table")
        effects = [rng.random(count) * size for count, size in ((3, 20.0), (4, 60.0), (5, 20.0))]
        names = "formic acetic propionic", "Pd Ni Cu Fe", "water toluene DMF THF DME"
        levels = [each.split() for each in names]
        rows = [
            f"{acid},{metal},{solvent},{a + b + c:.3f}"
            for acid, a in zip(levels[0], effects[0], strict=True)
            for metal, b in zip(levels[1], effects[1], strict=True)
            for solvent, c in zip(levels[2], effects[2], strict=True)
        ]
        (tmp_path / f"{name}.csv").write_text("\n".join(["acid,metal,solvent,yield", *rows[k:], ""]))
        (tmp_path / f"{name}.yaml").write_text(CARD.replace("small", name).replace("Small", name.title()))
    (tmp_path / "mine.yaml").write_text(AGENT)
    return tmp_path


def similarities(n: int = 60) -> np.ndarray:
    space = toy("mixed").space
    X = space.sample(n, stream(0, "x"))
    return Similarity("mine", space, 0.5).parts(X, X)


def test_the_likelihood_is_that_of_a_normal_distribution_and_its_gradient_that_of_finite_differences():
    parts, z = similarities(), stream(0, "z").random(60)
    values = np.array([-3.0, -2.5, -4.0, -3.5, -5.0, 0.4])
    kernel = np.tensordot(np.exp(values[:4]), parts, 1) + np.exp(values[4]) * np.eye(60)
    expected = -multivariate_normal.logpdf(z, np.full(60, 0.4), kernel) / 60 - 0.5 * np.log(2 * np.pi)
    assert improbability(values, parts, z)[0] == pytest.approx(expected, rel=1e-9)
    slope = approx_fprime(values, lambda v: improbability(v, parts, z)[0], 1e-6)
    np.testing.assert_allclose(improbability(values, parts, z)[1], slope, atol=1e-5)


def test_hyperparameters_that_made_the_results_are_found_again():
    """Of 60 results the noise and the mean are known well, and which part of the kernel is the largest."""
    parts, true = similarities(), np.array([np.log(0.2), -9.0, -9.0, -9.0, np.log(0.001), 0.5])
    kernel = np.tensordot(np.exp(true[:4]), parts, 1) + np.exp(true[4]) * np.eye(60)
    found = np.median(
        [largest(parts, stream(k, "z").multivariate_normal(np.full(60, 0.5), kernel)) for k in range(5)], axis=0
    )
    assert np.exp(found[4]) == pytest.approx(0.001, rel=0.3)
    assert np.exp(found[0]) == pytest.approx(0.2, rel=0.8)
    assert np.exp(found[1:4]).sum() < 0.25 * np.exp(found[0])


def test_tables_leave_a_prior_that_an_agent_takes(tables):
    done = train("mine.yaml", progress=False)
    assert done.weights == Path("runs/train/mine.json")
    told = json.loads(done.weights.read_text())
    assert [each["card"] for each in told["tables"]] == ["first.yaml", "second.yaml"]
    fits = {name: fit for each in told["tables"] for name, fit in each["fits"].items()}
    assert {name: fit["experiments"] for name, fit in fits.items()} == {"first": 60, "second": 59}
    rows = np.array([fit["found"][0] for fit in fits.values()])
    np.testing.assert_allclose(told["prior"]["mean"], rows.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(told["prior"]["covariance"], np.cov(rows.T, bias=True), atol=1e-3)
    assert (np.exp(rows[:, 0]) > 3 * np.exp(rows[:, 1:4]).sum(axis=1)).all()  # sums of effects of single parameters
    agent = build(load("mine.yaml"), None, budget=9, seed=0)
    assert agent.propose(toy("mixed").space, History.empty(toy("mixed").space), 2, stream(0, "a")).shape == (2, 4)


def test_the_same_tables_give_the_same_prior(tables):
    first, second = (train("mine.yaml", out=folder, progress=False).weights.read_bytes() for folder in ("a", "b"))
    assert first == second


def test_a_table_of_something_else_is_refused(tables):
    (tables / "mine.yaml").write_text(AGENT.replace("second.yaml", "snar"))
    with pytest.raises(AgentError) as refused:
        train("mine.yaml", progress=False)
    assert str(refused.value) == (
        "agent 'mine': reaction 'snar' is no table of a yield in % that is maximised; take it off the 'tables' of the "
        "card"
    )


@pytest.mark.parametrize("options", [{"reaction": "snar"}, {"steps": 5}, {"resume": True}, {"tensorboard": "logs"}])
def test_what_belongs_to_other_trainings_is_refused(options):
    with pytest.raises(AgentError, match="is fitted to the tables that its card names; give no reaction, steps"):
        train("gp-prior", **options)


def test_an_agent_that_is_trained_on_a_reaction_needs_one():
    with pytest.raises(AgentError, match="agent 'ppo' is trained on a reaction; name one, such as --env snar"):
        train("ppo")


def test_the_shipped_prior_has_seen_no_direct_arylation():
    """Its files are told by place and hash; none is of the data sets on C-H arylation."""
    files = {place: digest for each in SHIPPED["tables"] for place, digest in each["files"].items()}
    assert len(files) >= len(SHIPPED["tables"])
    assert [each["card"] for each in SHIPPED["tables"]] == list(load("gp-prior").agent.tables)
    for place in files:
        assert not any(word in place for word in ("direct_arylation", "BMS_yield_cost", "arylation", "aryl-scope"))
    arylation = {file.sha256 for file in load_reaction("direct_arylation").card.data.values()}
    arylation |= {file.sha256 for file in load_reaction("ch_arylation_scope").card.data.values()}
    assert not arylation & set(files.values())


def test_the_shipped_prior_is_made_of_what_it_tells_of_its_tables():
    found = [np.concatenate([fit["found"] for fit in each["fits"].values()]) for each in SHIPPED["tables"]]
    mean = np.mean([rows.mean(axis=0) for rows in found], axis=0)
    np.testing.assert_allclose(SHIPPED["prior"]["mean"], mean, atol=1e-3)
    spread = [(rows - mean).T @ (rows - mean) / len(rows) for rows in found]
    np.testing.assert_allclose(SHIPPED["prior"]["covariance"], np.mean(spread, axis=0), atol=1e-2)


@pytest.mark.data
def test_the_shipped_prior_is_what_its_tables_give():
    """The first of them, fitted again."""
    name, fit = next(iter(SHIPPED["tables"][0]["fits"].items()))
    found = fitted("gp-prior", load("gp-prior").agent, task_of("gp-prior", load_reaction(name)), 0)
    np.testing.assert_allclose(found, fit["found"], atol=0.02)
