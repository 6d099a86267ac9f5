import math
import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rxnopt.errors import UnitError
from rxnopt.units import _COMMON, _all_units, _common_units, describe, dimensionless, quantity, same_dimension, unit

NUMBERS = st.floats(-1e12, 1e12, allow_nan=False)
KNOWN = [
    "1",
    "%",
    "s",
    "min",
    "h",
    "K",
    "degC",
    "degF",
    "°C",
    "mol/L",
    "mmol/L",
    "M",
    "µmol/L",
    "μmol/L",
    "L/mol/s",
    "1/s",
    "h^-1",
    "kJ/mol",
    "cal/mol/K",
    "L^1.5/mol^1.5/s",
    "kg/m^3",
    "USD/kg",
    "EUR/h",
    "%/min",
    "mol L^-1 s^-1",
    "kJ/kg/degC",
    "bar",
    "W",
]


@pytest.mark.parametrize(
    ("text", "value", "si"),
    [
        ("min", 2.0, 120.0),
        ("degC", 25.0, 298.15),
        ("degF", 212.0, 373.15),
        ("°C", -273.15, 0.0),
        ("%", 50.0, 0.5),
        ("1", 3.0, 3.0),
        ("mol/L", 0.5, 500.0),
        ("mmol/L", 2.0, 2.0),
        ("L/mol/s", 57.9e-2, 57.9e-5),
        ("L^1.5/mol^1.5/s", 1.0, 10**-4.5),
        ("kJ/mol", 33.3, 33300.0),
        ("cal/mol/K", 1.987, 1.987 * 4.184),
        ("degC/min", 60.0, 1.0),  # a rate has no offset
        ("kJ/kg/degC", 4.2, 4200.0),
        ("USD/kg", 2.0, 2.0),
        ("kJ/h", -1113.5, -1113500 / 3600),
    ],
)
def test_units_become_si_and_come_back(text, value, si):
    own = unit(text)
    assert own.to_si(value) == pytest.approx(si, rel=1e-12, abs=1e-12)  # pint multiplies prefixes in floats
    assert own.from_si(own.to_si(value)) == pytest.approx(value, rel=1e-12, abs=1e-10)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(KNOWN), NUMBERS)
def test_to_si_and_back_is_the_identity(text, value):
    own = unit(text)
    back = own.from_si(own.to_si(value))
    # an offset of 273.15 K costs digits of small values: a few units in the last place of 300
    assert back == pytest.approx(value, rel=1e-12, abs=1e-12 * max(1.0, abs(own.offset / own.factor)))


@pytest.mark.parametrize("text", ["USD", "EUR"])
def test_money_is_a_dimension_of_its_own(text):
    assert not same_dimension(unit(text).dimension, dimensionless())
    assert not same_dimension(unit("USD").dimension, unit("EUR").dimension)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("mol/LL", "is not known"),
        ("bananas", "is not known"),
        ("", "is not a product of units"),
        ("L/mol/s; import os", "is not a product of units"),
        ("2**9999999 m", "is not a product of units"),
        ("m**9999999", "is not a product of units"),
        ("m^99999", "is not a product of units"),
        ("(m/s)", "is not a product of units"),
        ("__import__", "is not a product of units"),
        ("Gm^30*Gm^30", ""),
        ("ym^30", "is beyond 1e100 or 1e-100"),
        ("dB", "is logarithmic"),
        ("dBm", "is logarithmic"),
        ("m/" * 60 + "m", "is longer than 100 characters"),
    ],
)
def test_what_is_no_unit_is_refused_in_one_sentence(text, problem):
    started = time.perf_counter()
    with pytest.raises(UnitError) as caught:
        unit(text)
    assert time.perf_counter() - started < 1.0
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=150) | st.text(alphabet="mLsK/*^ 123%-.°µ", max_size=30))
@example("1" * 5000 + "\nx\n")
@example("1e999 m")
@example("9" * 400)
def test_arbitrary_text_is_a_unit_a_quantity_or_a_unit_error(text):
    said, factor, si = "", 1.0, 0.0
    try:
        factor = unit(text).factor
    except UnitError as error:
        said = str(error)
    try:
        found = quantity(text)
        si = 0.0 if found is None else found.si
    except UnitError as error:
        said += str(error)
    assert "\n" not in said
    assert 0 < factor < math.inf
    assert math.isfinite(si)


@pytest.mark.parametrize(
    ("text", "si", "dimension"),
    [
        ("57.9e-2 L/mol/s", 57.9e-5, "L/mol/s"),
        ("90 degC", 363.15, "K"),
        ("-5 kJ/mol", -5000.0, "J/mol"),
        ("9758.3 K", 9758.3, "K"),
        ("  12.5 % ", 0.125, "1"),
        (".5", 0.5, "1"),
        (0.25, 0.25, "1"),
        (3, 3.0, "1"),
        ("1e-3 1/s", 1e-3, "1/s"),
    ],
)
def test_quantities(text, si, dimension):
    found = quantity(text)
    assert found is not None
    assert found.si == pytest.approx(si, rel=1e-12)
    assert same_dimension(found.dimension, unit(dimension).dimension)


@pytest.mark.parametrize(
    "text", ["", "kJ", "2 * x", "1 / dilution_rate", "30 degC - 5", "nan", "inf", "0x10", "1,5 m", "109-99-9"]
)
def test_what_does_not_look_like_a_quantity_is_left_to_others(text):
    assert quantity(text) is None


@pytest.mark.parametrize("text", ["3 bananas", "0.3 kJ/mool", "1e400 m"])
def test_what_looks_like_a_quantity_but_is_none_is_refused(text):
    with pytest.raises(UnitError):
        quantity(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("%", "1 (a plain number)"),
        ("L/mol/min", "L/mol/s"),
        ("kcal/mol", "J/mol"),
        ("USD/h", "USD/s"),
        ("m^4", "length ** 4"),
    ],
)
def test_dimensions_are_described_in_words_of_chemists(text, words):
    assert describe(unit(text).dimension) == words


def test_common_units_are_those_of_pint():
    """What the short list reads, with any prefix of it, pint's own list reads as the same to the last bit."""
    common, whole = _common_units(), _all_units()
    symbols = [part.strip() for line in _COMMON.splitlines() for part in line.split(";")[0].split("=")]
    names = [name for name in symbols if name.isidentifier() and name in common]
    prefixed = [prefix + name for prefix in ("k", "d", "c", "m", "µ", "u", "n", "kilo", "micro") for name in names]
    no_degrees = [text for text in prefixed if not re.search("deg|elsius", text)]  # pint gives prefixes to none
    texts = {text + plural for text in [*names, *no_degrees] for plural in ("", "s")} - {"mcd"}  # a microday for pint
    assert len(names) > 40
    for text in filter(common.__contains__, texts):
        own, other = (registry.Quantity(1.0, registry.parse_units(text)) for registry in (common, whole))
        assert own.to_base_units().magnitude == other.to_base_units().magnitude, text
        assert own.dimensionality == other.dimensionality, text


def test_units_beyond_the_common_ones():
    psi = 0.45359237 * 9.80665 / 0.0254**2  # pound, standard gravity and inch, all exact by definition
    assert unit("psi").factor == pytest.approx(psi, rel=1e-12)
    assert unit("psi").dimension == unit("bar").dimension
