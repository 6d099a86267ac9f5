"""Measured experiments as arrays: conditions and outcomes from a table, in the units of the card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rxnopt.cards import ReactionCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import Source
from rxnopt.errors import ConditionsError, SheetError, did_you_mean
from rxnopt.fitting.constants import kinetics
from rxnopt.kinetics.equations import parse_equation
from rxnopt.sheet import Sheet, check_replicates
from rxnopt.space import Array, Space

PREFIX = "measured_"
"""Before the name of a species in that of the output which is made for it."""


@dataclass(frozen=True)
class Measured:
    """n experiments. ``X`` (n, d); ``Y`` (n, m) with NaN for what was not measured; ``outputs``: the m names.

    ``columns``: places of the outputs among those of ``card``, which also has species that were measured as outputs.
    ``unused``: columns of the table that the card does not know.
    """

    sheet: Sheet
    card: ReactionCard
    X: Array
    Y: Array
    outputs: tuple[str, ...]
    unused: tuple[str, ...]

    @property
    def columns(self) -> list[int]:
        """Places of the outputs among those of the card."""
        names = list(self.card.outputs)
        return [names.index(_told(name, self.card)) for name in self.outputs]

    @property
    def units(self) -> list[str]:
        """Units of the outputs."""
        return [self.card.outputs[_told(name, self.card)].unit for name in self.outputs]

    @property
    def count(self) -> int:
        """Measured values."""
        return int(np.isfinite(self.Y).sum())


def measured(sheet: Sheet, card: ReactionCard, source: Source) -> Measured:
    """Read the experiments of a table: a column for each parameter, and one or more for outputs or species.

    A time course is a row for each time. Raises :class:`SheetError` with file, line and column.
    """
    card = _with_species(sheet, card, source)
    space = Space.of(card)
    missing = [name for name in space.names if name not in sheet.names]
    if missing:
        hint = did_you_mean(missing[0], [name for name in sheet.names if name not in space.names])
        raise SheetError(f"{sheet.file}:1: there is no column for the parameter {missing[0]!r}{hint or '; add it'}")
    outputs = tuple(name for name in sheet.names if _told(name, card) in card.outputs)
    unused = tuple(name for name in sheet.names if name not in {*space.names, *outputs})
    for name in unused:
        if hint := did_you_mean(name, [n for n in card.outputs if n not in outputs]):
            raise SheetError(f"{sheet.file}:1: {name!r} is no parameter, output or species of {card.name}{hint}")
    if not outputs:
        known = ", ".join(card.outputs)
        raise SheetError(f"{sheet.file}:1: no column is an output or a species of {card.name}; its outputs are {known}")
    X = conditions(sheet, space)
    Y = np.stack([sheet.numbers(name, card.outputs[_told(name, card)].unit) for name in outputs], axis=1)
    for name, y in zip(outputs, Y.T, strict=True):
        if not np.isfinite(y).any():
            raise SheetError(f"{sheet.file} {name}: the column is empty; leave it out")
        check_replicates(sheet, name, X, y)
    return Measured(sheet, card, X, Y, outputs, unused)


def conditions(sheet: Sheet, space: Space) -> Array:
    """Return ``X`` (n, d) of a table with a column for each parameter; raise :class:`SheetError` with the line."""
    X = np.empty((len(sheet), len(space)))
    for j, p in enumerate(space):
        sheet.filled(p.name)
        column = sheet.texts(p.name) if p.levels else sheet.numbers(p.name, p.unit)
        for i, value in enumerate(column):
            try:
                X[i, j] = p.number(value)
            except ConditionsError as error:
                sheet.fail(i, p.name, f"{error}, or widen the bounds in the card" if not p.levels else str(error))
    return X


def _told(column: str, card: ReactionCard) -> str:
    """Return the output of the card that a column stands for."""
    return column if column in card.outputs else PREFIX + column


def _with_species(sheet: Sheet, card: ReactionCard, source: Source) -> ReactionCard:
    """Return the card with an output for each species that is a column of the table and no output yet."""
    model = kinetics(card)
    sides = [side for step in model.reactions for side in parse_equation(step.equation)]
    species = {name for side in sides for name in side}
    added: dict[str, Any] = {
        PREFIX + name: {"formula": name, "unit": model.species_unit, "description": "as measured"}
        for name in sheet.names
        if name in species
    }
    if not added:
        return card
    data = card.model_dump(mode="json", exclude_defaults=True)
    data["outputs"] = data["outputs"] | added
    return validate(Source(source.file, data, {(): 1}, source.folder), ReactionCard)


__all__ = ["Measured", "measured"]
