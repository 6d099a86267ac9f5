"""Regression on few experiments: trained with scikit-learn, kept as plain arrays, cross-validated, with a hull."""

from rxnopt.regression.hull import Hulls
from rxnopt.regression.learned import FOLDS, Learned, Settings, learn

__all__ = ["FOLDS", "Hulls", "Learned", "Settings", "learn"]
