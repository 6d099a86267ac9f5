"""Masks: which actions of the two discrete modes are still of use, as MaskablePPO of sb3-contrib asks for them.

==============  ===========================  ======================================================================
mode            mask of one environment      False for
==============  ===========================  ======================================================================
discrete        (number of grid points,)     conditions that were run in this episode, that break a constraint, or
                                             that have a level which the reaction lacks
multidiscrete   (values of all parameters,)  levels that the reaction lacks
==============  ===========================  ======================================================================

Where all conditions were run, those of :attr:`discrete` count as new. A mask advises: nothing refuses other actions.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rxnopt.envs.actions import ActionMode, Decoder, coded, values
from rxnopt.envs.observations import Bools
from rxnopt.errors import UnknownNameError
from rxnopt.space import Array, Space


class Masks:
    """The masks of campaigns on a space; ``levels``: values of a continuous parameter, as in the action space.

    Raises :class:`rxnopt.errors.UnknownNameError` for a mode without masks.
    """

    def __init__(self, mode: ActionMode, space: Space, levels: int) -> None:
        if mode not in ("discrete", "multidiscrete"):
            raise UnknownNameError(f"action_mode={mode!r} has no masks; choose discrete or multidiscrete")
        self._mode, self._space, self._values = mode, space, values(space, levels)
        self._decode: Decoder = coded(mode, space, levels)[1]
        self._counts = tuple(len(own) for own in self._values)

    @cached_property
    def _places(self) -> tuple[NDArray[np.intp], ...]:
        """For each parameter the index of its value at each point of the grid."""
        return np.unravel_index(np.arange(np.prod(self._counts)), self._counts)

    @cached_property
    def _feasible(self) -> Bools:
        return self._space.feasible(self._decode(np.arange(np.prod(self._counts)), int(np.prod(self._counts))))

    def __call__(self, X: Array, existing: Bools | None = None) -> Bools:
        """Return masks (b, n) after conditions ``X`` (b, t, d); ``existing`` (b, width): box columns that exist."""
        there = self._there(len(X), existing)
        if self._mode == "multidiscrete":
            return np.concatenate(there, axis=1)
        possible: Bools = np.broadcast_to(self._feasible, (len(X), len(self._feasible))).copy()
        if existing is not None:
            for own, places in zip(there, self._places, strict=True):
                possible &= own[:, places]
        new = possible.copy()
        campaigns, points = self._done(X)
        new[campaigns, points] = False
        return np.where(new.any(axis=1, keepdims=True), new, possible)

    def _there(self, b: int, existing: Bools | None) -> list[Bools]:
        """Return for each parameter which of its values exist (b, count)."""
        found, start = [], 0
        for p, count in zip(self._space, self._counts, strict=True):
            some = existing is not None and bool(p.levels)
            found.append(existing[:, start : start + p.width] if some else np.ones((b, count), bool))  # type: ignore[index]
            start += p.width
        return found

    def _done(self, X: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return campaign and point of the grid of each of the conditions (b, t, d) that lies on the grid."""
        index: list[NDArray[np.intp]] = []
        on_grid: Bools = np.ones(X.shape[:2], bool)
        for j, own in enumerate(self._values):
            nearest = np.abs(X[..., j, None] - own).argmin(axis=-1)
            on_grid &= np.isclose(X[..., j], own[nearest], rtol=1e-9, atol=0.0)
            index.append(nearest)
        points = np.asarray(np.ravel_multi_index(tuple(index), self._counts))
        return np.nonzero(on_grid)[0], points[on_grid]
