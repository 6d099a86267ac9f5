"""Plates in the laboratory: which well has which conditions, as a table to take along and as a figure.

The table has a row per well and these columns: ``well`` (A1, A2 ... B1), each parameter and each drawn substrate, with
its unit in brackets (``temperature [degC]``), and each output, empty until it was measured. Whoever ran the plate
writes results there, ``failed`` where an experiment failed, and may add a column ``note``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

import numpy as np

from rxnopt.errors import ConditionsError, SheetError, did_you_mean
from rxnopt.events import Trial
from rxnopt.parameter import Parameter
from rxnopt.sheet import Sheet, read_sheet
from rxnopt.simulators import Reaction
from rxnopt.simulators.general import drawing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHAPES = {6: (2, 3), 12: (3, 4), 24: (4, 6), 48: (6, 8), 96: (8, 12), 384: (16, 24)}
"""Rows and columns of plates, by the number of their wells."""
DIGITS = 6
"""Significant digits of numbers to set."""
INK, EDGE = "#333333", "#8a9096"
FAILED = "failed"
"""Stands for the result of an experiment that failed."""
FEW = 12
"""Levels that are told apart by their colours; of more, wells also show the number of the level."""


def names(wells: int) -> list[str]:
    """Return the names of the wells, row by row; raise :class:`ConditionsError` for plates that nobody makes."""
    if wells not in SHAPES:
        raise ConditionsError(f"wells={wells} is not allowed; plates have {', '.join(map(str, SHAPES))} wells")
    rows, columns = SHAPES[wells]
    return [f"{ascii_uppercase[i]}{j + 1}" for i in range(rows) for j in range(columns)]


def headers(reaction: Reaction) -> tuple[dict[str, str], dict[str, str]]:
    """Return the titles of the columns of what is set, parameters and drawn substrates, and of outputs, by name."""
    inputs = {p.name: _title(p.name, p.unit) for p in settings(reaction)}
    return inputs, {name: _title(name, unit) for name, unit in reaction.units.items()}


def settings(reaction: Reaction) -> tuple[Parameter, ...]:
    """Return what an experiment needs to know: the parameters, and the substrate where it is drawn."""
    general = drawing(reaction)
    return (*reaction.space, *(general.over if general else ()))


def _title(name: str, unit: str) -> str:
    return name if unit == "1" else f"{name} [{unit}]"


def table(reaction: Reaction, trials: Sequence[Trial], wells: int) -> pd.DataFrame:
    """Return the table of a plate, in the order of the trials; numbers are rounded to six significant digits."""
    import pandas as pd

    inputs, outputs = headers(reaction)
    rows = [{**trial.conditions, **(trial.substrate or {})} for trial in trials]
    frame = pd.DataFrame({"well": names(wells)[: len(rows)]})
    for name, title in inputs.items():
        frame[title] = [_rounded(row[name]) for row in rows]
    for title in outputs.values():
        frame[title] = ""
    return frame


def _rounded(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def draw(reaction: Reaction, trials: Sequence[Trial], wells: int) -> Figure:
    """Draw the plate once for each parameter: wells that share a colour share a level."""
    from matplotlib.figure import Figure

    parameters, shape = settings(reaction), SHAPES[wells]
    columns = min(len(parameters), 2)
    rows = -(-len(parameters) // columns)
    figure = Figure(figsize=(5.6 * columns, (1.2 + 2.6 * shape[0] / shape[1] * 1.5) * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, parameter in zip(axes, parameters, strict=False):
        values = [{**trial.conditions, **(trial.substrate or {})}[parameter.name] for trial in trials]
        _panel(figure, axis, parameter, values, shape)
    for axis in axes[len(parameters) :]:
        axis.set_axis_off()
    return figure


def _panel(figure: Figure, axis: Axes, parameter: Parameter, values: Sequence[Any], shape: tuple[int, int]) -> None:
    """Draw one parameter on the plate: levels by colour with a legend, numbers on a scale."""
    import matplotlib as mpl

    places = np.array([divmod(i, shape[1]) for i in range(len(values))])
    numbers = np.array([parameter.number(value) for value in values])
    look: dict[str, Any] = {"edgecolors": EDGE, "linewidths": 0.5}
    size = 1900.0 / shape[1]
    if parameter.levels:
        many, palette = len(parameter.levels) > FEW, mpl.colormaps["tab20"].resampled(20)
        colours = [palette(int(number) % 20) for number in numbers]
        axis.scatter(places[:, 1], places[:, 0], s=size, c=colours, **look)
        for level in sorted(set(numbers.astype(int))):
            text = (
                parameter.levels[level] if len(parameter.levels) <= FEW else f"{level + 1}: {parameter.levels[level]}"
            )
            axis.scatter([], [], s=30, color=palette(level % 20), label=text, **look)
        axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=6, frameon=False)
        for (row, column), number in zip(places, numbers.astype(int), strict=True):
            if many:
                axis.text(column, row, str(number + 1), ha="center", va="center", fontsize=5, color=INK)
    else:
        look |= {"vmin": parameter.low, "vmax": parameter.high}
        drawn = axis.scatter(places[:, 1], places[:, 0], s=size, c=numbers, cmap="viridis", **look)
        figure.colorbar(drawn, ax=axis, shrink=0.7)
    axis.set(
        title=_title(parameter.name, parameter.unit), aspect="equal", xlim=(-0.6, shape[1] - 0.4),
        ylim=(shape[0] - 0.4, -0.6),
    )  # fmt: skip
    axis.set_xticks(range(shape[1]), [str(j + 1) for j in range(shape[1])], fontsize=7)
    axis.set_yticks(range(shape[0]), list(ascii_uppercase[: shape[0]]), fontsize=7)
    axis.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axis.spines[:].set_color(EDGE)


def read(path: str | Path, reaction: Reaction) -> list[tuple[dict[str, Any], dict[str, float] | None]]:
    """Return conditions and outcome of each well in which something was measured, for :meth:`rxnopt.Campaign.add`.

    The outcome is None where the experiment failed. Raises :class:`rxnopt.errors.SheetError` naming file and line.
    """
    sheet = read_sheet(path)
    parameters = settings(reaction)
    _check_columns(sheet, [p.name for p in parameters], reaction.outputs)
    told = [name for name in reaction.outputs if name in sheet.names]
    places = {sheet.names.index(name) for name in told}
    failed = [any(row[j].strip() == FAILED for j in places) for row in sheet.rows]
    rows = [
        tuple("" if no and j in places else text for j, text in enumerate(row))
        for row, no in zip(sheet.rows, failed, strict=True)
    ]
    plain = replace(sheet, rows=tuple(rows))
    results = {name: plain.numbers(name, reaction.units[name]) for name in told}
    set_to = {p.name: plain.texts(p.name) if p.levels else plain.numbers(p.name, p.unit).tolist() for p in parameters}
    found: list[tuple[dict[str, Any], dict[str, float] | None]] = []
    for i in range(len(sheet)):
        outcome = {name: float(column[i]) for name, column in results.items() if np.isfinite(column[i])}
        if outcome or failed[i]:
            found.append(({name: column[i] for name, column in set_to.items()}, None if failed[i] else outcome))
    return found


def _check_columns(sheet: Sheet, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    known = ["well", "note", *inputs, *outputs]
    for name in sheet.names:
        if name not in known:
            hint = did_you_mean(name, known) or f"; columns are {', '.join(known)}"
            raise SheetError(f"{sheet.file}:1: there is no column {name!r}{hint}")
    for name in inputs:
        if name not in sheet.names:
            raise SheetError(f"{sheet.file}:1: the column {name!r} is missing; a plate tells all that was set")
    if not set(outputs) & set(sheet.names):
        raise SheetError(f"{sheet.file}:1: there is no column of results; there are {', '.join(outputs)}")


__all__ = ["SHAPES", "draw", "headers", "names", "read", "settings", "table"]
