"""The page on training explains each metric that a training logs, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_algorithms import FAMILY, quick

from rxnopt.errors import AgentError
from rxnopt.testing import toy
from rxnopt.training import learning as learning_module
from rxnopt.training import train

PAGE = Path(__file__).parents[2] / "docs" / "training.md"


def logged(folder, name: str, **others) -> dict[str, list[int]]:
    """The steps at which each metric was logged."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(quick(name), toy("smooth"), out=folder / "out", tensorboard=folder / name, progress=False, **others)
    events = EventAccumulator(str(folder / name)).Reload()
    return {tag: [each.step for each in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_each_is_explained_and_each_that_is_explained_is_logged(tmp_path):
    table = PAGE.read_text().split("## Metrics")[1].split("##")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    explained = {metric for cell in cells for metric in re.findall(r"`([a-z_/]+)`", cell)}
    seen = set().union(*(logged(tmp_path, name, steps=1536) for name in FAMILY))
    assert seen == explained


def test_the_steps_of_logs_count_experiments(tmp_path):
    found = logged(tmp_path, "ppo", steps=2560)
    assert found["rollout/mean_reward"] == [256 * k for k in range(1, 11)]
    assert found["eval/share_of_optimum"] == [256 * k for k in range(1, 11)]


def test_without_tensorboard_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(learning_module, "find_spec", lambda _: None)
    with pytest.raises(AgentError, match=r"TensorBoard is not installed; run \"pip install '\.\[tensorboard\]'\""):
        train(quick("ppo"), toy("smooth"), out=tmp_path, tensorboard=tmp_path / "logs", progress=False)
