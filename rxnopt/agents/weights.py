"""Weights of trained policies: a file of tensors, and a JSON file beside it that says where they come from.

``<stem>.pt`` holds tensors by name and is read with ``torch.load(weights_only=True)``: nothing in it can run.
``<stem>.json`` is the provenance: :data:`FIELDS` and whatever else the training noted.
"""

from __future__ import annotations

import hashlib
import io
import json
import shlex
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import torch

from rxnopt.agents.base import USUAL
from rxnopt.cards.agent import AgentCard
from rxnopt.catalogue import catalogue, names
from rxnopt.errors import WeightsError
from rxnopt.files import put
from rxnopt.simulators import Reaction

FIELDS = {"agent": dict, "reaction": dict, "budget": int, "sha256": str}
"""What a provenance must hold to be checked: the two cards (name and digest), the budget, the hash of the tensors."""


@dataclass(frozen=True)
class Weights:
    """Tensors of a policy by name, their provenance, and the file they come from."""

    tensors: dict[str, torch.Tensor]
    provenance: dict[str, Any]
    label: str


def settings_digest(card: AgentCard) -> str:
    """Return a hash of what makes weights fit a card: its settings, without the way in which they are deployed."""
    text = card.agent.model_dump_json(exclude={"deterministic"}, exclude_defaults=True)
    return hashlib.sha256(text.encode()).hexdigest()


def file_name(agent: str, reaction: str) -> str:
    """Return the name of a weights file."""
    return f"{agent}-{reaction}.pt"


def checkpoint_name(agent: str, reaction: str) -> str:
    """Return the name of the file from which a training goes on."""
    return f"{agent}-{reaction}.checkpoint.pt"


def interrupted_name(agent: str, reaction: str) -> str:
    """Return the name for weights of a training that was stopped, which :func:`find` takes only where it is given."""
    return f"{agent}-{reaction}.interrupted.pt"


def find(agent: str, reaction: str, given: Path | None = None, place: str = "") -> Weights:
    """Read the weights at ``given``, else those in :data:`USUAL`, else those shipped with the agent catalogue.

    ``place`` is the path of the reaction card where it is in no catalogue.

    Raises :class:`rxnopt.errors.WeightsError` if there are none or they are damaged.
    """
    remedy, name = _remedy(agent, place or reaction), file_name(agent, reaction)
    if given is not None:
        if not given.is_file():
            raise WeightsError(f"there are no weights at {given}; {remedy}, or check the path")
        return _read(given.parent, given.stem, str(given), remedy)
    if (USUAL / name).is_file():
        return _read(USUAL, Path(name).stem, str(USUAL / name), remedy)
    shipped = catalogue("agents") / "weights"
    if not (shipped / name).is_file():
        raise WeightsError(f"agent {agent!r} has no weights for reaction {reaction!r}; {remedy}")
    return _read(shipped, Path(name).stem, f"agents/weights/{name}", remedy)


def train_command(agent: str, env: str) -> str:
    """Return the command that trains an agent, by name or path, on a reaction, by name or path."""
    return shlex.join(["rxnopt", "train", agent, "--env", env])


def _remedy(agent: str, env: str) -> str:
    if agent in names("agents"):
        return f"run '{train_command(agent, env)}'"
    return f"run '{train_command('CARD.yaml', env)}', where CARD.yaml is the path of the card of {agent!r}"


def _read(folder: Traversable, stem: str, label: str, remedy: str) -> Weights:
    try:
        data = (folder / f"{stem}.pt").read_bytes()
        provenance = json.loads((folder / f"{stem}.json").read_text())
    except FileNotFoundError as error:
        raise WeightsError(f"{label}: the provenance {stem}.json beside it is missing; {remedy}") from error
    except (OSError, ValueError) as error:
        raise WeightsError(f"{label}: weights or provenance cannot be read ({error}); {remedy}") from error
    if not isinstance(provenance, dict) or any(type(provenance.get(name)) is not kind for name, kind in FIELDS.items()):
        raise WeightsError(f"{label}: the provenance {stem}.json lacks one of {', '.join(FIELDS)}; {remedy}")
    if provenance["sha256"] != hashlib.sha256(data).hexdigest():
        raise WeightsError(f"{label}: the file is damaged or is not the one that {stem}.json describes; {remedy}")
    tensors = loaded(data, label, remedy)
    if not tensors_by_name(tensors):
        raise WeightsError(f"{label}: the file holds something else than tensors by name; {remedy}")
    return Weights(tensors, provenance, label)


def loaded(data: bytes, label: str, remedy: str) -> Any:
    """Return the tensors, numbers and texts in a file of torch, nothing that could run; raise :class:`WeightsError`."""
    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # a foreign file makes torch raise anything
        raise WeightsError(f"{label}: the file holds no tensors ({type(error).__name__}); {remedy}") from error


def tensors_by_name(value: Any) -> bool:
    """Return whether this is a dict of tensors."""
    return isinstance(value, dict) and all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in value.items()
    )


def check(weights: Weights, card: AgentCard, reaction: Reaction) -> str | None:
    """Raise :class:`rxnopt.errors.WeightsError` for weights of another agent or reaction.

    Returns a sentence of warning where the reaction has been edited since the training, else None.
    """
    agent, trained_on, own = weights.provenance["agent"], weights.provenance["reaction"], reaction.origin
    remedy = _remedy(card.name, reaction.place or own.name)
    if trained_on.get("name") != own.name:
        raise WeightsError(
            f"{weights.label}: trained on reaction {trained_on.get('name')!r}, not on {own.name!r}; {remedy}"
        )
    if agent.get("digest") != settings_digest(card):
        raise WeightsError(
            f"{weights.label}: trained with other settings than those of agent {card.name!r} now; {remedy}"
        )
    if trained_on.get("digest") != own.digest():
        return f"{weights.label}: reaction {own.name!r} has changed since the training; {remedy} to train anew"
    return None


def fit(net: torch.nn.Module, weights: Weights) -> None:
    """Load weights into a network; raise :class:`rxnopt.errors.WeightsError` where they do not fit."""
    expected = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in weights.tensors.items()}
    if expected != given:
        name = next(name for name in sorted(expected | given) if expected.get(name) != given.get(name))
        raise WeightsError(
            f"{weights.label}: {name} has shape {given.get(name)} where the card and the reaction need "
            f"{expected.get(name)}; train anew"
        )
    for name, wanted in net.state_dict().items():
        value = weights.tensors[name]
        if (value.dtype, value.layout, value.device) != (wanted.dtype, wanted.layout, wanted.device):
            raise WeightsError(
                f"{weights.label}: {name} holds {value.dtype} ({value.layout}, {value.device}) where "
                f"{wanted.dtype} ({wanted.layout}, {wanted.device}) is needed; train anew"
            )
        if not torch.isfinite(value).all():
            raise WeightsError(f"{weights.label}: {name} holds numbers that are not finite; train anew")
    net.load_state_dict(weights.tensors)


def write(path: Path, tensors: dict[str, torch.Tensor], provenance: dict[str, Any]) -> dict[str, Any]:
    """Write tensors and provenance, each in one step, and return the provenance with the hash of the tensors.

    Raises :class:`rxnopt.errors.WeightsError` for a disk that is full or may not be written to.
    """
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    complete = provenance | {"sha256": hashlib.sha256(buffer.getvalue()).hexdigest()}
    keep(path, buffer.getvalue())
    write_provenance(path, complete)
    return complete


def write_provenance(path: Path, provenance: dict[str, Any]) -> None:
    """Write the provenance of the weights at ``path`` in one step; raise as :func:`write` does."""
    keep(path.with_suffix(".json"), (json.dumps(provenance, indent=2) + "\n").encode())


def keep(path: Path, data: bytes) -> None:
    """Write a file in one step; raise as :func:`write` does."""
    try:
        put(path, data)
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be written ({error.strerror or error}); make room there, or train into another folder"
        ) from error
