"""Tables of text: CSV files as they were published, or as a person saved them."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources.abc import Traversable
from typing import Self

from rxnopt.cards import ReactionCard
from rxnopt.data.fetching import fetch
from rxnopt.errors import DataError, did_you_mean
from rxnopt.sheet import number, numbered, separated


def content(card: ReactionCard, name: str, folder: Traversable | None) -> tuple[str, str]:
    """Return place and text of the file ``name`` under 'data' of a card; one beside the card lies in ``folder``.

    The first sheet of an Excel file is given as CSV; that needs the extra excel, and the hash of the file.

    Raises :class:`rxnopt.errors.DataError`.
    """
    file = card.data[name]
    if file.repository is not None:
        path: Traversable = fetch(file, card.name)
    elif folder is None:
        raise DataError(f"{file.path} stands beside its card, and this card is in no file; save the card first")
    else:
        path = folder / file.path
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check name and permissions") from error
    if file.sha256 is not None and (found := hashlib.sha256(raw).hexdigest()) != file.sha256:
        raise DataError(f"{path} has SHA-256 {found} where the card says {file.sha256}; mend one of them")
    if file.path.endswith(".xlsx"):
        return str(path), _sheet(f"{path}", raw, file.sha256 is not None)
    try:
        return str(path), raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}:{line}: the file is not UTF-8 text; save it with that encoding") from error


@lru_cache(maxsize=2)
def _sheet(place: str, raw: bytes, known: bool) -> str:
    if not known:
        raise DataError(f"{place} is an Excel file without a hash in the card; save it as CSV")
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise DataError(f"{place} is an Excel file; run \"pip install '.[excel]'\" in the checkout") from error
    text = io.StringIO(newline="")
    rows = load_workbook(io.BytesIO(raw), read_only=True, data_only=True).worksheets[0].iter_rows(values_only=True)
    csv.writer(text).writerows(["" if cell is None else cell for cell in row] for row in rows)
    return text.getvalue()


class Rows:
    """A CSV file: a header and rows of text, each with the number of its line.

    ``header``: names of the columns of a file whose first line is a row already.
    """

    def __init__(self, place: str, text: str, header: Sequence[str] = ()) -> None:
        self.place = place
        try:
            found = numbered(text)
        except csv.Error as error:
            raise DataError(f"{place} cannot be read as CSV ({error}); check quotes and separators") from error
        if header:
            found = [(0, list(header)), *found]
        if len(found) < 2:
            raise DataError(
                f"{place} has no rows; the first line names the columns, each further line is an experiment"
            )
        self.header = [cell.strip() for cell in found[0][1]]
        self.lines, self._rows = [line for line, _ in found[1:]], [row for _, row in found[1:]]
        if len(self.header) == 1 and (complaint := separated(found[0][1], self._rows)):
            raise DataError(f"{place}:{found[0][0]}: {complaint}")
        for line, row in zip(self.lines, self._rows, strict=True):
            if len(row) != len(self.header):
                count = len(self.header)
                raise DataError(f"{place}:{line}: {len(row)} values stand here and {count} in the first line")

    @classmethod
    def of(cls, card: ReactionCard, name: str, folder: Traversable | None) -> Self:
        """Return the file ``name`` under 'data' of a card (:func:`content`)."""
        return cls(*content(card, name, folder))

    def column(self, name: str) -> list[str]:
        """Return the texts of a column."""
        if self.header.count(name) != 1:
            hint = did_you_mean(name, self.header) or f"; columns are {', '.join(map(repr, self.header))}"
            raise DataError(f"{self.place} has {self.header.count(name) or 'no'} columns {name!r}{hint}")
        place = self.header.index(name)
        return [row[place].strip() for row in self._rows]

    def where(self, texts: Mapping[str, str]) -> list[int]:
        """Return the rows that have these texts in these columns."""
        columns = {name: self.column(name) for name in texts}
        return [i for i in range(len(self._rows)) if all(columns[name][i] == text for name, text in texts.items())]

    def indices(self, kept: list[int], name: str, known: Mapping[str, int], parameter: str) -> list[int]:
        """Return what is ``known`` for the texts of a column."""
        column = self.column(name)
        for i in kept:
            if column[i] not in known:
                hint = did_you_mean(column[i], known)
                raise DataError(f"{self.place}:{self.lines[i]}: {column[i]!r} is no level of {parameter!r}{hint}")
        return [known[column[i]] for i in kept]

    def numbers(self, kept: list[int], name: str) -> list[float]:
        """Return the numbers of a column, NaN where nothing stands."""
        column = self.column(name)
        return [self.number(column[i], name, i) for i in kept]

    def numbered(self, name: str, first: int) -> list[list[str]]:
        """Return the texts of each row in the columns called ``name`` with ``{n}`` for the numbers from ``first``."""
        columns: list[list[str]] = []
        while (own := name.replace("{n}", str(first + len(columns)))) in self.header or not columns:
            columns.append(self.column(own))
        return [list(row) for row in zip(*columns, strict=True)]

    def number(self, text: str, name: str, i: int) -> float:
        """Return the number of a text of row ``i``, NaN where nothing stands; ``name`` is for messages."""
        try:
            return number(text)
        except ValueError as error:
            raise DataError(f"{self.place}:{self.lines[i]} {name}: {error}") from error
