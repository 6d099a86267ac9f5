"""Tests for agents and adapters of your own, with pytest or without.

::

    from rxnopt.testing import AgentConformance

    class TestMine(AgentConformance):
        def make(self, reaction, seed):
            return MyAgent(seed)

or, at once and without pytest, ``check_agent(lambda reaction, seed: MyAgent(seed))``. For adapters of devices inherit
:class:`AdapterConformance`, or :class:`rxnopt.testing.twins.TwinConformance` where a digital twin speaks its protocol.
"""

from rxnopt.testing.adapters import AdapterConformance
from rxnopt.testing.conformance import FINITE, HORIZON, AgentConformance, check_agent
from rxnopt.testing.problems import SPACES, history_of, toy

__all__ = ["FINITE", "HORIZON", "SPACES", "AdapterConformance", "AgentConformance", "check_agent", "history_of", "toy"]
