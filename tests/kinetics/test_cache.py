"""Kernels on disk."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys

import kinetics_toys
import numpy as np
import pytest

from rxnopt.kinetics import OdeSystem, cache, compile_kernel, compile_kernels

HALF = np.array([[0.5]])
EXACT = pytest.approx(2.0 * np.exp(-3.0), rel=1e-6)  # the promise of the default tolerance


def never() -> OdeSystem:
    raise AssertionError("the kernel is in the cache, it must not be built")


@pytest.fixture
def fresh_cache(tmp_path, monkeypatch, runtimes):
    monkeypatch.setenv("RXNOPT_CACHE", str(runtimes(tmp_path)))
    return tmp_path


@pytest.fixture
def instead(tmp_path_factory, monkeypatch, runtimes):
    """The temporary directory that takes the place of a cache; what all kernels share is there."""
    folder = runtimes(tmp_path_factory.mktemp("instead")) / "kernels"
    monkeypatch.setattr(cache.tempfile, "mkdtemp", lambda prefix: str(folder))
    return folder


def kernels(path):
    """Sources of kernels in a cache."""
    return [source for source in path.rglob("*.py") if "TABLE" in source.read_text()]


def test_importing_the_package_loads_no_compiler():
    code = "import sys, rxnopt.kinetics; print({'numba', 'sympy', 'llvmlite'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_warm_start_neither_builds_nor_loads_sympy(kernel, kernel_cache):
    kernel("exponential_decay")
    code = """
import sys
import numpy as np
from rxnopt.kinetics import compile_kernel
kernel = compile_kernel("exponential_decay", lambda: sys.exit("build was called"))
print(kernel(np.array([[1.0, 2.0, 3.0]])).outputs[0, 0], "sympy" in sys.modules)
"""
    environment = os.environ | {"RXNOPT_CACHE": str(kernel_cache)}
    said = subprocess.check_output([sys.executable, "-c", code], text=True, env=environment).split()
    assert float(said[0]) == EXACT
    assert said[1] == "False"


def test_damaged_files_are_built_anew(fresh_cache, caplog):
    compile_kernel("drained", kinetics_toys.drained)
    (source,) = kernels(fresh_cache)
    text = source.read_text()
    source.write_text(text[: len(text) // 2])
    kernel = compile_kernel("drained", kinetics_toys.drained)
    assert kernel(HALF).outputs[0, 0] == pytest.approx(0.5)
    assert source.read_text() == text
    assert not list(source.parent.glob("*.part"))
    indices = list(source.parent.rglob(f"{source.stem}*.nbi"))
    assert indices
    for index in indices:
        index.write_bytes(b"nonsense")
    kernel = compile_kernel("drained", kinetics_toys.drained)
    assert kernel(HALF).outputs[0, 0] == pytest.approx(0.5)
    assert "built anew" in caplog.text


def test_another_key_is_another_kernel(fresh_cache):
    compile_kernel("one", kinetics_toys.drained)
    with pytest.raises(AssertionError, match="must not be built"):
        compile_kernel("two", never)
    assert compile_kernel("one", never).n_inputs == 1


def test_many_are_compiled_at_a_time(fresh_cache):
    builds = {"one": kinetics_toys.drained, "two": kinetics_toys.exponential_decay}
    assert compile_kernels(builds, processes=2) == 2
    assert compile_kernels(dict.fromkeys(builds, never)) == 0
    assert compile_kernel("one", never)(HALF).outputs[0, 0] == pytest.approx(0.5)
    assert compile_kernel("two", never)(np.array([[1.0, 2.0, 3.0]])).outputs[0, 0] == EXACT


def test_directory_is_private(fresh_cache):
    compile_kernel("one", kinetics_toys.drained)
    assert (fresh_cache / "kernels").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("obstacle", ["file in the way", "open to others"])
def test_a_cache_that_cannot_be_used_is_said_and_replaced(fresh_cache, instead, caplog, obstacle):
    place = fresh_cache / "kernels"
    shutil.rmtree(place)
    if obstacle == "file in the way":
        place.write_text("")
    else:
        place.mkdir()
        place.chmod(0o777)
    assert compile_kernel("drained", kinetics_toys.drained)(HALF).outputs[0, 0] == pytest.approx(0.5)
    assert "cannot be used" in caplog.text
    assert f"using {instead} for this process" in caplog.text
    assert not kernels(fresh_cache)
    assert len(kernels(instead)) == 1


def test_a_full_cache_is_said_and_replaced(fresh_cache, instead, caplog, monkeypatch):
    put = cache.put

    def full(path, data):
        if fresh_cache in path.parents:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        put(path, data)

    monkeypatch.setattr(cache, "put", full)
    for _ in range(2):
        assert compile_kernel("drained", kinetics_toys.drained)(HALF).outputs[0, 0] == pytest.approx(0.5)
    assert caplog.text.count("cannot be used (No space left on device); using") == 1
    assert not kernels(fresh_cache)
    assert len(kernels(instead)) == 1


def test_no_space_for_machine_code_is_said_and_replaced(fresh_cache, instead, caplog, monkeypatch):
    load = cache._import

    def full(name, path):
        if fresh_cache in path.parents:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return load(name, path)

    monkeypatch.setattr(cache, "_import", full)
    monkeypatch.setattr(cache, "_compile", lambda name, path: None)  # another process, which failed
    assert compile_kernel("drained", kinetics_toys.drained)(HALF).outputs[0, 0] == pytest.approx(0.5)
    assert "cannot be used (No space left on device); using" in caplog.text
    assert len(kernels(instead)) == 1
