"""Kernels of the test systems, compiled once for the whole run into a directory of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import kinetics_toys
import pytest

from rxnopt.kinetics import Kernel, compile_kernel
from rxnopt.kinetics.cache import load
from rxnopt.kinetics.kernel import RUNTIME, _runtime_key


@pytest.fixture(scope="session")
def runtimes() -> Callable[[Path], Path]:
    """``runtimes(path)`` makes a kernel cache that holds nothing but what all kernels share, which takes long.

    It comes from the cache of the user, where the reactions of the catalogue need it too.
    """
    kinds = ("transient", "steady")
    sources = [Path(load(_runtime_key(kind), partial(RUNTIME.format, kind=kind)).__file__) for kind in kinds]

    def copy(path: Path) -> Path:
        target = path / "kernels"
        (target / "__pycache__").mkdir(mode=0o700, parents=True)
        for source in sources:
            for file in (source, *source.parent.glob(f"__pycache__/{source.stem}*")):
                shutil.copy2(file, target / file.relative_to(source.parent))
        target.chmod(0o700)
        return path

    return copy


@pytest.fixture(scope="session")
def kernel_cache(tmp_path_factory: pytest.TempPathFactory, runtimes: Callable[[Path], Path]) -> Path:
    return runtimes(tmp_path_factory.mktemp("kernel-cache"))


@pytest.fixture(scope="session")
def kernel(kernel_cache: Path) -> Callable[[str], Kernel]:
    """``kernel(name)`` compiles the system of that name in kinetics_toys."""

    @cache
    def compiled(name: str) -> Kernel:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RXNOPT_CACHE", str(kernel_cache))
            return compile_kernel(name, getattr(kinetics_toys, name))

    return compiled
