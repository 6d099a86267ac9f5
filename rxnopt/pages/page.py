"""The page of an environment: its sections in their order."""

from __future__ import annotations

from collections.abc import Callable

from rxnopt.pages import laboratory, sections, spaces
from rxnopt.pages.chemistry import happening
from rxnopt.pages.survey import Survey

SECTIONS: dict[str, Callable[[Survey], str]] = {
    "": spaces.title,
    "Description": spaces.description,
    "Reaction": lambda survey: happening(survey.reaction.card),
    "Action space": spaces.action,
    "Observation space": spaces.observation,
    "Outputs": sections.outputs,
    "Limits": sections.limits,
    "Constraints": sections.constraints,
    "Objectives": sections.objectives,
    "Rewards": sections.rewards,
    "Optimum": sections.optimum,
    "Difficulty": sections.difficulty,
    "Noise": laboratory.noise,
    "Uncertain constants": laboratory.uncertainty,
    "Arguments": spaces.arguments,
    "Source": sections.source,
    "Version history": sections.versions,
}


def page(survey: Survey) -> str:
    """Return the page of an environment."""
    found = {heading: section(survey).strip() for heading, section in SECTIONS.items()}
    parts = [f"## {heading}\n\n{text}" if heading else text for heading, text in found.items() if text]
    return "\n\n".join(parts) + "\n"
