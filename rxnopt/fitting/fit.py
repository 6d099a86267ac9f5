"""Regression of rate constants: a card, measured experiments, and constants with errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rxnopt.cards import ReactionCard, load_card
from rxnopt.errors import FitError, did_you_mean
from rxnopt.fitting.constants import fitted
from rxnopt.fitting.data import Measured, measured
from rxnopt.fitting.identify import complaints
from rxnopt.fitting.profile import profile
from rxnopt.fitting.result import Fit
from rxnopt.fitting.solve import solve
from rxnopt.progress import bar
from rxnopt.sheet import read_sheet


def fit(
    card: str | Path,
    data: str | Path,
    *,
    constants: Sequence[str] | None = None,
    sd: Mapping[str, float] | None = None,
    level: float = 0.95,
    seed: int = 0,
    profiles: bool = True,
    progress: bool = False,
) -> Fit:
    """Estimate constants of a reaction card from a CSV file of experiments by weighted least squares.

    ``data``: a row per experiment (a time course is a row for each time), a column per parameter and per measured
    output or species; empty cells were not measured; units may stand in the header, as in ``temperature [K]``.
    ``constants``: names such as ``r1.k``; left out, those under ``uncertainty`` of the card, else each k and Ea.
    ``sd``: standard deviations of outputs in their units; left out, they are estimated. ``level``: of the intervals.
    ``profiles``: also compute profile likelihoods. Raises :class:`rxnopt.errors.RxnoptError` in one sentence.
    """
    own, source = load_card("envs", card, ReactionCard)
    found = measured(read_sheet(data), own, source)
    given = _errors(found, sd or {})
    if not 0.5 <= level < 1.0:
        raise FitError(f"level={level} is not allowed; give a probability from 0.5 on and below 1, such as 0.95")
    solution = solve(fitted(found.card, source, constants, found.X), found, given, seed)
    result = Fit(own, source, solution, level)
    if profiles:
        names = result.constants.names
        with bar(progress, "profiles", len(names)) as tell:
            drawn = {}
            for i, name in enumerate(names):
                drawn[name] = profile(solution, i, float(result.errors[i]), result.quantile)
                tell(1, name)
        result = replace(result, profiles=drawn)
    return replace(result, warnings=tuple(complaints(result)))


def _errors(data: Measured, given: Mapping[str, float]) -> dict[str, float]:
    """Check the standard deviations that were given: for all outputs of the data or for none."""
    for name, value in given.items():
        if name not in data.outputs:
            hint = did_you_mean(name, data.outputs) or f"; measured are {', '.join(data.outputs)}"
            raise FitError(f"{name!r} is no measured output of {data.sheet.file}{hint}")
        if not 0 < value < float("inf"):
            raise FitError(
                f"the standard deviation of {name} is {value}; give a number above 0, in the unit of the output"
            )
    lacking = [name for name in data.outputs if name not in given]
    if given and lacking:
        raise FitError(f"the standard deviation of {lacking[0]} is missing; give it for all outputs, or for none")
    return dict(given)
