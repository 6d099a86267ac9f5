"""A training from card to files."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from rxnopt.agents import Agent
from rxnopt.agents import load as load_agent
from rxnopt.cards.agent import AgentCard, Sb3Trained
from rxnopt.errors import AgentError, WeightsError, at_least
from rxnopt.simulators import Reaction
from rxnopt.simulators import load as load_reaction

if TYPE_CHECKING:
    from rxnopt.training.learning import Lesson

LIBRARIES = ("numpy", "torch", "stable-baselines3", "gymnasium")


@dataclass(frozen=True)
class Training:
    """What a training leaves behind.

    ``provenance`` holds, beside :data:`rxnopt.agents.weights.FIELDS`: ``seed``, ``steps`` done, ``interrupted``,
    ``wall_s``, ``versions``, ``command`` and ``score`` (:func:`rxnopt.training.evaluation.evaluate`).
    """

    weights: Path
    provenance: dict[str, Any]


def train(
    agent: str | Path | AgentCard,
    reaction: str | Path | Reaction,
    *,
    steps: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    progress: bool = True,
) -> Training:
    """Train the policy of an agent card on a reaction and write ``<agent>-<reaction>.pt`` to the folder ``out``.

    ``steps``: experiments to simulate, rounded up to whole rollouts; left out, those of the card. ``out``: left out,
    ``runs/train`` in the current folder, where agents look for their weights. The weights are on the disk before
    their score is found.

    Ctrl-C raises KeyboardInterrupt with a sentence on what is kept. What has been learnt by then is written to
    ``<agent>-<reaction>.interrupted.pt``, which no agent takes by itself; finished weights stay as they are.

    Equal arguments give equal weights on one machine. Raises :class:`rxnopt.errors.AgentError` for an agent that is
    not trained beforehand, :class:`rxnopt.errors.ConditionsError` for numbers that are not whole or too small, and
    :class:`rxnopt.errors.WeightsError` for files that cannot be written.
    """
    card, who = (agent, agent.name) if isinstance(agent, AgentCard) else (load_agent(agent), str(agent))
    settings = card.agent
    if not isinstance(settings, Sb3Trained):
        raise AgentError(f"agent {card.name!r} learns nothing beforehand; train one of kind 'sb3-trained', such as ppo")
    steps, seed = at_least("steps", settings.steps if steps is None else steps, 1), at_least("seed", seed, 0)
    if not isinstance(reaction, Reaction):
        reaction = load_reaction(reaction)
    from rxnopt.agents.policy import policy
    from rxnopt.agents.weights import USUAL, file_name, interrupted_name, train_command
    from rxnopt.training.learning import learn

    folder = USUAL if out is None else Path(out)
    _make(folder)
    lesson = learn(card.name, settings, reaction, steps, seed, progress)
    command = f"{train_command(who, reaction.place or reaction.name)} --steps {lesson.steps} --seed {seed}"
    provenance = {"command": command} | _provenance(card, reaction, seed, lesson)
    if lesson.interrupted:
        _stop(folder / interrupted_name(card.name, reaction.name), lesson, provenance)
    path = folder / file_name(card.name, reaction.name)
    provenance = _write(path, lesson, provenance)
    trained = policy(settings, lesson.net, reaction.card, reaction.card.budget)
    return Training(path, _scored(path, provenance, trained, reaction, seed))


def _scored(path: Path, provenance: dict[str, Any], trained: Agent, reaction: Reaction, seed: int) -> dict[str, Any]:
    """Return the provenance with the score of the policy, written beside its weights."""
    from rxnopt.agents.weights import write_provenance
    from rxnopt.training.evaluation import evaluate

    try:
        complete = provenance | {"score": evaluate(trained, reaction, seed)}
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped by Ctrl-C; {path} is fully trained, only its score is missing") from None
    write_provenance(path, complete)
    return complete


def _make(folder: Path) -> None:
    """Make the folder, before the minutes of training that would be lost for the want of it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WeightsError(f"the folder {folder} cannot be made ({error.strerror}); give another one") from error


def _stop(path: Path, lesson: Lesson, provenance: dict[str, Any]) -> NoReturn:
    if lesson.updates == 0:
        raise KeyboardInterrupt("stopped by Ctrl-C before anything was learnt; nothing was written")
    _write(path, lesson, provenance)
    raise KeyboardInterrupt(
        f"stopped by Ctrl-C after {lesson.steps:,} experiments; what was learnt by then is in {path}, "
        "used only where it is given as weights"
    )


def _write(path: Path, lesson: Lesson, provenance: dict[str, Any]) -> dict[str, Any]:
    """Write weights, provenance and curve; return the provenance with the hash of the weights."""
    from rxnopt.agents.weights import keep, write

    complete = write(path, {name: value.detach() for name, value in lesson.net.state_dict().items()}, provenance)
    rows = [f"{n},{seconds:.3f},{mean:.6g}" for n, seconds, mean in lesson.curve]
    keep(path.with_suffix(".csv"), "\n".join(["experiments,seconds,mean_reward", *rows, ""]).encode())
    return complete


def _provenance(card: AgentCard, reaction: Reaction, seed: int, lesson: Lesson) -> dict[str, Any]:
    from rxnopt.agents.weights import settings_digest

    return {
        "agent": {"name": card.name, "digest": settings_digest(card)},
        "reaction": {"name": reaction.name, "digest": reaction.card.digest()},
        "budget": reaction.card.budget,
        "seed": seed,
        "steps": lesson.steps,
        "interrupted": lesson.interrupted,
        "wall_s": round(lesson.seconds, 1),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
    }
