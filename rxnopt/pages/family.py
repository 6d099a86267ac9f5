"""What a page says about a family of random reactions: the yields of many tasks, and their optima."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from rxnopt.envs.rewards import failed_score
from rxnopt.pages.drawing import ACCENT, FAINT, INK, STYLE, label, png
from rxnopt.pages.text import code, number, percent, table, unit, whole_percent, words
from rxnopt.seeds import stream
from rxnopt.simulators import Reaction
from rxnopt.simulators.search import find_optima
from rxnopt.space import Array

if TYPE_CHECKING:
    from rxnopt.cards.family import Family

TASKS, POINTS = 40, 2_500
"""Tasks, and random experiments on each."""


@dataclass(frozen=True)
class FamilySurvey:
    """Noise-free random experiments on random tasks.

    ``values`` (tasks, points): the objective, NaN where a level does not exist, a solvent would boil over or a run
    failed. ``optima`` (tasks,): the best found.
    """

    reaction: Reaction
    values: Array
    optima: Array

    @classmethod
    def of(cls, reaction: Reaction) -> FamilySurvey:
        """Draw the tasks and run the experiments: equal cards give equal surveys."""
        constants = reaction.draw(stream(0, "tasks"), TASKS)
        X = reaction.space.sample(TASKS * POINTS, stream(0, "survey"))
        outcome = reaction.attempt(X, np.repeat(constants, POINTS, axis=0))
        column = outcome.values[:, reaction.outputs.index(reaction.objective)]
        optima = reaction.card.objective.sign * find_optima(reaction, constants)[0]
        return cls(reaction, column.reshape(TASKS, POINTS), optima)

    @property
    def family(self) -> Family:
        """The block of the card."""
        if self.reaction.card.family is None:
            raise ValueError(f"{self.reaction.name} has no family")
        return self.reaction.card.family

    @cached_property
    def pooled(self) -> Array:
        """The objective of all experiments that can be run (k,)."""
        return self.values[np.isfinite(self.values)]

    @property
    def near(self) -> float:
        """Median over tasks: share of the experiments that come within 95 % of the optimum of their task."""
        sign = self.reaction.card.objective.sign
        missing = sign * (self.optima[:, None] - self.values)
        return float(np.median(np.mean(missing <= 0.05 * np.abs(self.optima[:, None]), axis=1)))


def tasks(survey: FamilySurvey) -> str:
    """Return what is drawn for each task."""
    family, rows = survey.family, []
    for name, share in family.networks.model_dump().items():
        meaning = type(family.networks).model_fields[name].description or ""
        rows.append([f"network {words(name)}", whole_percent(share), meaning])
    for name, (least, most) in family.sizes.items():
        rows.append([f"levels of {code(name)}", f"{least} to {most}", ""])
    rows.append(["autocatalysis", whole_percent(family.autocatalysis), "The product speeds up its formation."])
    return f"""{table(["Of each task", "Drawn", "Meaning"], rows)}

The table of constants above is that of the card, a middling task in which all levels are alike. `reset` draws a new
task; `rxnopt.load("{survey.reaction.name}-7")` is that of seed 7. `uncertainty={{"split": "test"}}` draws ligands of
families that the tasks of training never have."""


def told(survey: FamilySurvey) -> str:
    """Return what an observation tells of the task."""
    choices = [p for p in survey.reaction.space if p.levels]
    shown = ", ".join(f"{p.width} of {code(p.name)}" for p in choices)
    return f"""The last entries tell of the task: 1 for each level that exists and 0 for others ({shown}), and the
hottest temperature that each solvent allows, −1 and 1 being the bounds of the temperature. In action mode `box` the
largest entry among the levels that exist is chosen; an experiment above the hottest temperature fails."""


def rewards(survey: FamilySurvey) -> str:
    """Return the table of rewards with what tasks allow."""
    least, most = (number(float(np.quantile(survey.optima, q)), 3) for q in (0.1, 0.9))
    rows = [
        ["`objective` (default)", f"measured {words(survey.reaction.objective)}", f"{least} to {most}"],
        ["`improvement`", "what is gained over the best so far", f"{least} to {most}"],
        ["`regret`", "noise-free score less the optimum of the task", "0"],
    ]
    in_unit = unit(survey.reaction.units[survey.reaction.objective])
    return f"""{table(["`reward_mode`", "Reward", "Attainable max, 10 to 90 % of tasks"], rows)}

In {in_unit or "plain numbers"}, without noise. A failed experiment counts
{number(failed_score(survey.reaction.card), 4)}. The episode ends, `terminated`, when the budget is spent."""


def difficulty(survey: FamilySurvey) -> str:
    """Return the statistics of random experiments over all tasks and task by task."""
    pooled = survey.pooled
    rows = [
        [
            "mean and median of all experiments",
            f"{number(float(pooled.mean()), 3)}, {number(float(np.median(pooled)), 3)}",
        ],
        ["below 5", whole_percent(float(np.mean(pooled < 5)))],
        ["above 50", whole_percent(float(np.mean(pooled > 50)))],
        ["above 80", whole_percent(float(np.mean(pooled > 80)))],
        ["optimum of a task (10, 50, 90 %)", _deciles(survey.optima)],
        ["median of a task (10, 50, 90 %)", _deciles(np.nanmedian(survey.values, axis=1))],
        ["share within 95 % of the optimum of the task (median)", percent(survey.near)],
        ["share that cannot be run", whole_percent(float(np.mean(np.isnan(survey.values))))],
    ]
    goal = label(survey.reaction.objective, survey.reaction.units[survey.reaction.objective])
    return table([f"{POINTS:,} random experiments on each of {TASKS} tasks: {goal}", ""], rows)


def _deciles(values: Array) -> str:
    return ", ".join(number(float(q), 3) for q in np.quantile(values, [0.1, 0.5, 0.9]))


def spread(survey: FamilySurvey) -> bytes:
    """Return the figure as PNG: all yields, and the tasks from the poorest to the best."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    goal = label(survey.reaction.objective, survey.reaction.units[survey.reaction.objective])
    order = np.argsort(survey.optima)
    low, middle, high = np.nanquantile(survey.values[order], [0.1, 0.5, 0.9], axis=1)
    places = np.arange(1, TASKS + 1)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.0, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.55))
        left.hist(survey.pooled, bins=40, weights=np.full(len(survey.pooled), 100.0 / len(survey.pooled)), color=ACCENT)
        left.set(xlabel=goal, ylabel="random experiments / %")
        right.vlines(places, low, high, color=FAINT, linewidth=7, label="random experiments, 10 to 90 %")
        right.plot(places, middle, "o", color=ACCENT, markersize=4, label="their median")
        right.plot(places, survey.optima[order], "_", color=INK, markersize=9, markeredgewidth=2, label="optimum")
        right.set(xlabel="tasks, by their optimum", ylabel=goal, xlim=(0, TASKS + 1))
        figure.legend(loc="outside upper right", ncols=3, frameon=False)
        return png(figure)
