"""Cards: YAML files that describe reactions, agents and experiments.

Cards of agents and experiments are imported where somebody asks for them: a simulation does not need them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rxnopt.cards.base import load_card
from rxnopt.cards.reaction import ReactionCard

if TYPE_CHECKING:
    from rxnopt.cards.agent import AgentCard
    from rxnopt.cards.experiment import ExperimentCard

_LATER = {"AgentCard": "rxnopt.cards.agent", "ExperimentCard": "rxnopt.cards.experiment"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)


__all__ = ["AgentCard", "ExperimentCard", "ReactionCard", "load_card"]
