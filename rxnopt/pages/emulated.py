"""What pages say of an emulator: what it learnt from, how well it tells experiments that it has not seen, and where."""

from __future__ import annotations

import numpy as np

from rxnopt.cards.emulator import EmulatorModel
from rxnopt.pages.drawing import ACCENT, FAINT, STYLE, label, png
from rxnopt.pages.text import code, number, percent, table, with_unit
from rxnopt.regression import FOLDS
from rxnopt.simulators import Reaction
from rxnopt.simulators.emulator import EmulatorSimulator
from rxnopt.space import Array

_LEARNERS = {
    "extra-trees": "an ensemble of extremely randomised decision trees",
    "random-forest": "a random forest of decision trees",
    "gaussian-process": "a Gaussian process (Matérn 5/2)",
}


def learning(model: EmulatorModel) -> str:
    """Return what the emulator learns from what."""
    rows = [[code(name), code(own.column), with_unit("number", own.unit)] for name, own in model.measured.items()]
    for name, given in model.columns.items():
        rows.append([code(name), code(given.column), with_unit("number", given.unit or "1")])
    used = ", ".join(map(code, model.files))
    return f"""Nobody made most of these experiments: {_LEARNERS[model.learner]} learns from those that were made
({used} below) and tells what others would give. Formulas of outputs also know `<name>_sd`, the standard deviation of
the prediction, and `outside`, 1 where no experiments lie around the conditions.

{table(["Name", "Column", "Unit"], rows)}"""


def told(reaction: Reaction, X: Array) -> str:
    """Return the section on the emulator: its score, and how much of the space is extrapolation; "" for others.

    ``X`` (n, d): random conditions.
    """
    simulator = reaction.simulator
    if not isinstance(simulator, EmulatorSimulator):
        return ""
    rows = []
    for name, own in simulator.model.measured.items():
        score = simulator.model.scores.get(name)
        if score is not None:
            rows.append([code(name), number(score.r2, 3), with_unit(number(score.rmse, 3), own.unit)])
    sd = next((name for name, out in reaction.card.outputs.items() if out.formula.endswith("_sd")), None)
    noise = f'realism={{"noise": {{"{reaction.objective}": {{"sd": "{sd}"}}}}}}'
    asked = f"\n\nExperiments are exact; {code(noise)} draws from what the emulator does not know." if sd else ""
    count = len(simulator.experiments[0])
    return f"""{count:,} experiments, cross-validated in {FOLDS} folds in which repeats stay together:

{table(["Name", "R²", "Root mean squared error"], rows)}

![Left-out experiments of {reaction.card.id}](figures/{reaction.name}-parity.png)

{percent(float(simulator.outside(X).mean()))} of random conditions lie outside the convex hull of the experiments (with
the same levels): there the emulator extrapolates.{asked}"""


def parity(reaction: Reaction) -> bytes | None:
    """Return the figure of measured over predicted for left-out experiments as PNG, None where there is no emulator."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    simulator = reaction.simulator
    if not isinstance(simulator, EmulatorSimulator):
        return None
    shown = simulator.learned
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.6 * len(shown), 3.4), layout="constrained")
        axes = np.atleast_1d(figure.subplots(1, len(shown)))
        for axis, (name, found) in zip(axes, shown.items(), strict=True):
            ends = [float(min(found.y.min(), found.left_out.min())), float(max(found.y.max(), found.left_out.max()))]
            axis.plot(ends, ends, color=FAINT, linewidth=1.2)
            axis.plot(found.left_out, found.y, ".", color=ACCENT, markersize=4, alpha=0.6)
            own = simulator.model.measured[name]
            axis.set(xlabel=f"predicted without it: {label(own.column, own.unit)}", ylabel="measured")
        return png(figure)
