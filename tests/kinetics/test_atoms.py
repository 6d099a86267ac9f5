"""Sum formulas and balances of steps."""

from __future__ import annotations

import pytest

from rxnopt.kinetics.atoms import atoms, imbalance
from rxnopt.kinetics.equations import parse_equation


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("H2O", {"H": 2, "O": 1}),
        ("C6H3F2NO2", {"C": 6, "H": 3, "F": 2, "N": 1, "O": 2}),
        ("Ca(OH)2", {"Ca": 1, "O": 2, "H": 2}),
        ("Fe4(Fe(CN)6)3", {"Fe": 7, "C": 18, "N": 18}),
        ("CH3COOH", {"C": 2, "H": 4, "O": 2}),
        ("Co", {"Co": 1}),
        ("CO", {"C": 1, "O": 1}),
    ],
)
def test_counts(text, counts):
    assert atoms(text) == counts


@pytest.mark.parametrize("text", ["", "h2o", "H2o", "H-O", "(H", "H)", "2H", "(2H)", "H2O ", "H99999", "Xx"])
def test_what_is_no_formula(text):
    with pytest.raises(ValueError, match="formula"):
        atoms(text)


def test_balance():
    formulas = {name: atoms(text) for name, text in {"A": "C2H6", "B": "CH3", "C": "O2", "D": "H2O"}.items()}
    assert imbalance(*parse_equation("A -> 2 B"), formulas) == ""
    assert imbalance(*parse_equation("0.1 A + 0.2 A -> 0.6 B"), formulas) == ""  # to rounding
    assert imbalance(*parse_equation("A -> B"), formulas) == "2 C go in and 1 come out"
    assert imbalance(*parse_equation("A + 0.5 C -> 2 B + D"), formulas) == "6 H go in and 8 come out"
    assert imbalance(*parse_equation("A -> E"), formulas) == ""  # nothing is known about E
