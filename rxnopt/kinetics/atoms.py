"""Atoms of the species: what goes into a step must come out of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from rxnopt.kinetics.equations import Side

ELEMENTS = frozenset(
    re.findall(
        "[A-Z][a-z]?",
        "HHeLiBeBCNOFNeNaMgAlSiPSClArKCaScTiVCrMnFeCoNiCuZnGaGeAsSeBrKrRb"
        "SrYZrNbMoTcRuRhPdAgCdInSnSbTeIXeCsBaLaCePrNdPmSmEuGdTbDyHoErTmYbLu"
        "HfTaWReOsIrPtAuHgTlPbBiPoAtRnFrRaAcThPaUNpPuAmCmBkCfEsFmMdNoLrRfDb"
        "SgBhHsMtDsRgCnNhFlMcLvTsOg",
    )
)
_PART = re.compile(r"(?:([A-Z][a-z]?)|(\()|(\)))(\d{0,4})")
ROUNDING = 1e-9
"""Relative difference of two sums of atoms that fractions of coefficients may leave."""


def atoms(text: str) -> dict[str, int]:
    """Return the atoms of a formula such as ``C6H3F2NO2`` or ``Ca(OH)2``; raise ValueError in one sentence."""
    stack: list[Counter[str]] = [Counter()]
    place = 0
    while place < len(text):
        part = _PART.match(text, place)
        if part is None or (part[2] and part[4]) or (part[3] and len(stack) == 1):
            break
        place, count = part.end(), int(part[4] or 1)
        if part[1]:
            if part[1] not in ELEMENTS:
                raise ValueError(f"formula {text!r} has {part[1]!r}, which is no element")
            stack[-1][part[1]] += count
        elif part[2]:
            stack.append(Counter())
        else:
            inner = stack.pop()
            stack[-1].update({element: count * number for element, number in inner.items()})
    if not text or place < len(text) or len(stack) > 1:
        raise ValueError(f"{text!r} is no sum formula; write it like 'C6H3F2NO2' or 'Ca(OH)2'")
    return stack[0]


def imbalance(left: Side, right: Side, formulas: Mapping[str, Mapping[str, int]]) -> str:
    """Say in which element the sides of an equation differ; ``""`` if they agree or a species has no formula."""
    if not formulas.keys() >= left.keys() | right.keys():
        return ""
    elements = dict.fromkeys(element for name in (*left, *right) for element in formulas[name])
    for element in elements:
        before, after = (
            sum(coefficient * formulas[name].get(element, 0) for name, coefficient in side.items())
            for side in (left, right)
        )
        if abs(before - after) > ROUNDING * max(before, after):
            return f"{before:g} {element} go in and {after:g} come out"
    return ""
