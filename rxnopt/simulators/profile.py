"""Control cards: profiles as conditions, and a simulator that runs them interval by interval, in batches."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rxnopt.cards import ReactionCard
from rxnopt.cards.control import MAX_INTERVALS
from rxnopt.cards.uncertainty import UncertainConstant
from rxnopt.catalogue import Source, catalogue
from rxnopt.errors import CardError, ConditionsError, at_least
from rxnopt.kinetics.kernel import DEFAULT_RTOL
from rxnopt.simulators.ode import OdeSimulator
from rxnopt.simulators.outcome import Outcome
from rxnopt.space import Array, Conditions, Parameter, Space

if TYPE_CHECKING:
    import pandas as pd

    from rxnopt.kinetics import OdeSystem


@dataclass(frozen=True)
class ProfileSpace(Space):
    """The space of profiles: ``<control>_<k>`` for interval k = 1, 2, ...; the controls of an interval together.

    ``X`` (n, intervals c) is ``U.reshape(n, -1)`` for controls ``U`` (n, intervals, c).
    """

    controls: Space = field(kw_only=True)
    intervals: int = field(kw_only=True)

    @classmethod
    def repeated(cls, controls: Space, intervals: int) -> ProfileSpace:
        """Return the space of profiles of some controls."""
        names = [(f"{p.name}_{k}", p.card) for k in range(1, intervals + 1) for p in controls]
        return cls(tuple(Parameter(name, card) for name, card in names), controls=controls, intervals=intervals)

    def to_array(self, conditions: Conditions | Sequence[Conditions] | pd.DataFrame) -> Array:
        """Return ``X``; a profile may also be given by control.

        ``{"temperature": [350, 340, ...]}`` has a value for each interval, ``{"temperature": 345}`` one for all; a
        DataFrame with a column per control and a row per interval is one profile. Raises :class:`ConditionsError`.
        """
        rows: Any = conditions
        if isinstance(rows, Mapping):
            return super().to_array(self._unrolled(rows))
        if hasattr(rows, "columns") and any(name in self.controls.names for name in rows.columns):
            return super().to_array(self._unrolled({name: rows[name].tolist() for name in rows.columns}))
        if isinstance(rows, Sequence) and all(isinstance(row, Mapping) for row in rows):
            return super().to_array([self._unrolled(row) for row in rows])
        return super().to_array(conditions)

    def _unrolled(self, row: Conditions) -> Conditions:
        """Return one value per control and interval; what is not given by control is returned as it is."""
        if not any(name in self.controls.names for name in row) or set(row) == set(self.names):
            return row
        self.controls.check_names(row)
        found = {}
        for name, given in row.items():
            values = given if isinstance(given, Sequence | np.ndarray) and not isinstance(given, str) else None
            if values is not None and len(values) != self.intervals:
                raise ConditionsError(
                    f"the profile of {name} has {len(values)} values; give {self.intervals}, one for each interval, or "
                    "load the reaction with another number of intervals"
                )
            for k in range(self.intervals):
                found[f"{name}_{k + 1}"] = given if values is None else values[k]
        return found


class Stage(NamedTuple):
    """n runs at the end of an interval: ``carried`` (n, m) as in :mod:`rxnopt.kinetics.intervals`, outcomes, and the
    varied ``constants`` (n, k) or (1, k) of the runs, where there are any."""

    carried: Array
    outcome: Outcome
    constants: Array | None


class ProfileSimulator(OdeSimulator):
    """Simulator of a control card: one call of the kernel for each interval of all runs."""

    def __init__(
        self,
        card: ReactionCard,
        source: Source,
        intervals: int,
        rtol: float = DEFAULT_RTOL,
        varied: Sequence[UncertainConstant] = (),
    ) -> None:
        super().__init__(card, source, rtol, varied)
        self.intervals = intervals
        self._idle = Space.from_cards(card.parameters).from_unit(np.zeros((1, len(card.parameters))))

    def __call__(self, X: Array, constants: Array | None = None) -> Outcome:
        """Return noise-free outcomes of profiles ``X`` (n, intervals c)."""
        U = X.reshape(len(X), self.intervals, -1)
        stage = self.begin(len(X), constants)
        for k in range(self.intervals):
            stage = self.advance(stage, U[:, k])
        return stage.outcome

    def begin(self, n: int, constants: Array | None = None) -> Stage:
        """Return n runs at their start."""
        m = self.kernel.n_outputs - len(self._card.outputs)
        nothing = Outcome(np.empty((n, 0)), np.zeros(n, bool))
        return self._run(Stage(np.zeros((n, m)), nothing, constants), np.repeat(self._idle, n, axis=0), 0.0)

    def advance(self, stage: Stage, U: Array) -> Stage:
        """Return the runs an interval later, under controls ``U`` (n, c); failed runs stay failed."""
        return self._run(stage, U, 1.0 / self.intervals)

    def _run(self, stage: Stage, U: Array, share: float) -> Stage:
        shares, m = np.full((len(U), 1), share), stage.carried.shape[1]
        inputs = np.concatenate([self.kernel_inputs(U, stage.constants), shares, stage.carried], axis=1)
        result = self.kernel(inputs, rtol=self._rtol)
        outcome = self.outcome(result.outputs[:, m:], result.status)
        return Stage(result.outputs[:, :m], outcome, stage.constants)

    @property
    def key(self) -> str:
        """Hash of all that the kernel depends on."""
        return hashlib.sha256(f"interval {super().key}".encode()).hexdigest()

    def lower(self) -> OdeSystem:
        """Return the mathematics of one interval; raise :class:`CardError`."""
        from rxnopt.kinetics.intervals import lower_interval

        return lower_interval(self._card, self.source, self._varied)


def controlled(card: ReactionCard, source: Source, n: int) -> tuple[ReactionCard, ProfileSpace, ProfileSimulator]:
    """Return a control card with ``n`` intervals, its space of profiles and its simulator."""
    if at_least("intervals", n, 1) > MAX_INTERVALS:
        raise ConditionsError(f"intervals={n} is not allowed; give {MAX_INTERVALS:,} at most")
    card = card.with_intervals(n)
    return card, ProfileSpace.repeated(Space.of(card), n), ProfileSimulator(card, source, n)


def best_profile(card: ReactionCard, place: str) -> Array:
    """Return the best known profile (intervals, c) of a control card; raise :class:`CardError` for a wrong file.

    ``place``: path of the card, ``""`` for a card of the catalogue. The file lies beside the card.
    """
    name = card.optimum.profile if card.optimum is not None else None
    if name is None:
        raise CardError(f"{card.name} has no known optimum with a profile; add it to the card")
    file = Path(place).parent / name if place else catalogue("envs") / name
    controls = Space.from_cards(card.parameters)
    try:
        with file.open(encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        if not rows:
            raise ConditionsError("there is no row; give one for each interval")
        return controls.to_array(rows)
    except (OSError, UnicodeDecodeError, ConditionsError) as error:
        raise CardError(f"{name}, the profile of {card.name}: {error}") from error


def resampled(profile: Array, intervals: int) -> Array:
    """Return a profile (K, c) with another number of equal intervals: each takes the mean over its share of time."""
    edges = np.linspace(0.0, len(profile), intervals + 1)
    total = np.concatenate([np.zeros((1, profile.shape[1])), np.cumsum(profile, axis=0)])
    at = np.stack([np.interp(edges, np.arange(len(total)), column) for column in total.T], axis=1)
    mean: Array = np.diff(at, axis=0) * intervals / len(profile)
    bounded: Array = np.clip(mean, profile.min(axis=0), profile.max(axis=0))  # which rounding may have passed
    return bounded
