"""Gaussian processes with drawn hyperparameters, weighted by how well they explain what was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from rxnopt.agents.prior.similarity import Similarity
from rxnopt.agents.seeking import expected_improvement
from rxnopt.agents.whitening import whitened
from rxnopt.space import Array

NEGLIGIBLE = 0.01
"""Weight that the least probable draws may have together to be left out."""
TINY = 1e-10
"""Least variance."""
AT_ONCE = 100_000
"""Covariances at once: as many as the cache of a processor holds, which is twice as fast."""


@dataclass(frozen=True)
class Draws:
    """m draws of hyperparameters.

    ``weights`` (m, 4): variances of the parts of the kernel; ``noise`` (m,): variance of a measurement; ``mean`` (m,).
    """

    weights: Array
    noise: Array
    mean: Array

    def some(self, rows: NDArray[np.intp]) -> Draws:
        """Return the draws of some rows."""
        return Draws(self.weights[rows], self.noise[rows], self.mean[rows])


@dataclass(frozen=True)
class Process:
    """m Gaussian processes that have seen values ``seen`` (m, n) at conditions ``X`` (n, d).

    ``share`` (m,): their weights, which add up to 1. ``best`` (m,): the largest of their means at what was measured.
    ``inverse`` (m, n, n): of the Cholesky factors of the covariances of measurements; ``dual`` (m, n): the inverse
    covariances times what was measured less the mean.
    """

    draws: Draws
    similarity: Similarity
    X: Array
    seen: Array
    share: Array
    best: Array
    inverse: Array
    dual: Array

    def predict(self, X: Array) -> tuple[Array, Array]:
        """Return means and standard deviations (m, a), without noise, at conditions ``X`` (a, d)."""
        return self._predict(self.similarity.parts(self.X, X))

    def _predict(self, parts: Array) -> tuple[Array, Array]:
        crossed = _covariance(self.draws, parts)
        found = np.concatenate([self.inverse, self.dual[:, None]], axis=1) @ crossed
        whitened, mean = found[:, :-1], self.draws.mean[:, None] + found[:, -1]
        known = np.einsum("mna,mna->ma", whitened, whitened)
        variance = (self.draws.weights @ self.similarity.ceiling)[:, None] - known
        return mean, np.sqrt(np.maximum(variance, TINY))

    def improvement(self, X: Array) -> Array:
        """Return the expected improvement (a,) on the best mean at what was measured, averaged over the draws."""
        return self.gain(self.similarity.parts(self.X, X))

    def gain(self, parts: Array) -> Array:
        """Return :meth:`improvement` (a,) at conditions whose similarities to :attr:`X` are ``parts`` (4, n, a)."""
        times = 1 + len(self.share) * parts[0].size // AT_ONCE
        return np.concatenate([self._gain(part) for part in np.array_split(parts, times, axis=2)])

    def _gain(self, parts: Array) -> Array:
        mean, sd = self._predict(parts)
        found: Array = self.share @ expected_improvement(mean, sd, self.best[:, None])
        return found

    def imagining(self, X: Array) -> Process:
        """Return what the processes would be if conditions ``X`` (p, d) gave what each of them expects there."""
        if not len(X):
            return self
        seen = np.concatenate([self.seen, self.predict(X)[0]], axis=1)
        together = np.concatenate([self.X, X])
        factor = np.asarray(np.linalg.cholesky(_measured(self.draws, self.similarity, together)))
        inverse, dual = _solved(factor, seen - self.draws.mean[:, None])
        return replace(self, X=together, seen=seen, inverse=inverse, dual=dual)


def condition(draws: Draws, similarity: Similarity, X: Array, z: Array) -> Process:
    """Return the processes given measurements ``z`` (n,) at ``X`` (n, d); n may be 0.

    Each draw weighs as much as the measurements are probable under it; negligible ones are left out.
    """
    rest = z - draws.mean[:, None]
    factor, white = whitened(_measured(draws, similarity, X), rest, float(draws.noise.min()))
    logs = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    evidence = -0.5 * np.square(white).sum(axis=1) - logs
    share = np.exp(evidence - logsumexp(evidence))
    order = np.argsort(share, kind="stable")
    kept = np.sort(order[np.cumsum(share[order]) > NEGLIGIBLE])
    draws, share = draws.some(kept), share[kept] / share[kept].sum()
    inverse, dual = _solved(factor[kept], rest[kept])
    best = (z - draws.noise[:, None] * dual).max(axis=1) if len(z) else draws.mean
    return Process(draws, similarity, X, np.broadcast_to(z, rest[kept].shape), share, best, inverse, dual)


def _measured(draws: Draws, similarity: Similarity, X: Array) -> Array:
    """Return the covariances (m, n, n) of measurements."""
    return _covariance(draws, similarity.parts(X, X)) + draws.noise[:, None, None] * np.eye(len(X))


def _solved(factor: Array, rest: Array) -> tuple[Array, Array]:
    """Return inverse Cholesky factors (m, n, n), and duals (m, n) of what was measured less the mean."""
    inverse = np.asarray(np.linalg.inv(factor), float)
    dual = (inverse.transpose(0, 2, 1) @ (inverse @ rest[:, :, None]))[:, :, 0]
    return inverse, dual


def _covariance(draws: Draws, parts: Array) -> Array:
    """Return covariances (m, a, b) of parts (4, a, b)."""
    found: Array = np.tensordot(draws.weights, parts, 1)
    return found
