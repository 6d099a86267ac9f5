"""What people say to a campaign: approvals, corrections, aborts, mistakes; the device is the toy of this folder."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest
from rig_toys import (
    REAL,
    WAITING,
    Draws,
    breaks,
    campaign,
    say,
    starts,
    statuses,
    to_the_end,
)

from rxnopt.errors import LabError
from rxnopt.laboratory import plan
from rxnopt.laboratory.inbox import await_answer, command, send, waiting


def test_f21_an_approval_is_void_after_a_change_and_after_a_while(tmp_path):
    with campaign(tmp_path, REAL, budget=1) as run:
        run.conduct(**WAITING)
        [first] = run.ledger.runs
        told = run.ledger.runs[first].told["hash"]
        say(tmp_path, "approve", run=first, hash="0" * 16)
        run.conduct(**WAITING)
        assert statuses(run) == ["awaiting_approval"]
        say(tmp_path, "pause")
        say(tmp_path, "approve", run=first, hash=told)
        run.conduct(**WAITING)
        assert statuses(run) == ["approved"]
    changed = REAL + "\nconstraints: {hot: temperature <= x}\nconstants: {x: 500 K}"
    with campaign(tmp_path, changed, budget=1) as run:
        run.conduct(**WAITING)
        assert statuses(run) == ["approved"]  # the pause outlives the runner
        say(tmp_path, "resume")
        run.conduct(**WAITING)
        assert statuses(run) == ["expired", "awaiting_approval"]
        second = list(run.ledger.runs.values())[1]
        assert second.retry_of == first
        say(tmp_path, "pause")
        say(tmp_path, "approve", run=second.id)
        run.conduct(**WAITING)
        say(tmp_path, "resume")
    soon = changed.replace("required: true", "required: true, expires: 0.01 s")
    with campaign(tmp_path, soon, budget=1) as run:
        run.conduct(**WAITING)
        assert statuses(run)[:2] == ["expired", "expired"]
    assert starts(tmp_path / "rig") == []


def test_approval_is_the_default_for_what_is_no_twin(tmp_path):
    breaks(tmp_path / "rig", real=True)
    with campaign(tmp_path, budget=1) as run:
        run.conduct(**WAITING)
        assert statuses(run) == ["awaiting_approval"]


def test_f23_a_cancel_that_the_device_ignores_leaves_a_doubtful_run(tmp_path):
    breaks(tmp_path / "rig", stuck=True, cancel_ignored=True)

    def show(status):
        if any(row["status"] == "running" for row in status["runs"]) and not waiting(tmp_path / "j.db"):
            say(tmp_path, "abort")

    with campaign(tmp_path, "timeouts: {stall: 0.2 s}", budget=1) as run:
        run.conduct(show=show)
        assert statuses(run) == ["unknown"]
    assert (tmp_path / "rig" / "safe.log").exists()


def test_f24_a_correction_the_next_day_changes_what_the_agent_learns(tmp_path):
    class Sees(Draws):
        def propose(self, space, history, n, rng):
            self.y = history.y.copy()
            return super().propose(space, history, n, rng)

    breaks(tmp_path / "rig", analysis_tomorrow=True)
    with campaign(tmp_path, budget=1, agent=Sees()) as run:
        run.conduct(**WAITING)
        assert statuses(run) == ["awaiting_analysis"]
    say(tmp_path, "correct", trial=0, outputs={"yield": 30.0})
    with campaign(tmp_path, budget=1, agent=Sees()) as run:
        run.conduct(**WAITING)
        assert statuses(run) == ["done"]
    say(tmp_path, "correct", trial=0, outputs={"yield": 44.0})
    breaks(tmp_path / "rig")
    agent = Sees()
    with campaign(tmp_path, budget=2, agent=agent) as run:
        run.run()
        assert agent.y.tolist() == [44.0]
        kinds = [event.kind for event in run.journal.events() if event.trial == 0]
        assert kinds == ["proposed", "done", "corrected"]


def test_f28_an_approval_ages_by_both_clocks(tmp_path, monkeypatch):
    with campaign(tmp_path, REAL, budget=1) as run:
        run.conduct(**WAITING)
        [waits] = run.ledger.runs.values()
        card = run.lab.card
    now, ticks = time.time(), time.monotonic()
    for wall, monotonic, over in [(now, ticks, False), (now + 9 * 3600, ticks, True), (now, ticks + 9 * 3600, True),
                                  (now - 7200, ticks, True), (now + 60, 5.0, False)]:  # fmt: skip
        clock = SimpleNamespace(time=lambda wall=wall: wall, monotonic=lambda m=monotonic: m)
        monkeypatch.setattr(plan, "time", clock)
        assert plan.approval_over(waits, card) == over


def test_f29_an_empty_bottle_holds_the_campaign_until_it_is_filled(tmp_path):
    bottle = "reagents: {amine: {stock: 10 mL, use: time * 1 }}".replace("time * 1 ", "4 mL")
    with campaign(tmp_path, bottle, budget=3) as run:
        run.conduct(**WAITING)
        assert "amine: 4 mL are needed and 2 mL are left" in run.ledger.held
        say(tmp_path, "refill", reagent="amin")
        run.conduct(**WAITING)
        assert len(starts(tmp_path / "rig")) == 2
        say(tmp_path, "refill", reagent="amine")
        say(tmp_path, "resume")
        run.run()
        assert len(starts(tmp_path / "rig")) == 3


def test_commands_count_once_and_wrong_ones_are_answered(tmp_path):
    with campaign(tmp_path, REAL, budget=1) as run:
        run.conduct(**WAITING)
        there = {"temperature": 50, "time": 3, "solvent": "THF"}
        for verb, args, said in [
            ("approve", {"run": "r9"}, "no run 'r9'"),
            ("correct", {"trial": 7, "outputs": {"yield": 3}}, "no trial 7"),
            ("correct", {"trial": 0, "outputs": {"yield": 30}}, "wait for its result"),
            ("add", {"conditions": there, "outputs": {"yield": 300}}, "cannot be true"),
            ("add", {"conditions": {"time": 3}}, "missing"),
            ("resolve", {"run": "r0000", "verdict": "done"}, "is for runs that are"),
            ("dance", {}, "no command"),
            ("deny", {}, "lacks something"),
        ]:
            asked = command(verb, args)
            send(tmp_path / "j.db", asked)
            run.conduct(**WAITING)
            with pytest.raises(LabError, match=said):
                await_answer(tmp_path / "j.db", asked, 1.0)
        asked = command("add", {"conditions": there, "outputs": {"yield": 9}})
        send(tmp_path / "j.db", asked)
        run.conduct(**WAITING)
        send(tmp_path / "j.db", asked)  # the runner was killed before it took the file away
        run.conduct(**WAITING)
        assert [trial.manual for trial in run] == [False, True]
        assert waiting(tmp_path / "j.db") == []


def test_an_interrupt_asks_for_the_safe_state_and_the_run_is_looked_up_again(tmp_path):
    breaks(tmp_path / "rig", stuck=True)

    def show(status):
        if any(row["status"] == "running" for row in status["runs"]) and not (tmp_path / "rig" / "safe.log").exists():
            raise KeyboardInterrupt

    with campaign(tmp_path, budget=1) as run:
        with pytest.raises(KeyboardInterrupt):
            run.conduct(show=show)
        assert statuses(run) == ["running"]
    assert (tmp_path / "rig" / "safe.log").exists()
    [file] = (tmp_path / "rig" / "runs").iterdir()
    file.write_text(json.dumps({**json.loads(file.read_text()), "stuck": None}))
    to_the_end(tmp_path, budget=1)
    assert len(starts(tmp_path / "rig")) == 1


def test_a_stop_is_told_while_the_last_run_goes_on(tmp_path):
    states = []

    def show(status):
        if status["state"] == "running" and starts(tmp_path / "rig") and "said" not in states:
            states.append("said")
            say(tmp_path, "stop")
        states.append(status["state"])

    with campaign(tmp_path, duration=0.3) as run:
        run.conduct(show=show)
        assert statuses(run) == ["done"]
    assert any("ends after this run" in state for state in states)
    assert states[-1] == "ended"
