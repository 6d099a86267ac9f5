"""Python that a user names: ``my_module:name``, or ``path/to/file.py:name``."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from rxnopt.errors import did_you_mean


def locate(place: str) -> Path:
    """Return the file of a module, or of a path that ends in ``.py``; nothing is run but packages around a module.

    Modules are looked for in the current folder too. Raises ImportError where there is none.
    """
    if place.endswith(".py"):
        if not Path(place).is_file():
            raise ImportError(f"there is no file {place!r}; check the path")
        return Path(place)
    here = str(Path.cwd())
    sys.path += [] if here in sys.path else [here]  # a console script does not look there
    try:
        spec = importlib.util.find_spec(place)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise ImportError(f"there is no module {place!r}; check the name, or start in the folder that holds the module")
    return Path(spec.origin or "")


def named(place: str, name: str) -> Callable[..., Any]:
    """Return a function or class of a module, which is run now; raise ImportError in one sentence."""
    path = locate(place)
    try:
        module = _run(path) if place.endswith(".py") else importlib.import_module(place)
    except Exception as error:
        raise ImportError(f"{path} cannot be imported ({type(error).__name__}: {error})") from error
    found: Callable[..., Any] | None = getattr(module, name, None)
    if not callable(found):
        known = [own for own, value in vars(module).items() if callable(value) and not own.startswith("_")]
        raise ImportError(f"{place} has no function or class {name!r}{did_you_mean(name, known)}")
    return found


def _run(path: Path) -> ModuleType:
    """Import a file once in a process, and anew when it was changed."""
    digest = hashlib.sha256(str(path.resolve()).encode() + path.read_bytes()).hexdigest()
    own = f"rxnopt_user_{digest[:16]}"
    if own not in sys.modules:
        spec = importlib.util.spec_from_file_location(own, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} is no Python")
        sys.modules[own] = module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[own]
            raise
    return sys.modules[own]
