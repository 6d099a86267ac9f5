"""What all commands share: the application, errors without stack traces, common options."""

from __future__ import annotations

import functools
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from rxnopt.errors import ConditionsError, RxnoptError
from rxnopt.files import put

if TYPE_CHECKING:
    import pandas as pd

EXIT_INCOMPLETE, EXIT_MISTAKE, EXIT_INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="rxnopt",
    help=(
        "Learning to run chemical reactions: simulate published reactions, let agents compete on them, train policies."
        "\n\nExit codes: 0 done; 1 some campaigns gave no result; 2 a mistake in what was given (one sentence says "
        "which); 130 stopped by Ctrl-C."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
)

P = ParamSpec("P")

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no words beyond the result.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Root seed; equal seeds give equal numbers.")]
Out = Annotated[Path, typer.Option("--out", help="Folder for results.")]


def command(name: str, epilog: str, group: typer.Typer = app) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Register a command of a group whose errors are printed as one sentence."""

    def register(function: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
            try:
                function(*args, **kwargs)
            except RxnoptError as error:
                stop(str(error), EXIT_MISTAKE)
            except BrokenPipeError:
                sys.stderr.close()  # the reader of a pipe went away; nothing is left to say
            except OSError as error:
                where = "" if error.filename is None else f"{error.filename}: "
                stop(f"{where}{error.strerror or error}", EXIT_MISTAKE)
            except KeyboardInterrupt as stopped:
                stop(str(stopped) or "stopped by Ctrl-C", EXIT_INTERRUPTED)

        return group.command(name, epilog="Example: " + epilog)(guarded)

    return register


def stop(message: str, code: int) -> None:
    """Print one sentence to standard error and leave."""
    typer.echo(f"error: {message}" if code == EXIT_MISTAKE else message, err=True)
    raise typer.Exit(code)


def assignments(texts: Sequence[str], example: str) -> dict[str, str]:
    """Return ``name=value`` texts as a mapping; raise :class:`ConditionsError`, with an ``example``."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise ConditionsError(f"{text!r} is not name=value; write it like {example}")
        if name in found:
            raise ConditionsError(f"{name} is given twice ({found[name]} and {value}); give it once")
        found[name] = value
    return found


def check_out(path: Path | None) -> None:
    """Raise :class:`rxnopt.errors.RxnoptError` unless a file can be written at ``path``; before the work, not after."""
    if path is None:
        return
    if not path.parent.is_dir():
        raise RxnoptError(f"{path}: there is no folder {path.parent}; make it first or give another path")
    if path.is_dir():
        raise RxnoptError(f"{path}: this is a folder; give the path of a file")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise RxnoptError(f"{path}: this may not be written; change the permissions or give another path")


def check_folder(path: Path | None) -> None:
    """Raise :class:`rxnopt.errors.RxnoptError` unless ``path`` is a folder, or can become one, that can be written."""
    if path is None:
        return
    there = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not there.is_dir():
        raise RxnoptError(f"{path}: {there} is no folder; give another one")
    if not os.access(there, os.W_OK):
        raise RxnoptError(f"{path}: {there} may not be written; change the permissions or give another folder")


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table; an OSError names the path."""
    data = table.to_csv(index=False).encode()
    try:
        if path.is_file() or not path.exists():
            put(path.resolve(), data)
        else:  # a pipe or a device
            path.write_bytes(data)
    except OSError as error:
        error.filename = str(path)
        raise


def print_json(data: Any) -> None:
    """Print plain data as JSON; what is not a finite number becomes null."""
    typer.echo(json.dumps(_finite(data), indent=2, ensure_ascii=False))


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and data - data != 0.0 else data


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table that fits the terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    # benzo[c]isoxazole is a name and no markup
    Console(soft_wrap=not sys.stdout.isatty(), markup=False, emoji=False).print(table)


def number(value: float) -> str:
    """Write a number with six significant digits."""
    return f"{value:.6g}"
