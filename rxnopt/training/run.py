"""A training from card to files."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from rxnopt.agents import load as load_agent
from rxnopt.cards.agent import AgentCard, Pretrained, Sb3Trained
from rxnopt.errors import AgentError, WeightsError, at_least
from rxnopt.simulators import Reaction
from rxnopt.simulators import load as load_reaction

if TYPE_CHECKING:
    from rxnopt.training.learning import Lesson

LIBRARIES = ("numpy", "torch", "stable-baselines3", "gymnasium")


@dataclass(frozen=True)
class Training:
    """What a training leaves behind.

    ``provenance`` holds, beside :data:`rxnopt.agents.weights.FIELDS`: ``seed``, ``steps`` done, ``kept_at`` (the steps
    of the network that was kept), ``ended`` ("done", "plateau"), ``evaluations`` (steps and share of the
    optimum), ``wall_s``, ``device``, ``versions``, ``command`` and ``score``
    (:func:`rxnopt.training.evaluation.evaluate`).
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
    patience: int | None = None,
    resume: bool = False,
    tensorboard: str | Path | None = None,
) -> Training:
    """Train the policy of an agent card on a reaction and write ``<agent>-<reaction>.pt`` to the folder ``out``.

    ``reaction``: a card by name, path or Gymnasium id; of a family each episode has a reaction of its own. ``steps``:
    experiments to simulate, rounded up to whole rollouts; left out, those of the card. ``out``: left out, it is
    ``runs/train`` in the current folder, where agents look for their weights. ``patience``: stop when the score has not
    risen in so many evaluations (of 20 in all the steps). ``tensorboard``: a folder for logs of all metrics.
    ``resume``: go on from the checkpoint of a training with the same cards and seed, which each evaluation writes.

    The network that is kept is the last one that no evaluation before was better than; its weights are on the disk
    before their final score, on other seeds, is found. A graphics card is used where there is one.

    Ctrl-C raises KeyboardInterrupt with a sentence on what is kept. What has been learnt by then is written to
    ``<agent>-<reaction>.interrupted.pt``, which no agent takes by itself; finished weights stay as they are. Likewise
    a network that is no longer finite raises :class:`rxnopt.errors.AgentError`, and the last good one is written there.

    Equal arguments give equal weights on one machine, as long as no training is resumed. Raises
    :class:`rxnopt.errors.AgentError` for an agent that is not trained beforehand or whose algorithm cannot take the
    space, :class:`rxnopt.errors.ConditionsError` for numbers that are not whole or too small, and
    :class:`rxnopt.errors.WeightsError` for files that cannot be written and checkpoints that do not fit.
    """
    card, who = (agent, agent.name) if isinstance(agent, AgentCard) else (load_agent(agent), str(agent))
    settings = card.agent
    if isinstance(settings, Pretrained):
        if patience is not None or resume or tensorboard is not None:
            raise AgentError(
                f"agent {card.name!r} is of kind 'pretrained' and learns in minutes; leave out what belongs to agents "
                "of kind 'sb3-trained': patience, resume and tensorboard"
            )
        return teach(card, who, reaction, steps=steps, seed=seed, out=out, progress=progress)
    if not isinstance(settings, Sb3Trained):
        raise AgentError(
            f"agent {card.name!r} learns nothing beforehand; train one of kind 'sb3-trained' or 'pretrained', such as ppo"
        )
    steps, seed = at_least("steps", settings.steps if steps is None else steps, 1), at_least("seed", seed, 0)
    patience = None if patience is None else at_least("patience", patience, 1)
    if not isinstance(reaction, Reaction):
        reaction = load_reaction(reaction)
    from rxnopt.agents.weights import USUAL, checkpoint_name, file_name, interrupted_name, train_command
    from rxnopt.training.learning import Manner, learn

    folder, logs = USUAL if out is None else Path(out), None if tensorboard is None else Path(tensorboard)
    _make(folder)
    identity = _identity(card, reaction, seed)
    digests = {"agent": identity["agent"]["digest"], "reaction": identity["reaction"]["digest"], "seed": str(seed)}
    checkpoint = folder / checkpoint_name(card.name, reaction.name)
    manner = Manner(progress, patience, logs, checkpoint, digests, resume)
    lesson = learn(card.name, settings, reaction, steps, seed, manner)
    command = f"{train_command(who, reaction.place or reaction.name)} --steps {steps} --seed {seed}"
    command += "" if patience is None else f" --patience {patience}"
    provenance = {"command": command} | identity | _course(lesson)
    if lesson.ended in ("interrupted", "diverged"):
        _stop(folder / interrupted_name(card.name, reaction.name), checkpoint, lesson, provenance)
    lesson.net.load_state_dict(lesson.course.kept)
    path = folder / file_name(card.name, reaction.name)
    provenance = _write(path, lesson, provenance)
    return Training(path, _scored(path, provenance, settings, lesson, reaction, seed))


def teach(
    card: AgentCard,
    who: str,
    reaction: str | Path | Reaction,
    *,
    steps: int | None,
    seed: int,
    out: str | Path | None,
    progress: bool,
) -> Training:
    """Train an agent of kind 'pretrained' as :func:`train` does; ``steps`` are gradient steps."""
    from rxnopt.agents.weights import USUAL, file_name, interrupted_name, train_command
    from rxnopt.training.pretraining import evaluate, learn

    settings, folder = card.agent, USUAL if out is None else Path(out)
    assert isinstance(settings, Pretrained)  # noqa: S101
    steps, seed = at_least("steps", settings.updates if steps is None else steps, 1), at_least("seed", seed, 0)
    if not isinstance(reaction, Reaction):
        reaction = load_reaction(reaction)
    _make(folder)
    course = learn(card.name, settings, reaction, steps, seed, progress)
    command = f"{train_command(who, reaction.place or reaction.name)} --steps {steps} --seed {seed}"
    provenance = {"command": command} | _identity(card, reaction, seed, settings.budget)
    provenance |= {"steps": course.updates, "wall_s": round(course.seconds, 1), "device": "cpu", "versions": _versions()}
    name = interrupted_name if course.interrupted else file_name
    path = folder / name(card.name, reaction.name)
    if course.interrupted and not course.updates:
        raise KeyboardInterrupt("stopped by Ctrl-C before anything was learnt; nothing was written")
    provenance = _write(path, course.net, course.curve, "updates,seconds,loss", provenance)
    if course.interrupted:
        raise KeyboardInterrupt(
            f"stopped by Ctrl-C after {course.updates:,} gradient steps; what was learnt by then is in {path}, used only "
            "where it is given as weights"
        )
    return Training(path, _scored(path, provenance, lambda: evaluate(settings, course.net, reaction, seed)))


def _scored(
    path: Path, provenance: dict[str, Any], settings: Sb3Trained, lesson: Lesson, reaction: Reaction, seed: int
) -> dict[str, Any]:
    """Return the provenance with the score of the policy, written beside its weights."""
    from rxnopt.agents.weights import write_provenance
    from rxnopt.training.evaluation import evaluate

    try:
        complete = provenance | {"score": evaluate(settings, lesson.net, reaction, seed)}
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


def _stop(path: Path, checkpoint: Path, lesson: Lesson, provenance: dict[str, Any]) -> NoReturn:
    course, diverged = lesson.course, lesson.ended == "diverged"
    done = f"after {course.steps:,} experiments"
    if course.kept if diverged else course.updates:
        if diverged:
            lesson.net.load_state_dict(course.kept)
        _write(path, lesson, provenance)
    if diverged:
        name, kept = (
            provenance["agent"]["name"],
            f"{path} holds the last good network, of {course.kept_at:,} experiments",
        )
        raise AgentError(
            f"the network of agent {name!r} is no longer finite {done}; "
            f"{kept if course.kept else 'nothing was written'}; lower learning_rate or max_grad_norm in the card"
        )
    if course.updates == 0:
        raise KeyboardInterrupt("stopped by Ctrl-C before anything was learnt; nothing was written")
    further = f"; --resume goes on from {checkpoint}" if course.scores else ""
    raise KeyboardInterrupt(
        f"stopped by Ctrl-C {done}; what was learnt by then is in {path}, used only where it is given as weights"
        f"{further}"
    )


def _write(path: Path, lesson: Lesson, provenance: dict[str, Any]) -> dict[str, Any]:
    """Write weights, provenance and curve; return the provenance with the hash of the weights."""
    from rxnopt.agents.weights import keep, write

    tensors = {name: value.detach().cpu() for name, value in lesson.net.state_dict().items()}
    complete = write(path, tensors, provenance)
    rows = [f"{n},{seconds:.3f},{mean:.6g}" for n, seconds, mean in lesson.course.curve]
    keep(path.with_suffix(".csv"), "\n".join(["experiments,seconds,mean_reward", *rows, ""]).encode())
    return complete


def _identity(card: AgentCard, reaction: Reaction, seed: int) -> dict[str, Any]:
    """Return the part of the provenance that is known beforehand."""
    from rxnopt.agents.weights import settings_digest

    assert isinstance(card.agent, Sb3Trained)  # noqa: S101
    return {
        "agent": {"name": card.name, "digest": settings_digest(card)},
        "reaction": {"name": reaction.name, "digest": reaction.card.digest()},
        "budget": card.agent.env.budget or reaction.card.budget,
        "seed": seed,
    }


def _course(lesson: Lesson) -> dict[str, Any]:
    """Return the part of the provenance that is known afterwards."""
    return {
        "steps": lesson.course.steps,
        "kept_at": lesson.course.kept_at,
        "ended": lesson.ended,
        "evaluations": [[steps, round(share, 4)] for steps, share in lesson.course.scores],
        "wall_s": round(lesson.course.seconds, 1),
        "device": lesson.device,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
    }
