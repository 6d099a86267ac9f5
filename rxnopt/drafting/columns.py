"""What the columns of a table of results are: conditions, results or neither, by their names and values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rxnopt.errors import SheetError
from rxnopt.sheet import ABOVE, BELOW, SHARES, Sheet, is_number

_RESULTS = re.compile(
    rf"{SHARES}|yld|impurit|titre|cost|turnover|(?:^|_)(?:ton|tof|ee|sty|area|peak|activity)(?:_|$)"
    r"|e_?factor|space_time|degradation|productivity|waste|loss|byproduct|by_product",
    re.IGNORECASE,
)
_SMALL = re.compile(r"impurit|cost|e_?factor|degradation|waste|loss|by_?product|difference|error", re.IGNORECASE)
_SHARES = re.compile(rf"{SHARES}|yld|impurit", re.IGNORECASE)
_COUNTERS = re.compile(
    r"(?:^|_)(?:id|no|nr|run|experiment|entry|row|well|date|comment|note|notes)(?:_|$)", re.IGNORECASE
)
_NAMES = re.compile(r"(?:^|_)(?:name|number|index)(?:_|$)", re.IGNORECASE)
_SUFFIXES = {
    "degc": "degC", "c": "degC", "k": "K", "s": "s", "sec": "s", "min": "min", "h": "h", "hours": "h", "m": "mol/L",
    "mm": "mmol/L", "pct": "%", "percent": "%", "ml": "mL", "equiv": "1", "eq": "1", "bar": "bar",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column. ``unit`` as the card needs it; ``guessed``: the header gives none."""

    sheet: Sheet
    header: str
    name: str

    @cached_property
    def numeric(self) -> bool:
        """Whether all cells are numbers or empty, at least one of them a number."""
        return self._numbers == 1.0

    @cached_property
    def _numbers(self) -> float:
        """Share of numbers among the cells that are not empty."""
        cells = [text for text in self.texts if text]
        return sum(is_number(text) for text in cells) / max(len(cells), 1)

    @cached_property
    def texts(self) -> list[str]:
        """The cells."""
        return self.sheet.texts(self.header)

    @cached_property
    def levels(self) -> list[str]:
        """Different cells in the order of their first row."""
        return list(dict.fromkeys(self.texts))

    @cached_property
    def unit(self) -> str:
        """The unit: of the header, else guessed. C, which is coulomb, is refused for a temperature (:attr:`values`)."""
        own = self.sheet.unit(self.header)
        return "degC" if own == "C" and self._temperature else own or self.guess

    @property
    def _temperature(self) -> bool:
        return "temp" in self.name.lower()

    @cached_property
    def guess(self) -> str:
        """A unit guessed from the name: of its last part, of temperatures and shares; else "1"."""
        last = self.name.lower().rsplit("_", 1)[-1]
        if "_" in self.name and last in _SUFFIXES:
            return _SUFFIXES[last]
        if self._temperature:
            return "K" if np.nanmin(self._plain) > 200 else "degC"
        if _SHARES.search(self.name):
            return "%" if np.nanmax(self._plain) > 1.0 else "1"
        return "1"

    @cached_property
    def _plain(self) -> NDArray[np.float64]:
        return self.sheet.numbers(self.header)

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """The numbers in :attr:`unit`; raises :class:`SheetError` for what cannot be meant."""
        return self.sheet.numbers(self.header, self.unit)

    @property
    def share(self) -> bool:
        """Whether it lies between 0 and 1 or 100 %, by its name and, but for errors of measurement, its values."""
        if not _SHARES.search(self.name) or self.unit not in ("%", "1"):
            return False
        values = self.values / (100.0 if self.unit == "%" else 1.0)
        return bool(BELOW <= np.nanmin(values) and np.nanmax(values) <= ABOVE)

    @property
    def small(self) -> bool:
        """Whether little of it is good, by its name."""
        return bool(_SMALL.search(self.name))

    @property
    def result(self) -> bool:
        """Whether it is a result by its name; a text among its numbers is then told (:attr:`values`)."""
        return self._numbers > 0.5 and bool(_RESULTS.search(self.name))

    def check(self) -> None:
        """Refuse a text in a column that is meant as numbers: its header gives a unit, or three of four cells are."""
        if self.numeric or self.result or _COUNTERS.search(self.name):
            return
        if self._numbers >= 0.75 or (self._numbers > 0 and self.sheet.unit(self.header) is not None):
            i = next(i for i, text in enumerate(self.texts) if text and not is_number(text))
            self.sheet.fail(
                i, self.header,
                f"{self.texts[i]!r} is not a number as the other cells are; mend it, or, where all of them are names, "
                "give each a letter and the header no unit",
            )  # fmt: skip

    @property
    def remark(self) -> str:
        """Why it is no condition; "" where it may be one."""
        if len(self.levels) == 1:
            return "the same in all rows"
        differs = len(self.levels) == len(self.texts)
        if _COUNTERS.search(self.name) or (differs and _NAMES.search(self.name)):
            return "a number or a remark"
        if not self.numeric and differs:
            return "another text in each row"
        return ""


def columns(sheet: Sheet) -> list[Column]:
    """Return the columns of a table with names that a card can have."""
    found: list[Column] = []
    for header in sheet.names:
        name = identifier(header)
        if name in {column.name for column in found}:
            raise SheetError(f"{sheet.file}:1: two columns would be called {name!r} in a card; rename one of them")
        found.append(Column(sheet, header, name))
        found[-1].check()
    return found


def identifier(text: str) -> str:
    """Return a name that formulas can use: letters, digits and '_', a letter first."""
    name = re.sub(r"\W+", "_", text.strip(), flags=re.ASCII).strip("_") or "column"
    name = {"t": "time", "T": "temperature", "V": "volume"}.get(name, name)
    return (name if name[0].isalpha() else f"x_{name}")[:50]


def complete(levels: Sequence[int], found: int) -> bool:
    """Return whether so many different conditions are a grid: all combinations, but for one in ten at most."""
    return found >= 0.9 * float(np.prod(levels))
