"""Functions that a user wrote, as agents."""

from __future__ import annotations

import hashlib
import inspect
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from rxnopt.cards.agent import FunctionCard, PythonFunction
from rxnopt.errors import AgentError, RxnoptError
from rxnopt.history import History
from rxnopt.space import Array, Space
from rxnopt.user_code import locate, named

T = TypeVar("T")
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
    path = _asked(locate, place)
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
    path = _asked(locate, settings.place)
    if hashlib.sha256(path.read_bytes()).hexdigest() != settings.sha256:
        raise AgentError(f"agent {card.name!r}: {path} was changed since the start; start again")
    return Function(card.name, _asked(named, settings.place, settings.function))


def _asked(look: Callable[..., T], *what: str) -> T:
    try:
        return look(*what)
    except ImportError as error:
        raise AgentError(str(error)) from error
