"""The scale on which a Gaussian process sees an objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rxnopt.space import Array

LOWEST, RANGE = -2.0, 102.0
"""Yields in % where the warp is 0, and how far from there it is 1."""


class Scale(Protocol):
    """A way from an objective ``y`` (n,), larger is better, to what a process sees, and back."""

    def warp(self, y: Array) -> Array:
        """Return what a process sees of ``y`` (n,)."""
        ...

    def unwarp(self, mean: Array, sd: Array, share: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation (a,) of the objective where processes say ``mean`` and ``sd`` (m, a).

        ``share`` (m,): how much each process counts.
        """
        ...


class Percent:
    """The root of (yield + 2) / 102, with the sign of that: of yields in %, which are 0 to 100 in the tables.

    Yields near zero are told apart better than high ones.
    """

    def warp(self, y: Array) -> Array:
        """Return what a process sees of yields."""
        z = (y - LOWEST) / RANGE
        warped: Array = np.sign(z) * np.sqrt(np.abs(z))
        return warped

    def inverse(self, z: Array) -> Array:
        """Return the yields that a process sees as ``z``."""
        yields: Array = LOWEST + RANGE * np.sign(z) * z**2
        return yields

    def unwarp(self, mean: Array, sd: Array, share: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation of yields, those of the square of a normal value."""
        first = mean**2 + sd**2
        second = mean**4 + 6.0 * mean**2 * sd**2 + 3.0 * sd**4
        m = share @ first
        return LOWEST + RANGE * m, RANGE * np.sqrt(np.maximum(share @ second - m**2, 0.0))


@dataclass(frozen=True)
class Standardised:
    """Any other objective: its trials have the mean and the spread of those of the tables.

    ``middle`` and ``size``: of the objective; ``mean`` and ``sd``: of what a process sees.
    """

    middle: float
    size: float
    mean: float
    sd: float

    @classmethod
    def of(cls, y: Array, mean: float, sd: float) -> Standardised:
        """Return the scale on which measurements ``y`` (n,) have this mean and standard deviation."""
        if not len(y):
            return cls(0.0, 1.0, mean, sd)
        size = float(y.std())
        return cls(float(y.mean()), size if size > 1e-12 * np.abs(y).max() else 1.0, mean, sd)

    def warp(self, y: Array) -> Array:
        """Return what a process sees."""
        return self.mean + self.sd * (y - self.middle) / self.size

    def unwarp(self, mean: Array, sd: Array, share: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation of the objective."""
        m = share @ mean
        spread = np.sqrt(np.maximum(share @ (mean**2 + sd**2) - m**2, 0.0))
        return self.middle + self.size * (m - self.mean) / self.sd, self.size * spread / self.sd
