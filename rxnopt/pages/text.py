"""Words, numbers and tables of a page, in Markdown as GitHub draws it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rxnopt.units import quantity

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SIGNS = str.maketrans("-", "−")


def number(value: float, digits: int = 4) -> str:
    """Write a number with at most so many significant digits; far from one with a power of ten."""
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    power = int(exponent)
    if -4 <= power < 6:
        return _short(f"{float(f'{mantissa}e{power}'):.{max(0, digits - 1 - power)}f}")
    return f"{_short(mantissa)} × 10{exponent_text(power)}".removeprefix("1 × ")


def _short(text: str) -> str:
    return (text.rstrip("0").rstrip(".") if "." in text else text).translate(_SIGNS)


def rounded(value: float, scale: float, digits: int = 4) -> str:
    """Write a number that was computed; what is nothing beside ``scale`` is 0 on every machine."""
    return number(0.0 if abs(value) < 1e-9 * abs(scale) else value, digits)


def percent(share: float) -> str:
    """Write a share in per cent; two digits below ten."""
    return f"{number(100.0 * share, 2) if abs(share) < 0.0995 else f'{100.0 * share:.0f}'} %"


def whole_percent(share: float) -> str:
    """Write a share in whole per cent."""
    return "< 1 %" if 0.0 < share < 0.005 else f"{100.0 * share:.0f} %"


def unit(text: str) -> str:
    """Return a unit as it is printed, "" for plain numbers."""
    plain = "" if text == "1" else re.sub(r"\bu(?=(mol|g|L|m|s)\b)", "µ", text.replace("deg", "°"))
    return re.sub(r"\^(-?\d+)(?![\d.])", lambda match: exponent_text(int(match[1])), plain)


def with_unit(value: str, unit_text: str) -> str:
    """Return a number with its unit."""
    shown = unit(unit_text)
    return f"{value} {shown}" if shown else value


def expression(text: str) -> str:
    """Return a quantity of a card as it is printed, or a formula as code."""
    known = quantity(text)
    if known is None:
        return code(text)
    return with_unit(number(known.unit.from_si(known.si), 12), known.unit.text)


def code(text: str) -> str:
    """Return text as code, on one line."""
    return f"`{' '.join(text.split())}`"


def lowered(index: int) -> str:
    """Return a number as a subscript."""
    return str(index).translate(_LOWERED)


def raised(power: float) -> str:
    """Return an exponent as a superscript, "" for one."""
    return "" if power == 1.0 else exponent_text(power)


def exponent_text(power: float) -> str:
    """Return an exponent as a superscript."""
    return f"{power:.0f}".translate(_RAISED) if power == int(power) else f"<sup>{power:g}</sup>"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; columns without any entry are left out, "" without rows."""
    rows = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    kept = [j for j in range(len(columns)) if any(row[j] for row in rows)]
    if not kept:
        return ""
    lines = [[columns[j] for j in kept], ["---"] * len(kept), *([row[j] for j in kept] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def words(name: str) -> str:
    """Return the name of something in a card as words."""
    return name.replace("_", " ")


def prose(text: str) -> str:
    """Return words of a card on one line, with units as they are printed."""
    return " ".join(text.split()).replace("degC", "°C")


def sentence(text: str) -> str:
    """Return words of a card with one full stop at their end, "" as it is."""
    text = prose(text)
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
