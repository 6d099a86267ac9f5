"""Settings of Bayesian agents on BoTorch, and descriptors of categorical levels."""

from __future__ import annotations

import csv
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo

from rxnopt.cards.base import FILE, Identifier, Model
from rxnopt.sheet import numbered

Table = dict[str, list[float]]
"""Descriptors: a row of numbers for each level."""


def _table(value: Any, info: ValidationInfo) -> Any:
    """Read the CSV beside the card where one is named."""
    if not isinstance(value, str):
        return value
    folder = (info.context or {}).get("folder")
    if folder is None:
        raise ValueError(f"{value!r} is a file beside the card and this card is in no file; write the numbers out")
    try:
        text = (folder / value).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or error) if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"{value!r} beside the card cannot be read ({reason}); check name and encoding") from error
    try:
        (_, header), *rows = numbered(text) or [(1, [])]
    except csv.Error as error:
        raise ValueError(f"{value!r} cannot be read as CSV ({error}); check quotes and separators") from error
    if len(header) < 2 or not rows:
        raise ValueError(f"{value!r} has no table; give a header, then rows of a level and its numbers, with commas")
    found: Table = {}
    for i, (level, *cells) in rows:
        if len(cells) != len(header) - 1:
            raise ValueError(f"{value!r}: row {i} has {1 + len(cells)} columns and the header {len(header)}; mend it")
        if level in found:
            raise ValueError(f"{value!r}: the level {level!r} stands twice; remove one")
        found[level] = [
            _number(cell, f"{value!r}: {column} of {level!r}") for cell, column in zip(cells, header[1:], strict=True)
        ]
    return found


def _number(cell: str, whose: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise ValueError(f"{whose} is {cell!r} and not a number; mend it") from None


File = Annotated[str, Field(pattern=FILE)]
Descriptors = Annotated[
    Table | list[Identifier], BeforeValidator(_table, json_schema_input_type=Table | list[Identifier] | File)
]


class BoTorch(Model):
    """Gaussian processes of BoTorch and one of its acquisition functions."""

    kind: Literal["botorch"]
    acquisition: Literal["qLogEI", "qLogNEI", "qLogNEHVI"] = Field(
        description="Expected improvement on the best prediction; the same integrated over noisy results; expected "
        "improvement of the hypervolume, with one objective the same as qLogNEI."
    )
    n_startup_trials: int = Field(ge=1, description="Trials of a Sobol sequence before the first fit.")
    max_trials: int = Field(
        300, ge=10, description="Trials that are fitted: of longer histories the best half of these and the latest."
    )
    descriptors: dict[Identifier, Descriptors] = Field(
        default_factory=dict,
        description="For a categorical parameter numbers in place of its levels: the name of a CSV file beside the "
        "card (a header, then a row for each level: its name and its numbers), the same as a mapping, or names of "
        "numeric properties that the levels have in the card of the reaction.",
    )
    published_descriptors: bool = Field(
        False,
        description="Take for parameters that 'descriptors' does not name those of the card of the reaction: what was "
        "published for their levels, else their numeric properties.",
    )
