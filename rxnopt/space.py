"""The space of conditions: ordered parameters, and the ways between their representations.

Four representations of n conditions, always in batches:

* natural values: dicts or a DataFrame, in the units of the card, levels by name;
* ``X``: float array (n, d), a column per parameter in the units of the card; levels as their index, binary as 0/1;
* ``U``: float array (n, d) in [0, 1]: each column spread evenly (log scales logarithmically, levels as equal bins);
* ``A``: float array (n, width) in [-1, 1], for actions and features: a column for each numeric parameter, a block
  with one column per level for each categorical one (the largest column is the level).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rxnopt.cards import ReactionCard
from rxnopt.cards.parameters import AnyParameter
from rxnopt.constraints import Constraints
from rxnopt.errors import ConditionsError, did_you_mean
from rxnopt.parameter import Array, Parameter

if TYPE_CHECKING:
    import pandas as pd

Conditions = Mapping[str, Any]
DRAWS = 100_000
"""Points that are drawn before a space is told to have no feasible one."""


@dataclass(frozen=True)
class Space:
    """Ordered parameters, and the constraints that conditions keep. ``len(space)`` is d."""

    parameters: tuple[Parameter, ...]
    constraints: Constraints | None = field(default=None, compare=False)

    @classmethod
    def from_cards(cls, cards: Mapping[str, AnyParameter]) -> Space:
        """Return the space of the ``parameters`` of a card, without constraints."""
        return cls(tuple(Parameter(name, card) for name, card in cards.items()))

    @classmethod
    def of(cls, card: ReactionCard) -> Space:
        """Return the space of a reaction card."""
        constraints = Constraints.of(card) if card.constraints else None
        return cls(cls.from_cards(card.parameters).parameters, constraints)

    def __len__(self) -> int:
        return len(self.parameters)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.parameters)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(p.name for p in self.parameters)

    @cached_property
    def width(self) -> int:
        """Columns of ``A``."""
        return sum(p.width for p in self.parameters)

    @cached_property
    def _low(self) -> Array:
        return np.array([np.log(p.low) if p.log else p.low for p in self])

    @cached_property
    def _high(self) -> Array:
        return np.array([np.log(p.high) if p.log else p.high for p in self])

    @cached_property
    def _span(self) -> Array:
        return self._high - self._low

    @cached_property
    def _any_log(self) -> bool:
        return bool(self._log.any())

    @cached_property
    def _any_discrete(self) -> bool:
        return bool(self._discrete.any())

    @cached_property
    def _log(self) -> NDArray[np.bool_]:
        return np.array([p.log for p in self])

    @cached_property
    def _discrete(self) -> NDArray[np.bool_]:
        return np.array([p.discrete for p in self])

    @cached_property
    def _bounds(self) -> tuple[Array, Array]:
        return np.array([p.low for p in self]), np.array([p.high for p in self])

    # natural values <-> X

    def to_array(self, conditions: Conditions | Sequence[Conditions] | pd.DataFrame) -> Array:
        """Return ``X`` (n, d) for one dict, several dicts or a DataFrame; raise :class:`ConditionsError`.

        A value of a DataFrame that is not allowed is told with its row, counted from 0.
        """
        if isinstance(conditions, Mapping):
            return self._rows([conditions])
        rows: Any = conditions
        if hasattr(rows, "columns") and hasattr(rows, "iloc"):
            return self._frame(rows)
        if not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
            raise ConditionsError(f"conditions are a dict, a list of dicts or a DataFrame, not {type(rows).__name__}")
        return self._rows(rows)

    def _rows(self, rows: Sequence[Conditions]) -> Array:
        X = np.empty((len(rows), len(self)))
        for i, row in enumerate(rows):
            self.check_names(row)
            for j, parameter in enumerate(self):
                X[i, j] = parameter.number(row[parameter.name])
        return X

    def _frame(self, frame: pd.DataFrame) -> Array:
        X = np.empty((len(frame), len(self)))
        if not len(frame):
            return X
        self.check_names(frame.columns)
        for j, parameter in enumerate(self):
            column = frame[parameter.name]
            plain = isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiub" and not parameter.levels
            X[:, j] = column.to_numpy(float) if plain else parameter.numbers(column.tolist())
        good = self._allowed(X).all(axis=1)
        if not good.all():
            i = int(np.argmin(good))
            try:
                row: Any = frame.iloc[[i]].to_dict("records")
                self._rows(row)
            except ConditionsError as error:
                raise ConditionsError(f"row {i}: {error}") from error
        return X

    def check_names(self, names: Collection[Any]) -> None:
        """Raise :class:`ConditionsError` unless each parameter is named, once, and nothing else."""
        unknown = [name for name in names if name not in self.names]
        if unknown:
            hint = did_you_mean(unknown[0], self.names) or f"; parameters are {', '.join(self.names)}"
            raise ConditionsError(f"there is no parameter {str(unknown[0])!r}{hint}")
        for name in self.names:
            if name not in names:
                raise ConditionsError(f"{name} is missing; give a value for each of {', '.join(self.names)}")
        if len(names) > len(self):
            twice = next(name for name, count in Counter(names).items() if count > 1)
            raise ConditionsError(f"there are two columns {twice!r}; leave one of them out")

    def to_dicts(self, X: Array) -> list[dict[str, Any]]:
        """Return natural values for each row of ``X``."""
        return [{p.name: p.value(x) for p, x in zip(self, row, strict=True)} for row in X.tolist()]

    def to_frame(self, X: Array) -> pd.DataFrame:
        """Return natural values as a DataFrame with a column per parameter."""
        import pandas as pd

        columns: dict[str, Any] = {}
        for j, p in enumerate(self):
            column = X[:, j]
            if p.levels:
                columns[p.name] = [p.levels[int(x)] for x in column]
            else:
                columns[p.name] = column.astype(np.int64) if p.discrete else column
        return pd.DataFrame(columns)

    def check(self, X: Array) -> None:
        """Raise :class:`ConditionsError` unless ``X`` (n, d) is finite, in bounds, whole where it must be, feasible."""
        self.check_bounds(X)
        feasible = self.feasible(X)
        if self.constraints is not None and not feasible.all():
            i = int(np.argmin(feasible))
            row = f"row {i}: " if len(X) > 1 else ""
            raise ConditionsError(f"{row}{self.constraints.complaint(X[i])}; choose other conditions")

    def check_bounds(self, X: Array) -> None:
        """Raise :class:`ConditionsError` unless ``X`` (n, d) is finite, in bounds and whole where it must be."""
        if X.ndim != 2 or X.shape[1] != len(self):
            raise ConditionsError(f"conditions have shape {X.shape}; expected (n, {len(self)})")
        good = self._allowed(X)
        if not good.all():
            j = int(np.argmin(good.all(axis=0)))
            self.parameters[j].check(X[:, j])

    def feasible(self, X: Array) -> NDArray[np.bool_]:
        """Return which conditions ``X`` (n, d), all in bounds, keep the constraints of the card (n,)."""
        return np.ones(len(X), bool) if self.constraints is None else self.constraints.hold(X)

    def inside(self, X: Array) -> NDArray[np.bool_]:
        """Return which of ``X`` (n, d) :meth:`check` would let pass (n,)."""
        good: NDArray[np.bool_] = np.all(self._allowed(X), axis=1)
        good[good] = self.feasible(X[good])
        return good

    def _allowed(self, X: Array) -> NDArray[np.bool_]:
        low, high = self._bounds
        good: NDArray[np.bool_] = (X >= low) & (X <= high)
        if self._any_discrete:
            good &= ~self._discrete | (X == np.floor(X))
        return good

    # U <-> X

    def from_unit(self, U: Array) -> Array:
        """Return ``X`` for points of the unit cube (n, d); discrete values share [0, 1] in equal bins."""
        low, high = self._bounds
        X = self._low + self._span * U
        if self._any_log:
            X[:, self._log] = np.exp(X[:, self._log])
        if self._any_discrete:
            count = high - low + 1
            X = np.where(self._discrete, low + np.minimum(np.floor(U * count), count - 1), X)
        return np.minimum(np.maximum(X, low), high)  # rounding at the ends; np.clip is slow on small arrays

    def to_unit(self, X: Array) -> Array:
        """Return unit-cube points (n, d) of ``X``; discrete values lie at the middle of their bins."""
        low, high = self._bounds
        Z = X
        if self._any_log:
            Z = np.array(X, dtype=float)
            Z[:, self._log] = np.log(Z[:, self._log])
        U = (Z - self._low) / self._span
        if not self._any_discrete:
            return U
        return np.where(self._discrete, (X - low + 0.5) / (high - low + 1), U)

    # A <-> X

    def from_box(self, A: Array) -> Array:
        """Return ``X`` for actions (n, width) in [-1, 1]; the largest column of a block is the level."""
        if not self._blocks:
            return self.from_unit((np.asarray(A, dtype=float) + 1.0) / 2.0)
        U = np.empty((len(A), len(self)))
        start = 0
        for j, p in enumerate(self):
            block = A[:, start : start + p.width]
            start += p.width
            if p.levels:
                U[:, j] = (np.argmax(block, axis=1) + 0.5) / p.width
            else:
                U[:, j] = (block[:, 0] + 1.0) / 2.0
        return self.from_unit(U)

    def to_box(self, X: Array) -> Array:
        """Return actions or features (n, width): the chosen level has +1, the others -1."""
        F = 2.0 * self.to_unit(X) - 1.0
        if not self._blocks:
            return F
        starts, levels, numbers = self._layout
        A = np.full((len(X), self.width), -1.0)
        A[:, starts[numbers]] = F[:, numbers]
        A[np.arange(len(X))[:, None], starts[levels] + X[:, levels].astype(np.intp)] = 1.0
        return A

    @cached_property
    def _blocks(self) -> bool:
        return any(p.levels for p in self)

    @cached_property
    def _layout(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """First column in ``A`` of each parameter; places of the categorical and of the other parameters."""
        starts = np.cumsum([0, *(p.width for p in self)], dtype=np.intp)[:-1]
        categorical = np.array([bool(p.levels) for p in self])
        return starts, np.flatnonzero(categorical), np.flatnonzero(~categorical)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Return ``X`` for n points drawn evenly among the feasible ones.

        Raises :class:`ConditionsError` where :data:`DRAWS` points in a row are infeasible.
        """
        X = self.from_unit(rng.random((n, len(self))))
        if self.constraints is None:
            return X
        kept, in_vain = [X[self.feasible(X)]], 0
        while (lacking := n - sum(map(len, kept))) > 0:
            X = self.from_unit(rng.random((min(4 * lacking + 60, DRAWS), len(self))))
            kept.append(X[self.feasible(X)])
            in_vain = 0 if len(kept[-1]) else in_vain + len(X)
            if in_vain >= DRAWS:
                names = ", ".join(self.constraints.conditions)
                raise ConditionsError(f"{in_vain:,} random conditions broke the constraints ({names}); loosen them")
        return np.concatenate(kept)[:n]


__all__ = ["Array", "Conditions", "Parameter", "Space"]
