"""The control block of a reaction card: its parameters vary in time, interval by interval."""

from __future__ import annotations

from pydantic import Field

from rxnopt.cards.base import Identifier, Model

MAX_INTERVALS = 1000


class Control(Model):
    """All parameters are controls, each held constant over one of equal shares of the run."""

    intervals: int = Field(ge=1, le=MAX_INTERVALS, description="Shares of the run, unless somebody asks for others.")
    measured: tuple[Identifier, ...] = Field(
        (), strict=False, description="Outputs that are measured at the end of each interval."
    )
