"""Checkpoints: what a training needs to go on after a kill, as tensors and numbers.

A checkpoint holds the parameters of the policy, of its targets and of its optimisers, the transitions of a replay
buffer, the network that is kept so far, and the numbers of the
:class:`Course`. It is read with ``torch.load(weights_only=True)``:
nothing in it can run. Chance goes on from a seed made of the seed of the training and the experiments done.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.save_util import recursive_getattr

from rxnopt.agents.weights import keep, loaded, tensors_by_name
from rxnopt.errors import WeightsError

Tensors = dict[str, torch.Tensor]
_ARRAYS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


@dataclass
class Course:
    """How far a training has come.

    ``steps``: experiments; ``updates``: passes over them; ``seconds``; ``curve``: rows of experiments, seconds and mean
    reward; ``scores``: rows of experiments and share of the optimum; ``kept``: the tensors that act of the network that
    is kept, after ``kept_at`` experiments.
    """

    steps: int = 0
    updates: int = 0
    seconds: float = 0.0
    kept_at: int = 0
    curve: list[tuple[int, float, float]] = field(default_factory=list)
    scores: list[tuple[int, float]] = field(default_factory=list)
    kept: Tensors = field(default_factory=dict)

    def numbers(self) -> dict[str, Any]:
        """Return all but the tensors."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "kept"}


def save(path: Path, model: BaseAlgorithm, course: Course, digests: dict[str, str]) -> None:
    """Write a checkpoint in one step; raise :class:`rxnopt.errors.WeightsError` for a full disk."""
    parts = {"model": _parameters(model), "buffer": _buffer(model), "kept": course.kept}
    tensors = {f"{part}/{name}": value for part, found in parts.items() for name, value in found.items()}
    data = io.BytesIO()
    torch.save({"tensors": tensors, "course": course.numbers(), "digests": digests}, data)
    keep(path, data.getvalue())


def restore(path: Path, model: BaseAlgorithm, digests: dict[str, str]) -> Course:
    """Put a model into the state of a checkpoint; return how far it had come.

    Raises :class:`rxnopt.errors.WeightsError` for a file that is missing, damaged or of another training.
    """
    remedy = "leave --resume out to train from the start"
    if not path.is_file():
        raise WeightsError(f"there is no checkpoint {path}; {remedy}")
    found = _read(path, remedy)
    for what, digest in digests.items():
        if found["digests"].get(what) != digest:
            raise WeightsError(f"{path}: the checkpoint is of another {what} than this training; {remedy}")
    parts: dict[str, Tensors] = {"model": {}, "buffer": {}, "kept": {}}
    try:
        for name, value in found["tensors"].items():
            part, _, rest = name.partition("/")
            parts[part][rest] = value
        course = Course(**found["course"], kept=parts["kept"])
        _set_parameters(model, parts["model"])
        _set_buffer(model, parts["buffer"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{path}: the checkpoint does not fit the networks of this training; {remedy}") from error
    model.num_timesteps = course.steps
    model._n_updates = course.updates
    return course


def _read(path: Path, remedy: str) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: the checkpoint cannot be read ({error.strerror}); {remedy}") from error
    found = loaded(data, str(path), remedy)
    kinds = {"tensors": dict, "course": dict, "digests": dict}
    whole = isinstance(found, dict) and all(isinstance(found.get(name), kind) for name, kind in kinds.items())
    if not whole or not tensors_by_name(found["tensors"]):
        raise WeightsError(f"{path}: the file is no checkpoint; {remedy}")
    return dict(found)


def _parameters(model: BaseAlgorithm) -> Tensors:
    found: Tensors = {name: recursive_getattr(model, name).detach() for name in model._get_torch_save_params()[1]}
    for name, state in model.get_parameters().items():
        if "param_groups" in state:  # an optimiser; its options are those of the card
            for i, moments in state["state"].items():
                found |= {f"{name}/{i}/{key}": torch.as_tensor(value) for key, value in moments.items()}
        else:
            found |= {f"{name}/{key}": value for key, value in state.items()}
    return found


def _set_parameters(model: BaseAlgorithm, tensors: Tensors) -> None:
    for name in model._get_torch_save_params()[1]:
        recursive_getattr(model, name).data.copy_(tensors[name])
    states: dict[str, Any] = {}
    for name, state in model.get_parameters().items():
        own = {key.removeprefix(f"{name}/"): value for key, value in tensors.items() if key.startswith(f"{name}/")}
        if "param_groups" in state:
            moments: dict[int, Tensors] = {}
            for key, value in own.items():
                i, _, what = key.partition("/")
                moments.setdefault(int(i), {})[what] = value
            own = {"state": moments, "param_groups": state["param_groups"]}  # type: ignore[dict-item]
        states[name] = own
    model.set_parameters(states, exact_match=True, device=model.device)


def _buffer(model: BaseAlgorithm) -> Tensors:
    buffer = getattr(model, "replay_buffer", None)
    if not isinstance(buffer, ReplayBuffer):
        return {}
    size = buffer.size()
    return {name: torch.from_numpy(getattr(buffer, name)[:size]) for name in _ARRAYS} | {
        "pos": torch.tensor(buffer.pos)
    }


def _set_buffer(model: BaseAlgorithm, tensors: Tensors) -> None:
    buffer = getattr(model, "replay_buffer", None)
    if not isinstance(buffer, ReplayBuffer):
        return
    for name in _ARRAYS:
        np.copyto(getattr(buffer, name)[: len(tensors[name])], tensors[name].numpy(), casting="no")
    buffer.pos, buffer.full = int(tensors["pos"]), len(tensors["dones"]) == buffer.buffer_size
