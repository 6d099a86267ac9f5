"""Failures that need no protocol, by their numbers; the oracle is the log of starts that the device keeps."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from rig_toys import Draws, breaks, campaign, lab, reaction, reboot, starts
from test_crash_points import REAL, killed, people, to_the_end

from rxnopt import Campaign
from rxnopt.errors import CardError, JournalError, LabError
from rxnopt.lab.interface import Quantity
from rxnopt.laboratory import plan
from rxnopt.laboratory.inbox import await_answer, command, send, waiting
from rxnopt.runs import RunStatus

WAITING = {"wait": False}


def statuses(run):
    return [each.status.value for each in run.ledger.runs.values()]


def say(tmp_path, verb, **args):
    send(tmp_path / "j.db", command(verb, args))


def test_f04_a_device_that_was_rebooted_and_forgot_leaves_an_unknown_run(tmp_path):
    killed(tmp_path, "before-running")
    reboot(tmp_path / "rig", forget=True)
    with campaign(tmp_path) as run:
        run.conduct(**WAITING)
        assert statuses(run) == ["unknown"]
        assert "restarted" in next(iter(run.ledger.runs.values())).reason
        assert len(starts(tmp_path / "rig")) == 1
        assert len(run.learnt) == 1  # its conditions count as proposed and nothing is learnt of them
        assert np.isnan(run.learnt.y[0])
    with campaign(tmp_path, "failures: {unknown: go_on}") as run:
        run.run()
        assert statuses(run) == ["unknown", "done", "done", "done"]
        assert len(starts(tmp_path / "rig")) == 4


def test_f04_a_device_that_remembers_is_asked_even_after_a_reboot(tmp_path):
    killed(tmp_path, "before-running")
    reboot(tmp_path / "rig", forget=False)
    to_the_end(tmp_path)
    assert len(starts(tmp_path / "rig")) == 4


@pytest.mark.parametrize("fault", ["reply_lost", "reply_late"])
def test_f05_a_submission_whose_answer_was_lost_is_looked_up(tmp_path, fault):
    breaks(tmp_path / "rig", **{fault: True})
    to_the_end(tmp_path)
    assert len(starts(tmp_path / "rig")) == 4


def test_f06_a_connection_that_hangs_ends_in_time_and_says_where(tmp_path):
    breaks(tmp_path / "rig", hang_connect=True)
    with campaign(tmp_path, "timeouts: {connect: 0.1 s}") as run, pytest.raises(LabError, match=r"within 0\.1 s"):
        run.run()
    breaks(tmp_path / "rig", hang_health=True)
    to_the_end(tmp_path)


def test_f07_a_subscription_that_never_speaks_is_not_waited_for(tmp_path):
    run = to_the_end(tmp_path, duration=0.05)  # the events of this device are always empty
    assert statuses(run) == ["done"] * 4


@pytest.mark.parametrize("kind", ["stale", "none", "nan", "110", "uncertain", "bad", "unit"])
def test_f08_f09_f12_what_is_no_result_is_kept_and_not_learnt(tmp_path, kind):
    breaks(tmp_path / "rig", result=kind)
    with campaign(tmp_path, budget=1) as run:
        run.run()
        [trial] = run
        assert (trial.status, trial.failure) == ("failed", "invalid")
        assert len(run.learnt) == 0
        event = next(e for e in run.journal.events() if e.kind == "failed")
        assert event.payload["why"]
        if kind in ("nan", "110", "unit"):
            assert event.payload["raw"]["outputs"]["yield"][0] != 0
    assert len(starts(tmp_path / "rig")) == 1


def test_f10_other_set_points_in_the_answer_end_the_run(tmp_path):
    breaks(tmp_path / "rig", clamp=250.0, stuck=True)
    with campaign(tmp_path, "failures: {retries: 0}", budget=1) as run:
        run.run()
        assert statuses(run) == ["failed"]
        assert "other set-points" in next(iter(run.ledger.runs.values())).reason
        assert next(iter(run)).failure == "machine"


def test_f11_another_unit_on_the_device_is_refused(tmp_path):
    breaks(tmp_path / "rig", unit="degC")
    with campaign(tmp_path) as run, pytest.raises(LabError, match="'K' there and in 'degC' on the device"):
        run.run()
    assert starts(tmp_path / "rig") == []


def test_f13_pause_and_resume_start_nothing_twice(tmp_path):
    said = []

    def show(status):
        if status["over"] == 1 and "pause" not in said:
            said.append("pause")
            say(tmp_path, "pause")
        if status["state"].startswith("waiting: paused") and "resume" not in said:
            assert len(starts(tmp_path / "rig")) <= 2
            said.append("resume")
            say(tmp_path, "resume")

    to_the_end(tmp_path, show=show)
    assert said == ["pause", "resume"]
    assert len(starts(tmp_path / "rig")) == 4


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


def test_f14_a_device_that_falls_silent_is_noticed(tmp_path):
    breaks(tmp_path / "rig", stuck=True)

    def show(status):
        if any(row["status"] == "running" for row in status["runs"]):
            breaks(tmp_path / "rig", silent=True)

    with campaign(tmp_path, "timeouts: {call: 0.05 s, stall: 0.2 s}", budget=1) as run:
        with pytest.raises(LabError, match="look at the rig, then start again: the run is looked up"):
            run.conduct(show=show)
        assert statuses(run) == ["running"]
    reboot(tmp_path / "rig", forget=True)
    breaks(tmp_path / "rig")
    with campaign(tmp_path, budget=1) as run:
        run.conduct(**WAITING)
        assert statuses(run) == ["unknown"]


def test_a_run_that_does_not_end_is_unknown_after_the_safe_state(tmp_path):
    breaks(tmp_path / "rig", stuck=True)
    with campaign(tmp_path, "timeouts: {run: 0.1 s}", budget=1) as run:
        run.conduct(**WAITING)
        assert "did not end within" in next(iter(run.ledger.runs.values())).reason
    assert (tmp_path / "rig" / "safe.log").exists()


def test_f15_lost_set_points_end_the_run(tmp_path):
    breaks(tmp_path / "rig", stuck=True, lost_target=298.0)
    with campaign(tmp_path, "failures: {retries: 0}", budget=1) as run:
        run.run()
        assert "set-points were lost" in next(iter(run.ledger.runs.values())).reason
    assert (tmp_path / "rig" / "safe.log").exists()


def test_f16_idle_and_a_running_run_contradict(tmp_path):
    with campaign(tmp_path, budget=1) as run:
        run.run()
        [first] = run.ledger.runs
    place = tmp_path / "rig" / "runs" / f"{first}.json"
    row = json.loads(place.read_text())
    with campaign(tmp_path, budget=2) as run:
        rig = tmp_path / "rig"
        place.write_text(json.dumps({**row, "id": None, "stuck": True}))
        run.conduct(**WAITING)
        assert run.ledger.held is not None
    assert len(starts(rig)) == 1


@pytest.mark.parametrize("known", ["by the device", "by a person"])
def test_f17_a_late_result_of_a_run_that_failed_is_accepted(tmp_path, known):
    breaks(tmp_path / "rig", result="none")
    with campaign(tmp_path, budget=1) as run:
        run.run()
        assert next(iter(run)).failure == "invalid"
    breaks(tmp_path / "rig")
    if known == "by a person":
        breaks(tmp_path / "rig", result="none")
        say(tmp_path, "correct", trial=0, outputs={"yield": 55.0})
    with campaign(tmp_path, budget=2) as run:
        run.run()
        assert next(iter(run)).status == "done"
        assert (next(iter(run)).outputs["yield"] == 55.0) == (known == "by a person")
    assert len(starts(tmp_path / "rig")) == 2


def test_f19_a_second_runner_on_one_device_is_refused(tmp_path):
    breaks(tmp_path / "rig", stuck=True)
    seen = []

    def show(status):
        if any(row["status"] == "running" for row in status["runs"]) and not seen:
            seen.append(threading.Thread(target=second))
            seen[0].start()
            seen[0].join()
            say(tmp_path, "abort")

    def second():
        with Campaign(reaction(), Draws(), budget=1, lab=lab(tmp_path / "rig"), journal=tmp_path / "k.db") as late:
            with pytest.raises(LabError, match="is run by process"):
                late.run()
            told.append(True)

    told = []
    with campaign(tmp_path, budget=1) as run:
        run.conduct(show=show)
    assert told == [True]
    assert len(starts(tmp_path / "rig")) == 1


class Fixed:
    """Proposes what it was made with."""

    def __init__(self, **conditions):
        self.conditions = conditions

    def propose(self, space, history, n, rng):
        return np.repeat(space.to_array(self.conditions), n, axis=0)


def test_f20_limits_hold_for_proposals_and_for_what_a_person_adds(tmp_path):
    cooler = """
parameters:
  temperature: {low: 293.15, high: 353.15, unit: K}
  time: {low: 60, high: 600, unit: s}
  solvent: {levels: {THF: {boiling: 66 degC}, DMF: {boiling: 153 degC}}}
"""
    hot = {"temperature": 110.0, "time": 5.0, "solvent": "DMF"}
    with campaign(tmp_path, cooler, budget=1, agent=Fixed(**hot)) as run:
        say(tmp_path, "add", conditions={**hot, "time": 2.0})
        run.run()
        assert statuses(run) == ["rejected", "rejected"]
        assert {trial.failure for trial in run} == {"rejected"}
        assert sorted(trial.manual for trial in run) == [False, True]
    assert starts(tmp_path / "rig") == []


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


def test_f22_an_emergency_stop_holds_until_a_person_resumes(tmp_path):
    breaks(tmp_path / "rig", state="estop")
    with campaign(tmp_path, budget=2) as run:
        run.conduct(**WAITING)
        breaks(tmp_path / "rig")  # the device is well again, and nobody has resumed
        run.conduct(**WAITING)
        assert "estop" in run.ledger.held
        assert starts(tmp_path / "rig") == []
        say(tmp_path, "resume")
        run.run()
        assert len(starts(tmp_path / "rig")) == 2


def test_f22_a_device_that_refuses_for_an_interlock_gets_the_same_run_after_the_resume(tmp_path):
    breaks(tmp_path / "rig", before_accept="estop")
    with campaign(tmp_path, budget=1) as run:
        run.conduct(**WAITING)
        assert statuses(run) == ["submitting"]
        say(tmp_path, "resume")
        run.run()
        assert statuses(run) == ["done"]
        assert starts(tmp_path / "rig") == list(run.ledger.runs)


@pytest.mark.parametrize("ignored", [False, True])
def test_f23_a_cancelled_run_has_ended_when_the_device_says_so(tmp_path, ignored):
    breaks(tmp_path / "rig", stuck=True, cancel_ignored=ignored)
    show = people(tmp_path, running="abort")
    with campaign(tmp_path, "timeouts: {stall: 0.2 s}", budget=1) as run:
        run.conduct(show=show)
        assert statuses(run) == ["unknown" if ignored else "cancelled"]
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


def test_f25_with_a_full_disk_nothing_is_submitted(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with campaign(tmp_path, budget=1) as run:
        with pytest.raises(LabError, match="nothing was submitted"):
            run.run()
        assert statuses(run) == ["checked"]
    assert starts(tmp_path / "rig") == []


def test_f25_a_journal_that_cannot_be_written_submits_nothing(tmp_path, monkeypatch):
    with campaign(tmp_path, budget=1) as run:
        append = run.journal.append

        def full(entries):
            if any(kind == "run.submitting" for _, kind, _ in entries):
                raise JournalError("the journal cannot be written (database or disk is full)")
            return append(entries)

        monkeypatch.setattr(run.journal, "append", full)
        with pytest.raises(JournalError, match="full"):
            run.run()
    assert starts(tmp_path / "rig") == []


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


def test_f28_a_jump_of_the_wall_clock_ends_no_run(tmp_path, monkeypatch):
    jumps, real = iter(range(10**6)), time.time
    clock = SimpleNamespace(time=lambda: real() + 86400 * (next(jumps) % 3 - 1), monotonic=time.monotonic)
    monkeypatch.setattr("rxnopt.journal.time", clock)
    run = to_the_end(tmp_path)
    assert statuses(run) == ["done"] * 4


def test_f29_failures_in_a_row_stop_the_campaign_and_a_person_starts_it_again(tmp_path):
    breaks(tmp_path / "rig", result="nan")
    with campaign(tmp_path, budget=9) as run, pytest.raises(LabError, match="3 runs in a row gave no result"):
        run.run()
    assert len(starts(tmp_path / "rig")) == 3
    assert (tmp_path / "rig" / "safe.log").exists()
    breaks(tmp_path / "rig")
    with campaign(tmp_path, budget=9) as run:
        run.run()
    assert len(starts(tmp_path / "rig")) == 9


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


def test_f30_an_older_journal_replays_and_a_newer_or_edited_one_is_refused(tmp_path):
    to_the_end(tmp_path, budget=2)
    place = tmp_path / "j.db"

    def edit(*statements):
        with sqlite3.connect(place) as db:
            for each in statements:
                db.execute(each)
        db.close()

    edit("PRAGMA user_version=1")
    to_the_end(tmp_path, budget=2)
    edit("PRAGMA user_version=99")
    with pytest.raises(JournalError, match="update rxnopt"):
        campaign(tmp_path, budget=2)
    edit("PRAGMA user_version=2", "DROP TRIGGER events_stay",
         "UPDATE events SET payload = replace(payload, 'r0', 'x0') WHERE kind = 'run.running'")  # fmt: skip
    with pytest.raises(JournalError, match="damaged at event"):
        campaign(tmp_path, budget=2)


def test_a_machine_failure_is_run_again_under_another_id(tmp_path):
    breaks(tmp_path / "rig", result="machine")
    seen = []

    def show(status):
        if any(row["status"] == "failed" for row in status["runs"]) and not seen:
            seen.append(breaks(tmp_path / "rig"))

    with campaign(tmp_path, budget=1) as run:
        run.conduct(show=show)
        first, second = run.ledger.runs.values()
        assert (first.status, second.status) == (RunStatus.FAILED, RunStatus.DONE)
        assert second.retry_of == first.id
    assert len(starts(tmp_path / "rig")) == 2


@pytest.mark.parametrize(("policy", "status", "score"), [("failed", "failed", None), ("zero", "done", 0.0)])
def test_a_chemical_failure_is_an_answer(tmp_path, policy, status, score):
    breaks(tmp_path / "rig", result="chemistry")
    with campaign(tmp_path, f"failures: {{chemistry: {policy}}}", budget=1) as run:
        run.run()
        [trial] = run
        assert (trial.status, trial.score) == (status, score)
        assert len(run.learnt) == 1
    assert len(starts(tmp_path / "rig")) == 1


@pytest.mark.parametrize("refusal", ["busy", "reject"])
def test_what_was_not_accepted_has_not_started(tmp_path, refusal):
    breaks(tmp_path / "rig", before_accept=refusal)
    with campaign(tmp_path, budget=1) as run:
        run.run()
        assert statuses(run) == ["done" if refusal == "busy" else "rejected"]
    assert len(starts(tmp_path / "rig")) == (refusal == "busy")


def test_plates_are_one_run(tmp_path):
    plate = "plate: {size: 3, shared: [temperature]}"
    with campaign(tmp_path, plate, budget=6, agent="random") as run:
        run.run()
        assert [each.trials for each in run.ledger.runs.values()] == [(0, 1, 2), (3, 4, 5)]
        assert {trial.status for trial in run} == {"done"}
        for each in run.ledger.runs.values():
            assert len({position["temperature"] for position in each.positions}) == 1
    assert len(starts(tmp_path / "rig")) == 2
    large = "plate: {size: 9, shared: [temperature]}"
    said = pytest.raises(LabError, match="9 positions and the device has 4")
    with campaign(tmp_path / "more", large) as run, said:
        run.run()


def test_a_journal_of_simulations_is_no_journal_of_a_rig_and_the_other_way_round(tmp_path):
    to_the_end(tmp_path, budget=2)
    said = pytest.raises(LabError, match="of a laboratory")
    with Campaign(reaction(), Draws(), budget=3, journal=tmp_path / "j.db") as run, said:
        run.run()


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


def test_a_lab_file_that_does_not_fit_the_reaction_is_refused(tmp_path):
    for change, said in [
        ("outputs: {purity: {unit: '1'}}", "no output 'purity'"),
        ("outputs: {yield: {unit: K}}", "yield: "),
        ("parameters: {temperature: {low: 300, high: 390, unit: K}}", "lacks the parameter"),
    ]:
        with pytest.raises((LabError, CardError), match=said), campaign(tmp_path, change) as run:
            run.run()


@pytest.mark.parametrize(
    ("reached", "learnt"),
    [((325.15, "K"), 52.0), ((393.65, "K"), 120.0), ((450.15, "K"), 177.0), (("nan", "K"), 50.0), ((3, "bar"), 50.0)],
)
def test_f10_what_was_achieved_is_what_is_learnt(tmp_path, reached, learnt):
    breaks(tmp_path / "rig", achieved=reached)
    with campaign(tmp_path, budget=1, agent=Fixed(temperature=50.0, time=5.0, solvent="THF")) as run:
        run.run()
        [trial] = run
        assert (trial.status, trial.conditions["temperature"]) == ("done", 50.0)
        assert run.learnt.X[0, 0] == pytest.approx(learnt)
        assert run.history.X[0, 0] == 50.0
        [each] = run.ledger.runs.values()
        assert each.positions[0]["temperature"] == Quantity(pytest.approx(323.15), "K")
        assert "was asked to be 323.15 K" in each.told["notes"][0]


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
