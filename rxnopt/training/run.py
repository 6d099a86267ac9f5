"""A training from card to files."""

from __future__ import annotations

from pathlib import Path

from rxnopt.agents import load as load_agent
from rxnopt.agents.base import USUAL
from rxnopt.cards.agent import AgentCard, GpPrior, Pretrained, Sb3Trained
from rxnopt.errors import AgentError, at_least
from rxnopt.simulators import Reaction
from rxnopt.simulators import load as load_reaction
from rxnopt.training.result import Training


def train(
    agent: str | Path | AgentCard,
    reaction: str | Path | Reaction | None = None,
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
    experiments to simulate, rounded up to whole rollouts, or gradient steps of an agent of kind 'pretrained'; left out,
    those of the card. ``out``: left out, it is
    ``runs/train`` in the current folder, where agents look for their weights. ``patience``: stop when the score has not
    risen in so many evaluations (of 20 in all the steps). ``tensorboard``: a folder for logs of all metrics.
    An agent of kind 'gp-prior' is fitted to the tables that its card names and takes no reaction; it writes
    ``<agent>.json``.
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
    settings, seed = card.agent, at_least("seed", seed, 0)
    if isinstance(settings, GpPrior):
        from rxnopt.training.prior import fit_prior

        if (reaction, steps, patience, tensorboard, resume) != (None, None, None, None, False):
            raise AgentError(
                f"agent {card.name!r} is fitted to the tables that its card names; give no reaction, steps, patience, "
                "resume or tensorboard"
            )
        return fit_prior(card, who, settings, seed, USUAL if out is None else Path(out), progress)
    if not isinstance(settings, Pretrained | Sb3Trained):
        raise AgentError(
            f"agent {card.name!r} learns nothing beforehand; train one of kind 'sb3-trained' or 'pretrained', such as "
            "ppo or few-shot"
        )
    usual = settings.updates if isinstance(settings, Pretrained) else settings.steps
    steps = at_least("steps", usual if steps is None else steps, 1)
    patience = None if patience is None else at_least("patience", patience, 1)
    if reaction is None:
        raise AgentError(f"agent {card.name!r} is trained on a reaction; name one, such as --env snar")
    if not isinstance(reaction, Reaction):
        reaction = load_reaction(reaction)
    folder, logs = USUAL if out is None else Path(out), None if tensorboard is None else Path(tensorboard)
    if isinstance(settings, Sb3Trained):
        from rxnopt.training.practising import practise

        return practise(card, who, settings, reaction, steps, seed, folder, progress, patience, resume, logs)
    if patience is not None or resume or logs is not None:
        raise AgentError(
            f"agent {card.name!r} is of kind 'pretrained' and learns in minutes; leave out patience, resume and "
            "tensorboard, which belong to agents of kind 'sb3-trained'"
        )
    from rxnopt.training.teaching import teach

    return teach(card, who, settings, reaction, steps, seed, folder, progress)
