"""A Gaussian process with a prior that was fitted to measured tables."""

from rxnopt.agents.prior.agent import PriorProcess
from rxnopt.agents.prior.fitted import Prior, find_prior, settings_of
from rxnopt.agents.prior.scale import Percent
from rxnopt.agents.prior.similarity import Similarity

__all__ = ["Percent", "Prior", "PriorProcess", "Similarity", "find_prior", "settings_of"]
