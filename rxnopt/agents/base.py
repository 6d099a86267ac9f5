"""What all agents share: the contract, what they may learn from a history, and distinct proposals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, prod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rxnopt.history import FAILED, PENDING, History
from rxnopt.space import Array, Space


class Agent(Protocol):
    """Something that proposes conditions."""

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return ``X`` (n, d): n conditions inside the space, all different where the space has that many.

        A function of its arguments and of what the agent was built from: equal arguments give equal proposals.
        ``rng`` is fresh at each call.
        """
        ...


@dataclass(frozen=True)
class Known:
    """What an agent learns from.

    ``X`` (m, d) and ``y`` (m,): trials that are over, larger is better; a failed trial has the worst value among
    the measured ones, so that agents turn away from it. ``index`` (m,): their numbers in the history. ``pending``
    (p, d): conditions that are being run.
    """

    X: Array
    y: Array
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
    worst = history.y[measured].min() if measured.any() else np.nan
    y = np.where(measured, history.y, worst)
    return Known(history.X[over], y[over], np.flatnonzero(over), history.X[inside & (history.status == PENDING)])


def distinct(space: Space, X: Array, rng: np.random.Generator, fixed: Sequence[int] = ()) -> Array:
    """Return ``X`` (n, d) with random conditions in place of repeated rows; columns that are ``fixed`` stay.

    A space with fewer conditions than rows is gone through in rounds, each condition once a round.
    """
    free = [p for j, p in enumerate(space) if j not in fixed]
    size = inf if not all(p.discrete for p in free) else prod(p.count for p in free)
    X, seen, kept = X.copy(), set[tuple[float, ...]](), list(fixed)
    for i in range(len(X)):
        if len(seen) == size:
            seen.clear()
        while tuple(X[i].tolist()) in seen:
            other = space.sample(1, rng)[0]
            other[kept] = X[i, kept]
            X[i] = other
        seen.add(tuple(X[i].tolist()))
    return X
