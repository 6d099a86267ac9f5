"""One runner for each device: a lock that the operating system lets go of when its holder dies."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from rxnopt.errors import LabError
from rxnopt.lab.interface import DeviceInfo


@contextlib.contextmanager
def leased(info: DeviceInfo, journal: str) -> Iterator[None]:
    """Hold a device, known by vendor, model and serial; raise :class:`LabError` where another runner holds it.

    A file beside the lock says who holds it. It holds between processes of one user on one computer.
    """
    own = f"-{os.getuid()}" if hasattr(os, "getuid") else ""  # elsewhere each user has a folder for such files
    folder = Path(tempfile.gettempdir()) / f"rxnopt-leases{own}"
    folder.mkdir(mode=0o700, exist_ok=True)
    name = hashlib.sha256(json.dumps([info.vendor, info.model, info.serial]).encode()).hexdigest()[:24]
    holder = folder / f"{name}.json"
    try:  # a soft lock would outlive its holder
        held = FileLock(folder / f"{name}.lock", fallback_to_soft=False).acquire(blocking=False)
    except Timeout as error:
        device = f"{info.vendor} {info.model} {info.serial}"
        raise LabError(f"{device} is run by {_holder(holder)}; wait until it ends") from error
    with held:
        row = {"pid": os.getpid(), "host": platform.node(), "journal": journal, "since": time.time()}
        holder.write_text(json.dumps(row))
        yield


def _holder(file: Path) -> str:
    try:
        row = json.loads(file.read_text())
    except (OSError, json.JSONDecodeError):  # it is being written
        return "another process"
    return f"process {row['pid']} on {row['host']} (journal {row['journal']})"
