"""What the data cannot tell: constants without influence, constants and conditions that act only together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

import numpy as np

from rxnopt.cards.parameters import Continuous
from rxnopt.fitting.result import UNTOLD, Fit
from rxnopt.fitting.solve import Problem
from rxnopt.space import Array, Space
from rxnopt.units import same_dimension, unit

ALIKE = 0.99
"""Correlation from which two constants cannot be told apart."""
CONDITION = 300.0
"""Ratio of singular values of the Jacobian, its columns scaled to length 1, from which several cannot be."""
TOGETHER = 0.9999
"""Cosine of the sensitivities to two conditions, over all experiments, from which they act only together."""
STEP = 1e-3
"""Of the differences in conditions, as a share of the range of the data."""
MEMBER = 0.1


Complaint = tuple[list[int], str]
"""The constants that a sentence is about, and the sentence."""


def complaints(fit: Fit) -> Iterator[str]:
    """Yield a sentence for each thing that these data cannot tell, and none about what was told before."""
    told: set[int] = set()
    for find in (_isothermal, _idle, _alike, _mixed, _bounds, _flat):
        for constants, sentence in find(fit):
            if not set(constants) <= told:
                yield sentence
            told |= set(constants)
    yield from _conditions(fit.solution.problem, fit.solution.theta)
    yield from _errors(fit)
    if fit.solution.agreeing < 2:
        yield (
            f"only one of {fit.solution.starts} starts ended at these constants; another minimum may be better: "
            "run again with another --seed"
        )


def _isothermal(fit: Fit) -> Iterator[Complaint]:
    barriers = {i: name for i, name in enumerate(fit.constants.names) if name.endswith(".Ea")}
    for j, p in enumerate(Space.of(fit.data.card)):
        if not barriers or not isinstance(p.card, Continuous) or np.ptp(fit.data.X[:, j]):
            continue
        if same_dimension(unit(p.unit).dimension, unit("K").dimension):
            yield (
                list(barriers),
                f"{p.name} is the same in all experiments, so that they say nothing about "
                f"{_list([*barriers.values()])}; measure at other temperatures, or leave these out with --constants",
            )


def _idle(fit: Fit) -> Iterator[Complaint]:
    for i, length in enumerate(np.linalg.norm(fit.jacobian, axis=0)):
        if length < UNTOLD:
            label = fit.estimates[i].label
            yield [i], f"{label} has no influence on what was measured; leave it out with --constants"


def _alike(fit: Fit) -> Iterator[Complaint]:
    correlation, labels = _pairs(fit.jacobian), [each.label for each in fit.estimates]
    for i, j in combinations(range(len(labels)), 2):
        if abs(correlation[i, j]) > ALIKE:
            yield (
                [i, j],
                f"{labels[i]} and {labels[j]} cannot be told apart (correlation {correlation[i, j]:.4f}): only a "
                "combination of them is determined; hold one with --constants, or measure where they act differently",
            )


def _mixed(fit: Fit) -> Iterator[Complaint]:
    """Look for more than two columns of the Jacobian, scaled to length 1, that depend on one another."""
    labels, lengths = [each.label for each in fit.estimates], np.linalg.norm(fit.jacobian, axis=0)
    kept = np.flatnonzero(lengths > UNTOLD)
    if len(kept) < 2:
        return
    _, values, directions = np.linalg.svd(fit.jacobian[:, kept] / lengths[kept], full_matrices=False)
    for value, direction in zip(values, directions, strict=True):
        ratio = values[0] / max(value, 1e-9 * values[0])
        if ratio > CONDITION:
            members = kept[np.abs(direction) > MEMBER].tolist()
            yield (
                members,
                f"only combinations of {_list([labels[i] for i in members])} are determined (singular values in the "
                f"ratio {ratio:.1g}); hold one of them with --constants",
            )


def _pairs(jacobian: Array) -> Array:
    """Return the correlation (k, k) of estimates, also where the data determine only combinations of them."""
    _, values, directions = np.linalg.svd(jacobian, full_matrices=False)
    covariance = (directions.T / np.maximum(values, 1e-6 * values[0] + 1e-300) ** 2) @ directions
    errors = np.sqrt(np.diag(covariance))
    return np.asarray(covariance / np.outer(errors, errors))


def _bounds(fit: Fit) -> Iterator[Complaint]:
    theta, (low, high) = fit.solution.theta, fit.constants.bounds
    for i, each in enumerate(fit.estimates):
        if min(theta[i] - low[i], high[i] - theta[i]) < 1e-3:
            yield (
                [i],
                f"{each.label} ended at its bound, {each.value:.4g} {each.unit}; look at the data, or leave it out",
            )


def _flat(fit: Fit) -> Iterator[Complaint]:
    for i, each in enumerate(fit.estimates):
        if not np.isfinite(each.error):
            yield [i], f"{each.label} is not determined by these data; leave it out with --constants, or measure more"
        elif each.profile and not np.isfinite(each.profile).all():
            sides = [side for side, end in zip(("below", "above"), each.profile, strict=True) if not np.isfinite(end)]
            yield [i], f"{each.label} is not limited {_list(sides)} by these data: its profile is flat there"


def _conditions(problem: Problem, theta: Array) -> Iterator[str]:
    """Look for two conditions whose effects on everything measured are proportional in all experiments."""
    data = problem.data
    own = [p for p in Space.of(data.card) if not p.levels and not p.discrete]
    found = {}
    for p in own:
        j = Space.of(data.card).names.index(p.name)
        if np.ptp(data.X[:, j]):
            found[p.name] = _sensitivities(problem, theta, j)
    for (one, ways), (other, others) in combinations(found.items(), 2):
        for (a, u), (b, v) in product(ways.items(), others.items()):
            size = np.linalg.norm(u) * np.linalg.norm(v)
            if size > 0 and abs(np.vdot(u, v)) > TOGETHER * size:
                yield (
                    f"{one} and {other} act on what was measured only together ({a} against {b}): these data "
                    "cannot tell an error in one from an error in the other or from a common factor of rate constants, "
                    "nor how rates depend on each; vary only one, or measure something that depends on one alone"
                )
                break


def _sensitivities(problem: Problem, theta: Array, j: int) -> dict[str, Array]:
    """Return the weighted derivatives of all that was measured to condition ``j``, and to its logarithm."""
    data = problem.data
    x, step = data.X[:, j], STEP * float(np.ptp(data.X[:, j]))
    up, down = (_at(problem, theta, j, x + sign * step) for sign in (1.0, -1.0))
    slope = np.nan_to_num((up - down) / (2 * step))
    name = Space.of(data.card).names[j]
    found = {name: slope}
    if (x > 0).all():
        relative = 1.0 + STEP
        up, down = _at(problem, theta, j, x * relative), _at(problem, theta, j, x / relative)
        found[f"log {name}"] = np.nan_to_num((up - down) / (2 * np.log(relative)))
    return found


def _at(problem: Problem, theta: Array, j: int, column: Array) -> Array:
    X = problem.data.X.copy()
    X[:, j] = column
    values = problem.constants.simulate(X, theta[None]).values[:, problem.data.columns]
    return np.asarray(np.where(np.isfinite(problem.data.Y), values / problem.sd, 0.0).ravel())


def _errors(fit: Fit) -> Iterator[str]:
    """Compare residuals with errors that were given."""
    from scipy.stats import chi2

    free = fit.solution.freedom
    if not fit.solution.estimated and free > 0 and (over := float(chi2.sf(fit.solution.squares, free))) < 1e-3:
        yield (
            f"the residuals are {np.sqrt(fit.solution.squares / free):.2g} times as large as the given errors "
            f"(chance {over:.1g}): the model or the errors are wrong, and the intervals are too narrow"
        )


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


__all__ = ["complaints"]
