"""Cards: YAML files that describe reactions, agents and experiments."""

from rxnopt.cards.agent import AgentCard
from rxnopt.cards.base import load_card
from rxnopt.cards.experiment import ExperimentCard
from rxnopt.cards.reaction import ReactionCard

__all__ = ["AgentCard", "ExperimentCard", "ReactionCard", "load_card"]
