"""Samplers of OptunaHub, from a registry on the disk: nothing is loaded that the user does not trust."""

from __future__ import annotations

import numpy as np
import pytest

from rxnopt.agents import build
from rxnopt.agents.hub import TRUST
from rxnopt.cards.agent import AgentCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.errors import AgentError, CardError
from rxnopt.seeds import stream
from rxnopt.testing import check_agent, history_of, toy

PACKAGE = """
from pathlib import Path
import optuna

Path(__file__).with_name("was_run").touch()

class MiddleSampler(optuna.samplers.RandomSampler):
    def __init__(self, seed=None, share=0.5):
        super().__init__(seed)
        self.share = share

    def sample_independent(self, study, trial, name, distribution):
        if isinstance(distribution, optuna.distributions.FloatDistribution) and trial.number == 0:
            return distribution.low + self.share * (distribution.high - distribution.low)
        return super().sample_independent(study, trial, name, distribution)

class Other:
    pass
"""
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def registry(tmp_path):
    for name, text in (("middle", PACKAGE), ("broken", "import no_module_of_that_name")):
        (tmp_path / "samplers" / name).mkdir(parents=True)
        (tmp_path / "samplers" / name / "__init__.py").write_text(text)
    return tmp_path


def card(hub: str, sampler: str = "MiddleSampler", options: str = "{}") -> AgentCard:
    text = f"name: mine\ntitle: Mine\nagent: {{kind: optuna, sampler: {sampler}, hub: {hub}, options: {options}}}"
    return validate(parse(text, "mine.yaml"), AgentCard)


def test_a_trusted_package_is_an_agent(registry, monkeypatch):
    monkeypatch.setenv(TRUST, f"samplers/other@{COMMIT},samplers/middle@{registry}")
    mine = card(f"{{package: samplers/middle, registry: {registry}}}", options="{share: 0.25}")
    reaction = toy("smooth")
    agent = build(mine, reaction, budget=5, seed=0)
    empty = history_of(reaction, np.empty((0, 3)))
    X = agent.propose(reaction.space, empty, 1, stream(0, "agent"))
    assert X[0, [0, 2]].tolist() == [52.5, 2.0]  # a quarter of 30 to 120 and of 1 to 5
    check_agent(
        lambda reaction, seed: build(mine, reaction, budget=13, seed=seed), many=1_000, problems=("smooth", "mixed")
    )


def test_a_package_is_not_run_unless_it_is_trusted(registry, monkeypatch):
    local = f"{{package: samplers/middle, registry: {registry}}}"
    for trusted in ("", "1", f"samplers/middle@{COMMIT}", "samplers/middle"):
        monkeypatch.setenv(TRUST, trusted)
        with pytest.raises(AgentError, match=rf"runs code of others.*set {TRUST}=samplers/middle@{registry}"):
            build(card(local), toy("smooth"), budget=5, seed=0)
    with pytest.raises(AgentError, match=f"of OptunaHub; read it, .*=samplers/middle@{COMMIT}"):
        build(card(f"{{package: samplers/middle, ref: {COMMIT}}}"), toy("smooth"), budget=5, seed=0)
    assert not list(registry.glob("**/was_run"))


@pytest.mark.parametrize(
    ("package", "sampler", "options", "message"),
    [
        ("middle", "MidleSampler", "{}", "has no sampler 'MidleSampler'; did you mean 'MiddleSampler'"),
        ("middle", "Other", "{}", "has no sampler 'Other'; there are MiddleSampler"),
        ("middle", "MiddleSampler", "{shares: 1}", "MiddleSampler has no option 'shares'; did you mean 'share'"),
        ("missing", "MiddleSampler", "{}", r"samplers/missing cannot be loaded \(FileNotFoundError"),
        ("broken", "MiddleSampler", "{}", r"\(ModuleNotFoundError: No module named 'no_module_of_that_name'\)"),
    ],
)
def test_what_cannot_be_loaded_is_told_in_one_sentence(registry, monkeypatch, package, sampler, options, message):
    monkeypatch.setenv(TRUST, f"samplers/{package}@{registry}")
    with pytest.raises(AgentError, match=message):
        build(
            card(f"{{package: samplers/{package}, registry: {registry}}}", sampler, options),
            toy("smooth"), budget=5, seed=0,
        )  # fmt: skip


def test_the_extra_is_named_where_it_is_missing(registry, monkeypatch):
    monkeypatch.setenv(TRUST, f"samplers/middle@{registry}")
    monkeypatch.setattr("rxnopt.agents.hub.find_spec", lambda name: None)
    with pytest.raises(AgentError, match=r"run \"pip install '.\[hub\]'\" in the checkout"):
        build(card(f"{{package: samplers/middle, registry: {registry}}}"), toy("smooth"), budget=5, seed=0)


@pytest.mark.parametrize(
    "hub",
    [
        "{package: samplers/middle}",
        f"{{package: samplers/middle, ref: {COMMIT}, registry: there}}",
        "{package: samplers/middle, ref: main}",
        "{package: ../middle, registry: there}",
    ],
)
def test_a_card_pins_the_package(hub):
    with pytest.raises(CardError, match=r"hub|package|ref"):
        card(hub)
