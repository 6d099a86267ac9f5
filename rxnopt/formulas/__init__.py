"""The formula language of cards: arithmetic over names, and nothing else.

:func:`parse` reads the text with Python's own grammar and keeps only numbers, names, ``+ - * / **`` and the functions
of :data:`FUNCTIONS`; it never evaluates card text. A :class:`Formula` can tell its names, check its dimension and give
its value in sympy or over arrays. :func:`parse_condition` reads an inequality between two formulas.
"""

from rxnopt.formulas.formula import Condition, Formula
from rxnopt.formulas.language import FUNCTIONS
from rxnopt.formulas.reading import parse, parse_condition

__all__ = ["FUNCTIONS", "Condition", "Formula", "parse", "parse_condition"]
