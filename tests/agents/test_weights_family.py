"""Weights of every algorithm are refused like those of PPO where they are foreign, damaged or not finite."""

from __future__ import annotations

import json

import pytest
import torch

from rxnopt import catalogue
from rxnopt.agents import build, load
from rxnopt.agents import weights as weights_module
from rxnopt.agents.policy import network
from rxnopt.cards.sb3 import Sb3Trained
from rxnopt.errors import WeightsError
from rxnopt.testing import toy

FAMILY = [name for name in catalogue.names("agents") if isinstance(load(name).agent, Sb3Trained) and name != "ppo"]


@pytest.fixture(params=FAMILY)
def name(request) -> str:
    return request.param


@pytest.fixture
def place(tmp_path, name):
    path = tmp_path / f"{name}-smooth.pt"
    write(path, name, tensors_of(name))
    return path


def tensors_of(name: str, reaction: str = "smooth") -> dict[str, torch.Tensor]:
    return network(load(name).agent, toy(reaction).space, 25).state_dict()


def write(path, name: str, tensors) -> None:
    provenance = {
        "agent": {"name": name, "digest": weights_module.settings_digest(load(name))},
        "reaction": {"name": "smooth", "digest": toy("smooth").card.digest()},
        "budget": 25,
    }
    weights_module.write(path, tensors, provenance)


def refusal(path, name: str, reaction: str = "smooth") -> str:
    with pytest.raises(WeightsError) as refused:
        build(load(name), toy(reaction), budget=25, seed=0, weights=path)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_what_is_foreign_damaged_or_not_finite_is_refused(place, name):
    build(load(name), toy("smooth"), budget=25, seed=0, weights=place)
    assert "trained on reaction 'smooth', not on 'mixed'" in refusal(place, name, "mixed")
    write(place, name, tensors_of(name, "mixed"))
    assert "where the card and the reaction need" in refusal(place, name)
    write(place, name, tensors_of("ppo" if name in ("sac", "tqc", "crossq", "td3", "ddpg", "dqn") else "sac"))
    assert "where the card and the reaction need" in refusal(place, name)
    tensors = tensors_of(name)
    last = next(key for key in reversed(tensors) if tensors[key].is_floating_point())
    tensors[last].view(-1)[-1] = float("nan")
    write(place, name, tensors)
    assert refusal(place, name) == f"{place}: {last} holds numbers that are not finite; train anew"
    write(place, name, {key: value.double() for key, value in tensors_of(name).items()})
    assert "holds torch.float64" in refusal(place, name)
    place.write_bytes(place.read_bytes()[:-9])
    assert "damaged" in refusal(place, name)


def test_weights_hold_what_acts_and_nothing_else(name):
    """No critics, targets or optimisers: all shipped weights would be below two megabytes."""
    tensors = tensors_of(name)
    assert not [key for key in tensors if "critic_target" in key or "qf" in key or "target" in key]
    assert sum(value.numel() * value.element_size() for value in tensors.values()) < 2_000_000


def test_a_reaction_with_drawn_constants_takes_weights_of_its_card(tmp_path):
    from rxnopt.simulators import load as load_reaction

    snar, card, path = load_reaction("snar"), load("ppo"), tmp_path / "ppo-snar.pt"
    provenance = {
        "agent": {"name": "ppo", "digest": weights_module.settings_digest(card)},
        "reaction": {"name": "snar", "digest": snar.card.digest()},
        "budget": 25,
    }
    weights_module.write(path, network(card.agent, snar.space, 25).state_dict(), provenance)
    drawn = load_reaction("snar-7")
    assert (drawn.name, drawn.origin.name) == ("snar-7", "snar")
    build(card, drawn, budget=25, seed=0, weights=path)
    assert json.loads(path.with_suffix(".json").read_text())["reaction"]["name"] == "snar"
