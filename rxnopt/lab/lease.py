"""One runner for each device: a lock that the operating system lets go of when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from rxnopt.errors import LabError
from rxnopt.lab.interface import DeviceInfo


@contextlib.contextmanager
def leased(info: DeviceInfo, journal: str) -> Iterator[None]:
    """Hold a device, known by vendor, model and serial; raise :class:`LabError` where another runner holds it.

    The lock is a file that says who holds it. It holds between processes of one user on one computer.
    """
    folder = Path(tempfile.gettempdir()) / f"rxnopt-leases-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    name = hashlib.sha256(json.dumps([info.vendor, info.model, info.serial]).encode()).hexdigest()[:24]
    with (folder / f"{name}.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            device = f"{info.vendor} {info.model} {info.serial}"
            raise LabError(f"{device} is run by {_holder(file)}; wait until it ends") from error
        row = {"pid": os.getpid(), "host": platform.node(), "journal": journal, "since": time.time()}
        file.seek(0)
        file.truncate()
        json.dump(row, file)
        file.flush()
        yield


def _holder(file: IO[str]) -> str:
    file.seek(0)
    try:
        row = json.load(file)
    except json.JSONDecodeError:  # it is being written
        return "another process"
    return f"process {row['pid']} on {row['host']} (journal {row['journal']})"
