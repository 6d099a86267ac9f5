"""The page of an environment: its sections in their order."""

from __future__ import annotations

from rxnopt.envs import ControlEnv, ReactionEnv
from rxnopt.pages import campaigns, emulated, facts, family, fronts, laboratory, measured, runs, spaces
from rxnopt.pages.chemistry import happening
from rxnopt.pages.control import ControlSurvey
from rxnopt.pages.family import FamilySurvey
from rxnopt.pages.survey import Survey


def campaign_page(survey: Survey) -> str:
    """Return the page of an environment in which a step is an experiment."""
    card = survey.reaction.card
    return _page(
        spaces.title(card, ReactionEnv(survey.reaction), f"{card.budget} experiments"),
        {
            "Description": spaces.description(card, f"in {card.budget} experiments"),
            "Reaction": happening(card),
            "Parts": measured.parts(card),
            "General conditions": measured.general(card),
            "Emulator": emulated.told(survey.reaction, survey.X),
            "Data": measured.files(card),
            "Action space": campaigns.action(survey.reaction),
            "Observation space": campaigns.observation(survey.reaction),
            "Outputs": facts.outputs(card),
            "Limits": facts.limits(card, survey.within_limits),
            "Constraints": facts.constraints(card),
            "Several objectives": fronts.objectives(survey),
            "Rewards": campaigns.rewards(survey),
            "Optimum": campaigns.optimum(survey),
            "Difficulty": campaigns.difficulty(survey),
            "Past campaigns": measured.past(card),
            "Noise": laboratory.noise(card),
            "Realism": laboratory.realism(card),
            "Uncertain constants": laboratory.uncertainty(card),
            "Arguments": spaces.arguments(ReactionEnv, {"budget": card.budget}),
            "Source": facts.source(card),
            "Version history": facts.versions(card),
        },
    )


def run_page(survey: ControlSurvey) -> str:
    """Return the page of an environment in which a step is an interval of a run."""
    card, n = survey.reaction.card, survey.intervals
    return _page(
        spaces.title(card, ControlEnv(survey.reaction), f"one run of {n} intervals"),
        {
            "Description": spaces.description(card, f"at the end of a run of {n} intervals"),
            "Reaction": happening(card),
            "Action space": runs.action(survey),
            "Observation space": runs.observation(survey),
            "Outputs": facts.outputs(card),
            "Limits": facts.limits(card, survey.within_limits),
            "Rewards": runs.rewards(survey),
            "Optimum": runs.optimum(survey),
            "Difficulty": runs.difficulty(survey),
            "Noise": laboratory.noise(card),
            "Arguments": spaces.arguments(ControlEnv, {"intervals": n}),
            "Source": facts.source(card),
            "Version history": facts.versions(card),
        },
    )


def family_page(survey: FamilySurvey) -> str:
    """Return the page of an environment that draws a reaction at each reset."""
    card = survey.reaction.card
    return _page(
        spaces.title(card, ReactionEnv(survey.reaction), f"{card.budget} experiments on a new reaction"),
        {
            "Description": spaces.description(card, f"of each new reaction in {card.budget} experiments"),
            "Reaction": happening(card),
            "Tasks": family.tasks(survey),
            "Action space": campaigns.action(survey.reaction),
            "Observation space": f"{campaigns.observation(survey.reaction)}\n\n{family.told(survey)}",
            "Outputs": facts.outputs(card),
            "Rewards": family.rewards(survey),
            "Difficulty": family.difficulty(survey),
            "Noise": laboratory.noise(card),
            "Realism": laboratory.realism(card),
            "Arguments": spaces.arguments(ReactionEnv, {"budget": card.budget}),
            "Source": facts.source(card),
            "Version history": facts.versions(card),
        },
    )


def _page(head: str, sections: dict[str, str]) -> str:
    parts = [f"## {heading}\n\n{text.strip()}" for heading, text in sections.items() if text]
    return "\n\n".join([head, *parts]) + "\n"
