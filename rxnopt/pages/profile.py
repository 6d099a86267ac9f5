"""The figure of a control problem: the best known profile and what it does, beside the best constant controls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rxnopt.pages.control import ControlSurvey, Trace
from rxnopt.pages.drawing import ACCENT, GREY, STYLE, label, png
from rxnopt.space import Array
from rxnopt.units import quantity, unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS, PANELS = 3, 6
CONSTANT_INTERVALS = 60
"""Intervals in which the run of the constant controls is drawn."""


def profile(survey: ControlSurvey) -> bytes:
    """Return the figure as PNG: a panel for each control, the objective and measured outputs."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    constant = np.repeat(survey.best_constant[0][None, :], CONSTANT_INTERVALS, axis=0)
    runs = {"best known": survey.trace(survey.profile), "best constant": survey.trace(constant)}
    controls, outputs = list(survey.controls.names), _outputs(survey)
    panels = (controls + outputs)[:PANELS]
    columns = 2 if len(panels) == 4 else min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.0, 0.4 + 2.5 * rows), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
        for axis, name in zip(axes.flat, panels, strict=False):
            (_control if name in controls else _output)(survey, name, runs, axis)
            axis.set_xlabel(label("time", _time_unit(survey)))
        for axis in axes.flat[len(panels) :]:
            axis.set_visible(False)
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=2, frameon=False)
        return png(figure)


def _outputs(survey: ControlSurvey) -> list[str]:
    """Return the outputs to draw: the objective and what is measured."""
    control = survey.reaction.card.control
    return list(dict.fromkeys([survey.reaction.objective, *(control.measured if control else ())]))


def _time_unit(survey: ControlSurvey) -> str:
    """Return the unit in which the card gives the length of a run, s where it has none of its own."""
    card = survey.reaction.card
    text = card.kinetics.reactor.time or ""
    if text in card.parameters:
        return survey.controls.parameters[survey.controls.names.index(text)].unit
    known = quantity(card.constants.get(text, text))
    return known.unit.text if known is not None else "s"


def _times(survey: ControlSurvey, run: Trace) -> Array:
    return run.time / unit(_time_unit(survey)).factor


def _control(survey: ControlSurvey, name: str, runs: dict[str, Trace], axis: Axes) -> None:
    parameter = survey.controls.parameters[survey.controls.names.index(name)]
    for (words, run), style in zip(runs.items(), _STYLES, strict=True):
        column = run.U[:, survey.controls.names.index(name)]
        axis.stairs(column, _times(survey, run), baseline=None, label=words, **style)
    margin = 0.04 * (parameter.high - parameter.low)
    axis.set(ylabel=label(name, parameter.unit), ylim=(parameter.low - margin, parameter.high + margin))


def _output(survey: ControlSurvey, name: str, runs: dict[str, Trace], axis: Axes) -> None:
    column = survey.reaction.outputs.index(name)
    for (words, run), style in zip(runs.items(), _STYLES, strict=True):
        axis.plot(_times(survey, run), run.outcome.values[:, column], label=words, **style)
    axis.set_ylabel(label(name, survey.reaction.units[name]))
    limit = survey.reaction.card.limits.get(name)
    for bound in (limit.low, limit.high) if limit else ():
        if bound is not None:
            axis.axhline(bound, color=GREY, linewidth=0.8, linestyle=":")


_STYLES: tuple[dict[str, Any], ...] = (
    {"color": ACCENT, "linewidth": 1.8},
    {"color": GREY, "linewidth": 1.4, "linestyle": "--"},
)
