"""Kernels on disk: source text under a checked name, machine code beside it.

The machine code is numba's own cache. A kernel found here is imported as Python code, so the directory must
belong to the user and nobody else may write to it.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib
import importlib.util
import logging
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from rxnopt.files import cache_folder, put

LOGGER = logging.getLogger(__name__)
MARK = "# sha256: "


def load(key: str, write: Callable[[], str]) -> ModuleType:
    """The kernel module for ``key``; ``write`` is called for its source only if it is not there.

    A damaged file is written anew. Where the cache cannot be used or is full, a fresh temporary directory takes its
    place and a warning is logged.
    """
    name, path = _place(key)
    try:
        return _load(name, path, write)
    except OSError as error:  # for want of space, of a quota, of permissions
        return _load(name, _fallback(path.parent, error.strerror or str(error)) / path.name, write)


def build(key: str, write: Callable[[], str]) -> None:
    """Put a kernel and its machine code on disk, compiled in this process: for a process that does nothing else."""
    name, path = _place(key)
    if not _is_whole(path):
        _write(path, write())
    _import(name, path)


def is_there(key: str) -> bool:
    """True if the source of a kernel is in the cache."""
    return _is_whole(_place(key)[1])


def _place(key: str) -> tuple[str, Path]:
    name = "rxnopt_kernel_" + hashlib.sha256(f"{key} {_sources()}".encode()).hexdigest()[:32]
    return name, _directory() / f"{name}.py"


def _load(name: str, path: Path, write: Callable[[], str]) -> ModuleType:
    if not _is_whole(path):
        _write(path, write())
        _compile(name, path)
    try:
        return _import(name, path)
    except Exception as error:  # noqa: BLE001 - numba raises anything for damaged machine code; the next failure is real
        LOGGER.warning("kernel %s cannot be loaded (%s), it is built anew", path, type(error).__name__)
        for file in (path.parent / "__pycache__").glob(f"{name}*"):
            file.unlink(missing_ok=True)
        _write(path, write())
        _compile(name, path)
        return _import(name, path)


def _compile(name: str, path: Path) -> None:
    """Compile a kernel in another process, so that every process uses the machine code that is on disk.

    Code that was just compiled is not quite the code on disk: inner functions may be linked from libraries of their
    own, in which products and sums were fused otherwise, and the last bits of results differ. If the other process
    cannot be run or ends with an error, the kernel is compiled at its import: a full disk is told there.
    """
    code = f"from pathlib import Path; from {__name__} import _import; _import({name!r}, Path({str(path)!r}))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    process = subprocess.Popen(  # noqa: S603 - this interpreter, on a file that was just written
        [sys.executable, "-c", code], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    importlib.import_module("numba")  # meanwhile
    if process.wait():
        LOGGER.info("kernel %s was not compiled in another process", path)


@cache
def _sources() -> str:
    """Hash of this package's own source and of its compiler, so that another version writes another kernel."""
    versions = [version(package) for package in ("numba", "llvmlite", "numpy")]
    digest = hashlib.sha256(f"{sys.version_info[:2]} {versions}".encode())
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _directory() -> Path:
    """The cache directory, private to the user."""
    path = cache_folder("kernels")
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_private(path)
        return path
    except OSError as error:
        return _fallback(path, str(error))


def _check_private(path: Path) -> None:
    """Raise OSError unless the directory is ours alone and can be written to."""
    if hasattr(os, "getuid"):
        info = path.stat()
        if info.st_uid != os.getuid():
            raise PermissionError("it belongs to another user")
        if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PermissionError("other users may write to it")
    if not os.access(path, os.W_OK | os.X_OK):
        raise PermissionError("it cannot be written to")


@cache
def _fallback(path: Path, reason: str) -> Path:
    temporary = Path(tempfile.mkdtemp(prefix="rxnopt-"))
    LOGGER.warning("kernel cache %s cannot be used (%s); using %s for this process", path, reason, temporary)
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    return temporary


def _is_whole(path: Path) -> bool:
    """True if the file is there and is what was written."""
    try:
        head, _, body = path.read_text(encoding="utf-8").partition("\n")
    except (FileNotFoundError, UnicodeDecodeError):
        return False
    return head == MARK + hashlib.sha256(body.encode()).hexdigest()


def _write(path: Path, body: str) -> None:
    put(path, f"{MARK}{hashlib.sha256(body.encode()).hexdigest()}\n{body}".encode())


def _import(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # cached machine code asks for its module by name
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
