"""Pictures of a campaign: how the objective went, and where the experiments were."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from rxnopt.envs.observations import Bools
from rxnopt.simulators import Reaction
from rxnopt.space import Array, Parameter

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Draw = Callable[[Figure], None]
"""Draws into an empty figure."""

SIZE, DPI = (11.0, 4.4), 100
"""Inches and dots per inch: 1100 x 440 pixels."""

INK, GREY, BLUE, RED = "#222222", "#8a8f98", "#3b6fb6", "#c8442f"
COLOURS = "viridis"
TICK: dict[str, Any] = {
    "textcoords": "offset points",
    "fontsize": 7.5,
    "color": INK,
    "va": "center",
    "bbox": {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.9},
}


def image(draw: Draw) -> NDArray[np.uint8]:
    """Return what ``draw`` draws as an image (440, 1100, 3)."""
    figure = Figure(figsize=SIZE, dpi=DPI)
    canvas = FigureCanvasAgg(figure)
    draw(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.array(canvas.buffer_rgba())[:, :, :3]  # type: ignore[no-untyped-call]


def window(figure: Figure | None, draw: Draw) -> Figure:
    """Show what ``draw`` draws in a window; return its figure. Where there is no display, it is drawn and not shown."""
    from matplotlib import pyplot as plt

    if figure is None or not plt.fignum_exists(figure.number):
        figure = plt.figure(figsize=SIZE, dpi=DPI)
    figure.clear()
    draw(figure)
    if figure.canvas.required_interactive_framework is None:
        figure.canvas.draw()
    else:
        plt.pause(0.001)
    return figure


def close(figure: Figure) -> None:
    """Close a window."""
    from matplotlib import pyplot as plt

    plt.close(figure)


def draw(figure: Figure, reaction: Reaction, X: Array, score: Array, failed: Bools, budget: int) -> None:
    """Draw the campaign into an empty figure."""
    value = reaction.card.objective.sign * score
    progress = figure.add_axes((0.065, 0.16, 0.37, 0.66))
    where = figure.add_axes((0.475, 0.16, 0.44, 0.66))
    scale = figure.add_axes((0.925, 0.16, 0.012, 0.66))
    _draw_progress(progress, reaction, value, failed, budget)
    _draw_conditions(where, scale, reaction, X, value, failed)
    figure.text(0.015, 0.94, reaction.card.title, fontsize=12, weight="bold", color=INK)
    figure.text(0.985, 0.94, f"{len(X)} of {budget} experiments", fontsize=10, color=GREY, ha="right")


def _draw_progress(axes: Axes, reaction: Reaction, value: Array, failed: Bools, budget: int) -> None:
    trial, done = np.arange(1, len(value) + 1), ~failed
    axes.plot(trial[done], value[done], "o", color=GREY, markersize=4.5, label="experiment")
    if done.any():
        better = np.maximum if reaction.card.objective.sign > 0 else np.minimum
        best = better.accumulate(value[done])
        axes.step(trial[done], best, where="post", color=BLUE, linewidth=2.0, label="best so far")
    for k in trial[failed]:
        axes.axvline(k, color=RED, linewidth=1.2, label="failed" if k == trial[failed][0] else None)
    if reaction.card.optimum is not None:
        axes.axhline(reaction.card.optimum.value, color=INK, linestyle="--", linewidth=1.0, label="known optimum")
    axes.set_xlim(0.5, budget + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("experiment", color=INK)
    axes.set_ylabel(label(reaction.objective, reaction.units[reaction.objective]), color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=GREY, alpha=0.25, linewidth=0.7)
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=4, frameon=False, fontsize=8, handletextpad=0.4,
        columnspacing=1.2,
    )  # fmt: skip


def _draw_conditions(axes: Axes, scale: Axes, reaction: Reaction, X: Array, value: Array, failed: Bools) -> None:
    """Parallel coordinates: one upright axis per parameter, one line per experiment, coloured by the objective."""
    space, sign = reaction.space, reaction.card.objective.sign
    U, places = space.to_unit(X), range(len(space))
    colours = ScalarMappable(Normalize(*_range(value[~failed])), COLOURS if sign > 0 else f"{COLOURS}_r")
    order = np.argsort(np.where(failed, -np.inf, sign * value), kind="stable")
    for i in order:
        colour = RED if failed[i] else colours.to_rgba(value[i])
        best = bool(i == order[-1] and not failed[i])
        edge = [withStroke(linewidth=5.0, foreground=INK)] if best else []
        axes.plot(places, U[i], color=colour, linewidth=2.6 if best else 1.2, path_effects=edge)
        axes.plot(places, U[i], "o", color=colour, markeredgecolor=INK if best else colour, markersize=7 if best else 3)
    for place, parameter in zip(places, space, strict=True):
        axes.axvline(place, color=INK, linewidth=0.8, zorder=0)
        for height, text in _ticks(parameter):
            axes.annotate(text, (place, height), (8, 0), **TICK)
    axes.set_xticks(places, [label(p.name, p.unit, "\n") for p in space], fontsize=8.5, color=INK)
    axes.set_yticks([])
    axes.set_xlim(-0.12, len(space) - 1 + 0.35)
    axes.set_ylim(-0.05, 1.05)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    objective = label(reaction.objective, reaction.units[reaction.objective])
    axes.set_title(f"conditions, coloured by {objective}; the best is outlined", fontsize=8.5, color=INK, loc="left")
    Colorbar(scale, colours).outline.set_visible(False)
    scale.tick_params(labelsize=8)


def _range(values: Array) -> tuple[float, float]:
    """Return bounds of a colour scale, also where there are fewer than two different values."""
    if len(values) == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _ticks(parameter: Parameter) -> list[tuple[float, str]]:
    """Return heights in [0, 1] and texts on the axis of one parameter: its bounds, or all of a few values."""
    if parameter.kind == "continuous":
        return [(0.0, f"{parameter.low:g}"), (1.0, f"{parameter.high:g}")]
    n = parameter.count
    shown = range(n) if n <= 12 else (0, n - 1)
    return [((k + 0.5) / n, str(parameter.value(parameter.low + k))) for k in shown]


def label(name: str, unit: str, join: str = " ") -> str:
    """Return the text of an axis: a name and its unit."""
    words = name.replace("_", " ")
    return words if unit == "1" else f"{words}{join}({unit.replace('degC', '°C')})"
