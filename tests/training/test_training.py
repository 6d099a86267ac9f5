"""Trainings on a closed form: they learn, they repeat, and what they write is complete."""

from __future__ import annotations

import errno
import json
import os
import signal
import tempfile

import numpy as np
import pytest
import torch

from rxnopt import catalogue
from rxnopt.agents import build, load
from rxnopt.agents import weights as weights_module
from rxnopt.cards import AgentCard
from rxnopt.errors import AgentError, ConditionsError, WeightsError
from rxnopt.testing import toy
from rxnopt.training import Training, evaluation, train
from rxnopt.training import learning as learning_module


def small(**changes) -> AgentCard:
    """The card ``ppo`` with fewer and smaller rollouts."""
    card = load("ppo")
    options = card.agent.options | {"batch_size": 400}
    settings = card.agent.model_copy(update={"options": options, "n_envs": 64, "steps": 60_000} | changes)
    return card.model_copy(update={"agent": settings})


@pytest.fixture(scope="module")
def lesson(tmp_path_factory) -> Training:
    return train(small(), toy("smooth"), out=tmp_path_factory.mktemp("train"), progress=False)


def test_ppo_learns_the_toy(lesson):
    """Seen over four seeds: 0.979 to 0.984, random search 0.84 to 0.86. The learning takes about three seconds."""
    score = lesson.provenance["score"]
    assert score["share_of_optimum"] > 0.95
    assert score["random_search"] < 0.90


def test_the_provenance_tells_all(lesson):
    written = json.loads(lesson.weights.with_suffix(".json").read_text())
    assert written == lesson.provenance
    assert lesson.weights.name == "ppo-smooth.pt"
    assert written["command"] == "rxnopt train ppo --env smooth --steps 60000 --seed 0"
    assert written["steps"] == 60_800  # 38 rollouts of 64 campaigns of 25 experiments
    assert (written["seed"], written["budget"], written["ended"]) == (0, 25, "done")
    assert written["score"]["optimum"] == 90
    assert set(written["versions"]) == {"python", "numpy", "torch", "stable-baselines3", "gymnasium"}
    assert not list(lesson.weights.parent.glob(".*"))  # no temporary file is left


def test_the_command_names_cards_by_what_was_given(tmp_path, monkeypatch):
    """The path of a card of one's own, which has no other name that the command line knows."""
    monkeypatch.chdir(tmp_path)
    for kind, name in (("agents", "ppo"), ("envs", "snar")):
        text = (catalogue.catalogue(kind) / f"{name}.yaml").read_text()
        (tmp_path / f"{name}.yaml").write_text(
            text.replace("n_envs: 512", "n_envs: 64").replace("batch_size: 1280", "batch_size: 400")
        )
    monkeypatch.setattr(evaluation, "CAMPAIGNS", 1)
    done = train("./ppo.yaml", tmp_path / "snar.yaml", steps=1, progress=False)
    assert done.provenance["command"] == f"rxnopt train ./ppo.yaml --env {tmp_path}/snar.yaml --steps 1 --seed 0"


def test_the_learning_curve_has_a_line_per_rollout_and_rises(lesson):
    rows = np.loadtxt(lesson.weights.with_suffix(".csv"), delimiter=",", skiprows=1)
    assert rows[:, 0].tolist() == [1600.0 * (k + 1) for k in range(38)]
    assert (np.diff(rows[:, 1]) > 0).all()
    assert rows[-5:, 2].mean() > rows[:5, 2].mean()


def test_weights_are_tensors_and_small(lesson):
    tensors = torch.load(lesson.weights, weights_only=True)
    assert all(isinstance(value, torch.Tensor) for value in tensors.values())
    assert lesson.weights.stat().st_size < 200_000


def test_equal_seeds_give_equal_weights_and_others_do_not(tmp_path):
    def weights(seed: int, name: str) -> dict[str, torch.Tensor]:
        done = train(small(), toy("mixed"), steps=3200, seed=seed, out=tmp_path / name, progress=False)
        return torch.load(done.weights, weights_only=True)

    first, again, other = weights(1, "a"), weights(1, "b"), weights(2, "c")
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_training_on_what_is_seen_as_a_history(tmp_path):
    settings = small(env=load("ppo").agent.env.model_copy(update={"observation_mode": "history"}))
    done = train(settings, toy("mixed"), steps=1600, out=tmp_path, progress=False)
    assert done.provenance["steps"] == 1600


@pytest.fixture
def finished(tmp_path) -> dict[str, bytes]:
    """A finished training in the folder: its files by name."""
    train(small(), toy("smooth"), steps=1600, out=tmp_path, progress=False)
    return files(tmp_path)


def files(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def interrupt(monkeypatch, rollouts: int) -> None:
    """Send a real signal at the end of a rollout, before the network learns from it."""

    class Interrupting(learning_module.Watch):
        def _on_rollout_end(self) -> None:
            super()._on_rollout_end()
            if len(self.curve) == rollouts:
                os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(learning_module, "Watch", Interrupting)


def test_ctrl_c_keeps_what_was_learnt_beside_finished_weights(tmp_path, monkeypatch, finished):
    interrupt(monkeypatch, 3)
    with pytest.raises(KeyboardInterrupt) as stopped:
        train(small(), toy("smooth"), out=tmp_path, progress=False)
    path = tmp_path / "ppo-smooth.interrupted.pt"
    assert str(stopped.value).startswith("stopped by Ctrl-C after 4,800 experiments; what was learnt by then is in ")
    assert str(path) in str(stopped.value)
    provenance = json.loads(path.with_suffix(".json").read_text())
    assert (provenance["ended"], provenance["steps"]) == ("interrupted", 4800)
    now = files(tmp_path)
    assert set(now) - set(finished) == {f"ppo-smooth.interrupted.{end}" for end in ("pt", "json", "csv")}
    results = [name for name in finished if "checkpoint" not in name]
    assert [now[name] for name in results] == [finished[name] for name in results]
    build(small(), toy("smooth"), budget=25, seed=0, weights=path)


def test_weights_of_a_stopped_training_are_never_taken_silently(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    interrupt(monkeypatch, 3)
    with pytest.raises(KeyboardInterrupt):
        train(small(), toy("smooth"), progress=False)
    assert (tmp_path / "runs" / "train" / "ppo-smooth.interrupted.pt").is_file()
    with pytest.raises(WeightsError, match="has no weights"):
        build(small(), toy("smooth"), budget=25, seed=0)


@pytest.mark.parametrize("when", [0, 1])
def test_ctrl_c_before_anything_is_learnt_writes_nothing(tmp_path, monkeypatch, finished, when):
    """At once, and after the first rollout, when experiments have been simulated but not learnt from."""
    if when == 0:
        monkeypatch.setattr(learning_module.Watch, "_on_step", lambda _: signal.raise_signal(signal.SIGINT))
    interrupt(monkeypatch, when)
    with pytest.raises(KeyboardInterrupt, match="before anything was learnt; nothing was written"):
        train(small(), toy("smooth"), out=tmp_path, progress=False)
    assert files(tmp_path) == finished


def test_ctrl_c_on_the_command_line_is_one_sentence_and_130(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from rxnopt.cli import work  # noqa: F401  (registers the commands)
    from rxnopt.cli.frame import app

    interrupt(monkeypatch, 1)
    ran = CliRunner().invoke(app, ["train", "ppo", "--env", "snar", "--out", str(tmp_path), "--quiet"])
    assert ran.exit_code == 130
    assert ran.stderr == "stopped by Ctrl-C before anything was learnt; nothing was written\n"


@pytest.mark.parametrize("trouble", [KeyboardInterrupt, MemoryError])
def test_the_weights_are_there_before_their_evaluation(tmp_path, monkeypatch, trouble):
    def fail(*_):
        raise trouble

    monkeypatch.setattr(evaluation, "evaluate", fail)
    with pytest.raises(trouble) as raised:
        train(small(), toy("smooth"), steps=1600, out=tmp_path, progress=False)
    monkeypatch.undo()
    path = tmp_path / "ppo-smooth.pt"
    if trouble is KeyboardInterrupt:
        assert str(raised.value) == f"stopped by Ctrl-C; {path} is fully trained, only its score is missing"
    build(small(), toy("smooth"), budget=25, seed=0, weights=path)
    assert sorted(files(tmp_path)) == [
        "ppo-smooth.checkpoint.pt",
        *(f"ppo-smooth.{end}" for end in ("csv", "json", "pt")),
    ]


def test_a_full_disk_is_one_sentence_with_the_path(tmp_path, monkeypatch):
    def full(path, _):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(weights_module, "put", full)
    with pytest.raises(WeightsError) as raised:
        train(small(), toy("smooth"), steps=1600, out=tmp_path, progress=False)
    path = tmp_path / "ppo-smooth.checkpoint.pt"  # the first thing that is written
    assert str(raised.value) == (
        f"{path} cannot be written (No space left on device); make room there, or train into another folder"
    )


def test_a_folder_that_cannot_be_is_refused_before_the_training(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(WeightsError, match=r"file/out cannot be made \(Not a directory\); give another one"):
        train(small(), toy("smooth"), out=tmp_path / "file" / "out", progress=False)


def test_quiet_is_quiet_and_leaves_nothing_elsewhere(tmp_path, capfd, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    train(small(), toy("mixed"), steps=1600, out=tmp_path / "out", progress=False)
    assert not list((tmp_path / "temporary").iterdir())
    assert capfd.readouterr() == ("", "")


def test_the_folder_may_be_text_and_numbers_of_numpy(tmp_path):
    steps, seed = np.int64(1), np.uint8(3)
    done = train(small(), toy("mixed"), steps=steps, seed=seed, out=str(tmp_path), progress=False)
    assert done.weights == tmp_path / "ppo-mixed.pt"
    assert done.provenance["seed"] == 3


@pytest.mark.parametrize("numbers", [{"steps": 0}, {"steps": 1e6}, {"steps": "9"}, {"seed": -1}, {"seed": None}])
def test_steps_and_seed_are_whole_numbers(tmp_path, numbers):
    ((name, value),) = numbers.items()
    with pytest.raises(ConditionsError, match=f"^{name}={value!r} is not allowed; give a whole number from "):
        train(small(), toy("smooth"), out=tmp_path / "out", progress=False, **numbers)
    assert not (tmp_path / "out").exists()


def test_an_agent_that_is_not_trained_beforehand_is_refused():
    with pytest.raises(AgentError, match="'tpe' learns nothing beforehand"):
        train("tpe", toy("smooth"))
