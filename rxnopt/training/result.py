"""What a training returns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Training:
    """What a training leaves behind.

    ``provenance`` holds, beside :data:`rxnopt.agents.weights.FIELDS`: ``seed``, ``steps`` done, ``kept_at`` (the steps
    of the network that was kept), ``ended`` ("done", "plateau"), ``evaluations`` (steps and share of the optimum),
    ``wall_s``, ``device``, ``versions``, ``command`` and ``score`` (:func:`rxnopt.training.evaluation.evaluate`,
    :func:`rxnopt.training.pretraining.evaluate`).
    """

    weights: Path
    provenance: dict[str, Any]
