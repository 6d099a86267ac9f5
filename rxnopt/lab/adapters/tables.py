"""Requests and results as CSV: a row for each position, a column for each quantity with its unit in brackets.

A request ``run_id, position, temperature [degC], yield [%]`` has empty columns for the outputs: fill them in, save the
file under ``results``, and it is a result. A further column ``failure`` may say machine or chemistry, and columns such
as ``temperature achieved [degC]`` what was really set.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rxnopt.lab.interface import Setting

_COLUMN = re.compile(r"(?P<name>[A-Za-z]\w*)(?P<achieved> achieved)?(?: \[(?P<unit>[^\]]+)\])?")
_WORDS = ("run_id", "position", "failure", "quality", "message")


def request(run_id: str, positions: Sequence[Setting], outputs: Mapping[str, str]) -> str:
    """Return the table of a request."""
    heads = {n: n if isinstance(v, str) else f"{n} [{v.unit}]" for n, v in positions[0].items()}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    empty = [f"{name} [{unit}]" for name, unit in outputs.items()]
    table.writerow(["run_id", "position", *heads.values(), *empty])
    for i, setting in enumerate(positions, 1):
        values = [v if isinstance(v, str) else repr(v.value) for v in (setting[name] for name in heads)]
        table.writerow([run_id, i, *values, *[""] * len(empty)])
    return text.getvalue()


def result(text: str, outputs: Collection[str]) -> dict[str, Any]:
    """Return what a table tells of the ``outputs`` of a rig; raise ValueError where it is not whole."""
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    if ";" in text.partition("\n")[0]:
        raise ValueError("its values are separated by semicolons; save it with commas, and points in numbers")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    if not rows or any(None in row or None in row.values() for row in rows):
        raise ValueError("a row has not as many values as the first line")
    ids = {row.get("run_id") for row in rows}
    if len(ids) != 1 or [row.get("position") for row in rows] != [str(i) for i in range(1, len(rows) + 1)]:
        raise ValueError("the columns run_id and position do not name one run and its positions in order")
    positions = [_position(row, outputs) for row in rows]
    complete = all(each["outputs"] or each.get("failure") for each in positions)
    return {"run_id": ids.pop(), "state": "done", "complete": complete, "positions": positions}


def _position(row: Mapping[str, str], outputs: Collection[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"outputs": {}, "achieved": {}}
    for column, value in row.items():
        match = _COLUMN.fullmatch(column.strip())
        if column in _WORDS:
            found |= {column: value} if value and column not in ("run_id", "position") else {}
        elif match is not None and value.strip():
            number = {"value": float(value), "unit": match["unit"]} if match["unit"] else value
            kind = "achieved" if match["achieved"] else "outputs" if match["name"] in outputs else "asked"
            found.setdefault(kind, {})[match["name"]] = number
    return found


__all__ = ["request", "result"]
