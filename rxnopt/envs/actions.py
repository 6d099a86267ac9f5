"""Actions: what an agent may choose, and how a batch of choices becomes conditions ``X`` (n, d).

==============  =========================================================  =======================================
mode            action of one environment                                  meaning
==============  =========================================================  =======================================
box             ``Box(-1, 1, (width,), float32)``                          :meth:`rxnopt.space.Space.from_box`
multidiscrete   ``MultiDiscrete``: one index per parameter                 index of a value (see below)
discrete        ``Discrete``: one index                                    index of a point of the full grid, last
                                                                           parameter fastest
dict            ``Dict``: one entry per parameter                          natural values: numbers in the units of
                                                                           the card, levels by index, binary as 0/1
==============  =========================================================  =======================================

In the two discrete modes a continuous parameter has ``levels`` values from bound to bound, spread as its scale says
(logarithmically on log scales); all other parameters have all their values. Nothing is clamped: what lies outside is
refused with :class:`rxnopt.errors.ConditionsError`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from rxnopt.errors import ConditionsError, did_you_mean
from rxnopt.space import Array, Parameter, Space

ActionMode = Literal["box", "discrete", "multidiscrete", "dict"]
Decoder = Callable[[Any, int], Array]
"""Turns a batch of n actions into ``X`` (n, d); the second argument is n."""

EDGE = 1.0 + 1e-6
"""Largest size of an entry of a box action: one, and what float32 arithmetic may add to it."""
MAX_GRID = 1_000_000
"""Most points of the grid of mode ``discrete``."""


def coded(mode: ActionMode, space: Space, levels: int) -> tuple[gym.Space[Any], Decoder]:
    """Return the action space of one environment and the decoder of batches."""
    if mode == "box":
        return box(space)
    if mode == "dict":
        return natural(space)
    return (discrete if mode == "discrete" else multidiscrete)(space, levels)


def box(space: Space) -> tuple[gym.Space[Any], Decoder]:
    """Return action space and decoder of mode ``box``."""
    own, check = checked_box(space)
    return own, lambda actions, n: space.from_box(check(actions, n))


def checked_box(space: Space) -> tuple[gym.Space[Any], Decoder]:
    """Return action space of mode ``box`` and a decoder that leaves the entries (n, width) as they are."""

    def check(actions: Any, n: int) -> Array:
        A = _numbers(actions, (n, space.width))
        if not (np.abs(A) <= EDGE).all():
            row, column = np.argwhere(~(np.abs(A) <= EDGE))[0].tolist()
            raise ConditionsError(
                f"entry {column} of the action{_of(row, n)} is {A[row, column]:g}; give numbers in [-1, 1] "
                "(nothing is clamped)"
            )
        return A

    return gym.spaces.Box(-1.0, 1.0, (space.width,), np.float32), check


def multidiscrete(space: Space, levels: int) -> tuple[gym.Space[Any], Decoder]:
    """Return action space and decoder of mode ``multidiscrete``."""
    grid = values(space, levels)
    counts = np.array([len(own) for own in grid])

    def decode(actions: Any, n: int) -> Array:
        index = _indices(actions, (n, len(space)))
        good = (index >= 0) & (index < counts)
        if not good.all():
            row, j = np.argwhere(~good)[0].tolist()
            raise ConditionsError(
                f"index {index[row, j]} of {space.names[j]}{_of(row, n)} is not allowed; "
                f"give a whole number in [0, {counts[j] - 1}]"
            )
        return np.stack([own[index[:, j]] for j, own in enumerate(grid)], axis=1)

    return gym.spaces.MultiDiscrete(counts), decode


def discrete(space: Space, levels: int) -> tuple[gym.Space[Any], Decoder]:
    """Return action space and decoder of mode ``discrete``; raise :class:`ConditionsError` for too large a grid."""
    counts = [levels if p.kind == "continuous" else p.count for p in space]
    size = math.prod(counts)
    if size > MAX_GRID:
        raise ConditionsError(
            f"action_mode='discrete' with levels={levels} makes a grid of {size:,} points, more than {MAX_GRID:,}; "
            "give fewer levels or choose action_mode='multidiscrete'"
        )
    _, pick = multidiscrete(space, levels)

    def decode(actions: Any, n: int) -> Array:
        index = _indices(actions, (n,))
        if not ((index >= 0) & (index < size)).all():
            row = int(np.argmin((index >= 0) & (index < size)))
            raise ConditionsError(
                f"index {index[row]}{_of(row, n)} is not allowed; give a whole number in [0, {size - 1}]"
            )
        return pick(np.stack(np.unravel_index(index, counts), axis=1), n)

    return gym.spaces.Discrete(size), decode


def natural(space: Space) -> tuple[gym.Space[Any], Decoder]:
    """Return action space and decoder of mode ``dict``."""

    def decode(actions: Any, n: int) -> Array:
        if not isinstance(actions, Mapping):
            raise ConditionsError(
                f"the action is a {type(actions).__name__}; action_mode='dict' needs a dict with one entry for each "
                f"of {', '.join(space.names)}"
            )
        for name in actions:
            if name not in space.names:
                hint = did_you_mean(name, space.names) or f"; parameters are {', '.join(space.names)}"
                raise ConditionsError(f"there is no parameter {str(name)!r}{hint}")
        X = np.empty((n, len(space)))
        for j, name in enumerate(space.names):
            if name not in actions:
                raise ConditionsError(f"{name} is missing; give a value for each of {', '.join(space.names)}")
            X[:, j] = _numbers(actions[name], (n,))
        return X

    return gym.spaces.Dict({p.name: _natural_space(p) for p in space}), decode


def _natural_space(parameter: Parameter) -> gym.Space[Any]:
    if parameter.kind == "continuous":
        return gym.spaces.Box(parameter.low, parameter.high, (), np.float64)
    return gym.spaces.Discrete(parameter.count, start=int(parameter.low))


def values(space: Space, levels: int) -> list[Array]:
    """Return the allowed values of each parameter in the two discrete modes, as entries of ``X``."""
    U = np.repeat(np.linspace(0.0, 1.0, levels)[:, None], len(space), axis=1)
    X = space.from_unit(U)
    return [X[:, j] if p.kind == "continuous" else np.arange(p.low, p.high + 1.0) for j, p in enumerate(space)]


def _numbers(values: Any, shape: tuple[int, ...]) -> Array:
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ConditionsError(f"the action {values!r} is not made of numbers; give {_text(shape)}") from error
    return _shaped(array, shape)


def _indices(values: Any, shape: tuple[int, ...]) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise ConditionsError(f"the action {values!r} is not made of whole numbers; give {_text(shape)} of integers")
    return _shaped(array, shape)


def _shaped(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    if array.shape != shape:
        raise ConditionsError(f"the actions have shape {array.shape}; give {_text(shape)}")
    return array


def _text(shape: tuple[int, ...]) -> str:
    return f"shape {shape}, where the first axis counts the environments"


def _of(row: int, n: int) -> str:
    return f" of environment {row}" if n > 1 else ""
