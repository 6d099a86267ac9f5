"""Reactions as ordinary differential equations, compiled to machine code.

Importing this package loads neither numba nor sympy.
"""

from rxnopt.kinetics.kernel import Kernel, KernelResult, compile_kernel, compile_kernels
from rxnopt.kinetics.status import Status
from rxnopt.kinetics.system import OdeSystem, PathExtreme

__all__ = ["Kernel", "KernelResult", "OdeSystem", "PathExtreme", "Status", "compile_kernel", "compile_kernels"]
