"""What the definition of a SiLA 2 feature says of the names, the units and the limits of a lab file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rxnopt.cards.adapters import Sila
from rxnopt.errors import LabError, did_you_mean
from rxnopt.lab.adapters.calls import extra
from rxnopt.lab.interface import Range
from rxnopt.units import BASES, unit

with extra("sila", "the adapter 'sila'"):
    from sila.framework import (
        Constrained,
        Custom,
        MaximalExclusive,
        MaximalInclusive,
        MinimalExclusive,
        MinimalInclusive,
        Set,
        Unit,
    )  # fmt: skip

ROUNDING = 1e-6
"""By how much the factor and the offset of a unit may differ from ours, as a share."""


def declared(feature: Any, given: Sila, units: Mapping[str, str]) -> dict[str, Range]:
    """Return what the feature declares of each parameter; ``units`` are those of the lab file, by name.

    Raises :class:`LabError` where a command has not the parameters and responses of the lab file, or has another unit.
    """
    for command in (given.start, given.result, given.lookup):
        if command is not None:
            _constraints(feature, given, command, "parameters", given.run_id, "run_id")
    _constraints(feature, given, given.result, "responses", given.result_run_id, "result_run_id")
    ranges = {}
    for name, own in given.parameters.items():
        found = _constraints(feature, given, given.start, "parameters", own, f"parameters.{name}")
        _check_unit(found, given, units.get(name), own, f"parameters.{name}")
        ranges[name] = _range(found, units.get(name))
    for field in ("outputs", "achieved"):
        for name, own in getattr(given, field).items():
            found = _constraints(feature, given, given.result, "responses", own, f"{field}.{name}")
            _check_unit(found, given, units.get(name), own, f"{field}.{name}")
    return ranges


def _constraints(feature: Any, given: Sila, command: str, kind: str, own: str, field: str) -> list[Any]:
    """Return the constraints of a parameter or a response of a command."""
    known = getattr(getattr(feature, command), kind, {})
    if own not in known:
        hint = did_you_mean(own, known) or "; correct the lab file"
        what = kind.removesuffix("s")
        raise LabError(f"{given.address}: {command} has no {what} {own!r} (adapter.{field}){hint}")
    found: list[Any] = []
    datatype = known[own].data_type
    while issubclass(datatype, Constrained | Custom):
        found += getattr(datatype, "constraints", ())
        datatype = datatype.data_type
    return found


def _check_unit(constraints: list[Any], given: Sila, text: str | None, own: str, field: str) -> None:
    for its in constraints:
        if isinstance(its, Unit) and text is not None and not _same(its, text):
            raise LabError(
                f"{given.address}: {own} (adapter.{field}) is in {its.label!r} on the device and in {text!r} in the "
                "lab file; correct the lab file"
            )


def _same(its: Unit[Any], text: str) -> bool:
    """Return whether a unit of a feature (SI = value * factor + offset) is ours."""
    powers = {BASES[part.unit]: part.exponent for part in its.components if part.unit in BASES}
    mine = unit(text)
    return (
        powers == dict(mine.dimension)
        and math.isclose(float(its.factor), mine.factor, rel_tol=ROUNDING)
        and math.isclose(float(its.offset), mine.offset, rel_tol=ROUNDING, abs_tol=1e-12)
    )


def _range(constraints: list[Any], text: str | None) -> Range:
    if text is None:
        levels = [str(level.value) for each in constraints if isinstance(each, Set) for level in each.values]
        return Range(levels=tuple(levels))
    low = [float(each.value.value) for each in constraints if isinstance(each, MinimalInclusive | MinimalExclusive)]
    high = [float(each.value.value) for each in constraints if isinstance(each, MaximalInclusive | MaximalExclusive)]
    return Range(text, max(low, default=-math.inf), min(high, default=math.inf))


__all__ = ["declared"]
