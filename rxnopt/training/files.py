"""What every training writes: weights, their provenance and the learning curve."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from rxnopt.agents.weights import keep, settings_digest, write, write_provenance
from rxnopt.cards.agent import AgentCard
from rxnopt.errors import WeightsError
from rxnopt.simulators import Reaction
from rxnopt.training.result import Training

LIBRARIES = ("numpy", "torch", "stable-baselines3", "gymnasium")


def make(folder: Path) -> None:
    """Make the folder, before the minutes of training that would be lost for the want of it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WeightsError(f"the folder {folder} cannot be made ({error.strerror}); give another one") from error


def scored(path: Path, provenance: dict[str, Any], score: Callable[[], dict[str, Any]]) -> Training:
    """Return what a training leaves, with its score in the provenance beside the weights."""
    try:
        complete = provenance | {"score": score()}
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped by Ctrl-C; {path} is fully trained, only its score is missing") from None
    write_provenance(path, complete)
    return Training(path, complete)


def written(
    path: Path,
    net: torch.nn.Module,
    columns: str,
    curve: Sequence[tuple[int, float, float]],
    provenance: dict[str, Any],
) -> dict[str, Any]:
    """Write weights, provenance and curve; return the provenance with the hash of the weights."""
    complete = write(path, {name: value.detach().cpu() for name, value in net.state_dict().items()}, provenance)
    rows = [f"{n},{seconds:.3f},{mean:.6g}" for n, seconds, mean in curve]
    keep(path.with_suffix(".csv"), "\n".join([columns, *rows, ""]).encode())
    return complete


def identity(card: AgentCard, reaction: Reaction, seed: int, budget: int) -> dict[str, Any]:
    """Return the part of the provenance that is known beforehand."""
    return {
        "agent": {"name": card.name, "digest": settings_digest(card)},
        "reaction": {"name": reaction.name, "digest": reaction.card.digest()},
        "budget": budget,
        "seed": seed,
    }


def versions(libraries: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """Return the versions that a training was made with."""
    return {"python": platform.python_version()} | {name: version(name) for name in libraries}
