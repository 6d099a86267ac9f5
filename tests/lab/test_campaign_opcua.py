"""Failures that a campaign must survive, over OPC UA; killed at every arrow of the state machine, and started again."""

import pytest

from rxnopt.runs import CRASH_POINTS
from rxnopt.testing.campaigns import CrashConformance
from rxnopt.testing.failures import CampaignConformance
from rxnopt.testing.journals import JournalConformance


class TestCampaignOpcUa(CampaignConformance, JournalConformance, CrashConformance):
    protocol = "opcua"

    @pytest.mark.parametrize("point", [point for point in CRASH_POINTS if "analysis" not in point])
    def test_f01_f02_f03_f18_killed_at_every_arrow(self, point):
        self.crash(point)
