"""What pages say of several objectives: the reference point, the known Pareto front and its figure."""

from __future__ import annotations

from rxnopt.pages.drawing import ACCENT, FAINT, STYLE, label, png
from rxnopt.pages.survey import Survey
from rxnopt.pages.text import code, number, table, with_unit
from rxnopt.simulators.pareto import Front, stored_front

SHOWN = 3_000
"""Random experiments in the figure."""


def objectives(survey: Survey) -> str:
    """Return the objectives that can be traded off, with the reference point and the known front."""
    reaction, card = survey.reaction, survey.reaction.card
    front = stored_front(reaction) if card.objectives else None
    rows = []
    for i, (name, goal) in enumerate(card.objectives.items()):
        best = "" if front is None else with_unit(number(goal.sign * float(front.ideal[i])), reaction.units[name])
        reference = with_unit(number(goal.reference, 6), reaction.units[name])
        rows.append([code(name), goal.direction, reference, best])
    whole = table(["Objective", "Direction", "Reference point", "Best alone"], rows)
    if front is None:
        return whole
    return f"""{whole}

![Pareto front of {card.id}](figures/{card.name}-front.png)

The known front has {len(front.X)} points ([envs/fronts/{card.name}.csv](../../envs/fronts/{card.name}.csv)) and a
hypervolume of {number(front.hypervolume, 4)} above the reference point."""


def front_figure(survey: Survey) -> bytes | None:
    """Return the figure of the known front in its first two objectives as PNG, None without one."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    reaction = survey.reaction
    front = stored_front(reaction) if reaction.card.objectives else None
    if front is None:
        return None
    signs = [goal.sign for goal in reaction.goals.values()]
    names = list(reaction.goals)[:2]
    x, y = ((front.Y[:, i] * signs[i]) for i in (0, 1))
    kept = reaction.within_limits(survey.outcome)[:SHOWN]
    tried = survey.outcome.values[:SHOWN][kept][:, [reaction.outputs.index(name) for name in names]]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.0, 3.6), layout="constrained")
        axis = figure.subplots()
        axis.plot(tried[:, 0], tried[:, 1], ".", color=FAINT, markersize=3, label="random experiments")
        axis.plot(x, y, "o-", color=ACCENT, markersize=3.5, linewidth=1.0, label="known front")
        axis.set(**_view(front, signs))
        axis.set_xlabel(label(names[0], reaction.units[names[0]]))
        axis.set_ylabel(label(names[1], reaction.units[names[1]]))
        figure.legend(loc="outside upper left", ncols=2, frameon=False)
        return png(figure)


def _view(front: Front, signs: list[float]) -> dict[str, tuple[float, float]]:
    """Return limits of both axes: from the reference to a little beyond the best of each objective."""
    found = {}
    for i, side in enumerate(("xlim", "ylim")):
        worst, best = signs[i] * float(front.reference[i]), signs[i] * float(front.ideal[i])
        low, high = sorted((worst, best + 0.04 * (best - worst)))
        found[side] = (low, high)
    return found
