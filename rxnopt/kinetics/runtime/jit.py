"""How every function of a kernel is compiled, and the few operations that Python has no word for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from math import inf
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.dispatcher import Dispatcher
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])

ARITHMETIC = {"contract", "arcp", "nsz", "afn"}
"""Freedoms given to the compiler: not nnan and ninf, which would break the checks for nan, and not reassoc, so that
sums are taken in the order in which they are written."""
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": ARITHMETIC}

INNER = OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Functions that only compiled code calls need no way in from Python."""


def compiled(function: F) -> F:
    """Decorator of the functions that a kernel is made of.

    A function made inside another one is renamed after what it closes over. Machine code from several caches meets
    in one linker, which keeps one function of each name: functions of one name must be one function.
    """
    if function.__closure__:
        cells = zip(function.__code__.co_freevars, function.__closure__, strict=True)
        content = ";".join(f"{name}={_written(cell.cell_contents)}" for name, cell in cells)
        function.__qualname__ += "_" + hashlib.sha256(content.encode()).hexdigest()[:32]
    return cast(F, numba.njit(**INNER)(function))


def _written(content: object) -> str:
    """Write what a function closes over: numbers, arrays, tuples, and compiled functions by their full names."""
    if isinstance(content, Dispatcher):
        return f"{content.py_func.__module__}.{content.py_func.__qualname__}"
    if isinstance(content, np.ndarray):
        return f"{content.dtype}{content.tolist()}"
    if isinstance(content, tuple):
        return f"({','.join(map(_written, content))})"
    if isinstance(content, bool | int | float | str | np.generic):
        return repr(content)
    raise TypeError(
        f"a compiled function closes over {content!r}; give it numbers, arrays, tuples or compiled functions"
    )


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
