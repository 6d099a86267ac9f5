"""Kernels of the test systems, compiled once for the whole run into a directory of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import kinetics_toys
import pytest

from rxnopt.kinetics import Kernel, compile_kernel


@pytest.fixture(scope="session")
def kernel_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("kernel-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RXNOPT_CACHE", str(path))
        yield path


@pytest.fixture(scope="session")
def kernel(kernel_cache: Path) -> Callable[[str], Kernel]:
    """``kernel(name)`` compiles the system of that name in kinetics_toys."""
    return cache(lambda name: compile_kernel(name, getattr(kinetics_toys, name)))
