"""The time of a twin, in seconds from its first start."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> float:
        """Seconds of twin time; never goes back."""
        ...


class ScaledClock:
    """Real time, ``speed`` times as fast."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed, self._start = speed, time.monotonic()

    def now(self) -> float:
        """Seconds of twin time since the clock was made."""
        return (time.monotonic() - self._start) * self.speed


class ManualClock:
    """Stands still until it is moved; for tests that wait for nothing."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """Seconds so far."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on."""
        self._now += seconds
