"""The index of all pages, with the difficulty of each environment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from rxnopt.envs import NAMESPACE
from rxnopt.pages.campaigns import region, solver
from rxnopt.pages.control import PROFILES, ControlSurvey
from rxnopt.pages.family import TASKS, FamilySurvey
from rxnopt.pages.survey import POINTS, Survey
from rxnopt.pages.text import number, percent, table, whole_percent, with_unit, words

AnySurvey = Survey | ControlSurvey | FamilySurvey


def index(surveys: Sequence[AnySurvey]) -> str:
    """Return the page that lists all environments with their difficulty."""
    campaigns = [[show(each) for show in _CAMPAIGNS.values()] for each in surveys if isinstance(each, Survey)]
    runs = [[show(each) for show in _RUNS.values()] for each in surveys if isinstance(each, ControlSurvey)]
    families = [[show(each) for show in _FAMILIES.values()] for each in surveys if isinstance(each, FamilySurvey)]
    return f"""# Environments

Every environment is made by `gymnasium.make` with its id, after `import rxnopt`. The pages are written from the cards
by `rxnopt pages docs/envs`.

## Conditions: one step is one experiment

{table(list(_CAMPAIGNS), campaigns)}

**Within 95 %**: share of {POINTS:,} uniform random experiments that come within 95 % of the best known value, counted
as in comparisons (5 % of the size of that value may be missing), and keep all limits. A large share is an easy task.
**Optimum**: whether the best known conditions lie inside the ranges of all numbers, in a corner, or at the bounds of
some. **Main effects**: share of the variance of the objective over random experiments that a parameter explains alone
(first-order Sobol index); the two largest are named, and what all of them leave to interactions. **Solver**: explicit
integration alone, the share of experiments that turned out stiff and went on implicitly, a steady state, or a table of
experiments that were done.

## Control: one step is one interval of a run

{table(list(_RUNS), runs)}

**Best constant**: what controls that stay as they are reach, in the unit of the best known value and as a share of it;
the rest is to be won by control. **Within 95 %**: share of {PROFILES:,} random profiles.

## Families: a new reaction at each reset

{table(list(_FAMILIES), families)}

**Within 95 %**: median over {TASKS} tasks of the share of random experiments that come within 95 % of their optimum.
"""


def _link(survey: AnySurvey) -> str:
    card = survey.reaction.card
    return f"[{NAMESPACE}/{card.id}]({card.name}.md)"


def _parameters(survey: Survey | FamilySurvey) -> str:
    kinds = Counter(p.kind for p in survey.reaction.space)
    return ", ".join(f"{n} {kind}" for kind, n in kinds.items())


def _effects(survey: Survey) -> str:
    largest = sorted(survey.effects.items(), key=lambda item: -item[1])[:2]
    left = max(0.0, 1.0 - sum(survey.effects.values()))
    return ", ".join(f"{words(name)} {whole_percent(share)}" for name, share in [*largest, ("interactions", left)])


def _value(survey: ControlSurvey, value: float) -> str:
    return with_unit(number(value, 6), survey.reaction.units[survey.reaction.objective])


def _constant(survey: ControlSurvey) -> str:
    return f"{_value(survey, survey.best_constant[1])} ({whole_percent(survey.constant_share)})"


_CAMPAIGNS: dict[str, Callable[[Survey], str]] = {
    "Environment": _link,
    "Reaction": lambda survey: survey.reaction.card.title,
    "Parameters": _parameters,
    "Budget": lambda survey: str(survey.reaction.card.budget),
    "Within 95 %": lambda survey: percent(survey.near),
    "Optimum": region,
    "Main effects": _effects,
    "Solver": solver,
}

_RUNS: dict[str, Callable[[ControlSurvey], str]] = {
    "Environment": _link,
    "Problem": lambda survey: survey.reaction.card.title,
    "Controls": lambda survey: ", ".join(map(words, survey.controls.names)),
    "Intervals": lambda survey: str(survey.intervals),
    "Best known": lambda survey: _value(survey, survey.best),
    "Best constant": _constant,
    "Within 95 %": lambda survey: percent(survey.near),
}

_FAMILIES: dict[str, Callable[[FamilySurvey], str]] = {
    "Environment": _link,
    "Family": lambda survey: survey.reaction.card.title,
    "Parameters": _parameters,
    "Budget": lambda survey: str(survey.reaction.card.budget),
    "Within 95 %": lambda survey: percent(survey.near),
}
