"""What a report has to know besides the trials: reactions, agents, versions and the machine, as plain data."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np

from rxnopt.cards import AgentCard
from rxnopt.cards.agent import Pretrained, Sb3Trained
from rxnopt.cards.base import Reference
from rxnopt.errors import ReportError
from rxnopt.experiments.cells import reaction_at
from rxnopt.seeds import stream
from rxnopt.simulators import Reaction
from rxnopt.simulators.general import GeneralReaction

RANDOM_POINTS = 10_000
"""Random experiments whose median is the zero of the score."""
LIBRARIES = (
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "numba",
    "optuna",
    "cmaes",
    "torch",
    "stable-baselines3",
    "gymnasium",
)


def version() -> str:
    """Return the version of rxnopt, "unknown" in a checkout that was not installed."""
    try:
        return installed("rxnopt-gym")
    except PackageNotFoundError:
        return "unknown"


def about_reaction(place: str, objective: str, weights: tuple[float, ...] | None) -> dict[str, Any]:
    """Load and compile a reaction and return what scores and figures need (seconds).

    ``sign``: +1 where large is good. ``baseline``: median noise-free objective of random experiments. ``optimum``:
    best known noise-free objective. Both in ``unit``. Where an experiment is after the Pareto front, the objective is
    the hypervolume as a share of that of the known ``front``.
    """
    reaction = reaction_at(place, objective, weights)
    if objective == "pareto":
        return _about(reaction) | about_front(reaction)
    optimum = reaction.optimum()
    return _about(reaction) | {
        "objective": reaction.objective,
        "unit": reaction.units[reaction.objective],
        "sign": reaction.card.objective.sign,
        "baseline": baseline(reaction),
        "optimum": optimum.value,
        "optimum_conditions": optimum.conditions,
        "optimum_note": optimum.note,
        "front": None,
    }


def about_front(reaction: Reaction) -> dict[str, Any]:
    """Return what a comparison by hypervolume needs of a reaction; objectives are turned so that larger is better."""
    front = reaction.pareto_front()
    goals = [{"name": n, "unit": reaction.units[n], "sign": g.sign} for n, g in reaction.goals.items()]
    return {
        "objective": "hypervolume",
        "unit": "1",
        "sign": 1.0,
        "baseline": 0.0,
        "optimum": 1.0,
        "optimum_conditions": None,
        "optimum_note": "the hypervolume of the known Pareto front",
        "front": {
            "goals": goals,
            "reference": front.reference.tolist(),
            "points": front.Y.tolist(),
            "hypervolume": front.hypervolume,
        },
    }


def _about(reaction: Reaction) -> dict[str, Any]:
    card = reaction.card
    return {
        "name": card.name,
        "title": card.title,
        "source": _source(card.source),
        "digest": card.digest(),
        "noise": card.noise[reaction.objective].model_dump() if reaction.objective in card.noise else None,
        "limits": {name: limit.model_dump() | {"unit": reaction.units[name]} for name, limit in card.limits.items()},
        "constraints": card.constraints,
        "over": list(reaction.generality.over) if isinstance(reaction, GeneralReaction) else [],
        "parameters": [
            {"name": p.name, "unit": p.unit, "low": p.low, "high": p.high, "log": p.log, "levels": list(p.levels)}
            for p in reaction.space
        ],
    }


def baseline(reaction: Reaction) -> float:
    """Return the median noise-free objective of random experiments, failed ones and those beyond limits left out."""
    outcome = reaction.outcome(reaction.space.sample(RANDOM_POINTS, stream(0, "baseline")))
    values = reaction.score(outcome)[reaction.within_limits(outcome)]
    if not len(values):
        raise ReportError(
            f"all {RANDOM_POINTS:,} random experiments on {reaction.name} failed or broke a limit; check the card"
        )
    return float(reaction.card.objective.sign * np.median(values))


def about_agent(card: AgentCard, reactions: list[str]) -> dict[str, Any]:
    """Return what a report says about an agent; ``practice`` holds the provenance of weights by reaction."""
    practice: dict[str, Any] = {}
    if isinstance(card.agent, Pretrained | Sb3Trained):
        from rxnopt.agents.weights import find
        from rxnopt.errors import WeightsError

        for reaction in reactions:
            try:
                practice[reaction] = find(card.name, reaction).provenance
            except WeightsError as error:
                practice[reaction] = {"error": str(error)}
    return {
        "title": card.title,
        "description": card.description,
        "source": _source(card.source),
        "digest": card.digest(),
        "practice": practice,
    }


def _source(source: Reference) -> dict[str, Any]:
    return source.model_dump()


def machine() -> dict[str, Any]:
    """Return the machine in words."""
    return {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()}


def versions() -> dict[str, str]:
    """Return versions of rxnopt, Python and the libraries that make the numbers."""
    return {"rxnopt": version(), "python": platform.python_version()} | {name: installed(name) for name in LIBRARIES}


def command() -> str:
    """Return the command line without the folder of the program."""
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])


__all__ = ["about_agent", "about_reaction", "baseline", "command", "machine", "version", "versions"]
