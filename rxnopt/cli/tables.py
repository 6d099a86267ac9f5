"""Tables of conditions that a person gives."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from rxnopt.errors import ConditionsError
from rxnopt.space import Array, Space

LIMIT = 100_000_000
"""Largest table in bytes: about a million experiments; an endless file is refused before it fills the memory."""


def read_conditions(path: Path, space: Space) -> Array:
    """Return ``X`` for a CSV file with a column per parameter; errors name the file and the line."""
    import pandas as pd

    header, rows = _read(path)
    frame = pd.DataFrame([row for _, row in rows], columns=header, dtype=object)
    try:
        return space.to_array(frame)
    except ConditionsError as error:
        whole = error
    for line, row in rows:  # a mistake was made: look for its line
        try:
            space.to_array(dict(zip(header, row, strict=True)))
        except ConditionsError as error:
            raise ConditionsError(f"{path}:{line}: {error}") from error
    raise whole


def _read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the names of the first line, and each further row with the number of its line."""
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
        if len(data) > LIMIT:
            raise ConditionsError(f"{path}: the table is larger than {LIMIT // 1_000_000} MB; give it in parts")
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader if row]
    except FileNotFoundError as error:
        raise ConditionsError(f"{path}: there is no such file; check the path") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConditionsError(f"{path}: the file cannot be read as CSV ({error})") from error
    if len(rows) < 2:
        raise ConditionsError(
            f"{path}: there are no rows; the first line names the parameters, each further line is an experiment"
        )
    (first, header), *rest = rows
    for name in header:
        if header.count(name) > 1:
            raise ConditionsError(f"{path}:{first}: there are two columns {name!r}; leave one of them out")
    for line, row in rest:
        if len(row) != len(header):
            raise ConditionsError(f"{path}:{line}: the row has not {len(header)} values as the first line has")
    return header, rest
