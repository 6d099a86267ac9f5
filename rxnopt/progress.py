"""A progress bar, for whatever takes longer than two seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(show: bool, title: str, total: int, done: int = 0) -> Iterator[Callable[[int, str], None]]:
    """Give a function that is told how much is new and, in a few words, what was last.

    The bar stands on standard error, with the time that is left; without ``show`` there is none.
    """
    if not show:
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), "{task.fields[last]}")
    with Progress(*columns, console=Console(stderr=True)) as drawn:
        task = drawn.add_task("", total=total, completed=done, last="")
        yield lambda new, last: drawn.update(task, advance=new, last=last)
