"""What adapters over a network share: time-outs that hold even where a library hangs, TLS, and the missing extra."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

from rxnopt.errors import LabError

T = TypeVar("T")

_abandoned: set[asyncio.Task[Any]] = set()


class Silent(LabError):
    """No answer came in time."""


async def within(seconds: float, call: Coroutine[Any, Any, T], what: str) -> T:
    """Wait for ``call``; raise :class:`Silent` after ``seconds``, whether or not it lets itself be cancelled.

    ``asyncio.wait_for`` waits until the cancelled call has ended, which a half-open connection may never do.
    """
    task = asyncio.ensure_future(call)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        _abandon(task)
        raise
    if done:
        return task.result()
    _abandon(task)
    raise Silent(f"{what} did not answer within {seconds:g} s")


def _abandon(task: asyncio.Task[Any]) -> None:
    """Cancel a call and wait no longer; what it still raises was answered by the time-out."""
    _abandoned.add(task)
    task.add_done_callback(_forget)
    task.cancel()


def _forget(task: asyncio.Task[Any]) -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()


def trusted(authority: Path | None) -> ssl.SSLContext:
    """Return how certificates of servers are checked: by a PEM file, or as this computer does where there is none."""
    try:
        return ssl.create_default_context(cafile=authority)
    except OSError as error:
        what = getattr(error, "reason", None) or error.strerror
        raise LabError(f"{authority}: no certificate could be read ({what}); correct adapter.certificate") from error


@contextlib.contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Turn a missing library into one sentence that names the extra."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise LabError(
            f"{what} needs {error.name}, which is not installed; run \"pip install '.[{name}]'\" in the checkout"
        ) from error
