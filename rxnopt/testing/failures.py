"""Failures that a campaign must survive, by their numbers, over the protocol of a digital twin.

A test class of yours inherits :class:`CampaignConformance`, with the ``protocol`` of the twin; where that cannot show a
failure, set the test to None.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from rxnopt.errors import LabError
from rxnopt.runs import RunStatus
from rxnopt.testing.adapters import expect
from rxnopt.testing.bench import CALL
from rxnopt.testing.campaigns import WARM, CampaignBench, Fixed, statuses
from rxnopt.twin.rig import Rig

SHORT: dict[str, Any] = {"connect": "0.3 s", "call": "0.3 s", "stall": "0.5 s"}
OVER = frozenset({"done", "failed", "cancelled", "resolved"})


class CampaignConformance(CampaignBench):
    """Tests of campaigns. ``attaches``: another client finds a run that was submitted."""

    attaches: ClassVar[bool] = True

    def test_each_experiment_is_started_once(self) -> None:
        """Without any failure: planned == started == measured == learnt."""
        end = self.conducted(budget=3)
        expect(self.begun() == list(end.ledger.runs), f"{self.begun()} were started")
        expect(statuses(end) == ["done"] * 3 and len(end.learnt) == 3, f"the runs are {statuses(end)}")

    def test_a_runner_that_dies_on_the_way_f01_f02_f03(self) -> None:
        """Before the device heard of the run, after it accepted, and after the result has come."""
        for point in ("after-submitting", "before-running", "before-done"):
            self.killed(point)
            end = self.conducted(show=self.people(unknown="resolve repeat"))
            expect({*statuses(end)} <= OVER, f"the runs are {statuses(end)}")
            expect(not self.attaches or len(self.begun()) == 2, f"{len(self.begun())} starts instead of 2")
            (self.place / "j.db").rename(self.place / f"{point}.db")
            self._mark += len(self.lines())

    def test_power_and_memory_are_lost_f04_f08(self) -> None:
        """IDLE after the restart is no end: the run is in doubt, and a person decides."""
        self.plan(self.fault("reboot", "running", 0.05, memory="lost"))
        end = self.conducted(show=self.people(unknown="resolve repeat"), run="3 s")
        first, *others = statuses(end)
        lost = first == "failed" and not self.attaches  # the same client has seen that set-points were lost
        expect((first == "resolved" or lost) and others == ["done", "done"], f"the runs are {statuses(end)}")
        expect(len(self.begun()) == 3, f"{len(self.begun())} starts instead of 3")

    def test_power_is_lost_and_memory_is_kept(self) -> None:
        """The device says that the run has failed: it is made again, as another run."""
        self.plan(self.fault("reboot", "running", 0.05, memory="kept"))
        end = self.conducted(show=self.people(unknown="resolve repeat"), run="3 s")
        right = statuses(end)[0] in ("failed", "resolved") and statuses(end)[1:] == ["done"] * 2
        expect(right, f"{[*end.ledger.runs.values()]}")
        expect(len(self.begun()) == 3, f"{len(self.begun())} starts instead of 3")

    def test_answers_that_are_lost_or_late_f02_f05(self) -> None:
        """The device did start."""
        self.plan(self.fault("drop"), self.fault("late", seconds=CALL + 0.3, run=2))
        end = self.conducted(budget=3, show=self.people(unknown="resolve abandon"))
        expected = ["done"] * 3 if self.attaches else ["resolved", "resolved", "done"]
        expect(statuses(end) == expected, f"the runs are {statuses(end)}")
        expect(len(self.begun()) == 3, f"{len(self.begun())} starts instead of 3")

    def test_a_line_that_hangs_f06(self) -> None:
        """Connecting ends in time, says where, and leaves nothing open."""
        before = self.twin.desk.wire.clients
        self.twin.do(lambda: self.twin.desk.wire.hold(1.5))
        try:
            self.conducted(**SHORT)
        except LabError as error:
            expect(str(self.twin.desk.port) in str(error) and "answer within 0." in str(error), f"{error}")
        else:
            raise AssertionError("a connection through a dead line")
        time.sleep(1.3)
        self.until_true(lambda: self.twin.desk.wire.clients <= before)
        self.conducted()

    def test_a_subscription_that_falls_silent_f07(self) -> None:
        """Runs are looked up, whatever is heard of them."""
        self.plan(self.fault("mute"), volumes=30.0)
        expect(statuses(self.conducted(budget=1)) == ["done"], "the run has not ended")

    def test_messages_that_come_twice_or_late_f27(self) -> None:
        """A start that arrives twice, with the answer to the second; old messages that say that the run is over."""
        self.plan(self.fault("redelivered"), self.fault("out_of_order", run=2), volumes=30.0)
        end = self.conducted(show=self.people(unknown="resolve abandon"))
        expect(statuses(end)[0] == ("done" if self.attaches else "resolved"), f"the runs are {statuses(end)}")
        expect(statuses(end)[1:] == ["done"] and len(self.begun()) == 2, f"{self.begun()}, {statuses(end)}")

    def test_what_is_no_result_is_not_learnt_f09_f12(self) -> None:
        """Stale, NaN, nothing, 110 %, of bad quality; what came is kept."""
        kinds = ("none", "stale", "nan", "over", "bad", "uncertain")
        self.plan(*[self.fault(kind, run=2 + k) for k, kind in enumerate(kinds)])
        show = self.people(unknown="resolve abandon", held="resume")  # in a folder, a stale file is the end of no run
        end = self.conducted("failures: {in_a_row: 99, retries: 0}", budget=7, show=show, run="1 s", stall="1 s")
        expect([trial.status for trial in end] == ["done"] + ["failed"] * 6, f"{[*end]}")
        expect(np.isfinite(end.learnt.y).sum() == 1, f"learnt: {end.learnt.y}")
        expect(len(self.begun()) == 7, f"{len(self.begun())} starts instead of 7")

    def test_set_points_that_the_device_changes_f10_f11(self) -> None:
        """Clamped in silence, or taken in another unit: not started, ended, or learnt as they were achieved."""
        wrong: dict[str, Any] = {"parameter": "temperature"}
        self.plan(self.fault("clamp", value=60.0, **wrong), self.fault("unit", run=2, **wrong))
        end = self.conducted("failures: {retries: 0}", agent=Fixed(**WARM))
        real = {line["run_id"]: line["settings"][0]["temperature"] for line in self.lines("start")}
        for run in end.ledger.with_status(RunStatus.DONE):
            told = end.learnt.X[run.trials[0], 0]
            expect(abs(told - real[run.id]) < 2.0, f"learnt at {told} degC, and it was {real[run.id]} degC")

    def test_a_device_that_falls_silent_f14(self) -> None:
        """The campaign stops with a sentence; the run is looked up at the next start."""
        self.plan(self.fault("blackhole", "running", 2.2), volumes=30.0)
        try:
            self.conducted(budget=1, **{**SHORT, "connect": "0.8 s"})
        except LabError as error:
            expect("start again: the run is looked up" in str(error), f"{error}")
        else:
            raise AssertionError("nobody has noticed that the device is silent")
        self.until_true(lambda: self.twin.desk.wire.flows)
        end = self.conducted(budget=1, show=self.people(unknown="resolve repeat"))
        expect({*statuses(end)} <= OVER and statuses(end)[-1] == "done", f"the runs are {statuses(end)}")

    def test_a_run_that_never_ends_is_in_doubt(self) -> None:
        """After its time-out, and the device is in its safe state."""
        self.plan(self.fault("never_finishes"))
        end = self.conducted(budget=1, wait=False, run="0.3 s")
        reason = next(iter(end.ledger.runs.values())).reason
        expect(statuses(end) == ["unknown"] and "did not end within" in reason, f"{statuses(end)}: {reason}")
        expect(bool(self.lines("safe")), "the device was not brought to its safe state")
        end = self.conducted("failures: {unknown: go_on}", wait=False)
        expect(statuses(end) == ["unknown", "done"], f"the campaign does not go on: {statuses(end)}")

    def test_a_target_that_is_lost_f15(self) -> None:
        """The run is ended, or what was achieved is learnt."""
        self.plan(self.fault("lost_target"), volumes=40.0)
        end = self.conducted("failures: {retries: 0}", budget=1, agent=Fixed(**WARM))
        told = next(iter(end.ledger.runs.values()))
        lost = told.status.value == "failed" and "set-points were lost" in told.reason
        expect(lost or abs(end.learnt.X[0, 0] - 80.0) > 5.0, f"{told}")

    def test_a_device_that_lies_f16(self) -> None:
        """It says idle and works on a run that a person has given up: that is ended before another is started."""
        self.plan(self.fault("lie_idle"), self.fault("never_finishes"))
        said: list[str] = []

        def show(status: Mapping[str, Any]) -> None:
            if self.begun() and status["runs"][-1]["status"] == "running" and not said:
                said.append(status["runs"][-1]["run"])
                self.say("resolve", run=said[0], verdict="abandon")

        end = self.conducted(show=show)
        what = [line["kind"] for line in self.lines() if line["kind"] in ("start", "end")]
        expect(statuses(end) == ["resolved", "done"] and what == ["start", "end"] * 2, f"{statuses(end)}, {what}")

    def test_a_late_result_f17(self) -> None:
        """Of a run that has failed: it is taken while the campaign waits, without a new start of the runner."""
        self.plan(self.fault("none"), volumes=30.0)
        done: list[str] = []

        def show(status: Mapping[str, Any]) -> None:
            row = status["runs"][0] if status["runs"] else {"failure": [None], "outputs": [None]}
            if not done and any(each["status"] == "running" for each in status["runs"]):
                done.append("pause")
                self.say("pause")
            elif row["failure"][0] == "invalid" and len(done) == 1:
                done.append("measured again")
                self.twin.do(lambda: self.measured_again(self.twin.rig))
            elif row["outputs"][0] and len(done) == 2:
                done.append("resume")
                self.say("resume")

        end = self.conducted(show=show)
        expect([trial.status for trial in end] == ["done", "done"] and len(self.begun()) == 2, f"{done}, {[*end]}")

    def measured_again(self, rig: Rig) -> None:
        """Let the rig have the result of its last run after all."""
        run = rig.shown
        if run is not None:
            run.outputs = rig.ledger.of("measured")[-1]["outputs"]
            rig.memory.keep(run)

    def test_an_emergency_stop_f22(self) -> None:
        """Before a run and during one: nothing starts until a person resumes, however well the rig is again."""
        self.plan(self.fault("estop", "before_accept"), self.fault("estop", "running", run=3))
        looks: list[set[str]] = []

        def show(status: Mapping[str, Any]) -> None:
            if status["held"] is None:
                looks.clear()
                return
            sent = {row["run"] for row in status["runs"] if row["status"] in ("submitting", "running")}
            looks.append(sent | {*self.begun()})
            if len(looks) == 1:
                self.twin.do(self.twin.rig.reset)
            if len(looks) == 5:
                expect(looks[-1] <= looks[0], "a new run was started before a person resumed")
                self.say("resume")

        end = self.conducted(budget=3, show=show)
        expect([trial.status for trial in end] == ["done"] * 3, f"{[*end]}")

    def test_an_abort_waits_for_the_end_f23(self) -> None:
        """The run is cancelled when the device says so."""
        self.plan(self.fault("never_finishes"), ramp=4000.0)
        found = self.conducted_until_stopped(self.people(running="abort"))
        ends = [line["state"] for line in self.lines("end")]
        expect(found == ["cancelled"] and ends == ["cancelled"] * len(self.begun()), f"{found}, {self.lines()}")


__all__ = ["CampaignConformance"]
