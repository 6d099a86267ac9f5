"""How every function of a kernel is compiled, and the few operations that Python has no word for."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, TypeVar, cast

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])

ARITHMETIC = {"contract", "arcp", "nsz", "afn"}
"""Freedoms given to the compiler: not nnan and ninf, which would break the checks for nan, and not reassoc, so that
sums are taken in the order in which they are written."""
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": ARITHMETIC}

INNER = OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Functions that only compiled code calls need no way in from Python."""


compiled = cast(Callable[[F], F], numba.njit(**INNER))
"""Decorator of the functions that a kernel is made of."""
inlined = cast(Callable[[F], F], numba.njit(**INNER, forceinline=True))


def entry(function: F) -> F:
    """Decorator of the one function of the runtime that Python calls; compiled at once and cached on disk.

    ``(inputs, outputs, status, steps, stiff, w, rtol, q)``.
    """
    matrix, vector = types.float64[:, ::1], types.float64[::1]
    flags = (types.uint8[::1], types.int32[::1], types.boolean[::1])
    signature = types.void(matrix, matrix, *flags, vector, types.float64, types.int64[::1])
    return cast(F, numba.njit(signature, **OPTIONS, cache=True)(function))


def leaf(function: Callable[..., int]) -> Any:
    """Decorator of the function of one reaction; it has a C address, and is compiled at once and cached on disk."""
    pointer, integer = types.CPointer(types.float64), types.int64  # type: ignore[no-untyped-call]
    signature = integer(integer, types.float64, integer, integer, pointer, pointer, pointer)
    return numba.cfunc(signature, cache=True, error_model="numpy", fastmath=ARITHMETIC)(function)


@inlined
def finite(x: float) -> bool:
    """True unless nan or infinite."""
    return abs(x) < inf


@inlined
def larger(a: float, b: float) -> float:
    """Maximum; nan if either is nan."""
    return a if a > b else (b if b >= a else a + b)


@inlined
def smaller(a: float, b: float) -> float:
    """Minimum; nan if either is nan."""
    return a if a < b else (b if b <= a else a + b)


def _reinterpretation(source: Any, target: Any, bits: ir.Type) -> Any:
    """Operation that takes the 64 bits of one type for another type."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], bits)

    def typed(_typing: Any, _value: Any) -> Any:
        return target(source), codegen

    return intrinsic(typed)


_bits = cast(Callable[[float], int], _reinterpretation(types.float64, types.int64, ir.IntType(64)))
_float = cast(Callable[[int], float], _reinterpretation(types.int64, types.float64, ir.DoubleType()))
ONE_BITS = float(0x3FF0000000000000)


@inlined
def rough_power(x: float, exponent: float) -> float:
    """``x ** exponent``, at most 8 % too large and never too small, for |exponent| <= 0.2 and x >= 0.

    The bits of a float, read as an integer, are a piecewise linear logarithm (Blinn, IEEE Comput. Graph. Appl.
    17 (1997) 80). Five operations that all have vector forms; good enough to choose a step size.
    """
    return _float(int(ONE_BITS + exponent * (float(_bits(x)) - ONE_BITS)))
