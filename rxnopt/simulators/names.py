"""Names of a card as arrays: what formulas about experiments, rather than inside the model, may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from rxnopt.cards import ReactionCard
from rxnopt.cards.inputs import input_dimensions, input_names
from rxnopt.catalogue import Where
from rxnopt.errors import CardError, FormulaError, did_you_mean
from rxnopt.formulas import Condition, Formula
from rxnopt.inputs import Inputs
from rxnopt.space import Array, Space
from rxnopt.units import Dimension, describe, quantity, same_dimension, unit

T = TypeVar("T", Formula, Condition)
Place = Callable[[Where], str]
"""Where a field stands, for messages."""


@dataclass(frozen=True)
class _Value:
    """Values in SI of a name: a column of ``X`` or of the outputs, or a constant."""

    offset: float
    factor: float = 0.0
    column: int = -1
    measured: bool = False
    table: Array | None = None

    def si(self, X: Array, outputs: Array) -> float | Array:
        if self.column < 0:
            return self.offset
        column: Array = (outputs if self.measured else X)[:, self.column]
        if self.table is not None:
            return np.asarray(self.table[column.astype(np.intp)], float)
        return column * self.factor + self.offset


@dataclass(frozen=True)
class Bound(Generic[T]):
    """A formula or a condition, and what its names stand for."""

    item: T
    values: dict[str, _Value]

    def si(self: Bound[Formula], X: Array, outputs: Array) -> Array:
        """Return the value (n,) in SI at conditions ``X`` (n, d) and outputs (n, m) in the units of the card."""
        found = self.item.numpy({name: value.si(X, outputs) for name, value in self.values.items()})
        return np.broadcast_to(found, len(X))

    def holds(self: Bound[Condition], X: Array, outputs: Array) -> NDArray[np.bool_]:
        """Return where the condition holds (n,)."""
        found = self.item.holds({name: value.si(X, outputs) for name, value in self.values.items()})
        return np.broadcast_to(found, len(X))


class Names:
    """``constants``, parameters, properties of levels and outputs of a card, with their dimensions.

    Parameters that are no columns of the space, because they vary in time, have no value here.
    """

    def __init__(self, card: ReactionCard, space: Space, constants: Mapping[str, str]) -> None:
        self._card, self._inputs = card, Inputs.of(card)
        self._constants = {"R_gas": card.gas_constant, **constants}
        seen = zip(input_names(card), input_dimensions(card).items(), strict=True)
        self._dimensions = {name: dimension for (owner, _), (name, dimension) in seen if owner in space.names}
        self.inputs = frozenset(self._dimensions | self._constants)
        """Names that are known before an experiment."""

    def bind(self, item: T, wanted: Dimension | None, place: Where, places: Place, *, outputs: bool = True) -> Bound[T]:
        """Return a formula of dimension ``wanted`` (None: a condition) with its values; raise :class:`CardError`."""
        formula = item.excess if isinstance(item, Condition) else item
        known = self.inputs | self._card.outputs.keys() if outputs else self.inputs
        for name in sorted(formula.names):
            if name not in known:
                hint = did_you_mean(name, known) or f"; known are {', '.join(sorted(known))}"
                _fail(places(place), f"formula {item.text!r} uses unknown name {name!r}{hint}")
        looked_up = {name: self._look_up(name) for name in formula.names}
        try:
            dimension = formula.dimension({name: found[0] for name, found in looked_up.items()})
        except FormulaError as error:
            _fail(places(place), str(error))
        if wanted is not None and not same_dimension(dimension, wanted):
            _fail(places(place), f"{item.text!r} is in {describe(dimension)}; this field needs {describe(wanted)}")
        return Bound(item, {name: value for name, (_, value) in looked_up.items()})

    def _look_up(self, name: str) -> tuple[Dimension, _Value]:
        """Return dimension and value of a known name."""
        card, inputs = self._card, self._inputs
        if name in card.outputs:
            own = unit(card.outputs[name].unit)
            return own.dimension, _Value(own.offset, own.factor, list(card.outputs).index(name), measured=True)
        if name in self._constants and (constant := quantity(self._constants[name])) is not None:
            return constant.dimension, _Value(constant.si)
        place = inputs.names.index(name)
        table = next((table for other, _, table in inputs.tables if other == place), None)
        column, factor, offset = (array[place] for array in (inputs.columns, inputs.factors, inputs.offsets))
        return self._dimensions[name], _Value(float(offset), float(factor), int(column), table=table)


def _fail(place: str, message: str) -> NoReturn:
    raise CardError(f"{place}: {message}")
