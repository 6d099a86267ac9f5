"""Killed at every arrow of the state machine on twins over their protocols, and started again."""

import pytest

from rxnopt.runs import CRASH_POINTS
from rxnopt.testing.campaigns import CrashConformance

PARTS = ("before-awaiting_analysis", "after-awaiting_analysis")


class TestCrashOpcUa(CrashConformance):
    protocol = "opcua"

    @pytest.mark.parametrize("point", [point for point in CRASH_POINTS if point not in PARTS])
    def test_f01_f02_f03_f18_killed_at_every_arrow(self, point):
        self.crash(point)


class TestCrashFileDrop(CrashConformance):
    """Here a part of a result can come first."""

    protocol = "filedrop"

    @pytest.mark.parametrize("point", PARTS)
    def test_f01_f02_f03_f18_killed_at_every_arrow(self, point):
        self.crash(point)
