"""Units, only at the border: numbers with units come in, SI base units go on.

pint does the work; this module adds money as a dimension and errors in one sentence.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from rxnopt.errors import UnitError

if TYPE_CHECKING:
    from pint import UnitRegistry

_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S.*)?$")

_TERM = r"(?:1|%|[A-Za-zµμ°]+\d?)(?: ?(?:\^|\*\*) ?-?\d{1,2}(?:\.\d{1,3})?)?"
_UNIT = re.compile(rf"{_TERM}(?: ?[*/ ] ?{_TERM})*")

MAX_LENGTH = 100

BASES = {
    "Meter": "[length]", "Kilogram": "[mass]", "Second": "[time]", "Ampere": "[current]", "Kelvin": "[temperature]",
    "Mole": "[substance]", "Candela": "[luminosity]",
}  # fmt: skip
"""Base units of SI, as standards name them, and their dimensions."""

Dimension = Any
"""pint's ``UnitsContainer``: exponents of the base dimensions; supports ``*``, ``/``, ``**`` and ``==``."""


@dataclass(frozen=True)
class Unit:
    """A unit and its affine way to SI: ``si = value * factor + offset``."""

    text: str
    factor: float
    offset: float
    dimension: Dimension

    def to_si(self, value: Any) -> Any:
        """Convert a number or an array from this unit to SI."""
        return value * self.factor + self.offset

    def from_si(self, value: Any) -> Any:
        """Convert a number or an array from SI to this unit."""
        return (value - self.offset) / self.factor


@dataclass(frozen=True)
class Quantity:
    """A number that came with a unit, kept in SI."""

    si: float
    unit: Unit
    text: str

    @property
    def dimension(self) -> Dimension:
        """Dimension of the unit."""
        return self.unit.dimension


_COMMON = """
    kilo- = 1e3 = k-
    deci- = 1e-1 = d-
    centi- = 1e-2 = c-
    milli- = 1e-3 = m-
    micro- = 1e-6 = µ- = μ- = u-
    nano- = 1e-9 = n-
    meter = [length] = m = metre
    second = [time] = s = sec
    gram = [mass] = g
    mole = [substance] = mol
    kelvin = [temperature]; offset: 0 = K = degK = °K = degree_Kelvin = degreeK
    candela = [luminosity] = cd = candle
    minute = 60 * second = min
    hour = 60 * minute = h = hr
    day = 24 * hour = d
    liter = decimeter ** 3 = l = L = ℓ = litre
    newton = kilogram * meter / second ** 2 = N
    pascal = newton / meter ** 2 = Pa
    bar = 1e5 * pascal
    joule = newton * meter = J
    watt = joule / second = W
    calorie = 4.184 * joule = cal = thermochemical_calorie = cal_th
    molar = mole / liter = M
    percent = 0.01 = %
    degree_Celsius = kelvin; offset: 273.15 = °C = celsius = degC = degreeC
    @system mks
        meter
        kilogram
        second
    @end
"""
"""What most cards need, in pint's language: read in 5 ms, where all of pint's units take 130."""


def _registry_of(definitions: list[str] | None) -> UnitRegistry[Any]:
    import pint

    options: Any = {"autoconvert_offset_to_baseunit": True, "system": "mks"}
    registry: UnitRegistry[Any] = pint.UnitRegistry(definitions or "", **options)
    registry.define("USD = [currency]")
    registry.define("EUR = [currency_eur]")
    return registry


@cache
def _common_units() -> UnitRegistry[Any]:
    return _registry_of(_COMMON.strip().splitlines())


@cache
def _all_units() -> UnitRegistry[Any]:
    return _registry_of(None)


def dimensionless() -> Dimension:
    """Return the dimension of a plain number."""
    return unit("1").dimension


@cache
def unit(text: str) -> Unit:
    """Return the unit written as ``text`` (``"1"`` is a plain number, ``"%"`` a hundredth)."""
    if len(text) > MAX_LENGTH:
        raise UnitError(f"unit {text[:40]!r}... is longer than {MAX_LENGTH} characters; write it shorter")
    hint = "write it like 'L/mol/s', 'kg/m^3', 'degC', '%' or '1'"
    if _UNIT.fullmatch(_one_line(text)) is None:
        raise UnitError(f"unit {text!r} is not a product of units and small powers; {hint}")
    try:
        registry, parsed = _parsed(_pint_spelling(text))
        zero = registry.Quantity(0.0, parsed).to_base_units()
        one = registry.Quantity(1.0, parsed).to_base_units()
        two = registry.Quantity(2.0, parsed).to_base_units()
    except Exception as error:
        raise UnitError(f"unit {text!r} is not known; {hint}") from error
    offset, factor = float(zero.magnitude), float(one.magnitude - zero.magnitude)
    if not math.isclose(float(two.magnitude), offset + 2.0 * factor, rel_tol=1e-9):
        raise UnitError(f"unit {text!r} is logarithmic; give plain values, such as W instead of dBm")
    if not 1e-100 < factor < 1e100:
        raise UnitError(f"unit {text!r} is beyond 1e100 or 1e-100 in SI; write it with other prefixes")
    return Unit(text, factor, offset, registry.get_dimensionality(parsed))


def _parsed(text: str) -> tuple[UnitRegistry[Any], Any]:
    import pint

    try:
        return _common_units(), _common_units().parse_units(text)
    except pint.UndefinedUnitError:
        return _all_units(), _all_units().parse_units(text)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _pint_spelling(text: str) -> str:
    return {"1": "", "%": "percent"}.get(text.strip(), text.replace("%", " percent "))


def quantity(text: str | float) -> Quantity | None:
    """Read ``"57.9e-2 L/mol/s"`` or ``0.5``; ``None`` when the text is not a number with an optional unit."""
    text = str(text)
    match = _QUANTITY.match(text) if len(text) <= 2 * MAX_LENGTH else None
    if match is None or (match[2] and _UNIT.fullmatch(_one_line(match[2])) is None):
        return None
    own = unit(match[2] or "1")
    si = own.to_si(float(match[1]))
    if abs(si) > 1e300:
        raise UnitError(f"{text!r} is beyond 1e300 in SI; give a smaller number")
    return Quantity(si, own, text)


def same_dimension(a: Dimension, b: Dimension) -> bool:
    """Return whether two dimensions agree (exponents may carry rounding from fractional powers)."""
    return all(abs(a[key] - b[key]) < 1e-9 for key in {*a, *b})


def describe(dimension: Dimension) -> str:
    """Return a dimension as words a chemist reads, such as ``L/mol/s`` or ``length ** 2``."""
    if same_dimension(dimension, dimensionless()):
        return "1 (a plain number)"
    known = familiar(dimension)
    return str(dimension).replace("[", "").replace("]", "") if known is None else known.text


def familiar(dimension: Dimension) -> Unit | None:
    """Return a unit of a dimension that a chemist reads, without an offset; ``None`` where there is none."""
    units = (unit(text) for text in ("1", *_FAMILIAR))
    return next((known for known in units if same_dimension(known.dimension, dimension)), None)


_FAMILIAR = (
    "s", "K", "mol/L", "mol/L/s", "1/s", "L/mol/s", "L^2/mol^2/s", "mol", "L", "L/s", "J/mol", "J", "W",
    "kg", "kg/s", "kg/L", "g/mol", "K/s", "mol/s", "kg/L/s", "USD/s", "USD/kg", "m", "m^2", "J/mol/K",
    "J/L", "J/L/s", "J/K", "W/K", "J/kg/K", "W/m^2/K", "m/s", "L/mol", "mol/K", "1/K", "USD/mol", "USD",
)  # fmt: skip
