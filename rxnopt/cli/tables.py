"""Tables of conditions that a person gives."""

from __future__ import annotations

from pathlib import Path

from rxnopt.errors import ConditionsError
from rxnopt.sheet import read_sheet
from rxnopt.space import Array, Space


def read_conditions(path: Path, space: Space) -> Array:
    """Return ``X`` for a CSV file with a column per parameter; errors name the file and the line."""
    import pandas as pd

    sheet = read_sheet(path)
    units = {p.name: p.unit for p in space}
    columns = {
        name: sheet.texts(name) if own is None or name not in units else sheet.numbers(name, units[name])
        for name, own in zip(sheet.names, sheet.units, strict=True)
    }
    frame = pd.DataFrame(columns, dtype=object)
    try:
        return space.to_array(frame)
    except ConditionsError as error:
        whole = error
    rows = frame.to_dict("records")
    for line, row in zip(sheet.lines, rows, strict=True):  # a mistake was made: look for its line
        try:
            space.to_array({str(name): value for name, value in row.items()})
        except ConditionsError as error:
            raise ConditionsError(f"{path}:{line}: {error}") from error
    raise whole
