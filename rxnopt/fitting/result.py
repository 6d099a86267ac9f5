"""What a fit says: estimates with errors and intervals, correlation, and what the data cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from rxnopt.cards import ReactionCard
from rxnopt.catalogue import Source
from rxnopt.fitting.constants import Fitted
from rxnopt.fitting.data import Measured
from rxnopt.fitting.profile import Profile
from rxnopt.fitting.solve import Solution
from rxnopt.space import Array

if TYPE_CHECKING:
    import pandas as pd

UNTOLD = 0.1
"""Singular value of the weighted Jacobian below which a direction of ``theta`` is not determined: its standard
deviation would be above 10, as wide as the bounds."""
SHARE = 0.05
"""Part in such a direction from which a constant is not determined."""


@dataclass(frozen=True)
class Estimate:
    """One constant. ``error``: standard error in the unit, of logarithms relative (0.1: 10 %).

    ``low`` and ``high``: t interval, symmetric on the scale of the fit; ``profile``: that by profile likelihood.
    """

    name: str
    label: str
    unit: str
    start: float
    value: float
    error: float
    relative: bool
    low: float
    high: float
    profile: tuple[float, float] | None


@dataclass(frozen=True)
class Fit:
    """Constants fitted to data. ``card``, ``source``: the card that they are those of; ``level`` of the intervals."""

    card: ReactionCard
    source: Source
    solution: Solution
    level: float
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def data(self) -> Measured:
        """What was measured."""
        return self.solution.problem.data

    @property
    def constants(self) -> Fitted:
        """What was fitted."""
        return self.solution.problem.constants

    @cached_property
    def jacobian(self) -> Array:
        """Derivatives (values, k) of the weighted residuals."""
        return self.solution.problem.jacobian(self.solution.theta)

    @cached_property
    def covariance(self) -> Array:
        """Covariance (k, k) of ``theta``; infinite variances of constants that the data do not determine."""
        _, values, directions = np.linalg.svd(self.jacobian, full_matrices=False)
        told = values > UNTOLD
        found = (directions[told].T / values[told] ** 2) @ directions[told]
        lost = (np.abs(directions[~told]) > SHARE).any(axis=0)
        found[lost] = found[:, lost] = 0.0
        found[lost, lost] = np.inf
        return np.asarray(found)

    @cached_property
    def errors(self) -> Array:
        """Standard errors (k,) of ``theta``."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @cached_property
    def quantile(self) -> float:
        """How many standard errors the interval reaches: of t where errors were estimated, else of the normal."""
        from scipy.stats import norm, t

        tail = 0.5 * (1.0 + self.level)
        return float(t.ppf(tail, self.solution.freedom) if self.solution.estimated else norm.ppf(tail))

    @cached_property
    def correlation(self) -> Array:
        """Correlation (k, k) of the estimates; NaN beside what is not determined."""
        lost = ~np.isfinite(self.errors)
        errors = np.where(lost, 1.0, self.errors)
        found = self.covariance / np.outer(errors, errors)
        found[lost] = found[:, lost] = np.nan
        return np.asarray(found)

    @cached_property
    def estimates(self) -> tuple[Estimate, ...]:
        """The constants in the order of the fit."""
        own, theta = self.constants, self.solution.theta
        reach = np.where(np.isfinite(self.errors), self.quantile * self.errors, np.inf)
        with np.errstate(over="ignore"):
            start, value = own.natural(np.zeros_like(theta)), own.natural(theta)
            low, high = own.natural(theta - reach), own.natural(theta + reach)
        found = []
        for i, (label, unit) in enumerate(own.labels):
            size = 1.0 if own.log[i] else own.size[i] / own.constants[i].unit.factor
            ends = float(min(low[i], high[i])), float(max(low[i], high[i]))
            profile = self.profiles.get(own.names[i])
            found.append(
                Estimate(
                    own.names[i], label, unit, float(start[i]), float(value[i]), float(self.errors[i] * size),
                    bool(own.log[i]), *ends, None if profile is None else profile.interval,
                )
            )  # fmt: skip
        return tuple(found)

    @cached_property
    def predicted(self) -> Array:
        """What the fitted model says (n, m) of the experiments."""
        return np.asarray(self.solution.problem.model(self.solution.theta[None])[0])

    @cached_property
    def constant_rows(self) -> Array:
        """The fitted constants (k,) in the units of the card, rate constants as the card tells them."""
        return np.asarray(self.constants.rows(self.solution.theta[None])[0])

    def table(self) -> pd.DataFrame:
        """Return the estimates, a row per constant."""
        import pandas as pd

        rows = [
            {
                "constant": each.label, "unit": each.unit, "card": each.start, "estimate": each.value,
                "standard_error": each.error, "error_is": "relative" if each.relative else "absolute",
                "low": each.low, "high": each.high, "profile_low": each.profile[0] if each.profile else np.nan,
                "profile_high": each.profile[1] if each.profile else np.nan,
            }
            for each in self.estimates
        ]  # fmt: skip
        return pd.DataFrame(rows)

    def correlations(self) -> pd.DataFrame:
        """Return the correlation matrix with the names of the constants."""
        import pandas as pd

        names = [each.label for each in self.estimates]
        return pd.DataFrame(self.correlation, index=pd.Index(names, name="constant"), columns=names)


__all__ = ["Estimate", "Fit"]
