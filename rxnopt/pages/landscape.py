"""The figure of a landscape: the two most influential parameters together, and a slice through the best for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rxnopt.pages.drawing import ACCENT, FAINT, INK, STYLE, label, png
from rxnopt.pages.survey import Survey
from rxnopt.space import Array, Parameter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

SLICE, GRID = 161, 101
"""Points of a slice, and along each side of the map."""
COLUMNS = 3
MANY, LONG = 12, 16
"""Levels that are named, and letters of a name."""


def landscape(survey: Survey) -> bytes:
    """Return the figure as PNG: a map on the left where there are two parameters, and slices."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    n = len(survey.reaction.space)
    columns = min(COLUMNS if n != 4 else 2, n)
    rows = -(-n // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.0, max(3.2, 2.3 * rows)), layout="constrained")
        room: Any = figure
        if n > 1:
            left, room = figure.subfigures(1, 2, width_ratios=(1.0, 1.55), wspace=0.02)  # type: ignore[misc]
            _map(survey, left)
        axes = room.subplots(rows, columns, squeeze=False, sharey=True)
        for axis, parameter in zip(axes.flat, survey.reaction.space, strict=False):
            _slice(survey, parameter, axis)
        for axis in axes.flat[n:]:
            axis.set_visible(False)
        room.supylabel(_objective(survey), fontsize=9)
        return png(figure)


def _objective(survey: Survey) -> str:
    return label(survey.reaction.objective, survey.reaction.units[survey.reaction.objective])


def _best(survey: Survey) -> Array:
    return survey.reaction.space.to_array(survey.optimum.conditions)


def _run(survey: Survey, X: Array) -> Array:
    """Return the objective (n,), NaN where an experiment fails or a constraint forbids it."""
    return survey.reaction.attempt(X).values[:, survey.reaction.outputs.index(survey.reaction.objective)]


def _values(parameter: Parameter, points: int) -> Array:
    """Return values of a parameter from bound to bound, on its scale."""
    if parameter.discrete and parameter.count <= points:
        return np.arange(parameter.low, parameter.high + 1.0)
    spread = np.geomspace if parameter.log else np.linspace
    values: Array = spread(parameter.low, parameter.high, points)
    values = np.round(values) if parameter.discrete else values
    return np.clip(values, parameter.low, parameter.high)  # rounding at the ends


def _slice(survey: Survey, parameter: Parameter, axis: Axes) -> None:
    """Draw the objective over one parameter, all others at the best known conditions."""
    j = survey.reaction.space.names.index(parameter.name)
    best = _best(survey)[0, j]
    values = np.union1d(_values(parameter, SLICE), best)
    X = np.repeat(_best(survey), len(values), axis=0)
    X[:, j] = values
    y = _run(survey, X)
    if parameter.levels or parameter.kind == "binary":
        colours = [ACCENT if value == best else FAINT for value in values]
        axis.bar(values, y, color=colours, width=0.7)
        axis.axhline(0.0, color=INK, linewidth=0.8)
    elif parameter.discrete and len(values) < 30:
        axis.plot(values, y, "o-", color=ACCENT, markersize=3.5, linewidth=0.8)
    else:
        axis.plot(values, y, color=ACCENT, linewidth=1.8)
    _scale(axis, parameter, "x")
    axis.plot(best, survey.optimum.value, "o", color=INK, markersize=5.5, zorder=5)
    axis.margins(y=0.08)


def _scale(axis: Axes, parameter: Parameter, which: str) -> None:
    """Set up one axis for a parameter: name and unit, scale, levels as words."""
    side = axis.xaxis if which == "x" else axis.yaxis
    side.set_label_text(label(parameter.name, parameter.unit))
    if parameter.levels:
        names = _names(parameter.levels)
        side.set_ticks(range(0, len(parameter.levels), -(-len(parameter.levels) // MANY)), names)
        if which == "x" and sum(map(len, names)) > 18:
            steep = len(names) > 4
            for text in axis.get_xticklabels():
                text.set(
                    rotation=90 if steep else 30, ha="right", rotation_mode="anchor", va="center" if steep else "top"
                )
    elif parameter.kind == "binary":
        side.set_ticks([0, 1], ["off", "on"])
    elif parameter.log:
        (axis.set_xscale if which == "x" else axis.set_yscale)("log")


def _names(levels: Sequence[str]) -> list[str]:
    """Return the levels as words, cut where they are long; of many some numbers, counted from 1."""
    if len(levels) > MANY:
        return [str(i + 1) for i in range(0, len(levels), -(-len(levels) // MANY))]
    return [(name if len(name) <= LONG else f"{name[: LONG - 1]}…").replace("_", " ") for name in levels]


def _map(survey: Survey, figure: SubFigure) -> None:
    """Draw the objective over the two parameters with the largest main effects, all others at the best."""
    from matplotlib.ticker import MaxNLocator

    space = survey.reaction.space
    names = sorted(survey.effects, key=lambda name: (bool(space.parameters[space.names.index(name)].levels),
                                                     -survey.effects[name]))[:2]  # fmt: skip
    a, b = (space.names.index(name) for name in names)
    across, up = (_values(space.parameters[j], GRID) for j in (a, b))
    best = _best(survey)
    X = np.repeat(best, len(across) * len(up), axis=0)
    X[:, a], X[:, b] = np.tile(across, len(up)), np.repeat(up, len(across))
    y = _run(survey, X).reshape(len(up), len(across))
    axis = figure.subplots()
    scale = survey.scale
    low, high = sorted((scale.optimum, scale.optimum - 2.0 * (scale.optimum - scale.baseline)))
    steps = MaxNLocator(12).tick_values(max(low, float(np.nanmin(y))), min(high, float(np.nanmax(y))))
    colours, beyond = ("viridis", "min") if scale.sign > 0 else ("viridis_r", "max")
    mesh: Any
    if space.parameters[a].levels or space.parameters[b].levels:
        mesh = axis.pcolormesh(across, up, y, cmap=colours, vmin=steps[0], vmax=steps[-1])
    else:
        mesh = axis.contourf(across, up, y, levels=steps, cmap=colours, extend=beyond)
    for j, which in ((a, "x"), (b, "y")):
        _scale(axis, space.parameters[j], which)
    axis.plot(best[0, a], best[0, b], "o", color="white", markeredgecolor=INK, markersize=7, clip_on=False, zorder=5)
    bar = figure.colorbar(mesh, ax=axis, location="top", aspect=30, pad=0.02)
    bar.set_ticks(steps[::3])
    bar.set_label(_objective(survey))
