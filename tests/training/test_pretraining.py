"""Teaching a transformer the optima of simulated reactions."""

from __future__ import annotations

import json
from math import log

import numpy as np
import pytest
import torch
from population_toys import bells

from rxnopt.agents import build
from rxnopt.cards.agent import AgentCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.errors import AgentError, CardError, WeightsError
from rxnopt.history import History
from rxnopt.seeds import stream
from rxnopt.testing import toy
from rxnopt.training import pretraining, train

CARD = """
name: taught
title: A small one
agent: {kind: pretrained, width: 32, heads: 2, budget: 8, reactions: 1024, updates: 512, batch: 128,
  learning_rate: 0.004, deterministic: false}
"""


def card(text: str = CARD) -> AgentCard:
    return validate(parse(text, "taught.yaml"), AgentCard)


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    return train(card(), bells("smooth"), out=tmp_path_factory.mktemp("train"), progress=False)


def test_it_learns_from_the_history(taught):
    """Peaks are even in [-1, 1]^3: knowing nothing, the best normal distribution has a loss of 3 (1/2 - log(3)/2)."""
    rows = np.loadtxt(taught.weights.with_suffix(".csv"), delimiter=",", skiprows=1)
    assert rows[-1, 0] == 512
    assert rows[-1, 2] < 3 * (0.5 - log(3) / 2) - 1.0


def test_it_comes_nearer_with_every_few_trials(taught):
    """Mean distance to the peak in the unit cube; of two random points it is 0.66 (Robbins' constant)."""
    reaction = bells("smooth")
    agent = build(card(), reaction, budget=8, seed=0, weights=taught.weights)
    places, distances = reaction.population.draw(np.random.default_rng(8), 24), np.empty((24, 8))
    for i, row in enumerate(places):
        X, y = np.empty((0, 3)), np.empty(0)
        for trial in range(8):
            x = agent.propose(
                reaction.space, History(X, y, np.zeros(trial, np.uint8)), 1, stream(8 * i + trial, "agent")
            )
            distances[i, trial] = np.linalg.norm(reaction.space.to_unit(x)[0] - row)
            X, y = np.vstack([X, x]), np.append(y, reaction.population.simulate(x, row[None]).values[0])
    first, last = distances.mean(axis=0)[[0, 7]]
    assert first == pytest.approx(0.66, abs=0.15)
    assert last < 0.7 * first


def test_what_it_leaves_behind(taught):
    tensors = torch.load(taught.weights, weights_only=True)
    assert all(isinstance(value, torch.Tensor) for value in tensors.values())
    told = json.loads(taught.weights.with_suffix(".json").read_text())
    assert told == taught.provenance
    assert told["command"] == "rxnopt train taught --env smooth --steps 512 --seed 0"
    assert told["uncertainty"] == {}  # that of the bells is not in the card
    assert (told["budget"], told["steps"], told["reaction"]["name"]) == (8, 512, "smooth")
    for way in ("sampled", "deterministic", "random_search"):
        assert 0 <= told["score"][way]["reached"] <= 1


def test_equal_arguments_give_equal_weights(tmp_path):
    first, second = (
        torch.load(
            train(card(), bells("tiny"), steps=5, out=tmp_path / name, progress=False).weights, weights_only=True
        )
        for name in "ab"
    )
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_a_long_history_is_seen_in_part(taught):
    reaction = bells("smooth")
    agent = build(card(), reaction, budget=8, seed=0, weights=taught.weights)
    X, y = reaction.space.sample(30, np.random.default_rng(0)), np.arange(30.0)
    y[3] = 99.0
    long = agent.propose(reaction.space, History(X, y, np.zeros(30, np.uint8)), 1, stream(0, "agent"))
    kept = [3, 24, 25, 26, 27, 28, 29, 23]  # the best four are 3, 29, 28, 27; of the others the latest four
    short = agent.propose(reaction.space, History(X[kept], y[kept], np.zeros(8, np.uint8)), 1, stream(0, "agent"))
    np.testing.assert_allclose(long, short, rtol=1e-4)


def test_what_it_cannot_do_is_said(tmp_path, taught, monkeypatch):
    with pytest.raises(AgentError, match="does not say how well its constants are known"):
        train(card(), toy("smooth"), out=tmp_path, progress=False)
    with pytest.raises(AgentError, match="leave out patience, resume and tensorboard"):
        train(card(), bells("smooth"), out=tmp_path, resume=True)
    with pytest.raises(CardError, match="heads=3 do not divide width=32"):
        card(CARD.replace("heads: 2", "heads: 3"))
    with pytest.raises(WeightsError, match="trained on reaction 'smooth', not on 'mixed'"):
        build(card(), bells("mixed"), budget=8, seed=0, weights=taught.weights)
    with pytest.raises(WeightsError, match="trained with other settings"):
        build(card(CARD.replace("width: 32", "width: 64")), bells("smooth"), budget=8, seed=0, weights=taught.weights)
    monkeypatch.setattr(pretraining, "_update", lambda *_: float("nan"))
    with pytest.raises(AgentError, match="is no number any more after 64 gradient steps; lower learning_rate"):
        train(card(), bells("tiny"), out=tmp_path, progress=False)
    assert not list(tmp_path.glob("*.pt"))


def test_another_uncertainty_than_in_training_is_said(taught, tmp_path, caplog):
    for ending in (".pt", ".json"):
        (tmp_path / taught.weights.name).with_suffix(ending).write_bytes(
            taught.weights.with_suffix(ending).read_bytes()
        )
    told = taught.provenance | {"uncertainty": {"r1.k": {"relative": 0.3}}}
    (tmp_path / taught.weights.name).with_suffix(".json").write_text(json.dumps(told))
    build(card(), bells("smooth"), budget=8, seed=0, weights=tmp_path / taught.weights.name)
    assert "the uncertainty of 'smooth' is another one since the training" in caplog.text


def test_a_stopped_training_is_kept_apart(tmp_path, monkeypatch):
    calls = iter(range(1000))

    def stop(*arguments):
        if next(calls) == 100:
            raise KeyboardInterrupt
        return 0.0

    monkeypatch.setattr(pretraining, "_update", stop)
    with pytest.raises(KeyboardInterrupt, match="after 64 gradient steps; what was learnt by then is in"):
        train(card(), bells("tiny"), out=tmp_path, progress=False)
    assert [path.name for path in tmp_path.glob("*.pt")] == ["taught-tiny.interrupted.pt"]
