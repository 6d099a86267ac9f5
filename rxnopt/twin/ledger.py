"""The physical journal of a twin: JSON lines that are only ever appended, each on the disk before it counts."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

Line = dict[str, Any]


class Ledger:
    """What happened to the rig, over all its boots; ``path`` None keeps it in memory.

    A line has ``kind`` (boot, asked, start, measured, end, safe, reset), ``t`` (twin seconds of this process) and what
    belongs to it. A last line that was cut off by a kill is left out.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.lines: list[Line] = []
        if path is not None and path.exists():
            self.lines = read(path)
            _mend(path)

    def write(self, kind: str, t: float, **fields: Any) -> Line:
        """Append one line and flush it to the disk."""
        line: Line = {"kind": kind, "t": round(t, 3), **fields}
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
                file.flush()
                os.fsync(file.fileno())
        self.lines.append(line)
        return line

    def of(self, kind: str) -> list[Line]:
        """Return the lines of one kind, in order."""
        return [line for line in self.lines if line["kind"] == kind]


def read(path: Path) -> list[Line]:
    """Return the whole lines of a physical journal."""
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def starts(source: Path | Ledger) -> Counter[str]:
    """Return how often each run id was physically started: the oracle of tests."""
    lines = source.lines if isinstance(source, Ledger) else read(source)
    return Counter(line["run_id"] for line in lines if line["kind"] == "start")


def _mend(path: Path) -> None:
    """Cut off half a line, so that the next one begins where it must."""
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
