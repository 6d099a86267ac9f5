"""Results of experiments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rxnopt.errors import LabError
from rxnopt.space import Array

Simulator = Callable[[Array], "Outcome"]
"""Noise-free outcomes of conditions ``X`` (n, d)."""


@dataclass(frozen=True)
class Outcome:
    """Outputs of n experiments: ``values`` (n, m) in the units of the card, NaN rows where ``failed`` (n,).

    ``reason`` (n,): why, as a number (:meth:`rxnopt.simulators.Reaction.reasons` has the words), 0 where an experiment
    did not fail; None where the model alone decided.
    """

    values: Array
    failed: NDArray[np.bool_]
    reason: NDArray[np.uint8] | None = None


def not_simulated(name: str, _: Array) -> Outcome:
    """Stand in for the simulator of a card that has a lab; raise :class:`rxnopt.errors.LabError`."""
    raise LabError(f"{name} has a 'lab' and no model, so that nothing can be simulated; run it with `rxnopt run`")
