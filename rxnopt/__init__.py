"""Learning to run chemical reactions: Gymnasium environments, agents and honest comparisons.

``rxnopt.load("snar")`` returns a reaction, ``rxnopt.Campaign(...)`` runs one campaign, ``rxnopt.compare(...)`` runs an
experiment card, and ``gymnasium.make("rxnopt/SnAr-v0")`` makes an environment. Importing this package registers the
environments and loads none of torch, optuna and numba.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rxnopt.envs import register

if TYPE_CHECKING:
    from rxnopt.campaign import Campaign
    from rxnopt.experiments import compare, report
    from rxnopt.fitting import fit
    from rxnopt.simulators import load
    from rxnopt.training import train

__version__ = "0.1.0"
__all__ = ["Campaign", "compare", "fit", "load", "report", "train"]

_HOMES = {
    "Campaign": "rxnopt.campaign",
    "compare": "rxnopt.experiments",
    "fit": "rxnopt.fitting",
    "load": "rxnopt.simulators",
    "report": "rxnopt.experiments",
    "train": "rxnopt.training",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'rxnopt' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


register()
