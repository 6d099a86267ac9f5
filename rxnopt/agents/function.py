"""Functions that a user wrote, as agents."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np

from rxnopt.cards.agent import FunctionCard, PythonFunction
from rxnopt.errors import AgentError, RxnoptError, did_you_mean
from rxnopt.history import History
from rxnopt.space import Array, Space

Propose = Callable[[Space, History, int, np.random.Generator], Any]
_NAMED = re.compile(r"(.+\.py|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)")


class Function:
    """A function ``propose(space, history, n, rng)`` that returns n conditions (n, d)."""

    def __init__(self, name: str, propose: Propose) -> None:
        self.name, self._propose = name, propose
        try:
            inspect.signature(propose).bind(None, None, 1, None)
        except (TypeError, ValueError) as error:
            raise AgentError(f"agent {name!r} must be called as propose(space, history, n, rng) ({error})") from error

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return what the function returns; an error in it becomes an :class:`rxnopt.errors.AgentError`."""
        try:
            return np.asarray(self._propose(space, history, n, rng), float)
        except RxnoptError:
            raise
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(last.filename).name}, line {last.lineno}"
            raise AgentError(f"agent {self.name!r} failed ({type(error).__name__}: {error}; {where})") from error


def is_function(text: str) -> bool:
    """Return whether ``text`` names a function: ``my_module:propose`` or ``path/to/file.py:propose``."""
    return _NAMED.fullmatch(text) is not None


def function_card(text: str) -> FunctionCard:
    """Return the card of a function that is named as :func:`is_function` says; nothing is run yet.

    Modules are looked for in the current folder too. The card carries the hash of the file, so that journals and
    comparisons tell a changed function from the one before.
    """
    match = _NAMED.fullmatch(text)
    if match is None:
        raise AgentError(f"{text!r} names no function; write my_module:propose or path/to/file.py:propose")
    place, function = match.groups()
    origin = _spec(place).origin
    path = Path(origin or "")
    if not path.is_file():
        raise AgentError(f"{text}: {place} is no file of Python; name a module or a .py file that holds the function")
    settings = PythonFunction(
        kind="python", place=str(path.absolute()) if place.endswith(".py") else place, function=function,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )  # fmt: skip
    name = f"{path.name if place.endswith('.py') else place}:{function}"
    return FunctionCard(name=name, title=f"The function {name}", agent=settings)


def build_function(card: FunctionCard) -> Function:
    """Return the agent of a function; its module is run now."""
    settings = card.agent
    spec = _spec(settings.place)
    if hashlib.sha256(Path(spec.origin or "").read_bytes()).hexdigest() != settings.sha256:
        raise AgentError(f"agent {card.name!r}: {spec.origin} was changed since the start; start again")
    module = _run(card.name, spec, settings.sha256 if settings.place.endswith(".py") else None)
    found = getattr(module, settings.function, None)
    if not callable(found):
        names = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        hint = did_you_mean(settings.function, names)
        raise AgentError(f"agent {card.name!r}: {settings.place} has no function {settings.function!r}{hint}")
    return Function(card.name, found)


def _spec(place: str) -> ModuleSpec:
    """Return where a module is; raise :class:`rxnopt.errors.AgentError` where there is none."""
    if place.endswith(".py"):
        spec = importlib.util.spec_from_file_location("rxnopt_user", place) if Path(place).is_file() else None
    else:
        here = str(Path.cwd())
        sys.path += [] if here in sys.path else [here]  # a console script does not look there
        try:
            spec = importlib.util.find_spec(place)
        except (ImportError, ValueError):
            spec = None
    if spec is None:
        raise AgentError(f"there is no module {place!r}; check the path, or start in the folder that holds the module")
    return spec


def _run(name: str, spec: ModuleSpec, digest: str | None) -> Any:
    """Import a module once in a process: a file under a name of its own, a module under its name."""
    try:
        if digest is None:
            return importlib.import_module(spec.name)
        own = f"rxnopt_user_{digest[:16]}"
        if own not in sys.modules:
            sys.modules[own] = module = importlib.util.module_from_spec(spec)
            try:
                spec.loader.exec_module(module)  # type: ignore[union-attr]  # made from a file, so it has one
            except BaseException:
                del sys.modules[own]
                raise
        return sys.modules[own]
    except Exception as error:
        raise AgentError(
            f"agent {name!r}: {spec.origin} cannot be imported ({type(error).__name__}: {error})"
        ) from error
