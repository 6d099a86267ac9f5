"""One parameter of a space: its natural values, its numbers and what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rxnopt.cards.parameters import AnyParameter, Categorical, Continuous, Integer
from rxnopt.errors import ConditionsError, did_you_mean

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a space; ``low`` and ``high`` bound its column of ``X``."""

    name: str
    card: AnyParameter

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """Names of the levels; empty for numbers."""
        return tuple(self.card.levels) if isinstance(self.card, Categorical) else ()

    @property
    def kind(self) -> str:
        """continuous, integer, categorical or binary."""
        return self.card.kind

    @property
    def unit(self) -> str:
        """Unit of the values ("1" for plain numbers and levels)."""
        return self.card.unit if isinstance(self.card, Continuous | Integer) else "1"

    @cached_property
    def low(self) -> float:
        """Smallest value in ``X``."""
        return float(self.card.low) if isinstance(self.card, Continuous | Integer) else 0.0

    @cached_property
    def high(self) -> float:
        """Largest value in ``X``."""
        if isinstance(self.card, Continuous | Integer):
            return float(self.card.high)
        return float(len(self.levels) - 1) if self.levels else 1.0

    @cached_property
    def log(self) -> bool:
        """Whether the range is spread logarithmically."""
        return isinstance(self.card, Continuous) and self.card.scale == "log"

    @property
    def discrete(self) -> bool:
        """Whether the values are countable."""
        return not isinstance(self.card, Continuous)

    @property
    def count(self) -> int:
        """Number of values of a discrete parameter."""
        return int(self.high - self.low) + 1

    @property
    def width(self) -> int:
        """Columns in ``A``."""
        return len(self.levels) or 1

    def value(self, x: float) -> float | int | str:
        """Return the natural value of an entry of ``X``."""
        if self.levels:
            return self.levels[int(x)]
        return int(x) if self.discrete else float(x)

    def number(self, value: Any) -> float:
        """Return the entry of ``X`` for a natural value; raise :class:`ConditionsError`."""
        if self.levels:
            if str(value) not in self.levels:
                hint = did_you_mean(value, self.levels) or f"; levels are {', '.join(self.levels)}"
                raise ConditionsError(f"{self.name} = {value!r} is no level of this parameter{hint}")
            return float(self.levels.index(str(value)))
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise ConditionsError(f"{self.name} = {value!r} is not a number; give one in {self._range}") from error
        self.check(np.array([number]))
        return number

    def numbers(self, values: Sequence[Any]) -> Array:
        """Return a column of ``X`` for natural values; NaN for what is none of this parameter, bounds unchecked."""
        if self.levels:
            places = {level: float(i) for i, level in enumerate(self.levels)}
            return np.array([places.get(str(value), np.nan) for value in values], float)
        try:
            return np.array([float(value) for value in values], float)
        except (TypeError, ValueError, OverflowError):
            return np.array([_float(value) for value in values], float)

    @property
    def _range(self) -> str:
        unit = "" if self.unit == "1" else f" {self.unit}"
        low, high = (int(b) if self.discrete else b for b in (self.low, self.high))
        return f"[{low}, {high}]{unit}"

    def check(self, column: Array) -> None:
        """Raise :class:`ConditionsError` for the first entry of a column of ``X`` that is not allowed."""
        good = (column >= self.low) & (column <= self.high)
        if self.discrete:
            good &= column == np.floor(column)
        if not good.all():
            bad = float(column[np.argmin(good)])
            whole = "a whole number" if self.discrete else "a number"
            raise ConditionsError(f"{self.name} = {bad!r} is not allowed; give {whole} in {self._range}")


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")
