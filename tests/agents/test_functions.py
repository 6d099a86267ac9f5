"""A plain function of a user is an agent: in Python, on the command line and in comparisons."""

from __future__ import annotations

import numpy as np
import pytest

from rxnopt import Campaign
from rxnopt.agents import build, load
from rxnopt.cards.agent import AgentCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.errors import AgentError, CardError, JournalError
from rxnopt.experiments import compare
from rxnopt.testing import toy

CODE = """
def propose(space, history, n, rng):
    return space.sample(n, rng)

def wrong(space, history):
    return None

def fails(space, history, n, rng):
    return 1 / len(history)

def words(space, history, n, rng):
    return "hot"

def outside(space, history, n, rng):
    return space.sample(n, rng) + 1000.0

value = 3
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.py"
    path.write_text(CODE)
    return path


def centre(space, history, n, rng):
    return space.from_unit(np.full((n, len(space)), 0.5))


def test_a_function_is_an_agent():
    with Campaign(toy("smooth"), centre, budget=2) as campaign:
        table = campaign.run()
    assert campaign.agent_name == "centre"
    assert table["temperature"].tolist() == [75.0, 75.0]


def test_it_is_named_by_its_file_or_its_module(mine):
    (mine.parent / "package_of_mine").mkdir()
    (mine.parent / "package_of_mine" / "agents.py").write_text(CODE)
    tables = []
    for agent in ("mine.py:propose", str(mine) + ":propose", "package_of_mine.agents:propose"):
        with Campaign(toy("smooth"), agent, budget=3) as campaign:
            tables.append(campaign.run())
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])
    assert campaign.agent_name == "package_of_mine.agents:propose"


def test_a_changed_function_is_another_agent(mine, tmp_path):
    with Campaign(toy("smooth"), "mine.py:propose", budget=3, journal="j.db") as campaign:
        campaign.ask()
    with Campaign(toy("smooth"), "mine.py:propose", budget=3, journal="j.db") as campaign:
        assert len(campaign) == 1
    card = load("mine.py:propose")
    mine.write_text(CODE + "\n")
    with pytest.raises(JournalError, match="belongs to another campaign"):
        Campaign(toy("smooth"), "mine.py:propose", budget=3, journal="j.db")
    with pytest.raises(AgentError, match="was changed since the start; start again"):
        build(card, toy("smooth"), budget=3, seed=0)


def test_a_comparison_takes_it(mine, tmp_path):
    card = tmp_path / "card.yaml"
    card.write_text(
        "name: own\ntitle: Own agent\nreactions: [lactose]\nagents: [random, mine.py:propose]\nseeds: 2\nbudget: 3"
    )
    results = compare(card, out=tmp_path / "runs", workers=1)
    assert not results.failed
    assert set(results.trials["agent"]) == {"random", "mine.py:propose"}
    assert "The function mine.py:propose" in results.report().read_text()


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        ("nowhere.py:propose", "there is no file 'nowhere.py'; check the path"),
        ("no_module_of_that_name:propose", "there is no module 'no_module_of_that_name'"),
        ("mine.py:propos", "'propos'; did you mean 'propose'"),
        ("mine.py:value", "has no function or class 'value'"),
        ("mine.py:wrong", r"must be called as propose\(space, history, n, rng\) \(too many"),
        ("broken.py:propose", r"cannot be imported \(NameError: name 'nothing' is not defined\)"),
        ("sys:exit", "sys is no file of Python"),
    ],
)
def test_what_is_no_function_is_told_in_one_sentence(mine, agent, message):
    (mine.parent / "broken.py").write_text("nothing")
    with pytest.raises(AgentError, match=message):
        Campaign(toy("smooth"), agent, budget=2)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("fails", r"failed \(ZeroDivisionError: division by zero; mine.py, line 9\)"),
        ("words", "failed .ValueError: could not convert string to float"),
        ("outside", "made a proposal that is refused: temperature"),
    ],
)
def test_errors_of_a_function_are_told_with_their_line(mine, function, message):
    with Campaign(toy("smooth"), f"mine.py:{function}", budget=2) as campaign, pytest.raises(AgentError, match=message):
        campaign.ask()


def test_a_class_is_no_agent():
    class Mine:
        def propose(self, space, history, n, rng): ...

    with pytest.raises(AgentError, match="is no agent; give the name or path of a card, an object that proposes"):
        Campaign(toy("smooth"), Mine, budget=2)


def test_card_files_hold_no_code():
    text = "name: mine\ntitle: Mine\nagent: {kind: python, place: os, function: system, sha256: '0'}"
    with pytest.raises(CardError, match="'python' must be one of design, kmedoids"):
        validate(parse(text, "mine.yaml"), AgentCard)
