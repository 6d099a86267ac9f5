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
from rxnopt.cards.agent import Sb3Trained
from rxnopt.cards.base import Reference
from rxnopt.errors import ReportError
from rxnopt.seeds import stream
from rxnopt.simulators import Reaction, load

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


def about_reaction(place: str) -> dict[str, Any]:
    """Load and compile a reaction and return what scores and figures need (seconds).

    ``sign``: +1 where large is good. ``baseline``: median noise-free objective of random experiments. ``optimum``:
    best known noise-free objective. Both in ``unit``.
    """
    reaction = load(place)
    card, optimum = reaction.card, reaction.optimum()
    return {
        "name": card.name,
        "title": card.title,
        "source": _source(card.source),
        "digest": card.digest(),
        "objective": reaction.objective,
        "unit": reaction.units[reaction.objective],
        "sign": card.objective.sign,
        "baseline": baseline(reaction),
        "optimum": optimum.value,
        "optimum_conditions": optimum.conditions,
        "optimum_note": optimum.note,
        "noise": card.noise[reaction.objective].model_dump() if reaction.objective in card.noise else None,
        "parameters": [
            {"name": p.name, "unit": p.unit, "low": p.low, "high": p.high, "log": p.log, "levels": list(p.levels)}
            for p in reaction.space
        ],
    }


def baseline(reaction: Reaction) -> float:
    """Return the median noise-free objective of random experiments, failed ones left out."""
    outcome = reaction.outcome(reaction.space.sample(RANDOM_POINTS, stream(0, "baseline")))
    values = reaction.score(outcome)[~outcome.failed]
    if not len(values):
        raise ReportError(f"all {RANDOM_POINTS:,} random experiments on {reaction.name} failed; check the card")
    return float(reaction.card.objective.sign * np.median(values))


def about_agent(card: AgentCard, reactions: list[str]) -> dict[str, Any]:
    """Return what a report says about an agent; ``practice`` holds the provenance of weights by reaction."""
    practice: dict[str, Any] = {}
    if isinstance(card.agent, Sb3Trained):
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
