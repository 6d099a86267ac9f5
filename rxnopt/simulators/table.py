"""A measured grid as a simulator: an experiment is looked up, one that nobody did has failed.

The files are read at the first experiment and become one dense array, a row for each combination of levels.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from rxnopt.cards import ReactionCard
from rxnopt.cards.parameters import Categorical
from rxnopt.cards.table import TableFile, TableModel, Told
from rxnopt.catalogue import Source
from rxnopt.data import Rows
from rxnopt.errors import DataError
from rxnopt.simulators.derived import outputs
from rxnopt.simulators.measurement import MISSING_CODE
from rxnopt.simulators.outcome import Outcome
from rxnopt.space import Array


class TableSimulator:
    """Simulator of a card whose model is of kind ``table``."""

    def __init__(self, card: ReactionCard, source: Source) -> None:
        self._card, self.source, self._model = card, source, cast(TableModel, card.model)
        self._counts = [len(cast(Categorical, parameter).levels) for parameter in card.parameters.values()]
        self._strides = np.cumprod([1, *self._counts[:0:-1]])[::-1].astype(float)
        empty = {name: (measured.unit, np.empty(0)) for name, measured in self._model.measured.items()}
        outputs(card, source, np.empty((0, len(self._counts))), empty)  # wrong formulas are told before any data

    def __call__(self, X: Array) -> Outcome:
        """Return what was measured at conditions ``X`` (n, d)."""
        cells = (X @ self._strides).astype(np.intp)
        values, reason = self.values.take(cells, axis=0), self._reason.take(cells)
        return Outcome(values, reason > 0, reason)

    @cached_property
    def grid(self) -> Array:
        """All conditions (cells, d): each combination of levels, the last parameter fastest."""
        return np.stack([axis.ravel() for axis in np.indices(self._counts, float)], axis=1)

    @cached_property
    def values(self) -> Array:
        """Outputs (cells, m) of :attr:`grid` in the units of the card; NaN rows where nobody measured."""
        cells, measured = self._read()
        numbers = {name: _means(cells, column, len(self.grid)) for name, column in measured.items()}
        units = {name: entry.unit for name, entry in self._model.measured.items()}
        found = outputs(self._card, self.source, self.grid, {name: (units[name], numbers[name]) for name in units})
        lacking = np.isnan(np.array([*numbers.values(), *found.T])).any(axis=0)
        return np.where(lacking[:, None], np.nan, found)

    @cached_property
    def _reason(self) -> NDArray[np.uint8]:
        return np.where(np.isnan(self.values[:, 0]), MISSING_CODE, 0).astype(np.uint8)

    def _read(self) -> tuple[NDArray[np.intp], dict[str, Array]]:
        """Return the cell of each row of the files and what was measured there, NaN where a place is empty."""
        cells: list[int] = []
        measured: dict[str, list[float]] = {name: [] for name in self._model.measured}
        seen: dict[int, str] = {}
        for file in self._model.files:
            rows = Rows.of(self._card, file.file, self.source.folder)
            kept = rows.where(self._model.where)
            levels = np.array([self._levels(rows, kept, name, file) for name in self._card.parameters], float)
            numbers = {name: rows.numbers(kept, entry.column) for name, entry in self._model.measured.items()}
            for i, cell in enumerate((self._strides @ levels).astype(np.intp).tolist()):
                line = f"{rows.place}:{rows.lines[kept[i]]}"
                if cell in seen and self._model.repeats == "refuse":
                    raise DataError(
                        f"{line}: these conditions stood in {seen[cell]} before; leave one of the two out, or say "
                        "'repeats: mean'"
                    )
                seen[cell] = line
                cells.append(cell)
                for name, column in numbers.items():
                    measured[name].append(column[i])
        return np.array(cells, np.intp), {name: np.array(column, float) for name, column in measured.items()}

    def _levels(self, rows: Rows, kept: list[int], name: str, file: TableFile) -> list[int]:
        """Return the index of the level of a parameter in each row."""
        levels = cast(Categorical, self._card.parameters[name]).levels
        if name in file.levels:
            return [list(levels).index(file.levels[name])] * len(kept)
        column = self._model.columns[name]
        return rows.indices(kept, column.column, _texts(levels, column), name)


def _means(cells: NDArray[np.intp], column: Array, count: int) -> Array:
    """Return the mean of what was measured in each cell (count,), NaN where nothing was."""
    there = np.isfinite(column)
    times = np.bincount(cells[there], minlength=count)
    sums = np.bincount(cells[there], column[there], minlength=count)
    return np.asarray(np.divide(sums, times, out=np.full(count, np.nan), where=times > 0))


def _texts(levels: Mapping[str, Mapping[str, Any]], column: Told) -> dict[str, int]:
    """Return the index of each level by the text that stands for it in the column."""
    texts = levels if column.by is None else [str(properties[column.by]) for properties in levels.values()]
    places = {level: i for i, level in enumerate(levels)}
    return {text: i for i, text in enumerate(texts)} | {text: places[level] for text, level in column.also.items()}
