"""From a card to an agent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rxnopt.agents.base import Agent
from rxnopt.agents.function import Function, build_function, function_card, is_function
from rxnopt.cards.agent import (
    AgentCard,
    Bandit,
    BoTorch,
    CmaEs,
    Decoupled,
    Designed,
    FunctionCard,
    GpPrior,
    Medoids,
    OptunaSampler,
    Posterior,
    Pretrained,
    Sb3Online,
    Sb3Trained,
)
from rxnopt.cards.base import load_card
from rxnopt.errors import AgentError, at_least
from rxnopt.simulators import Reaction


def load(name: str | Path) -> AgentCard:
    """Return the agent card called ``name``, the one at that path, or that of a function.

    A function is named ``my_module:propose`` or ``path/to/file.py:propose``. Raises :class:`rxnopt.errors.CardError`,
    and :class:`rxnopt.errors.AgentError` where there is no such module.
    """
    return function_card(str(name)) if is_function(str(name)) else load_card("agents", name, AgentCard)[0]


def given(agent: Any) -> AgentCard | Agent:
    """Return the card or the agent that a user means: a name, a path, a card, an object that proposes or a function."""
    if isinstance(agent, str | Path):
        return load(agent)
    if isinstance(agent, AgentCard):
        return agent
    if not isinstance(agent, type) and callable(getattr(agent, "propose", None)):
        proposes: Agent = agent
        return proposes
    if callable(agent) and not isinstance(agent, type):
        return Function(getattr(agent, "__name__", type(agent).__name__), agent)
    raise AgentError(
        f"agent={agent!r} is no agent; give the name or path of a card, an object that proposes, or a function "
        "propose(space, history, n, rng)"
    )


def name_of(agent: AgentCard | Agent) -> str:
    """Return what an agent is called."""
    return agent.name if isinstance(agent, AgentCard | Function) else type(agent).__name__


def build(
    card: AgentCard, reaction: Reaction | None, *, budget: int, seed: int, weights: str | Path | None = None
) -> Agent:
    """Return the agent of a card for a campaign of ``budget`` trials on a reaction.

    ``reaction`` None: on any space; a trained agent needs its reaction.

    ``seed`` fixes all that stays the same over the campaign, such as the scramble of a Sobol sequence. ``weights``
    is a file made by :func:`rxnopt.training.train`; left out, a trained agent looks in the usual places
    (:func:`rxnopt.agents.weights.find`).

    Raises :class:`rxnopt.errors.AgentError` for options or spaces that the algorithm cannot do and
    :class:`rxnopt.errors.WeightsError` for weights that are missing, damaged or made for something else;
    :class:`rxnopt.errors.ConditionsError` for a budget or a seed that is no whole number, or too small.
    """
    budget, seed, settings = at_least("budget", budget, 1), at_least("seed", seed, 0), card.agent
    if weights is not None and not isinstance(settings, GpPrior | Pretrained | Sb3Trained):
        raise AgentError(f"agent {card.name!r} is not trained beforehand and takes no weights; leave {weights} out")
    if isinstance(card, FunctionCard):
        return build_function(card)
    match settings:  # each algorithm is imported only where a card asks for it: torch alone takes a second
        case Designed():
            from rxnopt.agents.design import Design

            return Design(settings.method, budget, seed)
        case Medoids():
            from rxnopt.agents.medoids import MedoidDesign

            return MedoidDesign(card, reaction, budget, seed)
        case Bandit():
            from rxnopt.agents.bandit import BanditAgent

            return BanditAgent(card, reaction)
        case Decoupled():
            from rxnopt.agents.decoupled import DecoupledAgent

            return DecoupledAgent(card, reaction)
        case OptunaSampler():
            from rxnopt.agents.sampler import Sampler

            return Sampler(card.name, settings, seed)
        case BoTorch():
            from rxnopt.agents.bayes import build_bayes

            return build_bayes(card, reaction, budget, seed)
        case CmaEs():
            from rxnopt.agents.evolution import Evolution

            return Evolution(settings, seed)
        case GpPrior():
            from rxnopt.agents.prior import PriorProcess, find_prior

            prior = find_prior(card, None if weights is None else Path(weights))
            return PriorProcess(card.name, settings, prior, reaction)
        case Posterior():
            from rxnopt.agents.posterior import Posterior as Inference

            if reaction is None:
                raise AgentError(f"agent {card.name!r} simulates a reaction; give it: reaction='snar'")
            return Inference(settings, reaction)
        case Pretrained():
            from rxnopt.agents.few_shot import build_few_shot

            if reaction is None:
                raise AgentError(f"agent {card.name!r} was trained on a reaction; give it: reaction='snar'")
            return build_few_shot(card, reaction, None if weights is None else Path(weights))
        case Sb3Trained():
            from rxnopt.agents.policy import build_policy

            if reaction is None:
                raise AgentError(f"agent {card.name!r} was trained on a reaction; give it: reaction='snar'")
            return build_policy(card, reaction, budget, None if weights is None else Path(weights))
        case Sb3Online():
            from rxnopt.agents.online import Online

            return Online(card.name, settings, seed)


def weights_digest(agent: AgentCard, reaction: str, given: str | Path | None = None) -> str | None:
    """Return the hash of the weights of a trained agent, None for other agents; raise :class:`WeightsError`."""
    path = None if given is None else Path(given)
    if isinstance(agent.agent, GpPrior):
        from rxnopt.agents.prior import find_prior

        return find_prior(agent, path).sha256
    if not isinstance(agent.agent, Pretrained | Sb3Trained):
        return None
    from rxnopt.agents.weights import find

    return str(find(agent.name, reaction, path).provenance["sha256"])
