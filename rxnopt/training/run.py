"""A training from card to files."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rxnopt.agents import load as load_agent
from rxnopt.cards.agent import AgentCard, Sb3Trained
from rxnopt.errors import AgentError
from rxnopt.files import put
from rxnopt.simulators import Reaction
from rxnopt.simulators import load as load_reaction

if TYPE_CHECKING:
    from rxnopt.training.learning import Lesson

LIBRARIES = ("numpy", "torch", "stable-baselines3", "gymnasium")


@dataclass(frozen=True)
class Training:
    """What a training leaves behind.

    ``provenance`` holds, beside :data:`rxnopt.agents.weights.FIELDS`: ``seed``, ``steps`` done, ``interrupted``,
    ``wall_s``, ``versions``, ``command`` and ``score`` (:func:`rxnopt.training.examination.examine`).
    """

    weights: Path
    provenance: dict[str, Any]


def train(
    agent: str | Path | AgentCard,
    reaction: str | Path | Reaction,
    *,
    steps: int | None = None,
    seed: int = 0,
    out: Path | None = None,
    progress: bool = True,
) -> Training:
    """Train the policy of an agent card on a reaction and write ``<agent>-<reaction>.pt`` to the folder ``out``.

    ``steps``: experiments to simulate, rounded up to whole rollouts; left out, those of the card. ``out``: left out,
    ``runs/train`` in the current folder, where agents look for their weights. Ctrl-C ends the training early; what
    has been learnt by then is examined and written all the same, and the provenance says so.

    Equal arguments give equal weights on one machine. Raises :class:`rxnopt.errors.AgentError` for an agent that is
    not trained beforehand.
    """
    card = agent if isinstance(agent, AgentCard) else load_agent(agent)
    settings = card.agent
    if not isinstance(settings, Sb3Trained):
        raise AgentError(f"agent {card.name!r} learns nothing beforehand; train one of kind 'sb3-trained', such as ppo")
    if not isinstance(reaction, Reaction):
        reaction = load_reaction(reaction)
    from rxnopt.agents.policy import policy
    from rxnopt.agents.weights import USUAL, file_name, write
    from rxnopt.training.examination import examine
    from rxnopt.training.learning import learn

    path = (USUAL if out is None else out) / file_name(card.name, reaction.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    lesson = learn(card.name, settings, reaction, settings.steps if steps is None else steps, seed, progress)
    trained = policy(settings, lesson.net, reaction.card, reaction.card.budget)
    provenance = _provenance(card, reaction, seed, lesson) | {"score": examine(trained, reaction, seed)}
    complete = write(path, {name: value.detach() for name, value in lesson.net.state_dict().items()}, provenance)
    rows = [f"{n},{seconds:.3f},{mean:.6g}" for n, seconds, mean in lesson.curve]
    put(path.with_suffix(".csv"), "\n".join(["experiments,seconds,mean_reward", *rows, ""]).encode())
    return Training(path, complete)


def _provenance(card: AgentCard, reaction: Reaction, seed: int, lesson: Lesson) -> dict[str, Any]:
    from rxnopt.agents.weights import reaction_digest, settings_digest

    return {
        "command": f"rxnopt train {card.name} --env {reaction.name} --steps {lesson.steps} --seed {seed}",
        "agent": {"name": card.name, "digest": settings_digest(card)},
        "reaction": {"name": reaction.name, "digest": reaction_digest(reaction.card)},
        "budget": reaction.card.budget,
        "seed": seed,
        "steps": lesson.steps,
        "interrupted": lesson.interrupted,
        "wall_s": round(lesson.seconds, 1),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
    }
