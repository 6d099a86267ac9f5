"""Weighted least squares over the constants of a card: batches of the kernel, several starts, estimated errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rxnopt.errors import FitError
from rxnopt.fitting.constants import Fitted
from rxnopt.fitting.data import Measured
from rxnopt.seeds import stream
from rxnopt.space import Array

STEP = 1e-3
"""Of the central differences, in ``theta``: their error is about 1e-6 of the derivative, that of the kernel 1e-5."""
LOST = 1e3
"""Residual, in standard deviations, of an experiment that the model cannot run with such constants."""
PULL = 1e-2
"""Weight of a pull towards the constants of the card, as of one measurement of ``theta`` with a standard deviation of
100: nothing to what the data tell at all, and enough to keep what they do not tell where it was."""
SCREENED, STARTS = 128, 6
AROUND = 3.4
"""Half the width of the box of starts in ``theta``: a factor of 30 in a rate constant, some 10 kJ/mol in a barrier."""


@dataclass(frozen=True)
class Problem:
    """Constants, data and the standard deviation of each output (m,) by which residuals are divided."""

    constants: Fitted
    data: Measured
    sd: Array

    @property
    def _there(self) -> Any:
        return np.isfinite(self.data.Y)

    def model(self, theta: Array) -> Array:
        """Return what the model says (r, n, m) of all experiments for each row of ``theta`` (r, k)."""
        n, r = len(self.data.X), len(theta)
        X = np.tile(self.data.X, (r, 1))
        outcome = self.constants.simulate(X, np.repeat(theta, n, axis=0))
        found: Array = outcome.values[:, self.data.columns].reshape(r, n, -1)
        return found

    def residuals(self, theta: Array) -> Array:
        """Return weighted residuals (r, values) for each row of ``theta`` (r, k)."""
        found = ((self.model(theta) - self.data.Y) / self.sd)[:, self._there]
        return np.where(np.isfinite(found), found, LOST)

    def jacobian(self, theta: Array) -> Array:
        """Return the derivatives (values, k) of the weighted residuals at ``theta`` (k,); one batch."""
        steps = STEP * np.eye(len(theta))
        found = self.residuals(np.concatenate([theta + steps, theta - steps]))
        up, down = np.split(found, 2)
        rows = (up - down).T / (2 * STEP)
        lost = ((np.abs(up) == LOST) | (np.abs(down) == LOST)).T
        return np.where(lost, 0.0, rows)

    def outputs(self) -> Array:
        """Return the place of the output of each residual (values,)."""
        places = np.broadcast_to(np.arange(self.data.Y.shape[1]), self.data.Y.shape)
        return np.asarray(places[self._there])

    def best(self, start: Array, free: Array | None = None) -> tuple[Array, float]:
        """Return the least-squares ``theta`` (k,) and its sum of squares; only ``free`` (k,) constants are moved."""
        from scipy.optimize import least_squares

        if free is not None and not free.any():
            return start, float(np.sum(self.residuals(start[None])[0] ** 2))
        free = np.ones(len(start), bool) if free is None else free
        low, high = self.constants.bounds

        def whole(part: Array) -> Array:
            theta = start.copy()
            theta[free] = part
            return theta

        pull = PULL * np.eye(int(free.sum()))
        found = least_squares(
            lambda part: np.append(self.residuals(whole(part)[None])[0], PULL * part),
            np.clip(start[free], low[free] + 1e-6, high[free] - 1e-6),
            lambda part: np.concatenate([self.jacobian(whole(part))[:, free], pull]),
            bounds=(low[free], high[free]), method="trf",
            x_scale="jac", xtol=1e-7, ftol=1e-8, gtol=1e-8, max_nfev=60,
        )  # fmt: skip
        return whole(found.x), float(np.sum(found.fun[: -len(found.x)] ** 2))


@dataclass(frozen=True)
class Solution:
    """The best constants found. ``agreeing`` of ``starts`` ended there; ``scale``: whether errors were estimated."""

    problem: Problem
    theta: Array
    squares: float
    starts: int
    agreeing: int
    estimated: bool

    @property
    def freedom(self) -> int:
        """Measured values less constants."""
        return self.problem.data.count - len(self.theta)


def solve(constants: Fitted, data: Measured, given: Mapping[str, float], seed: int = 0) -> Solution:
    """Fit by weighted least squares from several starts.

    ``given``: standard deviations of outputs in their units. Where one is not given, all are estimated from the
    residuals, output by output, and the fit is repeated with them until they settle. Raises :class:`FitError` for
    fewer values than constants.
    """
    k, known = len(constants.names), all(name in given for name in data.outputs)
    if data.count < k + (not known):
        more = "" if known else ", and one more from which the error is estimated"
        raise FitError(
            f"{data.sheet.file} has {data.count} measured values, too few for {k} constants{more}; measure more, or "
            "fit fewer with --constants"
        )
    guess = np.array([given.get(name) or _guess(y) for name, y in zip(data.outputs, data.Y.T, strict=True)])
    problem = Problem(constants, data, guess)
    found = [problem.best(start) for start in _starts(problem, seed)]
    theta, squares = min(found, key=lambda pair: pair[1])
    agreeing = sum(each <= squares * 1.01 + 1e-6 for _, each in found)
    if not known:
        problem, theta, squares = _settled(problem, theta)
    return Solution(problem, theta, squares, len(found), agreeing, not known)


def _guess(y: Array) -> float:
    """Return a first guess of the error of an output: a twentieth of its range."""
    known = y[np.isfinite(y)]
    return float(np.ptp(known) / 20.0 or np.abs(known).max() / 20.0 or 1.0)


def _starts(problem: Problem, seed: int) -> Array:
    """Return the card's constants, and the best of many points around them (r, k)."""
    from scipy.stats import qmc

    k = len(problem.constants.names)
    low, high = problem.constants.bounds
    U = qmc.Sobol(k, rng=stream(seed, "starts")).random(SCREENED)
    tried = np.clip(AROUND * (2.0 * U - 1.0), low, high)
    order = np.argsort((problem.residuals(tried) ** 2).sum(axis=1), kind="stable")
    return np.concatenate([np.zeros((1, k)), tried[order[: STARTS - 1]]])


def _settled(problem: Problem, theta: Array) -> tuple[Problem, Array, float]:
    """Estimate the error of each output from its residuals, fit anew, and so on until the errors settle."""
    for _ in range(20):
        sd = problem.sd * _spread(problem, theta)
        done = bool(np.all(np.abs(sd / problem.sd - 1.0) < 1e-3))
        problem = replace(problem, sd=sd)
        theta, squares = problem.best(theta)
        if done:
            break
    return problem, theta, squares


def _spread(problem: Problem, theta: Array) -> Array:
    """Return the standard deviation (m,) of the weighted residuals of each output, for its degrees of freedom."""
    residuals, jacobian, places = problem.residuals(theta[None])[0], problem.jacobian(theta), problem.outputs()
    basis, values, _ = np.linalg.svd(jacobian, full_matrices=False)
    leverage = (basis[:, values > 1e-8 * values[0]] ** 2).sum(axis=1) if values[0] > 0 else np.zeros(len(places))
    m = problem.data.Y.shape[1]
    left = np.bincount(places, 1.0 - leverage, m)
    squares = np.bincount(places, residuals**2, m)
    least = 1e-6 * np.nanmax(np.abs(problem.data.Y), axis=0) / problem.sd  # exact data: what the kernel can tell
    return np.asarray(np.maximum(np.sqrt(squares / np.maximum(left, 0.5)), np.maximum(least, 1e-12)))


__all__ = ["Problem", "Solution", "solve"]
