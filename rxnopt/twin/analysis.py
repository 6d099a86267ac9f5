"""From the reactor to the result of a run: what was made, what is measured of it, and which faults spoil that."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rxnopt.formulas import parse
from rxnopt.simulators import Reaction
from rxnopt.twin.plumbing import Plumbing
from rxnopt.twin.runs import Run
from rxnopt.twin.scenario import Faults


class Analyst:
    """Measures the runs of one rig; chance depends on ``seed`` and the number of the run."""

    def __init__(self, reaction: Reaction, seed: int, volumes: float) -> None:
        self.reaction, self.seed = reaction, seed
        self.rest = math.exp(-volumes)
        """Share of a sample that is left from the run before."""
        self._before: np.ndarray[Any, Any] | None = None

    def conclude(self, run: Run, plumbing: Plumbing, sampled: float) -> None:
        """Write outputs and achieved set-points of a run whose sample was taken at time ``sampled``."""
        space = self.reaction.space
        X = space.to_array(run.settings)
        true, sensed = plumbing.true(sampled), plumbing.sensed(sampled)
        achieved = X.copy()
        for name in plumbing.hot:
            achieved[:, space.names.index(name)] = true[name]
        run.achieved = [setting | {name: sensed[name] for name in plumbing.hot} for setting in run.settings]
        values, failed = self._measure(X, achieved, run.number)
        if failed.all():
            run.failure, run.message = "chemistry", "no product"
        else:
            run.outputs = [dict(zip(self.reaction.outputs, row, strict=True)) for row in values.tolist()]

    def _measure(self, X: Any, achieved: Any, number: int) -> tuple[Any, Any]:
        """Return measured outputs (n, outputs), with what is carried over, and which positions failed (n,)."""
        measurement, n = self.reaction.measurement, len(X)
        draws = measurement.chance.of_trials(self.seed, [number * n + k for k in range(n)])
        outcome = measurement.measured(X, achieved, self.reaction.attempt(achieved), draws)
        if n > 1 or outcome.failed.any():
            return outcome.values, outcome.failed
        before, self._before = self._before, outcome.values
        mixed = outcome.values if before is None else (1.0 - self.rest) * outcome.values + self.rest * before
        return mixed, outcome.failed


def measured(reaction: Reaction) -> list[str]:
    """Return the outputs that an instrument gives; those with another output in their formula follow from them."""
    outputs = reaction.card.outputs
    return [name for name, output in outputs.items() if not parse(output.formula).names & set(outputs)]


def spoil(run: Run, previous: Run | None, faults: Faults, reaction: Reaction) -> None:
    """Let the faults of a result happen to what is measured; ``previous`` is the last run before that gave one."""
    for row in run.outputs:
        for name in measured(reaction):
            if faults.get("nan"):
                row[name] = math.nan
            if faults.get("over") and reaction.units[name] == "%":
                row[name] = 110.0
    if faults.get("none", "no_result"):
        run.outputs = []
    if faults.get("uncertain"):
        run.quality = "uncertain"
    if faults.get("bad"):
        run.quality = "bad"
    if faults.get("stale") and previous is not None:
        run.outputs, run.shown_as = previous.outputs, previous.run_id
