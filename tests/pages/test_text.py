import pytest

from rxnopt.pages import text


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (0.0, 4, "0"), (-0.0, 4, "0"), (1.0, 4, "1"), (76.538811, 4, "76.54"), (-1260.3, 4, "−1260"),
        (99999.6, 4, "100000"), (999_999.6, 6, "10⁶"), (0.00012345, 4, "0.0001234"), (0.00001, 4, "10⁻⁵"),
        (1.287e12, 4, "1.287 × 10¹²"), (-2.5e-7, 4, "−2.5 × 10⁻⁷"), (30.0, 12, "30"), (33.300000000000004, 12, "33.3"),
        (9.96, 2, "10"), (100.0, 1, "100"),
    ],
)  # fmt: skip
def test_number(value, digits, shown):
    assert text.number(value, digits) == shown


@pytest.mark.parametrize(
    ("share", "exact", "whole"),
    [(0.0, "0 %", "0 %"), (0.00025, "0.025 %", "< 1 %"), (0.0994, "9.9 %", "10 %"), (0.0996, "10 %", "10 %"),
     (0.374, "37 %", "37 %"), (1.0, "100 %", "100 %")],
)  # fmt: skip
def test_percent(share, exact, whole):
    assert (text.percent(share), text.whole_percent(share)) == (exact, whole)


@pytest.mark.parametrize(
    ("given", "shown"),
    [("1", ""), ("%", "%"), ("degC", "°C"), ("kg/m^3", "kg/m³"), ("L^1.5/mol^1.5/s", "L^1.5/mol^1.5/s"),
     ("mol L^-1 s^-1", "mol L⁻¹ s⁻¹"), ("umol/m^2/s", "µmol/m²/s")],
)  # fmt: skip
def test_unit(given, shown):
    assert text.unit(given) == shown


def test_quantities_are_printed_and_formulas_quoted():
    assert text.expression("57.9e-2 L/mol/s") == "0.579 L/mol/s"
    assert text.expression("90 degC") == "90 °C"
    assert text.expression("1.287e12 1/h") == "1.287 × 10¹² 1/h"
    assert text.expression("2 *\n concentration") == "`2 * concentration`"


def test_what_is_nothing_beside_the_scale_is_zero_on_every_machine():
    assert text.rounded(-3.1e-17, 76.0) == "0"
    assert text.rounded(1e-6, 76.0) == "10⁻⁶"


def test_table_leaves_empty_columns_out_and_keeps_bars_apart():
    assert text.table(["a", "b", "c"], [["1", "", "x|y"], ["2", "", ""]]) == (
        "| a | c |\n| --- | --- |\n| 1 | x\\|y |\n| 2 |  |"
    )
    assert text.table(["a"], []) == ""
