"""Failures that a campaign must survive, over SiLA 2, over HTTP, and in a folder."""

from pathlib import Path

import pytest

from rxnopt.runs import CRASH_POINTS
from rxnopt.testing.campaigns import CrashConformance, statuses
from rxnopt.testing.failures import CampaignConformance


class TestCampaignSila(CampaignConformance):
    """What the tests of the adapter show as well is left to them."""

    protocol = "sila"
    test_a_line_that_hangs_f06 = test_a_device_that_falls_silent_f14 = test_a_device_that_lies_f16 = None
    test_a_run_that_never_ends_is_in_doubt = test_an_abort_waits_for_the_end_f23 = None
    test_a_runner_that_dies_on_the_way_f01_f02_f03 = None  # gRPC does not work in a process that was forked
    test_a_subscription_that_falls_silent_f07 = None  # no client of the twin subscribes


class TestCampaignFlowchem(CampaignConformance):
    """A device interface without runs: what this client did not see to its end is in doubt."""

    protocol = "http"
    attaches = False
    test_a_run_that_never_ends_is_in_doubt = test_an_abort_waits_for_the_end_f23 = test_a_device_that_lies_f16 = None
    test_a_subscription_that_falls_silent_f07 = None
    test_a_late_result_f17 = None  # the sample is gone when the sequence has ended

    def test_a_refusal_that_comes_when_a_run_may_be_over_f27(self):
        self.plan(self.fault("blackhole", "before_accept", 0.5), self.fault("redelivered"))
        end = self.conducted(show=self.people(unknown="resolve abandon"))
        assert statuses(end) == ["resolved", "done"]
        assert len(self.begun()) == 2


class TestCampaignFileDrop(CampaignConformance, CrashConformance):
    """A folder has no line: what is there, is there. A part of a result can come first."""

    protocol = "filedrop"
    test_answers_that_are_lost_or_late_f02_f05 = None
    test_a_line_that_hangs_f06 = None
    test_a_subscription_that_falls_silent_f07 = None
    test_a_device_that_falls_silent_f14 = None

    @pytest.mark.parametrize("point", [point for point in CRASH_POINTS if "analysis" in point])
    def test_f03_killed_while_an_analysis_is_awaited(self, point):
        self.crash(point)

    def measured_again(self, rig):
        super().measured_again(rig)
        (Path(self._place.name) / "drop" / "results" / f"{rig.shown.run_id}.json").unlink()

    def test_a_result_that_is_half_or_twice_there_f26(self):
        self.plan(self.fault("half_written"), self.fault("duplicate", run=2), self.fault("partial", run=3, seconds=0.2))
        end = self.conducted(budget=3)
        assert statuses(end) == ["done"] * 3
        assert len(self.begun()) == 3
