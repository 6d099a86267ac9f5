"""A training of a policy by Stable-Baselines3, from card to files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from rxnopt.agents.weights import checkpoint_name, file_name, interrupted_name, train_command
from rxnopt.cards.agent import AgentCard
from rxnopt.cards.sb3 import Sb3Trained
from rxnopt.errors import AgentError
from rxnopt.simulators import Reaction
from rxnopt.training import evaluation
from rxnopt.training.files import identity, make, scored, versions, written
from rxnopt.training.learning import Lesson, Manner, learn
from rxnopt.training.result import Training

COLUMNS = "experiments,seconds,mean_reward"


def practise(
    card: AgentCard,
    who: str,
    settings: Sb3Trained,
    reaction: Reaction,
    steps: int,
    seed: int,
    folder: Path,
    progress: bool,
    patience: int | None,
    resume: bool,
    tensorboard: Path | None,
) -> Training:
    """Train an agent of kind 'sb3-trained' as :func:`rxnopt.training.train` does."""
    make(folder)
    beforehand = identity(card, reaction, seed, settings.env.budget or reaction.card.budget)
    digests = {"agent": beforehand["agent"]["digest"], "reaction": beforehand["reaction"]["digest"], "seed": str(seed)}
    checkpoint = folder / checkpoint_name(card.name, reaction.name)
    manner = Manner(progress, patience, tensorboard, checkpoint, digests, resume)
    lesson = learn(card.name, settings, reaction, steps, seed, manner)
    command = f"{train_command(who, reaction.place or reaction.name)} --steps {steps} --seed {seed}"
    command += "" if patience is None else f" --patience {patience}"
    provenance = {"command": command} | beforehand | _course(lesson)
    if lesson.ended in ("interrupted", "diverged"):
        _stop(folder / interrupted_name(card.name, reaction.name), checkpoint, lesson, provenance)
    lesson.net.load_state_dict(lesson.course.kept)
    path = folder / file_name(card.name, reaction.name)
    provenance = written(path, lesson.net, COLUMNS, lesson.course.curve, provenance)
    return scored(path, provenance, lambda: evaluation.evaluate(settings, lesson.net, reaction, seed))


def _stop(path: Path, checkpoint: Path, lesson: Lesson, provenance: dict[str, Any]) -> NoReturn:
    course, diverged = lesson.course, lesson.ended == "diverged"
    done = f"after {course.steps:,} experiments"
    if course.kept if diverged else course.updates:
        if diverged:
            lesson.net.load_state_dict(course.kept)
        written(path, lesson.net, COLUMNS, course.curve, provenance)
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


def _course(lesson: Lesson) -> dict[str, Any]:
    """Return the part of the provenance that is known afterwards."""
    return {
        "steps": lesson.course.steps,
        "kept_at": lesson.course.kept_at,
        "ended": lesson.ended,
        "evaluations": [[steps, round(share, 4)] for steps, share in lesson.course.scores],
        "wall_s": round(lesson.course.seconds, 1),
        "device": lesson.device,
        "versions": versions(),
    }
