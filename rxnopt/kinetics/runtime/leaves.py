"""What a kernel knows about its own reaction: one function behind an address, called with what is wanted of it.

``w`` is the working memory, ``q`` the table, ``u`` the inputs and ``out`` the outputs of one experiment, all of them
pointers; numbers go to the bench.
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


@intrinsic
def _leaf(_typing: Any, _address: Any, _what: Any, _t: Any, _y: Any, _f: Any, u: Any, w: Any, out: Any) -> Any:
    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(64), [arg.type for arg in args[1:]])
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])

    numbers = (types.int64, types.int64, types.float64, types.int64, types.int64)
    return types.int64(*numbers, u, w, out), codegen


@intrinsic
def _pointer(_typing: Any, array: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), codegen  # type: ignore[no-untyped-call]


@intrinsic
def _shifted(_typing: Any, pointer: Any, _count: Any) -> Any:
    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.gep(args[0], [args[1]])

    return pointer(pointer, types.int64), codegen


leaf = cast(Callable[..., int], _leaf)
pointer = cast(Callable[[Any], Any], _pointer)
"""Where the numbers of an array begin. Pointers have no shape and know no negative index, which makes code short."""
shifted = cast(Callable[[Floats, int], Floats], _shifted)
"""A pointer some numbers further on."""


@inlined
def advance(w: Floats, rtol: float, q: Table) -> int:
    """A step on every lane; 0 if there are no events."""
    return leaf(q[LEAF], ADVANCE, rtol, 0, 0, w, w, w)


@inlined
def begin(u: Floats, w: Floats, q: Table) -> None:
    """Duration, initial states and switch times."""
    leaf(q[LEAF], BEGIN, 0.0, 0, 0, u, w, w)


@inlined
def prepare(u: Floats, w: Floats, q: Table) -> None:
    """Constants of the segment or the tank."""
    leaf(q[LEAF], PREPARE, 0.0, 0, 0, u, w, w)


@inlined
def slope(t: float, y: int, f: int, w: Floats, q: Table) -> None:
    """Slopes of the state at cell ``y`` to cell ``f``."""
    leaf(q[LEAF], SLOPE, t, y, f, w, w, w)


@inlined
def jacobian(t: float, y: int, w: Floats, q: Table) -> None:
    """Derivatives of the slopes by the states and by time."""
    leaf(q[LEAF], JACOBIAN, t, y, 0, w, w, w)


@inlined
def gauge(t: float, y: int, f: int, w: Floats, q: Table) -> None:
    """Values and rates of the paths."""
    leaf(q[LEAF], GAUGE, t, y, f, w, w, w)


@inlined
def restore(w: Floats, q: Table) -> None:
    """All states from the integrated ones."""
    leaf(q[LEAF], RESTORE, 0.0, 0, 0, w, w, w)


@inlined
def finish(u: Floats, w: Floats, out: Floats, q: Table) -> None:
    """Outputs."""
    leaf(q[LEAF], FINISH, 0.0, 0, 0, u, w, out)
