"""What a page says in numbers about a reaction: random experiments, their spread, and what moves the objective."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product

import numpy as np
from numpy.typing import NDArray

from rxnopt.experiments.scores import Scale
from rxnopt.seeds import stream
from rxnopt.simulators import Optimum, Reaction
from rxnopt.simulators.ode import OdeSimulator
from rxnopt.simulators.outcome import Outcome
from rxnopt.space import Array, Parameter, Space

POINTS = 100_000
"""Random experiments of a survey, even over the space: numbers on their scale, levels alike."""
BINS = 32
"""Classes of a continuous parameter in :func:`effects`."""
AT_BOUND = 1e-3
"""Share of its range within which a parameter lies at a bound."""
INTEGRATED = 10_000
"""Experiments whose integrator is asked for."""
MAX_CORNERS = 4096


@dataclass(frozen=True)
class Survey:
    """Noise-free random experiments ``X`` (n, d) on a reaction with their outcome, and the best known one."""

    reaction: Reaction
    X: Array
    outcome: Outcome
    optimum: Optimum

    @classmethod
    def of(cls, reaction: Reaction) -> Survey:
        """Run the experiments: equal cards give equal surveys."""
        X = reaction.space.sample(POINTS, stream(0, "survey"))
        return cls(reaction, X, reaction.outcome(X), reaction.optimum())

    @cached_property
    def values(self) -> Array:
        """The objective of experiments that did not fail (k,), in its unit."""
        column = self.reaction.outputs.index(self.reaction.objective)
        values: Array = self.outcome.values[~self.outcome.failed, column]
        return values

    @property
    def failed(self) -> float:
        """Share of the experiments that failed."""
        return float(self.outcome.failed.mean())

    @property
    def within_limits(self) -> float:
        """Share of the experiments that keep all limits."""
        return float(self.reaction.within_limits(self.outcome).mean())

    @cached_property
    def scale(self) -> Scale:
        """The median of random experiments, the best known value and the target of 95 %, as in comparisons."""
        return Scale(float(np.median(self.values)), self.optimum.value)

    @property
    def near(self) -> float:
        """Share of all random experiments at the target, 95 % of the best known value, and within all limits."""
        reached = self.scale.sign * (self.values - self.scale.target) >= 0
        kept = self.reaction.within_limits(self.outcome)[~self.outcome.failed]
        return float(np.count_nonzero(reached & kept)) / len(self.X)

    @cached_property
    def stiff(self) -> float | None:
        """Share of experiments that needed the implicit integrator; None where nothing is integrated over time."""
        simulator = self.reaction.simulator
        if not isinstance(simulator, OdeSimulator):
            return None
        reactor = self.reaction.card.kinetics.reactor
        if reactor.type == "cstr" or reactor.time is None:
            return None
        return float(simulator.kernel(simulator.inputs(self.X[:INTEGRATED])).stiff.mean())

    @cached_property
    def extremes(self) -> tuple[float, float]:
        """The worst and the best value among random experiments, corners of the space and the best known conditions.

        The best may lie beyond limits, which the best known conditions keep.
        """
        ends = self.reaction.attempt(corners(self.reaction.space))
        values = ends.values[~ends.failed, self.reaction.outputs.index(self.reaction.objective)]
        scores = self.scale.sign * np.concatenate([values, self.values, [self.optimum.value]])
        return self.scale.sign * float(scores.min()), self.scale.sign * float(scores.max())

    def best_of(self, n: int) -> float:
        """Return the median over campaigns of the best of n random experiments."""
        quantile = 0.5 ** (1.0 / n)
        return float(np.quantile(self.values, quantile if self.scale.sign > 0 else 1.0 - quantile))

    @cached_property
    def effects(self) -> dict[str, float]:
        """Main effect of each parameter on the objective, see :func:`effects`."""
        good = ~self.outcome.failed
        return dict(
            zip(self.reaction.space.names, effects(self.reaction.space, self.X[good], self.values), strict=True)
        )

    @cached_property
    def places(self) -> dict[str, str]:
        """Where the best known conditions lie, see :func:`place`."""
        return {p.name: place(p, self.optimum.conditions[p.name]) for p in self.reaction.space}


def effects(space: Space, X: Array, y: Array) -> list[float]:
    r"""Return the main effect of each parameter: the share of the variance of ``y`` (n,) that it explains alone.

    It is the first-order Sobol index Var(E[y | x]) / Var(y), estimated by a one-way analysis of variance over classes
    of equal probability (values of discrete parameters, :data:`BINS` bins of the others) without what classes explain
    by chance (epsilon squared). 0 for a constant ``y``.
    Saltelli et al., Comput. Phys. Commun. 2010, 181, 259 (10.1016/j.cpc.2009.09.018); Kelley, PNAS 1935, 21, 554
    (10.1073/pnas.21.9.554).
    """
    U = space.to_unit(X)
    total = float(np.sum((y - y.mean()) ** 2))
    found = []
    for j, p in enumerate(space):
        n = min(p.count, BINS) if p.discrete else BINS
        group: NDArray[np.intp] = np.minimum(U[:, j] * n, n - 1).astype(np.intp)
        counts = np.bincount(group, minlength=n)
        means = np.bincount(group, y, minlength=n) / np.maximum(counts, 1)
        between, groups = float(np.sum(counts * (means - y.mean()) ** 2)), int(np.count_nonzero(counts))
        chance = (groups - 1) * (total - between) / (len(y) - groups)
        found.append(max(0.0, (between - chance) / total) if total else 0.0)
    return found


def place(parameter: Parameter, value: float | int | str) -> str:
    """Return "lower bound", "upper bound", "interior", or "" for a level, which has no order."""
    if parameter.levels or parameter.kind == "binary":
        return ""
    u = Space((parameter,)).to_unit(np.array([[parameter.number(value)]]))[0, 0]
    margin = 1.0 / parameter.count if parameter.discrete else AT_BOUND
    return "lower bound" if u < margin else "upper bound" if u > 1.0 - margin else "interior"


def corners(space: Space) -> Array:
    """Return conditions (m, d) at the bounds of all numbers, with each level; the first :data:`MAX_CORNERS`."""
    choices = [map(float, range(p.count)) if p.levels else (p.low, p.high) for p in space]
    return np.array(list(islice(product(*choices), MAX_CORNERS)), float)
