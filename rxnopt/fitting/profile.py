"""Profile likelihood: how much worse the fit becomes when one constant is held and all others are fitted anew.

Raue et al., Bioinformatics 2009, 25, 1923 (10.1093/bioinformatics/btp358). A profile that does not rise on one side up
to the bound says that the data do not limit the constant on that side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rxnopt.fitting.solve import Solution
from rxnopt.space import Array

POINTS = 7
"""On each side, where the profile is that of a parabola; the last one lies a little beyond the end of the interval."""
WIDEST = 4.0
"""Step in ``theta`` where the standard error is not known or large."""
FURTHEST = 14
"""Points on each side at most."""


@dataclass(frozen=True)
class Profile:
    """Of one constant: ``values`` (p,) in its unit, in order, and by how much the weighted sum of squares is larger.

    ``interval``: where that is ``limit``, which is a square of a t quantile; infinite where it never is.
    """

    values: Array
    rise: Array
    limit: float
    interval: tuple[float, float]


def profile(solution: Solution, i: int, error: float, quantile: float) -> Profile:
    """Return the profile of constant ``i``, whose standard error in ``theta`` is ``error``."""
    own, theta = solution.problem.constants, solution.theta
    step = min(quantile * error * 1.15 / POINTS, WIDEST / 2) if np.isfinite(error) and error > 0 else WIDEST / 2
    limit = quantile**2
    below, above = (_side(solution, i, sign * step, limit) for sign in (-1.0, 1.0))
    places = np.array([*(t for t, _ in below[::-1]), theta[i], *(t for t, _ in above)])
    rise = np.array([*(r for _, r in below[::-1]), 0.0, *(r for _, r in above)])
    moved = np.tile(theta, (len(places), 1))
    moved[:, i] = places
    ends = np.tile(theta, (2, 1))
    ends[:, i] = [_crossing(theta[i], below, limit), _crossing(theta[i], above, limit)]
    with np.errstate(over="ignore"):
        low, high = sorted(own.natural(ends)[:, i].tolist())
    values = own.natural(moved)[:, i]
    order = np.argsort(values, kind="stable")
    return Profile(values[order], rise[order], limit, (low, high))


def _side(solution: Solution, i: int, step: float, limit: float) -> list[tuple[float, float]]:
    """Return places and rises from the best value outwards, until the limit or the bound is passed."""
    problem, bounds = solution.problem, solution.problem.constants.bounds
    free = np.arange(len(solution.theta)) != i
    theta, found = solution.theta.copy(), []
    for turn in range(FURTHEST):
        if turn >= POINTS:
            step *= 1.5  # a profile flatter than a parabola
        theta = theta.copy()
        theta[i] = np.clip(theta[i] + step, bounds[0][i], bounds[1][i])
        theta, squares = problem.best(theta, free)
        found.append((float(theta[i]), max(squares - solution.squares, 0.0)))
        if found[-1][1] > limit * 1.1 or theta[i] in (bounds[0][i], bounds[1][i]):
            break
    return found


def _crossing(best: float, side: list[tuple[float, float]], limit: float) -> float:
    """Return where the profile passes the limit, by the root of the rise, which is linear for a parabola."""
    places, roots = [best, *(t for t, _ in side)], np.sqrt([0.0, *(r for _, r in side)])
    wanted = np.sqrt(limit)
    for j in range(1, len(places)):
        if roots[j] >= wanted:
            share = (wanted - roots[j - 1]) / (roots[j] - roots[j - 1])
            return float(places[j - 1] + share * (places[j] - places[j - 1]))
    return float(np.inf if places[-1] >= best else -np.inf)


__all__ = ["Profile", "profile"]
