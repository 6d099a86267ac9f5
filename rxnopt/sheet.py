"""Tables that people give: CSV files with a name and perhaps a unit above each column.

Nothing is guessed and nothing is mended: what cannot be meant is told with file, line and column, and the file is only
read. Columns may be called ``temperature``, ``temperature [K]``, ``temperature (K)`` or ``temperature / K``.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from rxnopt.errors import SheetError, UnitError
from rxnopt.units import Unit, describe, same_dimension, unit

LIMIT = 100_000_000
"""Largest table in bytes: about a million experiments; an endless file is refused before it fills the memory."""
SHARES = "yield|conversion|selectivity|purity"
"""Names of what lies between 0 and 1, or 100 %; a part of a regular expression."""
DISAGREE = 0.2
"""Rows with equal conditions are replicates; by this share of the range of all rows they may differ."""
BELOW, ABOVE = -0.05, 1.05
"""Shares (yields, conversions) as measured: 0 to 1, and 0.05 for errors of measurement."""

_BRACKETS = re.compile(r"(.*\S)\s*\[\s*([^\[\]]+?)\s*\]")
_LOOSE = re.compile(r"(.*\S)\s*\(\s*([^()]+?)\s*\)|(.*\S) / (\S+)")
_DECIMAL_COMMA = re.compile(r"[-+]?(?:\d+,\d*|,\d+)(?:[eE][-+]?\d+)?")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")
_SHARE = re.compile(rf"(?:^|_)(?:{SHARES})(?:_|$)")
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


@dataclass(frozen=True)
class Sheet:
    """A table of text. ``header``: the first line as it stands; ``units``: those in it, None where it gives none.

    ``lines``: where each row stands.
    """

    file: str
    header: tuple[str, ...]
    names: tuple[str, ...]
    units: tuple[str | None, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    digest: str

    def __len__(self) -> int:
        return len(self.rows)

    def unit(self, name: str) -> str | None:
        """Return the unit that the header gives to a column."""
        return self.units[self.names.index(name)]

    def texts(self, name: str) -> list[str]:
        """Return a column as it stands, without blanks around it."""
        j = self.names.index(name)
        return [row[j].strip() for row in self.rows]

    def numbers(self, name: str, wanted: str | None = None) -> NDArray[np.float64]:
        """Return a column (n,) in the unit ``wanted``, NaN for empty cells.

        Without a unit in the header the numbers are in that unit already. Raises :class:`SheetError` for text, decimal
        commas, what is not finite, a unit of another dimension, and shares that cannot be.
        """
        values = np.empty(len(self))
        for i, text in enumerate(self.texts(name)):
            try:
                values[i] = number(text)
            except ValueError as error:
                self.fail(i, name, str(error))
        own = self.unit(name)
        if wanted is not None and own is not None and own != wanted:
            values = unit(wanted).from_si(self._unit(name, own, wanted).to_si(values))
        self._check_share(name, values, wanted or own)
        return values

    def filled(self, name: str) -> None:
        """Raise :class:`SheetError` where a cell of a column of conditions is empty."""
        for i, text in enumerate(self.texts(name)):
            if not text:
                self.fail(i, name, "the cell is empty, and each experiment needs its conditions; fill it")

    def fail(self, i: int, name: str, message: str) -> NoReturn:
        """Raise the error of a cell of row ``i`` (from 0)."""
        raise SheetError(f"{self.file}:{self.lines[i]} {name}: {message}")

    def _unit(self, name: str, own: str, wanted: str) -> Unit:
        known, needed = unit(own), unit(wanted)
        if not same_dimension(known.dimension, needed.dimension):
            here, there = describe(known.dimension), describe(needed.dimension)
            raise SheetError(
                f"{self.file}:1 {name}: the unit {own!r} is one of {here}, and {there} is needed; write {wanted!r}"
            )
        return known

    def _check_share(self, name: str, values: NDArray[np.float64], unit_text: str | None) -> None:
        """Refuse yields and the like that cannot be, and fractions where per cent stand."""
        if not _SHARE.search(name.lower()) or unit_text not in ("%", "1"):
            return
        size = 100.0 if unit_text == "%" else 1.0
        for i in np.flatnonzero((values < BELOW * size) | (values > ABOVE * size)).tolist():
            self.fail(
                i, name,
                f"{values[i]:g}{' %' if size > 1 else ''} cannot be: shares lie between 0 and {size:g}, and measured "
                f"ones from {BELOW * size:g} to {ABOVE * size:g}; mend it, leave the cell empty, or write "
                f"the unit into the header, '{name} [%]' or '{name} [1]'",
            )  # fmt: skip
        known = values[np.isfinite(values)]
        if size > 1 and self.unit(name) is None and len(known) > 1 and 0 < known.max() <= 1.0:
            raise SheetError(
                f"{self.file}:1 {name}: no value is above 1, as if they were fractions and not per cent; write "
                f"the header '{name} [1]' for fractions or '{name} [%]' for per cent"
            )


def number(text: str) -> float:
    """Return the number in a cell without blanks around it, NaN in an empty one.

    Raises ValueError, in words for who wrote it: for text, decimal commas and what is not finite.
    """
    if not text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isfinite(value) and "_" not in text:
        return value
    if _DECIMAL_COMMA.fullmatch(text):
        thousands = f", or {text.replace(',', '')} if thousands are meant" if _THOUSANDS.fullmatch(text) else ""
        raise ValueError(f"{text!r} has a decimal comma; write {text.replace(',', '.')}{thousands}")
    raise ValueError(f"{text!r} is not a number; give one, without its unit, or leave the cell empty")


def is_number(text: str) -> bool:
    """Return whether a cell is a number, or one but for its decimal comma."""
    try:
        return not math.isnan(number(text))
    except ValueError:
        return _DECIMAL_COMMA.fullmatch(text) is not None


def numbered(text: str) -> list[tuple[int, list[str]]]:
    """Return the rows of CSV text that are not empty, each with the number of its line; raise :class:`csv.Error`."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    return [(reader.line_num, row) for row in reader if row]


def separated(header: list[str], rows: list[list[str]]) -> str:
    """Return what is to be said of columns that something else than commas separates, "" where commas do."""
    marks = {";": "semicolons", "\t": "tabs", "|": "bars"}
    if all(len(row) == 1 and len(row[0].split()) > 1 for row in [header, *rows]):
        marks[" "] = "blanks"
    for mark, word in marks.items():
        if sum(text.count(mark) for text in header) >= len(header):
            return f"the columns are separated by {word}; save it with commas, and with decimal points"
    return ""


def read_sheet(path: str | Path) -> Sheet:
    """Read a CSV file (UTF-8, commas, decimal points); raise :class:`SheetError` in one sentence."""
    data = _content(Path(path))
    file = str(path)
    try:
        rows = numbered(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SheetError(f"{file}:{line}: the file is not UTF-8 text; save it with that encoding") from error
    except csv.Error as error:
        raise SheetError(f"{file}: the file cannot be read as CSV ({error}); check quotes and separators") from error
    if len(rows) < 2:
        raise SheetError(
            f"{file}: there are no rows; the first line names the columns, each further one is an experiment"
        )
    (first, header), *rest = rows
    if complaint := separated(header, [row for _, row in rest]):
        raise SheetError(f"{file}:{first}: {complaint}")
    names, units = zip(*(_named(text.strip(), f"{file}:{first}") for text in header), strict=True)
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise SheetError(f"{file}:{first}: there are two columns {name!r}; leave one of them out")
    for line, row in rest:
        if len(row) != len(header):
            comma = "; decimal commas are read as separators: write 12.5" if len(row) > len(header) else ""
            raise SheetError(f"{file}:{line}: the row has not {len(header)} values as the first line has{comma}")
    lines, cells = zip(*rest, strict=True)
    stripped = tuple(text.strip() for text in header)
    return Sheet(file, stripped, names, units, tuple(map(tuple, cells)), lines, hashlib.sha256(data).hexdigest())


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except FileNotFoundError as error:
        raise SheetError(f"{path}: there is no such file; check the path") from error
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        why = getattr(error, "strerror", None) or error
        raise SheetError(f"{path}: the file cannot be read as CSV ({why}); check path and permissions") from error
    if len(data) > LIMIT:
        raise SheetError(f"{path}: the table is larger than {LIMIT // 1_000_000} MB; give it in parts")
    if data[:2] in _MARKS:
        raise SheetError(f"{path}: the file cannot be read as CSV (it is {_MARKS[data[:2]]} text); save it as UTF-8")
    if data[:4] == b"PK\x03\x04":
        raise SheetError(f"{path}: this is a spreadsheet and no CSV; save it as CSV (UTF-8, commas) there")
    return data


def _named(text: str, place: str) -> tuple[str, str | None]:
    """Return name and unit of a column."""
    if not text:
        raise SheetError(f"{place}: a column has no name; give it one, or leave it out")
    if found := _BRACKETS.fullmatch(text):
        try:
            unit(found[2])
        except UnitError as error:
            raise SheetError(f"{place} {found[1]}: {error}") from error
        return found[1], found[2]
    if (found := _LOOSE.fullmatch(text)) and _is_unit(found[2] or found[4]):
        return found[1] or found[3], found[2] or found[4]
    return text, None


def _is_unit(text: str) -> bool:
    try:
        unit(text)
    except UnitError:
        return False
    return True


def check_replicates(sheet: Sheet, name: str, X: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """Refuse rows with equal conditions ``X`` (n, d) whose results ``y`` (n,) differ by more than :data:`DISAGREE`.

    Rows that agree better are replicates. Raises :class:`SheetError` naming both lines.
    """
    known = np.flatnonzero(np.isfinite(y))
    if len(known) < 3:
        return
    allowed = DISAGREE * float(np.ptp(y[known]))
    first: dict[bytes, int] = {}
    for i in known.tolist():
        j = first.setdefault(X[i].tobytes(), i)
        if abs(y[i] - y[j]) > allowed and allowed > 0:
            sheet.fail(
                i, name,
                f"{y[i]:g} disagrees with {y[j]:g} at the same conditions in line {sheet.lines[j]}, by more than "
                f"{DISAGREE:.0%} of the range of all rows; mend or remove one of the two",
            )  # fmt: skip


__all__ = ["Sheet", "check_replicates", "is_number", "number", "numbered", "read_sheet", "separated"]
