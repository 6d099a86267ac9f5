"""What the benchmarks share: the machine in a line, medians with spreads, optima put into cards."""

from __future__ import annotations

import os
import platform
import re
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path


def machine(*packages: str) -> str:
    """Return processor, cores, Python and package versions in a line."""
    cpu = next(
        (line.split(":")[1].strip() for line in _cpu_lines() if line.startswith("model name")), platform.machine()
    )
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return f"{cpu}, {os.cpu_count()} cores; Python {platform.python_version()}, {versions}"


def _cpu_lines() -> list[str]:
    info = Path("/proc/cpuinfo")
    return info.read_text().splitlines() if info.exists() else []


def put_optimum(card: Path, value: float, where: str, note: str) -> None:
    """Replace or append the optimum of a card file; ``where``: the line that tells its conditions or profile."""
    block = f"optimum:\n  value: {value:.9g}\n  {where}\n  note: {note}\n"
    text = re.sub(r"^optimum:\n(?: .*\n)*", "", card.read_text(), flags=re.MULTILINE)
    card.write_text(text.rstrip("\n") + "\n" + block)


def seconds(
    work: Callable[[], object], repeats: int = 7, clock: Callable[[], float] = time.perf_counter
) -> tuple[float, float, float]:
    """Return the least, the median and the largest time of ``work`` after one warm-up call."""
    work()
    times = []
    for _ in range(repeats):
        start = clock()
        work()
        times.append(clock() - start)
    return min(times), statistics.median(times), max(times)


def rate(count: int, spread: tuple[float, float, float]) -> str:
    """Write a rate per second: median and, in brackets, the slowest and the fastest run."""
    least, median, most = spread
    return f"{count / median:,.0f}/s [{count / most:,.0f} to {count / least:,.0f}]"
