"""Named places at which tests kill the process; they do nothing unless an environment variable names one."""

from __future__ import annotations

import os
import signal

VARIABLE = "RXNOPT_CRASH_AT"


def point(name: str) -> None:
    """Kill this process, as the operating system would, if ``name`` is what the environment asks for."""
    if os.environ.get(VARIABLE) == name:
        os.kill(os.getpid(), signal.SIGKILL)
