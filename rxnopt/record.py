"""Experiments on one reaction and their journal: what a campaign and an environment on a rig have in common.

The journal is the truth. Whatever is told or run is an event on the disk before it counts, and everything else (the
trials, the runs of a laboratory, the history that an agent sees) follows from the events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from rxnopt.cards.objective import Goal
from rxnopt.errors import RxnoptError, UnknownNameError, at_least
from rxnopt.events import NO_TRIAL, Entry, Trial, fold, step
from rxnopt.history import DONE, FAILED, PENDING, GrowingHistory, History
from rxnopt.journal import Journal
from rxnopt.lab import crash
from rxnopt.runs import PREFIX, fold_runs
from rxnopt.simulators import Reaction
from rxnopt.simulators.general import drawing
from rxnopt.simulators.pareto import nondominated
from rxnopt.space import Array
from rxnopt.trials import as_outcome, by_hand, result, table

if TYPE_CHECKING:
    import pandas as pd

NO_DATA = frozenset({"machine", "invalid"})
"""Failures that say nothing about the reaction: the machine broke down, or what it measured cannot be true."""
RIM = 0.01
"""Share of the range of a parameter within which a value achieved beyond a bound counts as on it."""
CODES = {"done": DONE, "failed": FAILED, "pending": PENDING}


class Record:
    """The trials of one reaction, kept in a journal. ``goals``: several objectives, none for that of the card.

    ``ledger`` holds the runs of a laboratory (:mod:`rxnopt.runs`); ``proposed`` counts the trials that no person added.
    """

    def __init__(self, reaction: Reaction, journal: Journal, goals: Mapping[str, Goal]) -> None:
        self.reaction, self.space, self.goals = reaction, reaction.space, dict(goals)
        self.journal = journal
        self._fold()

    def _fold(self) -> None:
        try:
            events = self.journal.events()
            self._trials, self.ledger = fold(events), fold_runs(events)
        except RxnoptError:
            self.journal.close()
            raise
        self.proposed = sum(not trial.manual for trial in self._trials)
        limits, general = len(self.reaction.card.limits), drawing(self.reaction)
        self._seen = GrowingHistory(len(self.space), len(self.goals), limits, len(general.over) if general else 0)
        for trial in self._trials:
            self._see(trial)

    def _see(self, trial: Trial) -> None:
        score = np.nan if trial.score is None else trial.score
        Y = violation = np.empty((1, 0))
        if self.goals or self.reaction.card.limits:
            measured = as_outcome(self.reaction, [trial.outputs])
            Y, violation = self.reaction.objectives(measured) if self.goals else Y, self.reaction.excess(measured)
        X, general = self.space.to_array(trial.conditions), drawing(self.reaction)
        drawn = general.over.to_array(trial.substrate or {})[0] if general else np.empty(0)
        self._seen.put(trial.number, X[0], score, CODES[trial.status], Y[0], violation[0], drawn)

    def __len__(self) -> int:
        return len(self._trials)

    def __iter__(self) -> Iterator[Trial]:
        return iter(tuple(self._trials))

    @property
    def history(self) -> History:
        """All trials so far; later trials do not change it."""
        return self._seen.first(len(self))

    @property
    def learnt(self) -> History:
        """What an agent learns from: :attr:`history`, and of trials on a rig the conditions that were achieved.

        Trials without data (:data:`NO_DATA`) are left out. What was achieved a little beyond a bound counts as on it.
        """
        history = self.history
        if not self.ledger.runs:
            return history
        for trial in self._trials:
            if trial.achieved:
                history.X[trial.number] = self._achieved(trial)
        keep = np.array([trial.failure not in NO_DATA for trial in self._trials], bool)
        arrays: dict[str, Any] = {field.name: getattr(history, field.name) for field in fields(history)}
        kept: Any = {name: None if array is None else array[keep] for name, array in arrays.items()}
        return History(**kept)

    def _achieved(self, trial: Trial) -> Array:
        x: Array = self.space.to_array(trial.conditions)[0]
        for j, parameter in enumerate(self.space):
            if parameter.kind == "continuous" and parameter.name in (trial.achieved or {}):
                value, rim = (trial.achieved or {})[parameter.name], RIM * (parameter.high - parameter.low)
                near = parameter.low - rim <= value <= parameter.high + rim
                x[j] = min(max(value, parameter.low), parameter.high) if near else value
        return x

    @property
    def best(self) -> Trial:
        """The trial with the best measured objective among those that are not known to break a limit of the card."""
        history = self.history
        if not history.done.any():
            raise RxnoptError("no trial has a result yet; run the campaign or tell a result first")
        if not history.within_limits.any():
            raise RxnoptError(f"no trial keeps the limits of {', '.join(self.reaction.card.limits)} yet; go on")
        return self._trials[np.argmax(np.where(history.within_limits, history.y, -np.inf))]

    @property
    def front(self) -> list[Trial]:
        """The trials within the limits whose measured ``objectives`` no other trial dominates, of a ``pareto`` one."""
        history = self.history
        if history.Y is None:
            raise RxnoptError("this campaign has one objective; make it with pareto=True to have a front")
        Y = np.where(history.within_limits[:, None], history.Y, np.nan)
        return [self._trials[i] for i in np.flatnonzero(nondominated(Y))]

    @property
    def costs(self) -> Array | None:
        """Cost of each trial (n,), pending and manual ones too, in the unit of the card; None where it gives none."""
        return self.reaction.experiment_cost(self.history.X)

    @property
    def spent(self) -> float:
        """Cost of all trials so far; 0 where the card gives no cost."""
        costs = self.costs
        return 0.0 if costs is None else float(costs.sum())

    @property
    def trials(self) -> pd.DataFrame:
        """One row per trial.

        ``trial``, ``status``, ``manual``, a column per parameter and per output, ``objective`` (measured) and
        ``objective_noise_free`` in the unit of the output, ``within_limits`` as measured, ``within_limits_noise_free``
        where a simulator knows it, else NA, ``failure`` (why a trial failed); NaN or None where there is no result.
        ``experiment_cost``: where the card gives a cost.
        """
        return table(self.reaction, tuple(self._trials), self.history, self.costs)

    def tell(self, number: int, outcome: Mapping[str, float] | None) -> Trial:
        """Give the measured outputs of a trial, or None if it failed; a second time corrects the first.

        ``outcome`` holds the objective and any other outputs, in the units of the card; with ``failed`` True, as
        :meth:`Reaction.simulate` may say it, the trial failed. Raises
        :class:`UnknownNameError` for an unknown trial or output, :class:`ConditionsError` for what is no number.
        """
        number = at_least("number", number, 0)
        if number >= len(self):
            known = f"trials are 0 to {len(self) - 1}" if self._trials else "ask for one first"
            raise UnknownNameError(f"there is no trial {number}; {known}")
        payload = self.told(outcome)
        if self._trials[number].status != "pending":
            return self.write([(number, "corrected", payload)])[0]
        return self.write([(number, "failed" if payload["outputs"] is None else "done", payload)])[0]

    def add(self, conditions: Mapping[str, Any], outcome: Mapping[str, float] | None) -> Trial:
        """Add an experiment that a person made; conditions out of bounds are refused (:class:`ConditionsError`).

        Where substrates are drawn, ``conditions`` tell the substrate too.
        """
        payload = by_hand(self.reaction, conditions) | self.told(outcome)
        return self.write([(len(self._trials), "manual", payload)])[0]

    def completed(self, conditions: Mapping[str, Any], outputs: Mapping[str, float]) -> dict[str, float]:
        """Return outputs that were measured, and those that follow from them by the formulas of the card."""
        return self.reaction.measurement.completed(self.space.to_array(conditions), outputs)

    def told(self, outcome: Mapping[str, float] | None) -> dict[str, Any]:
        """Return the payload of a result, checked as :meth:`tell` says."""
        return result(self.reaction, outcome, self.goals)

    def write(self, entries: Sequence[Entry]) -> list[Trial]:
        """Write events in one transaction, then take them into the state; return the trials that changed."""
        changed = []
        arrows = [kind.removeprefix(PREFIX) for _, kind, _ in entries if kind.startswith(PREFIX)]
        for arrow in arrows:
            crash.point(f"before-{arrow}")
        events = self.journal.append(entries)
        for arrow in arrows:
            crash.point(f"after-{arrow}")
        for event in events:
            if event.trial == NO_TRIAL:
                self.ledger.take(event)
                continue
            trial = step(self._trials, event)
            self.proposed += event.kind == "proposed" and not trial.manual
            self._see(trial)  # first: an interrupt in between must leave a history for every trial
            self._trials[trial.number : trial.number + 1] = [trial]
            changed.append(trial)
        return changed

    def close(self) -> None:
        """Let go of the journal."""
        self.journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


__all__ = ["Record"]
