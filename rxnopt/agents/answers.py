"""What a network of a few-shot agent answers: a distribution of the place of the optimum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rxnopt.space import Array


class Answer(Protocol):
    """Where the optima of n reactions are believed to lie; actions are those of the box, (n, width)."""

    def draw(self, rng: np.random.Generator) -> Array:
        """Return a draw for each reaction."""
        ...

    def best(self) -> Array:
        """Return the middle of the distribution, or what is most probable."""
        ...


@dataclass(frozen=True)
class Normal:
    """A normal distribution over the box: ``mean`` and ``sd`` (n, width)."""

    mean: Array
    sd: Array

    def draw(self, rng: np.random.Generator) -> Array:
        """Return draws (n, width), cut off at the box."""
        drawn: Array = np.clip(self.mean + self.sd * rng.standard_normal(self.mean.shape), -1.0, 1.0)
        return drawn

    def best(self) -> Array:
        """Return the mean, cut off at the box."""
        return np.clip(self.mean, -1.0, 1.0)


@dataclass(frozen=True)
class Among:
    """A distribution over the K conditions of a grid: ``logits`` (n, K), and the actions ``boxes`` (K, width)."""

    logits: Array
    boxes: Array

    def without(self, taken: NDArray[np.bool_]) -> Among:
        """Return the distribution over the conditions that are not ``taken`` (n, K)."""
        return Among(np.where(taken, -np.inf, self.logits), self.boxes)

    def draw(self, rng: np.random.Generator) -> Array:
        """Return draws (n, width)."""
        drawn: Array = self.boxes[self._noisy(rng).argmax(axis=1)]
        return drawn

    def best(self) -> Array:
        """Return the most probable conditions (n, width)."""
        most: Array = self.boxes[self.logits.argmax(axis=1)]
        return most

    def order(self, rng: np.random.Generator | None) -> NDArray[np.intp]:
        """Return the conditions (n, K) in the order of draws without replacement; without ``rng`` of probability."""
        return np.argsort(-(self.logits if rng is None else self._noisy(rng)), axis=1, kind="stable")

    def _noisy(self, rng: np.random.Generator) -> Array:
        """Return logits of which the largest is a draw (Gumbel)."""
        noisy: Array = self.logits + rng.gumbel(size=self.logits.shape)
        return noisy
