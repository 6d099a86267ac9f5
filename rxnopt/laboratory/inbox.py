"""What people say to a runner from another terminal: a folder of small files beside the journal.

The journal belongs to one process, so that a command is a file (written elsewhere, flushed, renamed) that the runner
takes. Its id goes into the journal in the same transaction as what it does, so that a command counts once, whenever
the runner is killed. The answer is a file too.
"""

from __future__ import annotations

import getpass
import json
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rxnopt.errors import LabError
from rxnopt.files import put

CONTROL = ("pause", "resume", "stop", "abort")
"""pause: nothing new is submitted; stop: end after this run; abort: cancel this run, safe state, end."""


@dataclass(frozen=True)
class Command:
    """One thing that a person said."""

    id: str
    verb: str
    by: str
    args: Mapping[str, Any]


def inbox_of(journal: Path) -> Path:
    """Return the folder for commands to the runner of a journal."""
    return journal.with_name(f"{journal.name}.inbox")


def status_of(journal: Path) -> Path:
    """Return the file in which the runner of a journal says how it stands."""
    return journal.with_name(f"{journal.name}.status.json")


def command(verb: str, args: Mapping[str, Any]) -> Command:
    """Return a command of the user of this process."""
    return Command(f"{time.time_ns()}-{uuid.uuid4().hex[:8]}", verb, _user(), dict(args))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without names of users
        return str(os.getuid())


def send(journal: Path, said: Command) -> None:
    """Put a command where the runner finds it."""
    text = json.dumps({"id": said.id, "verb": said.verb, "by": said.by, "args": said.args})
    put(inbox_of(journal) / f"{said.id}.json", text.encode())


def waiting(journal: Path) -> list[tuple[Path, Command]]:
    """Return the commands that were not taken yet, in their order, with their files."""
    folder = inbox_of(journal)
    found = []
    for file in sorted(folder.glob("*.json")) if folder.is_dir() else []:
        try:
            row = json.loads(file.read_text())
            found.append((file, Command(row["id"], row["verb"], row["by"], row["args"])))
        except (OSError, ValueError, KeyError, TypeError):
            file.rename(file.with_suffix(".unreadable"))  # kept, and not looked at again
    return found


def answer(file: Path, error: str | None) -> None:
    """Say what became of a command, and take it away."""
    put(file.with_suffix(".answer"), json.dumps({"error": error}).encode())
    file.unlink(missing_ok=True)


def await_answer(journal: Path, said: Command, limit: float) -> bool:
    """Wait for the answer of a runner; False: none came. Raises :class:`LabError` where the runner refuses."""
    file = inbox_of(journal) / f"{said.id}.answer"
    end = time.monotonic() + limit
    while not file.exists():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    error = json.loads(file.read_text())["error"]
    file.unlink(missing_ok=True)
    if error is not None:
        raise LabError(error)
    return True


__all__ = ["CONTROL", "Command", "answer", "await_answer", "command", "inbox_of", "send", "status_of", "waiting"]
