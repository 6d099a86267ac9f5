"""Training of policies in simulation.

A training leaves three files: the weights ``<stem>.pt``, their provenance ``<stem>.json`` (both described in
:mod:`rxnopt.agents.weights`) and the learning curve ``<stem>.csv`` with a line per rollout: experiments simulated,
seconds, and the mean reward of the rollout over the size of the known optimum.
"""

from rxnopt.training.result import Training
from rxnopt.training.run import train

__all__ = ["Training", "train"]
