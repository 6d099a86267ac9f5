"""What is said of trials: results as the journal keeps them, the table of all, and what a batch must share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rxnopt.cards.realism import MODEL, Plate
from rxnopt.errors import ConditionsError, UnknownNameError, did_you_mean
from rxnopt.events import Entry, Trial
from rxnopt.history import FAILED, History
from rxnopt.simulators import Outcome, Reaction
from rxnopt.simulators.general import drawing
from rxnopt.space import Array, Space

if TYPE_CHECKING:
    import pandas as pd


def result(reaction: Reaction, outcome: Mapping[str, float] | None, goals: Iterable[str] = ()) -> dict[str, Any]:
    """Return the payload of a result: the outputs as plain numbers, and the score; all ``goals`` must be told."""
    if outcome is None:
        return {"outputs": None}
    if not isinstance(outcome, Mapping):
        raise ConditionsError(f"an outcome is a mapping of outputs to numbers, not {outcome!r}; give one, or None")
    if outcome.get("failed"):  # as Reaction.simulate says it
        return {"outputs": None}
    outputs = {name: _finite(name, value, reaction.outputs) for name, value in outcome.items() if name != "failed"}
    for objective in (reaction.objective, *goals):
        if objective not in outputs:
            raise ConditionsError(f"the outcome lacks the objective {objective!r}; give it, or None if it failed")
    return {"outputs": outputs, "score": reaction.card.objective.sign * outputs[reaction.objective]}


def as_outcome(reaction: Reaction, rows: Sequence[Mapping[str, float] | None]) -> Outcome:
    """Return outputs by name as arrays, NaN where one is not known; a row that is None counts as failed."""
    values = [[(row or {}).get(name, np.nan) for name in reaction.outputs] for row in rows]
    failed = np.array([row is None for row in rows], bool)
    return Outcome(np.array(values, float).reshape(-1, len(reaction.outputs)), failed)


def _finite(name: str, value: Any, outputs: Sequence[str]) -> float:
    if name not in outputs:
        hint = did_you_mean(name, outputs) or f"; outputs are {', '.join(outputs)}"
        raise UnknownNameError(f"there is no output {name!r}{hint}")
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number):
        raise ConditionsError(f"{name} = {value!r} is no finite number; give one, or tell None if the trial failed")
    return number


def proposed(reaction: Reaction, X: Array, seed: int, trials: Sequence[Trial], past: Array) -> list[dict[str, Any]]:
    """Return the payloads of new trials at ``X`` (n, d): conditions, and the substrate where it is drawn.

    ``past`` (m, d): conditions of all ``trials`` so far.
    """
    rows, general = [{"conditions": row} for row in reaction.space.to_dicts(X)], drawing(reaction)
    if general is None:
        return rows
    draws = general.measurement.chance.of_trials(seed, range(len(trials), len(trials) + len(X)))
    run = general.places([trial.substrate or {} for trial in trials])
    found = general.named(general.draw_substrates(X, draws, (past, run)))
    return [row | {"substrate": substrate} for row, substrate in zip(rows, found, strict=True)]


def by_hand(reaction: Reaction, conditions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the payload of a trial that a person made; a drawn substrate is told with the conditions."""
    general, row = drawing(reaction), dict(conditions)
    over = {name: row.pop(name) for name in (general.over.names if general else ()) if name in row}
    X = reaction.space.to_array(row)
    reaction.space.check(X)
    payload = {"conditions": reaction.space.to_dicts(X)[0]}
    return payload if general is None else payload | {"substrate": general.named(general.places([over]))[0]}


def simulated(
    reaction: Reaction, X: Array, seed: int, trials: Sequence[Trial], goals: Sequence[str] = ()
) -> list[Entry]:
    """Run ``trials`` of the campaign of ``seed`` at their conditions ``X`` in one batch; return their events."""
    decisive, numbers = list(dict.fromkeys([*goals, *reaction.card.limits])), [trial.number for trial in trials]
    draws, general = reaction.measurement.chance.of_trials(seed, numbers), drawing(reaction)
    if general is not None:
        draws = replace(draws, substrate=general.places([trial.substrate or {} for trial in trials]))
    exact, measured = reaction.experiment(X, draws)
    noise_free = (reaction.card.objective.sign * reaction.score(exact)).tolist()
    entries: list[Entry] = []
    known, reasons = _finite_rows(reaction, exact), reaction.reasons(measured)
    told = zip(numbers, _finite_rows(reaction, measured), known, noise_free, reasons, strict=True)
    for number, outputs, truth, true, why in told:
        if why is not None or not {reaction.objective, *goals} <= set(outputs):
            entries.append((number, "failed", {"outputs": None, "failure": why or MODEL}))
        else:
            more = {"noise_free": true, "exact": {name: truth[name] for name in decisive if name in truth}}
            entries.append((number, "done", result(reaction, outputs) | more))
    return entries


def _finite_rows(reaction: Reaction, outcome: Outcome) -> list[dict[str, float]]:
    """Return the outputs of each experiment by name, without those that are no finite number."""
    rows = (zip(reaction.outputs, row, strict=True) for row in outcome.values.tolist())
    return [{name: value for name, value in row if np.isfinite(value)} for row in rows]


def table(reaction: Reaction, trials: Sequence[Trial], history: History, costs: Array | None) -> pd.DataFrame:
    """Return the trials as :attr:`rxnopt.Campaign.trials` says."""
    import pandas as pd

    measured = Outcome(as_outcome(reaction, [trial.outputs for trial in trials]).values, history.status == FAILED)
    exact = as_outcome(reaction, [trial.exact for trial in trials])
    outputs = pd.DataFrame(measured.values, columns=list(reaction.outputs))
    frame = pd.DataFrame({"trial": np.arange(len(trials)), "status": [trial.status for trial in trials]})
    frame["manual"] = np.array([trial.manual for trial in trials], bool)
    frame = frame.join(reaction.space.to_frame(history.X))
    general = drawing(reaction)
    for name in general.over.names if general else ():
        frame[name] = [(trial.substrate or {}).get(name) for trial in trials]
    frame = frame.join(outputs)
    frame["objective"] = reaction.card.objective.sign * history.y
    frame["objective_noise_free"] = np.array([trial.noise_free for trial in trials], float)
    frame["within_limits"] = reaction.within_limits(measured) & history.done
    unknown = np.array([trial.noise_free is None for trial in trials], bool)
    within = pd.Series(reaction.within_limits(exact) & history.done)
    if (history.done & unknown).any():  # measured, not simulated
        within = within.astype("boolean").mask(unknown)
    frame["within_limits_noise_free"] = within
    frame["failure"] = pd.Series([trial.failure for trial in trials], dtype=object)
    if costs is not None:
        frame["experiment_cost"] = costs
    return frame


def check_plate(space: Space, plate: Plate | None, X: Array) -> None:
    """Raise :class:`ConditionsError` unless conditions ``X`` (n, d) share what a plate shares."""
    for name in plate.shared if plate else ():
        column = X[:, space.names.index(name)]
        if (column != column[0]).any():
            raise ConditionsError(
                f"{name} is shared by the trials of a plate and {len(np.unique(column))} values were proposed; "
                "give one, or wrap the agent in rxnopt.agents.OnPlates"
            )


def cost_limit(reaction: Reaction, given: float | None) -> float:
    """Return the budget in cost, infinite where none is ``given``; raise :class:`ConditionsError`."""
    if given is None:
        return np.inf
    if reaction.options.cost is None:
        raise ConditionsError(f"budget_cost={given!r} needs a cost, which the card does not give; add 'cost' to it")
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < np.inf:
        raise ConditionsError(f"budget_cost={given!r} is not allowed; give a number above 0")
    return float(given)
