"""What a kernel knows about its own reaction: one function behind an address, called with what is wanted of it.

``w`` is the working memory, ``q`` the table; numbers go to the bench.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from rxnopt.kinetics.leaf import ADVANCE, BEGIN, FINISH, GAUGE, JACOBIAN, PREPARE, RESTORE, SLOPE
from rxnopt.kinetics.runtime.jit import inlined
from rxnopt.kinetics.runtime.table import LEAF

Floats = npt.NDArray[np.float64]
Table = npt.NDArray[np.int64]


def _call(arrays: tuple[Any, ...]) -> Any:
    signature = types.int64(types.int64, types.int64, types.float64, *[types.int64] * 3, *arrays)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        integer, double = ir.IntType(64), ir.DoubleType()
        pointer = double.as_pointer()
        arrays = zip(signature.args[6:], args[6:], strict=True)
        data = [context.make_array(kind)(context, builder, value).data for kind, value in arrays]
        kinds = [integer, double, integer, integer, integer, pointer, pointer, pointer]
        function = builder.inttoptr(args[0], ir.FunctionType(integer, kinds).as_pointer())
        return builder.call(function, [*args[1:6], *data])

    return signature, codegen


@intrinsic
def _leaf(_typing: Any, _address: Any, _what: Any, _t: Any, _y: Any, _f: Any, _i: Any, u: Any, w: Any, out: Any) -> Any:
    return _call((u, w, out))


leaf = cast(Callable[..., int], _leaf)


@inlined
def advance(w: Floats, rtol: float, q: Table) -> int:
    """A step on every lane; 0 if there are no events."""
    return leaf(q[LEAF], ADVANCE, rtol, 0, 0, 0, w, w, w)


@inlined
def begin(u: Floats, i: int, w: Floats, q: Table) -> None:
    """Duration, initial states and switch times of experiment i."""
    leaf(q[LEAF], BEGIN, 0.0, 0, 0, i, u, w, w)


@inlined
def prepare(u: Floats, i: int, w: Floats, q: Table) -> None:
    """Constants of the segment or the tank."""
    leaf(q[LEAF], PREPARE, 0.0, 0, 0, i, u, w, w)


@inlined
def slope(t: float, y: int, f: int, w: Floats, q: Table) -> None:
    """Slopes of the state at cell ``y`` to cell ``f``."""
    leaf(q[LEAF], SLOPE, t, y, f, 0, w, w, w)


@inlined
def jacobian(t: float, y: int, w: Floats, q: Table) -> None:
    """Derivatives of the slopes by the states and by time."""
    leaf(q[LEAF], JACOBIAN, t, y, 0, 0, w, w, w)


@inlined
def gauge(t: float, y: int, f: int, w: Floats, q: Table) -> None:
    """Values and rates of the paths."""
    leaf(q[LEAF], GAUGE, t, y, f, 0, w, w, w)


@inlined
def restore(w: Floats, q: Table) -> None:
    """All states from the integrated ones."""
    leaf(q[LEAF], RESTORE, 0.0, 0, 0, 0, w, w, w)


@inlined
def finish(u: Floats, i: int, w: Floats, out: Floats, q: Table) -> None:
    """Outputs of experiment i."""
    leaf(q[LEAF], FINISH, 0.0, 0, 0, i, u, w, out)
