"""Comparisons: agents x reactions x seeds, a table, scores and a report."""

from rxnopt.experiments.report import report
from rxnopt.experiments.runner import Results, compare

__all__ = ["Results", "compare", "report"]
