"""Agents: functions of the history that propose conditions.

An agent card (a YAML file of the catalogue ``agents``) becomes an agent by :func:`build`. Nothing is kept between
two proposals that could not be found again from the card, the seed and the history, so an agent built anew after a
crash goes on with the very proposal that the lost one would have made.
"""

from rxnopt.agents.base import Agent
from rxnopt.agents.building import build, given, load, name_of, weights_digest
from rxnopt.agents.plates import OnPlates

__all__ = ["Agent", "OnPlates", "build", "given", "load", "name_of", "weights_digest"]
