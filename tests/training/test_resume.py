"""Trainings that stop early: killed and resumed, on a plateau, and when they diverge."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from test_algorithms import BUDGET, quick

from rxnopt.agents import build
from rxnopt.agents import weights as weights_module
from rxnopt.errors import AgentError, ConditionsError, WeightsError
from rxnopt.testing import toy
from rxnopt.training import checkpoint as checkpoint_module
from rxnopt.training import learning as learning_module
from rxnopt.training import train
from rxnopt.training.watch import plateau


class Killed(BaseException):
    """Ends a training as a kill does: nothing after it runs."""


def kill(monkeypatch, rollouts: int) -> None:
    class Killing(learning_module.Watch):
        def _on_rollout_end(self) -> None:
            super()._on_rollout_end()
            if len(self.curve) == rollouts:
                raise Killed

    monkeypatch.setattr(learning_module, "Watch", Killing)


def curve(path) -> np.ndarray:
    return np.loadtxt(path.with_suffix(".csv"), delimiter=",", skiprows=1)


@pytest.mark.parametrize("name", ["ppo", "sac"])
def test_a_killed_training_goes_on(tmp_path, monkeypatch, name):
    card = quick(name, steps=5120)
    kill(monkeypatch, 12)
    with pytest.raises(Killed):
        train(card, toy("smooth"), out=tmp_path, progress=False)
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}-smooth.checkpoint.pt"]
    done = train(card, toy("smooth"), out=tmp_path, progress=False, resume=True)
    steps = curve(done.weights)[:, 0]
    assert done.provenance["steps"] == steps[-1] == 5120
    assert (np.diff(steps) == 64 * BUDGET).all()
    assert (np.diff(curve(done.weights)[:, 1]) > 0).all()
    build(card, toy("smooth"), budget=BUDGET, seed=0, weights=done.weights)


def test_a_finished_training_goes_on_with_more_steps(tmp_path):
    train(quick("td3"), toy("smooth"), steps=1024, out=tmp_path, progress=False)
    done = train(quick("td3"), toy("smooth"), steps=2048, out=tmp_path, progress=False, resume=True)
    assert done.provenance["steps"] == 2048
    again = train(quick("td3"), toy("smooth"), steps=2048, out=tmp_path, progress=False, resume=True)
    assert again.provenance["sha256"] == done.provenance["sha256"]


@pytest.mark.parametrize("name", ["ppo", "a2c", "sac", "td3", "dqn", "crossq", "recurrent-ppo"])
def test_a_checkpoint_holds_all_that_was_learnt(tmp_path, monkeypatch, name):
    """Parameters, moments of the optimisers and transitions come back bit by bit, from tensors and numbers."""
    saved, restored = {}, {}

    def state(model) -> dict[str, torch.Tensor]:
        found = checkpoint_module._parameters(model) | checkpoint_module._buffer(model)
        return {key: value.clone() for key, value in found.items()}

    def save(path, model, course, digests):
        checkpoint_module.save(path, model, course, digests)
        saved["model"] = state(model)

    monkeypatch.setattr(learning_module, "save", save)
    train(quick(name), toy("smooth"), steps=1024, out=tmp_path, progress=False)

    def restore(path, model, digests):
        course = checkpoint_module.restore(path, model, digests)
        restored["model"] = state(model)
        restored["count"] = model.num_timesteps, model._n_updates
        return course

    monkeypatch.setattr(learning_module, "restore", restore)
    train(quick(name), toy("smooth"), steps=1024, out=tmp_path, progress=False, resume=True)
    assert saved["model"].keys() == restored["model"].keys()
    assert all(torch.equal(value, restored["model"][key]) for key, value in saved["model"].items())
    assert restored["count"][0] == 1024
    assert restored["count"][1] > 0
    held = torch.load(tmp_path / f"{name}-smooth.checkpoint.pt", weights_only=True)
    assert all(isinstance(value, torch.Tensor) for value in held["tensors"].values())
    assert set(map(type, held["digests"].values())) == {str}


def test_checkpoints_that_do_not_fit(tmp_path):
    def refusal(**others) -> str:
        with pytest.raises(WeightsError) as refused:
            train(others.pop("card", quick("ppo")), toy("smooth"), out=tmp_path, progress=False, resume=True, **others)
        assert str(refused.value).endswith("; leave --resume out to train from the start")
        return str(refused.value)

    path = tmp_path / "ppo-smooth.checkpoint.pt"
    assert f"there is no checkpoint {path}" in refusal()
    train(quick("ppo"), toy("smooth"), steps=256, out=tmp_path, progress=False)
    assert "is of another seed than this training" in refusal(seed=3)
    assert "is of another agent than this training" in refusal(card=quick("ppo", n_envs=128))
    whole = path.read_bytes()
    path.write_bytes(whole[:-900])
    assert "holds no tensors" in refusal()
    path.write_bytes(b"PK")
    assert "holds no tensors" in refusal()
    torch.save({"tensors": {}}, path)
    assert "is no checkpoint" in refusal()
    held = torch.load(weights_module.io.BytesIO(whole), weights_only=True)
    del held["tensors"]["model/policy/log_std"]
    torch.save(held, path)
    assert "does not fit the networks" in refusal()


def test_training_stops_on_a_plateau(tmp_path):
    done = train(quick("td3"), toy("smooth"), steps=100_000, patience=2, out=tmp_path, progress=False)
    assert done.provenance["ended"] == "plateau"
    assert done.provenance["steps"] < 50_000
    assert done.provenance["command"].endswith("--steps 100000 --seed 0 --patience 2")
    with pytest.raises(ConditionsError, match="patience=0 is not allowed"):
        train(quick("td3"), toy("smooth"), patience=0, out=tmp_path)


def test_a_plateau_is_no_rise_beyond_the_tolerance():
    assert not plateau([0.5, 0.6], 2)
    assert plateau([0.6, 0.6, 0.604], 2)
    assert not plateau([0.6, 0.6, 0.61], 2)
    assert not plateau([0.6, 0.7, 0.6], 2)
    assert plateau([0.6, 0.7, 0.6, 0.6], 2)


@pytest.mark.parametrize("name", ["ppo", "sac", "td3", "dqn"])
def test_a_training_that_diverges_keeps_the_last_good_network(tmp_path, monkeypatch, name):
    """A parameter that is no number stands for a step too far; it appears after the first evaluation."""

    class Poisoned(learning_module.Watch):
        def _on_rollout_end(self) -> None:
            super()._on_rollout_end()
            if len(self.course.scores) == 2:
                with torch.no_grad():
                    next(self.net.parameters()).fill_(float("nan"))

    monkeypatch.setattr(learning_module, "Watch", Poisoned)
    with pytest.raises(AgentError) as stopped:
        train(quick(name), toy("smooth"), out=tmp_path, progress=False)
    path = tmp_path / f"{name}-smooth.interrupted.pt"
    assert f"the network of agent '{name}' is no longer finite after " in str(stopped.value)
    assert f"{path} holds the last good network" in str(stopped.value)
    provenance = json.loads(path.with_suffix(".json").read_text())
    assert provenance["ended"] == "diverged"
    build(quick(name), toy("smooth"), budget=BUDGET, seed=0, weights=path)


def test_a_training_that_diverges_at_once_writes_nothing(tmp_path):
    card = quick("ppo")
    options = card.agent.options | {"learning_rate": 1e30}
    card = card.model_copy(update={"agent": card.agent.model_copy(update={"options": options})})
    with pytest.raises(AgentError, match=r"is no longer finite after .* experiments; nothing was written; lower"):
        train(card, toy("smooth"), out=tmp_path, progress=False)
    assert not list(tmp_path.iterdir())
