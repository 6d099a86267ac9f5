"""Several objectives as one number: a reaction whose objective is made of those of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from rxnopt.cards.model import Output
from rxnopt.cards.objective import Objective
from rxnopt.cards.reaction import KnownOptimum
from rxnopt.errors import ConditionsError, UnknownNameError, did_you_mean
from rxnopt.simulators.outcome import Outcome, Simulator
from rxnopt.simulators.reaction import Reaction
from rxnopt.space import Array

Method = Literal["weighted", "chebyshev"]
Weights = Mapping[str, float] | Sequence[float] | None
AUGMENTATION = 0.05
"""Part of the weighted sum in the augmented Chebyshev function (Knowles, IEEE Trans. Evol. Comput. 2006, 10, 50)."""


@dataclass(frozen=True)
class Scalar:
    """One number of several objectives: 0 at the ``reference`` (k,), 1 at the ``ideal`` (k,), larger is better.

    With z the objectives between reference and ideal and ``weights`` w (k,) that sum to one: ``weighted`` is the sum of
    w z; ``chebyshev``, which also finds fronts that are not convex, is 1 - (max(w (1 - z)) + 0.05 sum(w (1 - z))),
    stretched so that the reference has 0.
    """

    method: Method
    weights: Array
    reference: Array
    ideal: Array

    def __call__(self, Y: Array) -> Array:
        """Return the number (n,) of objectives (n, k); NaN where one is."""
        w = self.weights / self.weights.sum()
        z = (Y - self.reference) / (self.ideal - self.reference)
        if self.method == "weighted":
            total: Array = z @ w
            return total
        loss = w * (1.0 - z)
        lost: Array = (loss.max(axis=1) + AUGMENTATION * loss.sum(axis=1)) / (w.max() + AUGMENTATION)
        return 1.0 - lost


@dataclass(frozen=True)
class _Appended:
    """A simulator with one more output, made of the objectives of a reaction."""

    base: Reaction
    scalar: Scalar

    def __call__(self, X: Array) -> Outcome:
        outcome = self.base.simulator(X)
        return replace(outcome, values=np.column_stack([outcome.values, self.scalar(self.base.objectives(outcome))]))


@dataclass(frozen=True)
class ScalarReaction(Reaction):
    """A reaction with one output more, its objective; made by :func:`scalarised`."""

    scalar: Scalar | None = None

    def experiment(self, X: Array, *args: Any, **kwargs: Any) -> tuple[Outcome, Outcome]:
        """Return true and measured outcomes; the objective follows from the measured outputs."""
        true, measured = super().experiment(X, *args, **kwargs)
        if self.scalar is None:
            return true, measured
        values = np.column_stack([measured.values[:, :-1], self.scalar(self.objectives(measured))])
        return true, replace(measured, values=values)


def scalarised(reaction: Reaction, method: str, weights: Weights = None) -> Reaction:
    """Return the reaction with the output ``weighted`` or ``chebyshev`` as its objective (:class:`Scalar`).

    ``weights``: by the names of the objectives, or in their order; equal if left out. The ideal is that of the known
    Pareto front, and the optimum is the best point of that front.

    Raises :class:`rxnopt.errors.CardError` for a card without ``objectives``.
    """
    if method not in get_args(Method):
        hint = did_you_mean(method, get_args(Method)) or f"; choose one of {', '.join(get_args(Method))}"
        raise UnknownNameError(f"objective={method!r} is unknown{hint}")
    kind: Method = "weighted" if method == "weighted" else "chebyshev"
    w, front = _checked(list(reaction.goals), weights), reaction.pareto_front()
    scalar = Scalar(kind, w, front.reference, front.ideal)
    values = scalar(front.Y)
    best = int(np.argmax(values))
    words = ", ".join(f"{name} {weight:g}" for name, weight in zip(reaction.goals, w, strict=True))
    output = Output(formula="0", unit="1", description=f"{words}; 0 at the reference, 1 at the ideal")
    known = KnownOptimum(
        value=float(values[best]),
        conditions=reaction.space.to_dicts(front.X[[best]])[0],
        note="best point of the known Pareto front",
    )
    card = reaction.card.model_copy(
        update={
            "outputs": {**reaction.card.outputs, kind: output},
            "objective": Objective(maximize=kind),
            "optimum": known,
        }
    )
    simulator: Simulator = _Appended(reaction, scalar)
    return ScalarReaction(card, reaction.space, simulator, reaction.place, scalar=scalar)


def _checked(names: list[str], weights: Weights) -> Array:
    """Return weights (k,) that are finite, not negative and not all zero."""
    if weights is None:
        return np.full(len(names), 1.0 / len(names))
    if isinstance(weights, Mapping):
        for name in weights:
            if name not in names:
                hint = did_you_mean(name, names) or f"; objectives are {', '.join(names)}"
                raise UnknownNameError(f"weights name {name!r}, which is no objective{hint}")
        weights = [weights.get(name, 0.0) for name in names]
    try:
        found = np.array([float(weight) for weight in weights])
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.shape != (len(names),) or not np.isfinite(found).all() or (found < 0).any() or found.sum() <= 0:
        raise ConditionsError(
            f"weights={weights!r} are not allowed; give a number from 0 on for each of {', '.join(names)}, not all zero"
        )
    normal: Array = found / found.sum()
    return normal


__all__ = ["Method", "Scalar", "ScalarReaction", "Weights", "scalarised"]
