"""The figure of an explanation: how far it got, what matters, and what the agent believes or would propose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rxnopt.experiments.explain import Explanation, Slice
from rxnopt.experiments.figures import FAINT, INK, STYLE, canvas, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MODEL, WANTED, NEXT = "#332288", "#117733", "#CC6677"
COLUMNS = 3


def draw(told: Explanation) -> Figure:
    """Return the figure: progress and importance, then a panel for each parameter."""
    import matplotlib as mpl

    shown = list(told.space)
    rows = -(-(2 + len(shown)) // COLUMNS)
    with mpl.rc_context(STYLE):
        figure, axes = canvas(10, 0.6 + 2.35 * rows, rows, COLUMNS)
        progress, shares, *panels = axes.flat
        _progress(progress, told)
        _shares(shares, told)
        for j, axis in enumerate(panels):
            if j >= len(shown) or not (told.slices or told.drawn):
                axis.set_visible(False)
            elif told.slices:
                _slice(axis, told, j, told.slices[j])
            else:
                _spread(axis, told, j)
        figure.suptitle(told.title, x=0.01, ha="left", fontweight="bold")
        return figure


def caption(told: Explanation) -> str:
    """Return what the panels show, in words."""
    if told.slices:
        return (
            "What the model believes: mean and two standard deviations along a line through the best trial (dot) for "
            "each parameter; grey: all trials; green, at the foot: how much the agent would like to run such "
            f"conditions, compared with its next proposal (dashed), which need not lie on them: {told.expectation}."
        )
    if told.drawn:
        return (
            "What the agent would have proposed at once after so many trials, and the mean and standard deviation of "
            "that; dashed: its next proposal."
        )
    return "This agent looks at no result, so that there is nothing to show of what it knows."


def _progress(axis: Axes, told: Explanation) -> None:
    y, number = told.sign * told.history.y, np.arange(1, len(told.history) + 1)
    within = np.where(told.history.within_limits, told.history.y, -np.inf)
    best = told.sign * np.maximum.accumulate(within)
    axis.plot(number, y, "o", color=FAINT, markersize=4)
    axis.step(number, np.where(np.isfinite(best), best, np.nan), where="post", color=INK, linewidth=1.6)
    axis.set(title="trials, and the best so far", xlabel="trial", ylabel=label(told.objective, told.unit))


def _shares(axis: Axes, told: Explanation) -> None:
    """Draw the importance of parameters, and the sensitivity of the model beside it."""
    names, places = list(told.importance), np.arange(len(told.importance))
    sensitivity = told.sensitivity or {}
    height = 0.38 if sensitivity else 0.6
    shares = list(told.importance.values())
    axis.barh(places - (0.2 if sensitivity else 0), shares, height, color=FAINT, label="good trials")
    if sensitivity:
        axis.barh(places + 0.2, [sensitivity[name] for name in names], height, color=MODEL, label="model")
        axis.legend(frameon=False, fontsize=8)
    axis.set(yticks=places, title="what matters", xlabel="share", xlim=(0, None))
    axis.set_yticklabels([name.replace("_", " ") for name in names])
    axis.tick_params(axis="y", labelsize=min(10.0, 90.0 / len(names)))
    axis.invert_yaxis()


def _slice(axis: Axes, told: Explanation, j: int, part: Slice) -> None:
    x, trials = part.x, told.history
    axis.plot(trials.X[:, j], told.sign * trials.y, "o", color=FAINT, markersize=3)
    if part.parameter.levels or len(x) < 8:
        axis.errorbar(x, part.mean, 2 * part.sd, fmt="o", color=MODEL, capsize=3, markersize=4, linewidth=1.2)
    else:
        axis.fill_between(x, part.mean - 2 * part.sd, part.mean + 2 * part.sd, color=MODEL, alpha=0.15, linewidth=0)
        axis.plot(x, part.mean, color=MODEL, linewidth=1.6)
    here = int(np.argmin(np.abs(x - told.best[j])))
    axis.plot(told.best[j], part.mean[here], "o", color=INK, markersize=6)
    axis.axvline(told.proposed[j], color=NEXT, linewidth=1.2, linestyle=(0, (5, 3)))
    foot = axis.twinx()
    foot.set(ylim=(0, 4), yticks=[])
    foot.spines["right"].set_visible(False)
    if part.parameter.levels or len(x) < 8:
        foot.bar(x, part.acquisition, 0.5, color=WANTED, alpha=0.5)
    else:
        foot.fill_between(x, 0, part.acquisition, color=WANTED, alpha=0.5, linewidth=0)
    _scale(axis, "x", told, j)
    if j % COLUMNS == 1 or j == 0:
        axis.set_ylabel(label(told.objective, told.unit))


def _spread(axis: Axes, told: Explanation, j: int) -> None:
    """Draw what would have been proposed at each moment, as levels or as numbers."""
    parameter, rng = told.space.parameters[j], np.random.default_rng(0)  # spreads points; carries no information
    moments = list(told.drawn)
    width = 0.3 * (moments[1] - moments[0]) if len(moments) > 1 else 1.0
    for m, X in told.drawn.items():
        column = X[:, j] + (rng.uniform(-0.25, 0.25, len(X)) if parameter.discrete else 0.0)
        axis.plot(m + rng.uniform(-width, width, len(X)), column, ".", color=FAINT, markersize=4)
        if not parameter.levels:
            spread: Any = np.log(X[:, j]) if parameter.log else X[:, j]
            low, middle, high = spread.mean() + spread.std() * np.array([-1.0, 0.0, 1.0])
            ends = np.exp([low, middle, high]) if parameter.log else np.array([low, middle, high])
            axis.plot([m, m], ends[[0, 2]], color=MODEL, linewidth=2)
            axis.plot(m, ends[1], "o", color=MODEL, markersize=5)
    axis.axhline(told.proposed[j], color=NEXT, linewidth=1.2, linestyle=(0, (5, 3)))
    axis.set_xlabel("trials before")
    _scale(axis, "y", told, j)


def _scale(axis: Axes, which: str, told: Explanation, j: int) -> None:
    """Set up the axis of a parameter."""
    parameter = told.space.parameters[j]
    axis.set(**{f"{which}label": label(parameter.name, parameter.unit)})
    if parameter.log:
        axis.set(**{f"{which}scale": "log"})
    if parameter.levels:
        axis.set(**{f"{which}ticks": range(parameter.count), f"{which}ticklabels": parameter.levels})
