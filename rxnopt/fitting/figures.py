"""Figures of a fit: how far the model is from what was measured, and the profiles of the constants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rxnopt.experiments.figures import FAINT, INK, STYLE, canvas, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rxnopt.fitting.result import Estimate, Fit

MODEL, LIMIT = "#332288", "#CC6677"
COLUMNS = 4


def residuals(fit: Fit) -> Figure:
    """Return a figure with two panels for each output: measured over model, and weighted residuals."""
    import matplotlib as mpl

    data, sd = fit.data, fit.solution.problem.sd
    with mpl.rc_context(STYLE):
        figure, axes = canvas(8, 0.4 + 2.7 * len(data.outputs), len(data.outputs), 2)
        for j, (name, unit) in enumerate(zip(data.outputs, data.units, strict=True)):
            model, y = fit.predicted[:, j], data.Y[:, j]
            parity, rest = axes[j]
            ends = [np.nanmin([model, y]), np.nanmax([model, y])]
            parity.plot(ends, ends, color=FAINT, linewidth=1.2)
            parity.plot(model, y, "o", color=MODEL, markersize=4, alpha=0.7)
            parity.set(title=label(name, unit), xlabel="model", ylabel="measured")
            for z in (-2, 0, 2):
                rest.axhline(z, color=FAINT, linewidth=1.2, linestyle="-" if z == 0 else (0, (5, 3)))
            rest.plot(model, (y - model) / sd[j], "o", color=MODEL, markersize=4, alpha=0.7)
            rest.set(title=f"residuals over {sd[j]:.3g}{'' if unit == '1' else f' {unit}'}", xlabel="model")
        return figure


def profiles(fit: Fit) -> Figure:
    """Return a figure with a panel for each constant: root of the rise of the sum of squares, and the limit."""
    import matplotlib as mpl

    shown = [each for each in fit.estimates if each.name in fit.profiles]
    rows = -(-len(shown) // COLUMNS)
    with mpl.rc_context(STYLE):
        figure, axes = canvas(10, 0.4 + 2.3 * rows, rows, COLUMNS)
        for axis, each in zip(axes.flat, shown, strict=False):
            _profile(axis, fit, each)
        for axis in axes.flat[len(shown) :]:
            axis.set_visible(False)
        for row in axes:
            row[0].set_ylabel("√ rise of χ²")
        return figure


def _profile(axis: Axes, fit: Fit, each: Estimate) -> None:
    own = fit.profiles[each.name]
    axis.plot(own.values, np.sqrt(own.rise), "o-", color=MODEL, markersize=3, linewidth=1.5)
    axis.axhline(np.sqrt(own.limit), color=LIMIT, linewidth=1.2, linestyle=(0, (5, 3)))
    if np.isfinite(each.error):  # the straight lines of a parabola
        ends = np.array([each.low, each.value, each.high])
        axis.plot(ends, [fit.quantile, 0.0, fit.quantile], color=FAINT, linewidth=1.2)
    axis.axvline(each.value, color=INK, linewidth=0.8)
    axis.set(title=each.label, xlabel=each.unit if each.unit != "1" else "", ylim=(0, 1.4 * np.sqrt(own.limit)))
    if own.values[0] > 0 and own.values[-1] > 30 * own.values[0]:
        axis.set_xscale("log")
    axis.tick_params(labelsize=8)
    axis.locator_params(axis="x", nbins=4) if axis.get_xscale() == "linear" else None


__all__ = ["profiles", "residuals"]
