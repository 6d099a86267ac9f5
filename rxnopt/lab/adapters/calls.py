"""What adapters over a network share: time-outs that hold even where a library hangs, and the missing extra."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
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


@contextlib.contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Turn a missing library into one sentence that names the extra."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise LabError(
            f"{what} needs {error.name}, which is not installed; run \"pip install '.[{name}]'\" in the checkout"
        ) from error
