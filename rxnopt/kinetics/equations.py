"""Reaction equations such as ``A + 2 B -> C``."""

from __future__ import annotations

import re

_TERM = re.compile(r"(?:(\d+\.?\d*|\.\d+)\s*)?([A-Za-z][A-Za-z0-9_]*)")

Side = dict[str, float]


def parse_equation(text: str) -> tuple[Side, Side]:
    """Return stoichiometric coefficients of both sides; raise ValueError in one sentence."""
    if text.count("->") != 1 or "<" in text:
        raise ValueError(f"equation {text!r} needs one '->'; write a reversible step as two steps")
    left, right = (_side(part, text) for part in text.split("->"))
    if not left:
        raise ValueError(f"equation {text!r} has nothing on its left side")
    return left, right


def _side(part: str, text: str) -> Side:
    found: Side = {}
    if part.strip() in ("", "0"):
        return found
    for term in part.split("+"):
        match = _TERM.fullmatch(term.strip())
        if match is None:
            raise ValueError(f"equation {text!r}: {term.strip()!r} is no species; write it like 'A' or '2 B'")
        if not 0.0 < float(match[1] or 1) <= 1000.0:
            raise ValueError(f"equation {text!r}: the coefficient {match[1]} must lie between 0 and 1000")
        found[match[2]] = found.get(match[2], 0.0) + float(match[1] or 1)
    return found
