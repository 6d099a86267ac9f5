"""What became of an experiment."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """Status of one experiment; only the rows with OK have outputs."""

    OK = 0
    TOO_MANY_STEPS = 1
    NOT_FINITE = 2
    NOT_CONVERGED = 3


OK = int(Status.OK)
TOO_MANY_STEPS = int(Status.TOO_MANY_STEPS)
NOT_FINITE = int(Status.NOT_FINITE)
NOT_CONVERGED = int(Status.NOT_CONVERGED)
