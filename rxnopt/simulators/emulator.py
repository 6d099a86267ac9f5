"""An emulator as a simulator: a regression on experiments that were done tells what others would give."""

from __future__ import annotations

from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from rxnopt.cards import ReactionCard
from rxnopt.cards.emulator import OUTSIDE, EmulatorModel
from rxnopt.catalogue import Source
from rxnopt.data import Rows
from rxnopt.data.reading import content
from rxnopt.errors import ConditionsError, DataError
from rxnopt.formulas import parse
from rxnopt.regression import Hulls, Learned, Settings, learn
from rxnopt.simulators.derived import outputs
from rxnopt.simulators.outcome import Outcome
from rxnopt.space import Array, Parameter, Space
from rxnopt.units import quantity, unit


class EmulatorSimulator:
    """Simulator of a card whose model is of kind ``emulator``; it learns at the first experiment.

    Formulas of outputs know for each name under ``measured`` what is predicted, ``<name>_sd``, its standard deviation,
    and ``outside``: 1 where no experiment lies around the conditions, else 0.
    """

    def __init__(self, card: ReactionCard, source: Source) -> None:
        self._card, self.source, self.model = card, source, cast(EmulatorModel, card.model)
        self._space = Space.from_cards(card.parameters)
        levels = [p.discrete and p.kind != "integer" for p in self._space]
        self._levels, self._numbers = np.flatnonzero(levels), np.flatnonzero(~np.array(levels))
        texts = [output.formula for output in card.outputs.values() if quantity(output.formula) is None]
        self._used = frozenset[str]().union(*(parse(text).names for text in texts))
        self._outputs(np.empty((0, len(self._space))), {name: np.empty(0) for name in self._names})

    @property
    def _names(self) -> list[str]:
        return [*self.model.measured, *(f"{name}_sd" for name in self.model.measured), OUTSIDE]

    def __call__(self, X: Array) -> Outcome:
        """Return what is predicted at conditions ``X`` (n, d)."""
        F, found = self._space.to_box(X), {}
        for name in self.model.measured:
            if self._used & {name, f"{name}_sd"}:
                found[name], found[f"{name}_sd"] = self.learned[name].predict(F)
        if OUTSIDE in self._used:
            found[OUTSIDE] = self.outside(X).astype(float)
        values = self._outputs(X, found)
        return Outcome(values, np.asarray(np.isnan(values).any(axis=1)))

    def _outputs(self, X: Array, found: dict[str, Array]) -> Array:
        units = {name: entry.unit for name, entry in self.model.measured.items()}
        told = {name: (units.get(name.removesuffix("_sd"), "1"), values) for name, values in found.items()}
        return outputs(self._card, self.source, X, told)

    @cached_property
    def experiments(self) -> tuple[Array, dict[str, Array]]:
        """Conditions ``X`` (n, d) of the experiments and what was measured (n,), NaN where a place is empty."""
        parts = [self._read(file) for file in self.model.files]
        X = np.concatenate([part for part, _ in parts])
        return X, {name: np.concatenate([measured[name] for _, measured in parts]) for name in self.model.measured}

    @cached_property
    def learned(self) -> dict[str, Learned]:
        """The regression of each name under ``measured``."""
        X, measured = self.experiments
        settings, found = Settings(self.model.learner, self.model.trees, self.model.leaf), {}
        for name, y in measured.items():
            there = np.isfinite(y)
            found[name] = learn(self._space.to_box(X[there]), y[there], settings, f"{self._card.name} {name}")
        return found

    def outside(self, X: Array) -> NDArray[np.bool_]:
        """Return which conditions ``X`` (n, d) lie outside the convex hull of the experiments with the same levels."""
        return self._hulls.outside(X[:, self._levels], self._space.to_unit(X)[:, self._numbers])

    @cached_property
    def _hulls(self) -> Hulls:
        X, measured = self.experiments
        X = X[np.isfinite(np.array([*measured.values()])).any(axis=0)]
        return Hulls.of(X[:, self._levels], self._space.to_unit(X)[:, self._numbers])

    def _read(self, file: str) -> tuple[Array, dict[str, Array]]:
        rows = Rows(*content(self._card, file, self.source.folder), header=self.model.header)
        kept = list(range(self.model.skip, len(rows.lines)))
        X = np.array([self._column(rows, kept, p) for p in self._space]).T
        return X, {name: np.array(rows.numbers(kept, own.column)) for name, own in self.model.measured.items()}

    def _column(self, rows: Rows, kept: list[int], p: Parameter) -> list[float]:
        own = self.model.columns.get(p.name)
        name = own.column if own is not None else p.name
        if p.levels:
            return [float(i) for i in rows.indices(kept, name, {level: i for i, level in enumerate(p.levels)}, p.name)]
        values = np.array(rows.numbers(kept, name))
        if own is not None and own.unit not in (None, p.unit):
            values = unit(p.unit).from_si(unit(own.unit).to_si(values))
        for i, value in zip(kept, values.tolist(), strict=True):
            try:
                p.check(np.array([value]))
            except ConditionsError as error:
                raise DataError(f"{rows.place}:{rows.lines[i]}: {error}, or widen the bounds in the card") from error
        return cast(list[float], values.tolist())
