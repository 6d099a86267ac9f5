"""Simulators: conditions in, outcomes out, always in batches."""

from rxnopt.simulators.outcome import Outcome, Simulator
from rxnopt.simulators.reaction import Optimum, Reaction, load

__all__ = ["Optimum", "Outcome", "Reaction", "Simulator", "load"]
