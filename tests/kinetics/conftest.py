"""Kernels of the test systems, compiled once for the whole run into a directory of its own."""

from __future__ import annotations

import shutil
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
def runtimes(kernel_cache: Path) -> Callable[[Path], Path]:
    """``runtimes(path)`` makes a kernel cache that holds nothing but what all kernels share, which takes long."""
    compile_kernel("exponential_decay", kinetics_toys.exponential_decay)
    compile_kernel("drained", kinetics_toys.drained)

    def copy(path: Path) -> Path:
        target = path / "kernels"
        (target / "__pycache__").mkdir(mode=0o700, parents=True)
        for source in (kernel_cache / "kernels").glob("*.py"):
            if "@entry" in source.read_text():
                for file in (source, *source.parent.glob(f"__pycache__/{source.stem}*")):
                    shutil.copy2(file, target / file.relative_to(source.parent))
        target.chmod(0o700)
        return path

    return copy


@pytest.fixture(scope="session")
def kernel(kernel_cache: Path) -> Callable[[str], Kernel]:
    """``kernel(name)`` compiles the system of that name in kinetics_toys."""
    return cache(lambda name: compile_kernel(name, getattr(kinetics_toys, name)))
