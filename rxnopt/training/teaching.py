"""A training of a policy that is taught on simulated reactions, from card to files."""

from __future__ import annotations

from pathlib import Path

from rxnopt.agents.few_shot import uncertainty
from rxnopt.agents.prior.tables import is_table, with_tables
from rxnopt.agents.weights import file_name, interrupted_name, train_command
from rxnopt.cards.agent import AgentCard
from rxnopt.cards.pretrained import Pretrained
from rxnopt.simulators import Reaction
from rxnopt.training.files import identity, make, scored, versions, written
from rxnopt.training.pretraining import evaluate, learn
from rxnopt.training.result import Training


def teach(
    card: AgentCard,
    who: str,
    settings: Pretrained,
    reaction: Reaction,
    steps: int,
    seed: int,
    folder: Path,
    progress: bool,
) -> Training:
    """Train an agent of kind 'pretrained' as :func:`rxnopt.training.train` does; ``steps`` are gradient steps."""
    if is_table(reaction):
        reaction = with_tables(card.name, reaction)
    make(folder)
    course = learn(card.name, settings, reaction, steps, seed, progress)
    if course.interrupted and not course.updates:
        raise KeyboardInterrupt("stopped by Ctrl-C before anything was learnt; nothing was written")
    command = f"{train_command(who, reaction.place or reaction.name)} --steps {steps} --seed {seed}"
    provenance = {"command": command} | identity(card, reaction, seed, settings.budget)
    provenance |= {
        "uncertainty": uncertainty(reaction),
        "steps": course.updates,
        "wall_s": round(course.seconds, 1),
        "device": "cpu",
        "versions": versions(),
    }
    path = folder / (interrupted_name if course.interrupted else file_name)(card.name, reaction.name)
    provenance = written(path, course.net, "updates,seconds,loss", course.curve, provenance)
    if course.interrupted:
        raise KeyboardInterrupt(
            f"stopped by Ctrl-C after {course.updates:,} gradient steps; what was learnt by then is in {path}, used "
            "only where it is given as weights"
        )
    return scored(path, provenance, lambda: evaluate(settings, course.net, reaction, seed))
