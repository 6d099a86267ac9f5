"""Environments whose steps are experiments on a rig."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rxnopt.cards.realism import Given
from rxnopt.envs.episodes import Episodes
from rxnopt.errors import ConditionsError
from rxnopt.lab.rig import Lab, lab_of

if TYPE_CHECKING:
    from rxnopt.laboratory.rig import Rig


def unsimulated(realism: Given, uncertainty: object, reward_mode: str) -> tuple[bool, bool, bool]:
    """Return noise, realism and uncertainty of an environment on a rig: none of them is simulated."""
    if realism is not True or uncertainty:
        raise ConditionsError("realism and uncertainty belong to simulations; leave them out beside lab")
    if reward_mode == "regret":
        raise ConditionsError("reward_mode='regret' needs yields without noise, which no rig tells; take another one")
    return False, False, False


def rig_of(episodes: Episodes, lab: str | Path | Lab | None, journal: str | Path | None) -> Rig | None:
    """Let episodes run on the rig that is given, or that of the card, and return it; None: they are simulated."""
    reaction = episodes.task.reaction
    place = lab_of(reaction, lab)
    if place is None:
        if journal is not None:
            raise ConditionsError("journal belongs to lab; give a lab file, or make a campaign to keep a journal")
        return None
    from rxnopt.laboratory.rig import Rig

    rig = Rig(reaction, place, journal)
    episodes.experiment = rig.experiment
    return rig


__all__ = ["rig_of", "unsimulated"]
