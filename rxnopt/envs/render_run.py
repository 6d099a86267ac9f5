"""Pictures of a run under control: its profile, and how the objective went."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rxnopt.envs.render import BLUE, GREY, INK, label
from rxnopt.simulators import Reaction
from rxnopt.space import Array, Space


def draw(figure: Figure, reaction: Reaction, controls: Space, U: Array, score: Array, intervals: int) -> None:
    """Draw ``k`` intervals: controls (k, c) as steps, one panel each, and the objective after each of them (k,)."""
    panels = figure.subplots(1, len(controls) + 1, sharex=True)
    figure.subplots_adjust(left=0.07, right=0.98, bottom=0.14, top=0.84, wspace=0.28)
    edges = np.arange(len(U) + 1)
    for axes, parameter, column in zip(panels, controls, U.T, strict=False):
        if len(U):
            axes.stairs(column, edges, baseline=None, color=BLUE, linewidth=2.0)
        margin = 0.04 * (parameter.high - parameter.low)
        axes.set_ylim(parameter.low - margin, parameter.high + margin)
        axes.set_ylabel(label(parameter.name, parameter.unit), color=INK)
    last = panels[-1]
    last.plot(edges[1:], reaction.card.objective.sign * score, "o-", color=BLUE, markersize=3.5)
    if reaction.card.optimum is not None:
        last.axhline(reaction.card.optimum.value, color=INK, linestyle="--", linewidth=1.0)
    last.set_ylabel(label(reaction.objective, reaction.units[reaction.objective]), color=INK)
    for axes in panels:
        axes.set_xlim(0, intervals)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("interval", color=INK)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color=GREY, alpha=0.25, linewidth=0.7)
    figure.text(0.015, 0.93, reaction.card.title, fontsize=12, weight="bold", color=INK)
