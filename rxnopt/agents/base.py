"""What all agents share: the contract, what they may learn from a history, and distinct proposals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rxnopt.history import FAILED, PENDING, History
from rxnopt.simulators.grid import Grid, combinations
from rxnopt.simulators.pareto import nondominated
from rxnopt.space import Array, Space

USUAL = Path("runs") / "train"
"""Where training puts what it makes, in the current folder."""


class Agent(Protocol):
    """Something that proposes conditions."""

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return ``X`` (n, d): n conditions inside the space, all different where the space has that many.

        An agent that learns from repetitions says so by an attribute ``repeats`` that is True; its conditions may be
        equal (:func:`repeats`).

        A function of its arguments and of what the agent was built from: equal arguments give equal proposals.
        ``rng`` is fresh at each call.
        """
        ...


def repeats(agent: object) -> bool:
    """Return whether an agent proposes conditions again on purpose, as bandits do."""
    return bool(getattr(agent, "repeats", False))


@dataclass(frozen=True)
class Known:
    """What an agent learns from.

    ``X`` (m, d) and ``y`` (m,): trials that are over, larger is better. A failed trial has the worst value among the
    measured ones, so that agents turn away from it; one beyond the limits is worse than any within them, and the more
    so the further it is beyond (Deb, Comput. Methods Appl. Mech. Eng. 2000, 186, 311). ``Y`` (m, k): objectives as
    measured, one column where there is one; ``violation`` (m, c): for agents that treat limits themselves; failed
    trials have the worst of each column. ``index`` (m,): numbers in the history. ``pending`` (p, d): conditions that
    are being run.
    """

    X: Array
    y: Array
    Y: Array
    violation: Array
    index: NDArray[np.int64]
    pending: Array


def known(space: Space, history: History) -> Known:
    """Return what can be learnt from a history.

    Trials outside the space (its bounds may have changed) are left out, and so are failed trials as long as
    nothing has been measured.
    """
    inside = space.inside(history.X)
    measured = inside & history.done & np.isfinite(history.y)
    failed = inside & ((history.status == FAILED) | (history.done & ~measured))
    over = measured | failed if measured.any() else measured
    Y = _filled(history.y[:, None] if history.Y is None else history.Y, measured, np.nanmin)[over]
    violation = np.empty((len(history), 0)) if history.violation is None else history.violation
    violation = np.where(measured[:, None] & np.isnan(violation), 0.0, violation)  # not told, so not known to be broken
    violation = _filled(violation, measured, np.nanmax)[over]
    y = _filled(history.y[:, None], measured, np.nanmin)[over, 0]
    return Known(history.X[over], _ranked(y, violation), Y, violation, np.flatnonzero(over), pending(space, history))


def pending(space: Space, history: History) -> Array:
    """Return the conditions (p, d) that are being run, as far as they are in the space."""
    X: Array = history.X[history.status == PENDING]
    return X[space.inside(X)]


def in_order_of_values(past: Known) -> Known:
    """Return the trials in an order that is not that of the history, for agents to which that means nothing."""
    order = np.lexsort([past.y, *past.X.T])
    told = (past.X[order], past.y[order], past.Y[order], past.violation[order], past.index[order])
    return Known(*told, past.pending[np.lexsort(past.pending.T)])


def telling(over: Known, most: int) -> NDArray[np.int64]:
    """Return places of trials: all, or the best half of ``most`` (what is not dominated first) and the latest."""
    if len(over.y) <= most:
        return np.arange(len(over.y))
    dominated = ~nondominated(over.Y) if over.Y.shape[1] > 1 else np.zeros(len(over.y), bool)
    ranking = np.lexsort((-over.y, dominated))
    best, others = ranking[: most // 2], np.sort(ranking[most // 2 :])
    return np.concatenate([best, others[len(best) - most :]])


def _filled(columns: Array, measured: NDArray[np.bool_], worst: Callable[..., Array]) -> Array:
    """Return columns (n, k) with the worst measured value where nothing was; 1 where nothing ever was."""
    values = np.where(measured[:, None], columns, np.nan)
    for j in range(values.shape[1]):
        lacking = np.isnan(values[:, j])
        values[lacking, j] = 1.0 if lacking.all() else worst(values[:, j])
    return values


def _ranked(y: Array, violation: Array) -> Array:
    """Return ``y`` with values of trials beyond the limits that are below all others, by their violation."""
    total = np.maximum(violation, 0.0).sum(axis=1)
    beyond = total > 0.0
    if not beyond.any():
        return y
    floor, spread = y[~beyond].min() if not beyond.all() else y.min(), float(np.ptp(y)) or 1.0
    return np.where(beyond, floor - spread * total / (1.0 + total), y)


MANY = 1_000_000
"""Conditions of a discrete space that are counted to the last; beyond that nobody asks for all of them at once."""
REDRAWS = 20
"""Draws from an agent that break a constraint before a random feasible point takes the place of the next."""


def feasible_draw(space: Space, draw: Callable[[], Array], decode: Callable[[Array], Array] | None = None) -> Array:
    """Return a draw whose conditions keep the constraints; the last one if none of many does.

    Draws are actions (width,) in the box, or whatever ``decode`` turns into conditions (1, d).
    """
    action = draw()
    for _ in range(REDRAWS if space.constraints is not None else 0):
        if space.feasible(space.from_box(action[None]) if decode is None else decode(action))[0]:
            break
        action = draw()
    return action


def distinct(
    space: Space, X: Array, rng: np.random.Generator, running: Array | None = None, fixed: Sequence[int] = ()
) -> Array:
    """Return ``X`` (n, d) with random conditions in place of repeated rows and of those that break a constraint.

    A row that is ``running`` (p, d) counts as repeated. Columns that are ``fixed`` stay, with values that some feasible
    conditions have. A space with fewer conditions than rows is gone through in rounds, each condition once a round.
    """
    size, feasible = _size(space, X, fixed), space.feasible(X)
    X, kept = X.copy(), list(fixed)
    beside = [] if running is None or not len(X) else running[(running[:, kept] == X[0, kept]).all(axis=1)].tolist()
    seen = {tuple(row) for row in beside}
    for i in range(len(X)):
        if len(seen) == size:
            seen.clear()
        while not feasible[i] or tuple(X[i].tolist()) in seen:
            other = space.sample(1, rng)[0]
            other[kept] = X[i, kept]
            X[i], feasible[i] = other, space.feasible(other[None])[0]
        seen.add(tuple(X[i].tolist()))
    return X


def _size(space: Space, X: Array, fixed: Sequence[int]) -> float:
    """Return how many different conditions with the fixed columns of ``X`` there are, feasible where they are few."""
    size = Grid.size(space, fixed)
    if space.constraints is None or size > MANY or not len(X):
        return size
    return int(space.feasible(combinations(space, {j: float(X[0, j]) for j in fixed})).sum())
