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

ARITHMETIC = {"contract", "reassoc", "arcp", "nsz", "afn"}
"""Freedoms given to the compiler: all but the ones (nnan, ninf) that would break the checks for nan."""
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": ARITHMETIC}

INNER = OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Functions that only compiled code calls need no way in from Python."""
compiled = cast(Callable[[F], F], numba.njit(**INNER))
inlined = cast(Callable[[F], F], numba.njit(**INNER, forceinline=True))


def entry(signature: str) -> Callable[[F], F]:
    """Decorator of the one function of a kernel that Python calls; compiled at once and cached on disk."""
    return cast(Callable[[F], F], numba.njit(signature, **OPTIONS, cache=True))


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


@intrinsic  # type: ignore[untyped-decorator]
def _bits(typingctx: Any, value: Any) -> Any:
    """The 64 bits of a float as an integer."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), codegen


@intrinsic  # type: ignore[untyped-decorator]
def _float(typingctx: Any, value: Any) -> Any:
    """The float with the given 64 bits."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), codegen


ONE_BITS = float(0x3FF0000000000000)


@inlined
def rough_power(x: float, exponent: float) -> float:
    """``x ** exponent`` within 1 % for |exponent| <= 0.1 and x >= 0, in five operations that have vector forms.

    The bits of a float, read as an integer, are a piecewise linear logarithm (Blinn, IEEE Comput. Graph. Appl.
    17 (1997) 80). Good enough to choose a step size, and the same on every lane.
    """
    return _float(int(ONE_BITS + exponent * (float(_bits(x)) - ONE_BITS)))
