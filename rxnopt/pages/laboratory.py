"""The sections of a page on what stands between a reaction and what is learnt of it: noise, uncertain constants."""

from __future__ import annotations

from rxnopt.cards import ReactionCard
from rxnopt.cards.uncertainty import Uncertain
from rxnopt.pages.text import code, expression, number, percent, table, with_unit


def noise(card: ReactionCard) -> str:
    """Return the measurement error of each output."""
    rows: list[list[str]] = []
    for name, error in card.noise.items():
        sd = code(error.sd) if isinstance(error.sd, str) else with_unit(number(error.sd, 6), card.outputs[name].unit)
        absolute = sd if error.sd else ""
        rows.append([code(name), absolute, percent(error.relative) if error.relative else ""])
    if not rows:
        return "Measurements are exact."
    return f"""{table(["Output", "Standard deviation", "Of its value"], rows)}

One normal draw per measurement moves all these outputs together; `noise=False` switches it off."""


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
