"""What a kernel knows about its own reaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Leaves(NamedTuple):
    """Compiled functions written for one reaction; ``w`` is the working memory, numbers go to the bench.

    ``advance(w, rtol) -> events``: a step on every lane. ``begin(u, i, w)``: duration, initial states and switch
    times of experiment i. ``prepare(u, i, w)``: constants of the segment. ``slope(t, y, f, w)`` and
    ``gauge(t, y, f, w)``: slopes to cell ``f`` and paths of the state at cell ``y``. ``jacobian(t, y, w)``.
    ``restore(w)``: all states. ``finish(u, i, w, out)``: outputs.
    """

    advance: Callable[..., int]
    begin: Callable[..., None]
    prepare: Callable[..., None]
    slope: Callable[..., None]
    jacobian: Callable[..., None]
    gauge: Callable[..., None]
    restore: Callable[..., None]
    finish: Callable[..., None]
