"""Weights that are missing, damaged or somebody else's are refused in one sentence with the remedy."""

from __future__ import annotations

import json
import logging
import pickle

import pytest
import torch

from rxnopt import catalogue
from rxnopt.agents import build, load, weights_digest
from rxnopt.agents import weights as weights_module
from rxnopt.agents.policy import network
from rxnopt.errors import WeightsError
from rxnopt.history import History
from rxnopt.seeds import stream
from rxnopt.simulators import load as load_reaction
from rxnopt.testing import toy

REMEDY = "run 'rxnopt train ppo --env smooth'"


@pytest.fixture
def place(tmp_path):
    """Weights of an untrained network for the toy ``smooth``."""
    write(tmp_path / "ppo-smooth.pt")
    return tmp_path / "ppo-smooth.pt"


def write(path, tensors=None, **changes):
    card, reaction = load("ppo"), toy("smooth")
    provenance = {
        "agent": {"name": "ppo", "digest": weights_module.settings_digest(card)},
        "reaction": {"name": "smooth", "digest": reaction.card.digest()},
        "budget": 25,
    }
    tensors = network(card.agent, reaction.space, 25).state_dict() if tensors is None else tensors
    weights_module.write(path, tensors, provenance | changes)


def refusal(path, reaction: str = "smooth") -> str:
    with pytest.raises(WeightsError) as caught:
        build(load("ppo"), toy(reaction), budget=25, seed=0, weights=path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_missing_weights(tmp_path, monkeypatch):
    assert refusal(tmp_path / "none.pt") == f"there are no weights at {tmp_path}/none.pt; {REMEDY}, or check the path"
    monkeypatch.chdir(tmp_path)
    assert refusal(None) == f"agent 'ppo' has no weights for reaction 'smooth'; {REMEDY}"


def test_the_remedy_names_what_works_for_cards_of_ones_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (catalogue.catalogue("envs") / "snar.yaml").read_text()
    (tmp_path / "my own.yaml").write_text(text.replace("name: snar", "name: mine", 1))
    reaction, own = load_reaction("my own.yaml"), load("ppo").model_copy(update={"name": "cautious"})
    assert (reaction.place, load_reaction("snar").place) == ("my own.yaml", "")
    with pytest.raises(WeightsError, match=r"; run 'rxnopt train ppo --env 'my own\.yaml''$"):
        build(load("ppo"), reaction, budget=25, seed=0)
    with pytest.raises(WeightsError, match=r"; run 'rxnopt train ppo --env snar'"):
        build(load("ppo"), load_reaction("snar"), budget=25, seed=0, weights=tmp_path / "none.pt")
    with pytest.raises(
        WeightsError, match=r"train CARD\.yaml --env smooth', where CARD\.yaml is the path of the card of"
    ):
        build(own, toy("smooth"), budget=25, seed=0)


def test_what_training_wrote_here_is_found(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "train").mkdir(parents=True)
    write(tmp_path / "runs" / "train" / "ppo-smooth.pt")
    by_hand = build(load("ppo"), toy("smooth"), budget=25, seed=0, weights=place)
    found = build(load("ppo"), toy("smooth"), budget=25, seed=0)
    empty = History.empty(toy("smooth").space)
    one, other = (agent.propose(toy("smooth").space, empty, 1, stream(0, "agent")) for agent in (by_hand, found))
    assert (one == other).all()


def test_a_path_may_be_text(place):
    build(load("ppo"), toy("smooth"), budget=25, seed=0, weights=str(place))
    assert weights_digest(load("ppo"), "smooth", str(place)) == weights_digest(load("ppo"), "smooth", place)


def test_a_damaged_file(place):
    place.write_bytes(place.read_bytes()[:-7])
    assert "damaged" in refusal(place)
    assert REMEDY in refusal(place)


def test_a_missing_or_broken_provenance(place):
    provenance = place.with_suffix(".json")
    provenance.write_text("{")
    assert "cannot be read" in refusal(place)
    provenance.write_text('{"agent": "ppo"}')
    assert "lacks one of agent, reaction, budget, sha256" in refusal(place)
    provenance.unlink()
    assert "ppo-smooth.json beside it is missing" in refusal(place)


class Trap:
    """Would run code if it were unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("a weights file ran code",))


def test_no_code_in_a_weights_file_is_run(place):
    import hashlib

    place.write_bytes(pickle.dumps({"log_std": Trap()}))
    provenance = json.loads(place.with_suffix(".json").read_text())
    provenance["sha256"] = hashlib.sha256(place.read_bytes()).hexdigest()
    place.with_suffix(".json").write_text(json.dumps(provenance))
    assert "holds no tensors" in refusal(place)


def test_weights_of_something_else(place, tmp_path):
    assert "trained on reaction 'smooth', not on 'mixed'" in refusal(place, "mixed")
    write(place, agent={"name": "ppo", "digest": "0"})
    assert "other settings" in refusal(place)
    net = network(load("ppo").agent, toy("mixed").space, 25)
    write(place, net.state_dict())
    assert "has shape" in refusal(place)
    write(place, {"log_std": torch.zeros(3), "list": [1]})
    assert "something else than tensors" in refusal(place)
    write(place, {1: torch.zeros(3)})
    assert "something else than tensors" in refusal(place)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(place, bad):
    tensors = network(load("ppo").agent, toy("smooth").space, 25).state_dict()
    tensors["log_std"][1] = bad
    write(place, tensors)
    assert refusal(place) == f"{place}: log_std holds numbers that are not finite; train anew"


@pytest.mark.parametrize("change", ["double", "int", "cfloat", "to_sparse", "bool", lambda t: t.to("meta")])
def test_weights_of_another_type(place, change):
    tensors = network(load("ppo").agent, toy("smooth").space, 25).state_dict()
    value = tensors["log_std"]
    tensors["log_std"] = getattr(value, change)() if isinstance(change, str) else change(value)
    write(place, tensors)
    assert "log_std holds torch." in refusal(place)
    assert refusal(place).endswith("where torch.float32 (torch.strided, cpu) is needed; train anew")


def test_weights_so_large_that_the_network_overflows(place):
    tensors = network(load("ppo").agent, toy("smooth").space, 25).state_dict()
    write(place, {name: torch.full_like(value, 3e38) for name, value in tensors.items()})
    built = build(load("ppo"), toy("smooth"), budget=25, seed=0, weights=place)
    with pytest.raises(WeightsError, match="not finite; train anew"):
        built.propose(toy("smooth").space, History.empty(toy("smooth").space), 1, stream(0, "agent"))


def test_a_reaction_edited_since_is_a_warning(place, caplog):
    write(place, reaction={"name": "smooth", "digest": "0"})
    with caplog.at_level(logging.WARNING):
        build(load("ppo"), toy("smooth"), budget=25, seed=0, weights=place)
    assert "reaction 'smooth' has changed since the training" in caplog.text


def test_words_in_a_card_and_the_way_of_deployment_do_not_matter():
    card, reaction = load("ppo"), toy("smooth").card
    renamed = card.model_copy(update={"title": "Another"})
    mean = card.model_copy(update={"agent": card.agent.model_copy(update={"deterministic": True})})
    assert {weights_module.settings_digest(each) for each in (renamed, mean)} == {weights_module.settings_digest(card)}
    other = reaction.model_copy(update={"title": "Another"})
    assert other.digest() == reaction.digest()
