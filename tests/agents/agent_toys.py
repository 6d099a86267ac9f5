"""The problems on which agents are tested."""

from rxnopt.testing.problems import SPACES, history_of, toy

__all__ = ["SPACES", "history_of", "toy"]
