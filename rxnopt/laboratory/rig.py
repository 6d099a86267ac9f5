"""A rig as something that does experiments when asked: what an environment on hardware stands on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rxnopt.cards.realism import REASONS
from rxnopt.errors import LabError
from rxnopt.journal import Journal
from rxnopt.lab.rig import Lab, load_lab
from rxnopt.lab.settings import check_fits
from rxnopt.laboratory.conductor import Conductor, conduct
from rxnopt.record import Record
from rxnopt.simulators import Outcome, Reaction
from rxnopt.space import Array
from rxnopt.trials import as_outcome

MEASUREMENT = 1 + REASONS.index("measurement")


class Rig(Record):
    """Experiments on one rig, one after the other, kept in a journal; those of an earlier process are finished first.

    Raises :class:`LabError` where a journal is missing or the lab file does not fit the reaction.
    """

    def __init__(self, reaction: Reaction, lab: str | Path | Lab, journal: str | Path | None) -> None:
        if journal is None:
            raise LabError("an environment on a rig needs a journal; give journal='mine.db' beside lab")
        self.lab = load_lab(lab)
        check_fits(reaction, self.lab.card)
        identity: dict[str, Any] = {"reaction": reaction.name, "reaction_digest": reaction.card.digest()}
        super().__init__(reaction, Journal(Path(journal), {**identity, "agent": "environment"}), {})

    def experiment(self, X: Array, *_: Any) -> tuple[Outcome, Outcome]:
        """Run conditions ``X`` (n, d) on the rig and wait for all results; twice the outcomes, as measured."""
        self.space.check_bounds(X)
        first = len(self)
        rows = enumerate(self.space.to_dicts(X), first)
        self.write([(number, "proposed", {"conditions": row}) for number, row in rows])
        conduct(Conductor(self, self.lab, list, rest=False))
        outcome = as_outcome(self.reaction, [trial.outputs for trial in list(self)[first : first + len(X)]])
        reason = np.where(outcome.failed, MEASUREMENT, 0).astype(np.uint8)
        return (told := Outcome(outcome.values, outcome.failed, reason)), told


__all__ = ["Rig"]
