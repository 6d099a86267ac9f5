"""Compiled reactions: arrays of inputs in, arrays of outputs out, no Python for each experiment."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from rxnopt.kinetics.cache import load
from rxnopt.kinetics.system import OdeSystem

DEFAULT_RTOL = 3e-8
"""Relative tolerance of a step; outputs are then accurate to 1e-6 or better (see tests/kinetics)."""
SMALL_BATCH = 256
"""Batches up to this size stay on the thread of the caller."""
PARTS = 4
"""Parts of a large batch for each thread, so that threads end at about the same time."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class KernelResult:
    """What became of a batch of n experiments."""

    outputs: Floats
    """(n, n_outputs), SI units; rows of nan where the experiment failed."""
    status: npt.NDArray[np.uint8]
    """(n,) values of :class:`~rxnopt.kinetics.status.Status`."""
    steps: npt.NDArray[np.int32]
    """(n,) integration steps, rejected ones included; iterations of a steady system."""
    stiff: npt.NDArray[np.bool_]
    """(n,) True where the implicit method took over."""


@dataclass(frozen=True)
class Kernel:
    """A reaction as machine code; made by :func:`compile_kernel`."""

    n_inputs: int
    n_outputs: int
    _memory: int
    _run: Callable[..., None]

    def __call__(self, inputs: Floats, *, rtol: float = DEFAULT_RTOL, threads: int | None = None) -> KernelResult:
        """Simulate a batch.

        ``inputs``: (n, n_inputs) float64, SI units. ``rtol``: relative tolerance of a step, 1e-14 < rtol < 1.
        ``threads``: None for as many as the process may use. Results do not depend on ``threads`` or on the
        other rows, to the bit. Raises ValueError for a wrong shape, rtol or number of threads.
        """
        inputs = np.ascontiguousarray(inputs, dtype=np.float64)
        if inputs.ndim != 2 or inputs.shape[1] != self.n_inputs:
            raise ValueError(f"inputs have shape {inputs.shape}, (n, {self.n_inputs}) is needed")
        if not 1e-14 < rtol < 1.0:
            raise ValueError(f"rtol is {rtol}, it must lie between 1e-14 and 1")
        if threads is not None and threads < 1:
            raise ValueError(f"threads is {threads}, it must be at least 1")
        if not inputs.flags.writeable:
            inputs = inputs.copy()  # the compiled signature takes writeable arrays only; they are not written to
        n = len(inputs)
        result = KernelResult(
            np.full((n, self.n_outputs), np.nan), np.zeros(n, np.uint8), np.zeros(n, np.int32), np.zeros(n, np.bool_)
        )
        workers = 1 if n <= SMALL_BATCH else threads or _processors()
        if workers == 1:
            self._part(inputs, result, 0, n, rtol)
        else:
            edges = [n * part // (workers * PARTS) for part in range(workers * PARTS + 1)]
            list(
                _pool(workers).map(
                    lambda part: self._part(inputs, result, edges[part], edges[part + 1], rtol), range(workers * PARTS)
                )
            )
        return result

    def _part(self, inputs: Floats, result: KernelResult, low: int, high: int, rtol: float) -> None:
        self._run(
            inputs[low:high],
            result.outputs[low:high],
            result.status[low:high],
            result.steps[low:high],
            result.stiff[low:high],
            np.zeros(self._memory),
            rtol,
        )


def compile_kernel(key: str, build: Callable[[], OdeSystem]) -> Kernel:
    """The kernel of a reaction, from the cache on disk if it is there.

    ``key``: hash of all that ``build`` depends on (the card). ``build`` is called only if the kernel must be
    written. Raises :class:`~rxnopt.errors.RxnoptError` for a system that cannot be compiled.
    """

    def write() -> str:
        from rxnopt.kinetics.codegen.source import kernel_source

        return kernel_source(build())

    module = load(key, write)
    return Kernel(module.N_INPUTS, module.N_OUTPUTS, module.MEMORY, module.run)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="rxnopt-kernel")
