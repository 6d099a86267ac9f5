"""A card drafted from a table of results: a grid becomes a table, scattered experiments an emulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rxnopt.cards import ReactionCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import dump, parse
from rxnopt.drafting.columns import Column, columns, complete
from rxnopt.errors import SheetError, did_you_mean
from rxnopt.regression.learned import FEWEST
from rxnopt.sheet import Sheet, check_replicates, read_sheet

SMOOTH = 300
"""Experiments up to which a Gaussian process is the learner, where most parameters are numbers."""

Ask = Callable[[Sequence[str]], tuple[str, str]]
"""Given the columns that may be meant, return "maximize" or "minimize" and one of them."""


@dataclass(frozen=True)
class Draft:
    """A card as YAML, and in words what was taken as what."""

    text: str
    kind: str
    told: tuple[str, ...]


def draft(path: Path, goal: tuple[str, str] | None, ask: Ask, name: str | None = None) -> Draft:
    """Draft a card from a CSV of experiments, which is only read.

    ``goal``: "maximize" or "minimize", and the column; None for the only one that looks like a result, else ``ask``.
    Raises :class:`rxnopt.errors.RxnoptError` in one sentence.
    """
    sheet = read_sheet(path)
    found = columns(sheet)
    direction, objective = _objective(found, goal, ask)
    results = [objective, *(c for c in found if c.result and c is not objective and not c.remark)]
    conditions = [c for c in found if c not in results and not c.remark]
    left = [f"{c.header!r} is not used: {c.remark}" for c in found if c not in results and c.remark]
    if not conditions:
        raise SheetError(
            f"{sheet.file}: no column is a condition; beside {objective.header!r} there must be one that varies"
        )
    X = _encoded(conditions)
    for result in results:
        check_replicates(sheet, result.header, X, result.values)
    table = _is_grid(conditions, X)
    if not table:
        _check_enough(sheet, X)
    title = (name or path.stem).replace("_", " ")
    identity = "".join(part.capitalize() for part in title.split())
    data: dict[str, Any] = {
        "name": _name(name or path.stem), "id": f"{_camel(identity)}-v0", "title": f"{title}, from {path.name}",
        "source": {"note": f"Drafted by rxnopt new from-csv from {len(sheet)} rows; look it over."},
        "parameters": {c.name: (_levels(c) if table or not c.numeric else _range(c)) for c in conditions},
        "data": {"results": {"path": path.name, "sha256": sheet.digest, "what": "own experiments"}},
        "model": (_table if table else _emulator)(conditions, results, X),
        "outputs": _outputs(results, emulator=not table),
        "objective": {direction: objective.name},
    } | (_noise(results, X) if table else {})  # fmt: skip
    text = dump(data)
    validate(parse(text, f"{data['name']}.yaml"), ReactionCard)
    told = [_told(c, data["parameters"][c.name]) for c in conditions]
    told += [f"{c.name}: a result{'' if c.unit == '1' else f' in {c.unit}'}{_guess(c)}" for c in results]
    return Draft(text, "table" if table else "emulator", (*told, *left))


def _objective(found: list[Column], goal: tuple[str, str] | None, ask: Ask) -> tuple[str, Column]:
    if goal is None:
        likely = [c for c in found if c.result]
        if len(likely) == 1:
            return "minimize" if likely[0].small else "maximize", likely[0]
        possible = likely or [c for c in found if c.numeric and not c.remark]
        if not possible:
            raise SheetError(f"{found[0].sheet.file}: no column has numbers that vary; add one with results")
        goal = ask([c.header for c in possible])
    direction, wanted = goal
    for column in found:
        if wanted in (column.header, column.name):
            _ = column.values  # text, decimal commas and yields of 110 % are told here
            return direction, column
    known = [c.header for c in found]
    hint = did_you_mean(wanted, known) or f"; columns are {', '.join(known)}"
    raise SheetError(f"{found[0].sheet.file}:1: there is no column {wanted!r}{hint}")


def _encoded(conditions: list[Column]) -> Any:
    """Return the conditions (n, d), levels by their place; refuse empty cells."""
    for column in conditions:
        column.sheet.filled(column.header)
    parts = [c.values if c.numeric else [c.levels.index(text) for text in c.texts] for c in conditions]
    return np.array(parts, float).T


def _is_grid(conditions: list[Column], X: Any) -> bool:
    """Return whether all combinations were measured, which for one column of numbers, a curve, says nothing."""
    if len(conditions) == 1 and conditions[0].numeric and len(np.unique(X)) >= FEWEST:
        return False
    counts = [len(np.unique(column)) for column in X.T]
    numbers = zip(conditions, counts, strict=True)
    same = all(len(c.levels) == count for c, count in numbers)  # 60 and 60.0 are one number
    return same and min(counts) > 1 and complete(counts, len(np.unique(X, axis=0)))


def _check_enough(sheet: Sheet, X: Any) -> None:
    count = len(np.unique(X, axis=0))
    if count < FEWEST:
        raise SheetError(
            f"{sheet.file}: {count} different conditions, not all combinations of some levels, are too few to learn "
            f"from; give {FEWEST} or more"
        )


def _noise(results: list[Column], X: Any) -> dict[str, Any]:
    """Return the error of measurement that repeats show, pooled; empty without repeats."""
    which = np.unique(X, axis=0, return_inverse=True)[1].ravel()
    found = {}
    for c in results:
        there = np.isfinite(c.values)
        groups, y = which[there], c.values[there]
        times = np.bincount(groups)
        free = len(y) - np.count_nonzero(times)
        means = np.bincount(groups, y) / np.maximum(times, 1)
        if free > 0 and (sd := float(np.sqrt(np.sum((y - means[groups]) ** 2) / free))) > 0:
            found[c.name] = {"sd": float(f"{sd:.3g}")}
    return {"noise": found} if found else {}


def _name(stem: str) -> str:
    text = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in stem.lower()).strip("_")
    return (text if text[:1].isalpha() else f"own_{text}")[:60]


def _camel(text: str) -> str:
    kept = "".join(letter for letter in text if letter.isalnum() and letter.isascii())
    return (kept if kept[:1].isalpha() else f"Own{kept}")[:40].replace(kept[:1], kept[:1].upper(), 1)


def _levels(column: Column) -> dict[str, Any]:
    """Return a categorical parameter; levels that are numbers carry them as a property."""
    if not column.numeric:
        return {"levels": column.levels}
    unit = "" if column.unit == "1" else f" {column.unit}"
    values = sorted(zip(column.values.tolist(), column.texts, strict=True))
    return {"levels": {text: {"value": f"{value:.10g}{unit}"} for value, text in values}}


def _range(column: Column) -> dict[str, Any]:
    low, high = float(column.values.min()), float(column.values.max())
    return {"low": low, "high": high} | ({} if column.unit == "1" else {"unit": column.unit})


def _header(column: Column) -> str:
    """Return the name of the column as it stands in the file."""
    own = column.sheet
    return own.header[own.names.index(column.header)]


def _table(conditions: list[Column], results: list[Column], X: Any) -> dict[str, Any]:
    repeats = {"repeats": "mean"} if len(np.unique(X, axis=0)) < len(X) else {}
    return {
        "kind": "table", "files": ["results"], "columns": {c.name: _header(c) for c in conditions},
        "measured": _measured(results),
    } | repeats  # fmt: skip


def _emulator(conditions: list[Column], results: list[Column], X: Any) -> dict[str, Any]:
    smooth = len(X) <= SMOOTH and 2 * sum(c.numeric for c in conditions) >= len(conditions)
    return {
        "kind": "emulator", "files": ["results"],
        "columns": {
            c.name: {"column": _header(c)} | ({} if not c.numeric or c.unit == "1" else {"unit": c.unit})
            for c in conditions
        },
        "measured": _measured(results), "learner": "gaussian-process" if smooth else "extra-trees",
    }  # fmt: skip


def _measured(results: list[Column]) -> dict[str, Any]:
    return {f"{c.name}_found": {"column": _header(c), "unit": c.unit} for c in results}


def _outputs(results: list[Column], *, emulator: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for c in results:
        formula = f"max(0, min(1, {c.name}_found))" if c.share else f"{c.name}_found"
        found[c.name] = {"formula": formula, "unit": c.unit}
    if emulator:
        first = results[0]
        found[f"{first.name}_error"] = {"formula": f"{first.name}_found_sd", "unit": first.unit}
        found["outside_data"] = {"formula": "outside", "description": "1: no experiments lie around the conditions"}
    return found


def _told(column: Column, parameter: dict[str, Any]) -> str:
    if "levels" in parameter:
        return f"{column.name}: a choice of {len(parameter['levels'])} levels"
    unit = "" if column.unit == "1" else f" {column.unit}"
    return f"{column.name}: from {parameter['low']:g} to {parameter['high']:g}{unit}{_guess(column)}"


def _guess(column: Column) -> str:
    return " (the unit is guessed)" if column.sheet.unit(column.header) is None and column.unit != "1" else ""


__all__ = ["Draft", "draft"]
