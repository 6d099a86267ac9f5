"""The sections of a page on what stands between a reaction and what is learnt of it, and on how well it is known."""

from __future__ import annotations

from rxnopt.cards import ReactionCard
from rxnopt.cards.uncertainty import Uncertain
from rxnopt.pages.text import code, expression, number, percent, table, with_unit, words


def noise(card: ReactionCard) -> str:
    """Return the measurement error of each output."""
    rows: list[list[str]] = []
    for name, error in card.noise.items():
        spreads = [_deviation(spread, card.outputs[name].unit) for spread in (error.sd, error.run)]
        outliers = f"{percent(error.outliers.probability)}, {number(error.outliers.scale)} ×" if error.outliers else ""
        replicates = str(error.replicates) if error.replicates > 1 else ""
        relative = percent(error.relative) if error.relative else ""
        rows.append([code(name), spreads[0], relative, spreads[1], replicates, outliers])
    if not rows:
        return "Measurements are exact."
    columns = ["Output", "Standard deviation", "Of its value", "From run to run", "Replicates", "Outliers"]
    return f"""{table(columns, rows)}

The same draws move all measured outputs of an experiment, and what follows from them by a formula. `noise=False`
switches measurement errors off."""


def _deviation(spread: float | str, unit_text: str) -> str:
    if isinstance(spread, str):
        return code(spread)
    return with_unit(number(spread, 6), unit_text) if spread else ""


def realism(card: ReactionCard) -> str:
    """Return what else stands between the reaction and what is learnt of it: drift, failures, plates, delay, cost."""
    rows = [[f"drift of {code(name)}", _drift(card, name)] for name in card.drift]
    if card.failures.probability:
        rows.append(["fails by chance", percent(card.failures.probability)])
    rows += [[f"fails: {words(reason)}", code(rule)] for reason, rule in card.failures.rules.items()]
    if card.plate is not None:
        shared = ", ".join(map(code, card.plate.shared))
        rows.append(["plate", f"{card.plate.size} experiments share {shared}"])
    if card.delay:
        rows.append(["delay", f"{card.delay} experiments are begun before a result is known"])
    if card.cost is not None:
        rows.append(["cost of an experiment", with_unit(code(card.cost.formula), card.cost.unit)])
    if not rows:
        return """Nothing drifts, fails by chance, is shared or late. `realism={...}` switches such options on, as
[docs/cards.md](../cards.md) explains."""
    return f"""{table(["Realism", ""], rows)}

`realism=False` switches all of this off, `realism={{...}}` replaces it."""


def _drift(card: ReactionCard, name: str) -> str:
    drift = card.drift[name]
    own = card.outputs[name].unit if name in card.outputs else getattr(card.parameters[name], "unit", "1")
    own = own.replace("degC", "K")  # a change
    parts = {"relative": percent(drift.relative), "slope": with_unit(number(drift.slope, 6), own),
             "walk": with_unit(number(drift.walk, 6), own)}  # fmt: skip
    return ", ".join(f"{part} {shown}" for part, shown in parts.items() if getattr(drift, part)) + " per experiment"


def uncertainty(card: ReactionCard) -> str:
    """Return how well constants are known: what a randomised environment draws from."""
    rows = [
        [code(name), _spread(given), given.distribution, expression(given.at) if given.at else "", given.group or ""]
        for name, given in card.uncertainty.items()
    ]
    if not rows:
        return ""
    columns = ["Constant", "Spread", "Distribution", "Rate constant kept at", "Moves with group"]
    return f"""{table(columns, rows)}

The task above has the constants of the card. `uncertainty=True` draws new ones at each reset: a relative spread r gives
the value times (1 + r)<sup>z</sup>, a difference a gives the value + a z, with z even in [−1, 1] or standard normal. A
barrier moves with its pre-exponential factor: the rate constant stays what it is at the temperature of its
measurement."""


def _spread(given: Uncertain) -> str:
    return f"± {percent(given.relative)}" if given.relative is not None else f"± {expression(given.absolute or '0')}"
