"""Failures of journal, clock, disk and stock, and what people may do, over the protocol of a digital twin."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from unittest import mock

from rxnopt.errors import JournalError, LabError
from rxnopt.events import Entry
from rxnopt.testing.adapters import expect
from rxnopt.testing.campaigns import COOL, REAL, WARM, CampaignBench, Fixed, statuses


class JournalConformance(CampaignBench):
    """Tests of what a campaign keeps and whom it obeys; they concern the device little."""

    def test_pause_and_resume_f13(self) -> None:
        """Nothing is started meanwhile, nothing twice."""
        said: list[str] = []

        def show(status: Mapping[str, Any]) -> None:
            if status["over"] == 1 and not said:
                said.append("pause")
                self.say("pause")
            elif status["state"].startswith("waiting: paused") and len(said) == 1:
                expect(len(self.begun()) <= 2, "something was started in a pause")
                said.append("resume")
                self.say("resume")

        end = self.conducted(budget=3, show=show)
        expect(said == ["pause", "resume"] and self.begun() == list(end.ledger.runs), f"{said}, {self.begun()}")

    def test_a_second_runner_on_one_rig_f19(self) -> None:
        """It is refused."""
        self.plan(self.fault("never_finishes"))
        said: list[str] = []

        def second() -> None:
            with self.campaign(name="k.db") as late:
                try:
                    late.conduct()
                except LabError as error:
                    said.append(str(error))

        def show(status: Mapping[str, Any]) -> None:
            if any(row["status"] == "running" for row in status["runs"]) and not said:
                other = threading.Thread(target=second)
                other.start()
                other.join()
                said.append("")
                self.say("abort")

        self.conducted_until_stopped(show)
        expect("is run by process" in said[0] and len(self.begun()) == 1, f"{said}, {self.begun()}")

    def test_limits_hold_for_everybody_f20(self) -> None:
        """What an agent proposes, and what a person adds."""
        self.say("add", conditions=WARM)
        end = self.conducted(COOL, budget=1, agent=Fixed(**WARM))
        expect(statuses(end) == ["rejected"] * 2 and not self.lines("asked"), f"{statuses(end)}, {self.lines()}")

    def test_an_approval_is_void_after_a_change_f21(self) -> None:
        """What was approved under other limits is never started."""
        with self.campaign(REAL, budget=1) as campaign:
            campaign.conduct(wait=False)
            self.say("pause")
            self.say("approve", run=next(iter(campaign.ledger.runs)))
            campaign.conduct(wait=False)
            expect(statuses(campaign) == ["approved"], f"the runs are {statuses(campaign)}")
        self.say("resume")
        changed = f"{REAL}\nconstants: {{x: 300 degC}}\nconstraints: {{hot: temperature <= x}}"
        end = self.conducted(changed, budget=1, wait=False)
        expect(statuses(end) == ["expired", "awaiting_approval"] and not self.begun(), f"{statuses(end)}")

    def test_a_correction_the_next_day_f24(self) -> None:
        """It changes what the agent learns; what was there before stays."""
        self.plan(self.fault("nan"))
        self.conducted(budget=1, agent=Fixed(**WARM))
        for value in (30.0, 44.0):
            self.say("correct", trial=0, outputs={"yield": value})
            self.conducted(budget=1, agent=Fixed(**WARM))
        agent = Fixed(**WARM)
        with self.campaign(agent=agent) as campaign:
            campaign.conduct()
            kinds = [event.kind for event in campaign.journal.events() if event.trial == 0]
        expect(agent.seen.tolist() == [44.0], f"the agent has seen {agent.seen}")
        expect(kinds == ["proposed", "failed", "corrected", "corrected"], f"{kinds}")

    def test_a_full_disk_f25(self) -> None:
        """Nothing is submitted."""
        with mock.patch.object(shutil, "disk_usage", return_value=SimpleNamespace(free=1000)):
            try:
                self.conducted()
            except LabError as error:
                expect("nothing was submitted" in str(error), f"{error}")
            else:
                raise AssertionError("a full disk is not noticed")
        expect(not self.lines("asked"), f"{self.lines()}")
        self.conducted()

    def test_a_journal_that_cannot_be_written_f25(self) -> None:
        """Nothing is submitted before its id is on the disk."""
        with self.campaign() as campaign:
            append = campaign.journal.append

            def full(entries: Sequence[Entry]) -> object:
                if any(kind == "run.submitting" for _, kind, _ in entries):
                    raise JournalError("the journal cannot be written (database or disk is full)")
                return append(entries)

            with mock.patch.object(campaign.journal, "append", full):
                try:
                    campaign.conduct()
                except JournalError:
                    expect(not self.lines("asked"), f"{self.lines()}")
                    return
        raise AssertionError("a journal that cannot be written is not noticed")

    def test_a_clock_that_jumps_f28(self) -> None:
        """Time-outs follow the monotonic clock."""
        jumps, now = itertools.cycle((-86400, 0, 86400)), time.time
        clock = SimpleNamespace(time=lambda: now() + next(jumps), monotonic=time.monotonic)
        with mock.patch("rxnopt.journal.time", clock):
            end = self.conducted()
        expect(statuses(end) == ["done"] * 2, f"the runs are {statuses(end)}")

    def test_failures_in_a_row_f29(self) -> None:
        """Three runs without a result stop the campaign; a person starts it again."""
        self.plan(*[self.fault("nan", run=k) for k in (1, 2, 3)])
        try:
            self.conducted(budget=5)
        except LabError as error:
            expect("3 runs in a row gave no result" in str(error), f"{error}")
        else:
            raise AssertionError("the campaign goes on without results")
        expect(len(self.begun()) == 3 and bool(self.lines("safe")), f"{self.lines()}")
        self.conducted(budget=5)
        expect(len(self.begun()) == 5, f"{len(self.begun())} starts instead of 5")

    def test_a_bottle_that_is_empty_f29(self) -> None:
        """By the lab file before a run; by the device, where the lab file knew nothing of it."""
        bottle = "reagents: {amine: {stock: 10 mL, use: 6 mL}}"
        held = self.conducted(bottle, wait=False)
        expect("amine: 6 mL are needed and 4 mL are left" in str(held.ledger.held), f"held: {held.ledger.held}")
        self.say("refill", reagent="amine")
        self.say("resume")
        self.conducted(bottle)
        self.plan(reagent=1e-6)
        try:
            self.conducted(budget=4)
        except LabError as error:
            expect("3 runs in a row gave no result" in str(error), f"{error}")
        else:
            raise AssertionError("the campaign goes on without results")
        expect(self.lines("end")[-1]["message"] == "the reagent bottle is empty", f"{self.lines('end')[-1]}")

    def test_an_older_journal_f30(self) -> None:
        """It replays."""
        self.conducted()
        db = sqlite3.connect(self.place / "j.db")
        db.execute("PRAGMA user_version=1")
        db.close()
        end = self.conducted(budget=3)
        expect(len(self.begun()) == len(end) == 3, f"{len(self.begun())} starts instead of 3")


__all__ = ["JournalConformance"]
