"""Own data: constants of a card fitted to measured experiments."""

from rxnopt.fitting.fit import fit
from rxnopt.fitting.result import Estimate, Fit

__all__ = ["Estimate", "Fit", "fit"]
