"""Figures of a report, as SVG text that stands inside an HTML page."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rxnopt.experiments.scores import AgentScore, Array, Scale, by_reaction, interval, iqm, needed, objectives
from rxnopt.simulators.pareto import nondominated

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#332288", "#3FA0CC", "#44AA99", "#117733", "#999933", "#CC6677", "#882255", "#AA4499", "#B8860B", "#555555")
"""After Paul Tol's muted scheme: told apart with all common kinds of colour vision."""
MARKERS = "os^DvPX*hp"
INK, FAINT = "#333333", "#c4c8cc"
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "rxnopt",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a9096",
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
}


def colours(agents: Sequence[str]) -> dict[str, str]:
    """Return the colour of each agent, the same in all figures."""
    return {agent: COLOURS[i % len(COLOURS)] for i, agent in enumerate(agents)}


def canvas(width: float, height: float, rows: int, columns: int, **options: Any) -> tuple[Figure, np.ndarray[Any, Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, np.atleast_2d(figure.subplots(rows, columns, squeeze=False, **options))


def svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(
        buffer, format="svg", dpi=150, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
    )
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def progress(curves: pd.DataFrame, agents: Sequence[str], complete: Sequence[str]) -> str:
    """Draw the interquartile mean of the score of complete agents over the experiments, with 95 % bands."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        figure, axes = canvas(9, 4.6, 1, 1)
        axis = axes[0, 0]
        ends = {}
        for agent in complete:
            strata = list(by_reaction(curves, agent).values())
            length = min(stratum.shape[1] for stratum in strata)
            strata = [stratum[:, :length].T for stratum in strata]  # trials first, campaigns last
            x, middle = np.arange(1, length + 1), iqm(*strata)
            colour = colours(agents)[agent]
            axis.fill_between(x, *interval(strata, iqm), color=colour, alpha=0.10, linewidth=0)
            marker = MARKERS[list(agents).index(agent) % len(MARKERS)]
            axis.plot(
                x, middle, color=colour, marker=marker, markevery=max(1, length // 6), markersize=5, linewidth=1.8
            )
            ends[agent] = (float(x[-1]), float(middle[-1]))
        _guide(axis, 1.0)
        axis.set(xlabel="experiments", ylabel="score (interquartile mean)", ylim=(0, None))
        axis.margins(x=0.01)
        _name_ends(axis, ends, colours(agents), 0.055)
        return svg(figure)


def _guide(axis: Axes, optimum: float, *targets: float) -> None:
    """Draw the known optimum, and a target."""
    axis.axhline(optimum, color=INK, linewidth=1, linestyle=(0, (6, 3)))
    for target in targets:
        axis.axhline(target, color=INK, linewidth=1, linestyle=(0, (1, 2.5)))


def _name_ends(axis: Axes, ends: Mapping[str, tuple[float, float]], colour: Mapping[str, str], gap: float) -> None:
    """Write the names beside the ends of the curves, moved apart where they would touch."""
    low, high = axis.get_ylim()
    names = sorted(ends, key=lambda agent: ends[agent][1])
    wanted = np.array([(ends[agent][1] - low) / (high - low) for agent in names])
    places = _apart(wanted, gap)
    for agent, place in zip(names, places, strict=True):
        axis.annotate(
            agent, ends[agent], xytext=(1.03, place), textcoords="axes fraction", va="center", color=colour[agent],
            fontweight="bold", arrowprops={"arrowstyle": "-", "color": FAINT, "linewidth": 0.8},
        )  # fmt: skip


def _apart(places: Array, gap: float) -> Array:
    """Return sorted places moved as little as need be so that neighbours are ``gap`` apart.

    Places of groups that touch are spread evenly around the mean of the group.
    """
    groups = [[place] for place in places]
    i = 0
    while i < len(groups) - 1:
        lower, upper = groups[i], groups[i + 1]
        if np.mean(upper) - np.mean(lower) < gap * (len(lower) + len(upper)) / 2:
            groups[i : i + 2] = [lower + upper]
            i = max(i - 1, 0)
        else:
            i += 1
    spread = [np.mean(group) + gap * (np.arange(len(group)) - (len(group) - 1) / 2) for group in groups]
    return np.concatenate(spread)


def intervals(scores: Sequence[AgentScore], curves: pd.DataFrame, agents: Sequence[str], target: float) -> str:
    """Draw scores with their 95 % intervals, and the share of campaigns at the target over the experiments."""
    import matplotlib as mpl

    ordered = sorted(scores, key=lambda item: item.score)
    longest = int(curves["trial"].max()) + 1
    with mpl.rc_context(STYLE):
        figure, axes = canvas(9, 1.2 + 0.34 * len(ordered), 1, 2)
        left, right = axes[0]
        ends = {}
        for y, item in enumerate(ordered):
            colour = colours(agents)[item.agent]
            left.plot([item.low, item.high], [y, y], color=colour, linewidth=5, alpha=0.35, solid_capstyle="butt")
            left.plot(item.score, y, "o", color=colour, markersize=7)
            counts = np.concatenate([needed(array) for array in by_reaction(curves, item.agent, "reached").values()])
            share = [100 * float(np.mean(counts <= x)) for x in range(longest + 1)]
            right.step(range(longest + 1), share, where="post", color=colour, linewidth=1.6)
            ends[item.agent] = (float(longest), share[-1])
        left.set(xlabel="score at the end of the budget", yticks=range(len(ordered)))
        left.set_yticklabels([item.agent for item in ordered])
        left.grid(axis="x", color="#eceff1")
        left.set_axisbelow(True)
        right.set(
            xlabel="experiments",
            ylabel=f"campaigns at {100 * target:g} % of the optimum / %",
            ylim=(0, None),
            xlim=(0, longest),
        )
        _name_ends(right, ends, colours(agents), 0.3 / len(ordered) + 0.045)
        return svg(figure)


def reaction_curves(curves: pd.DataFrame, agents: Sequence[str], about: Mapping[str, Any], scale: Scale) -> str:
    """Draw for each agent the best objective so far: median and middle half; the other medians in grey."""
    import matplotlib as mpl

    quartiles = curves.groupby(["agent", "trial"])["best"].quantile(np.array([0.25, 0.5, 0.75])).unstack()
    shown = [agent for agent in agents if agent in quartiles.index]
    columns = min(4, len(shown))
    rows = -(-len(shown) // columns)
    with mpl.rc_context(STYLE):
        figure, axes = canvas(9, 0.5 + 1.75 * rows, rows, columns, sharex=True, sharey=True)
        for axis, agent in zip(axes.flat, shown, strict=False):
            for other in shown:
                axis.plot(quartiles.loc[other].index + 1, quartiles.loc[other][0.5], color=FAINT, linewidth=0.8)
            mine, colour = quartiles.loc[agent], colours(agents)[agent]
            axis.fill_between(mine.index + 1, mine[0.25], mine[0.75], color=colour, alpha=0.25, linewidth=0)
            axis.plot(mine.index + 1, mine[0.5], color=colour, linewidth=2)
            _guide(axis, scale.optimum, scale.target)
            axis.set_title(agent, color=colour)
        for axis, above in zip(axes.flat[len(shown) :], axes.flat[len(shown) - columns :], strict=False):
            axis.set_visible(False)
            above.tick_params(labelbottom=True)
        axes[0, 0].set_xlim(1, curves["trial"].max() + 1)
        axes[0, 0].set_ylim(*_view(quartiles[0.25].to_numpy(), scale))
        figure.supxlabel("experiments", fontsize=10)
        figure.supylabel(label(about["objective"], about["unit"]), fontsize=10)
        return svg(figure)


def _view(lower_quartiles: Array, scale: Scale) -> tuple[float, float]:
    """Return limits that show the way from the typical random experiment to the optimum."""
    span = scale.optimum - scale.baseline
    start = scale.baseline - 0.25 * span
    worst = np.nanmin(lower_quartiles * np.sign(span)) * np.sign(span)
    start = max(start, worst) if span > 0 else min(start, worst)
    bounds = sorted([start, scale.optimum + 0.08 * span])
    return bounds[0], bounds[1]


def conditions(trials: pd.DataFrame, agents: Sequence[str], about: Mapping[str, Any]) -> str:
    """Draw every experiment: one panel per parameter, one row per agent, dark first and light last."""
    import json

    import matplotlib as mpl

    parameters, optimum = about["parameters"], about["optimum_conditions"]
    trials = trials[trials["conditions"].notna()]
    tried = [json.loads(text) for text in trials["conditions"]]
    shown = [agent for agent in agents if agent in set(trials["agent"])]
    row = trials["agent"].map({agent: len(shown) - 1 - i for i, agent in enumerate(shown)}).to_numpy()
    rng = np.random.default_rng(0)  # spreads points that would lie on each other; carries no information
    columns = min(2, len(parameters))
    rows = -(-len(parameters) // columns)
    with mpl.rc_context(STYLE):
        figure, axes = canvas(9, rows * (0.75 + 0.24 * len(shown)), rows, columns, sharey=True)
        for axis, parameter in zip(axes.flat, parameters, strict=False):
            x = _values(axis, parameter, [condition[parameter["name"]] for condition in tried], rng)
            points = axis.scatter(
                x, row + rng.uniform(-0.3, 0.3, len(row)), c=trials["trial"] + 1, s=7, cmap="viridis", linewidths=0,
                rasterized=True,
            )  # fmt: skip
            if optimum is not None:
                axis.axvline(_values(axis, parameter, [optimum[parameter["name"]]], None)[0], color=INK, linewidth=1)
            axis.set(yticks=range(len(shown)), yticklabels=shown[::-1], ylim=(-0.6, len(shown) - 0.4))
        for axis in axes.flat[len(parameters) :]:
            axis.set_visible(False)
        figure.colorbar(points, ax=axes, label="experiment", shrink=0.7, aspect=30, pad=0.02)
        return svg(figure)


def fronts(trials: pd.DataFrame, agents: Sequence[str], about: Mapping[str, Any]) -> str:
    """Draw the first two objectives: experiments within limits, what each agent attained, and the known front."""
    import matplotlib as mpl

    front = about["front"]
    first, second = front["goals"][:2]
    known = np.array(front["points"])[:, :2] * [first["sign"], second["sign"]]
    shown = [agent for agent in agents if agent in set(trials["agent"])]
    columns = min(4, len(shown))
    rows = -(-len(shown) // columns)
    with mpl.rc_context(STYLE):
        figure, axes = canvas(9, 0.6 + 2.3 * rows, rows, columns, sharex=True, sharey=True)
        for axis, agent in zip(axes.flat, shown, strict=False):
            Y = objectives(trials[trials["agent"] == agent], front)
            kept = nondominated(Y)
            points, colour = Y[:, :2] * [first["sign"], second["sign"]], colours(agents)[agent]
            axis.plot(*known[np.argsort(known[:, 0])].T, color=INK, linewidth=1, linestyle=(0, (6, 3)))
            axis.plot(*points.T, ".", color=FAINT, markersize=3, rasterized=True)
            axis.plot(*points[kept].T, "o", color=colour, markersize=4)
            axis.set_title(agent, color=colour)
        for axis in axes.flat[len(shown) :]:
            axis.set_visible(False)
        _around(axes[0, 0], known, np.array(front["reference"])[:2] * [first["sign"], second["sign"]])
        figure.supxlabel(label(first["name"], first["unit"]), fontsize=10)
        figure.supylabel(label(second["name"], second["unit"]), fontsize=10)
        return svg(figure)


def _around(axis: Axes, known: Array, reference: Array) -> None:
    """Show what lies between the reference and the known front, with a margin."""
    corners = np.vstack([known, reference])
    low, high = corners.min(axis=0), corners.max(axis=0)
    margin = 0.05 * (high - low)
    axis.set_xlim(low[0] - margin[0], high[0] + margin[0])
    axis.set_ylim(low[1] - margin[1], high[1] + margin[1])


def _values(axis: Axes, parameter: Mapping[str, Any], values: Sequence[Any], rng: np.random.Generator | None) -> Array:
    """Set up the axis of a parameter and return the places of its values; levels are spread around their tick."""
    levels = parameter["levels"]
    axis.set_xlabel(label(parameter["name"], parameter["unit"]))
    if not levels:
        axis.set_xscale("log" if parameter["log"] else "linear")
        margin = 0.0 if parameter["log"] else 0.02 * (parameter["high"] - parameter["low"])
        axis.set_xlim(parameter["low"] - margin, parameter["high"] + margin)
        return np.array(values, float)
    axis.set(xticks=range(len(levels)), xlim=(-0.6, len(levels) - 0.4))
    axis.set_xticklabels(levels, rotation=30 if max(map(len, levels)) * len(levels) > 45 else 0)
    places = np.array([levels.index(value) for value in values], float)
    return places if rng is None else places + rng.uniform(-0.3, 0.3, len(places))


def unit(text: str) -> str:
    """Return a unit of a card as it is printed."""
    return text.replace("deg", "°").replace("^3", "³").replace("^2", "²")


def label(name: str, unit_text: str) -> str:
    """Return the words at an axis: quantity over unit."""
    words = name.replace("_", " ")
    return words if unit_text == "1" else f"{words} / {unit(unit_text)}"


__all__ = ["colours", "conditions", "fronts", "intervals", "label", "progress", "reaction_curves", "unit"]
