"""Killed at every arrow of the state machine and started again: starts == planned, results == starts.

The oracle is the log of physical starts that the device keeps, and the yields that it would measure.
"""

from __future__ import annotations

import os
import signal
import warnings

import pytest
from rig_toys import breaks, campaign, reboot, starts, truth

from rxnopt.lab.crash import VARIABLE
from rxnopt.lab.settings import to_setting
from rxnopt.laboratory.inbox import command, send, waiting
from rxnopt.runs import CRASH_POINTS, RunStatus

REAL = "approval: {required: true}"
OVER = {"done", "failed", "cancelled", "resolved", "unknown"}
NEVER_STARTED = {"rejected", "denied", "expired", "cancelled"}


def people(tmp_path, **verbs):
    """Somebody who looks at the status and says something about runs that stand in a certain way."""
    said = set()

    def show(status):
        for row in status["runs"]:
            verb = verbs.get(row["status"])
            if verb is not None and (row["run"], verb) not in said and not waiting(tmp_path / "j.db"):
                said.add((row["run"], verb))
                verb, *verdict = verb.split()
                args = {"run": row["run"]} | ({"verdict": verdict[0]} if verdict else {})
                send(tmp_path / "j.db", command(verb, args))

    return show


def killed(tmp_path, point: str, *args, show=None, **options) -> None:
    """Run the campaign in another process that is killed at ``point``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of numerical libraries, idle
        child = os.fork()
    if child == 0:
        os.environ[VARIABLE] = point
        try:
            with campaign(tmp_path, *args, **options) as run:
                run.conduct(show=show)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"nothing came by {point}"
    assert os.WTERMSIG(status) == signal.SIGKILL


def to_the_end(tmp_path, *args, show=None, **options):
    """Run what is left and check that nothing was lost, started twice or adopted wrongly."""
    with campaign(tmp_path, *args, **options) as run:
        run.conduct(show=show)
        begun = starts(tmp_path / "rig")
        assert len(begun) == len(set(begun)), "a run id was started twice"
        for each in run.ledger.runs.values():
            assert each.status in (OVER if each.id in begun else NEVER_STARTED)
        assert set(begun) <= set(run.ledger.runs), "an orphan"
        for trial in run:
            done = [each for each in run.ledger.of_trial(trial.number) if each.status is RunStatus.DONE]
            assert trial.status != "pending"
            assert len(done) == (trial.status == "done")
            if done:
                setting = to_setting(run.space, run.lab.card, trial.conditions)
                assert trial.outputs["yield"] == pytest.approx(100 * truth(setting), abs=1e-9)
        return run


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_f01_f02_f03_f18_killed_at_every_arrow(tmp_path, point):
    arrow = point.partition("-")[2]
    rig, options = tmp_path / "rig", {"budget": 2}
    if arrow in ("proposed", "checked", "submitting", "running", "done"):
        killed(tmp_path, point, **options)
        to_the_end(tmp_path, **options)
        assert len(starts(rig)) == 2
    elif arrow in ("awaiting_approval", "approved", "denied"):
        said = people(tmp_path, awaiting_approval="deny" if arrow == "denied" else "approve")
        killed(tmp_path, point, REAL, show=said, **options)
        to_the_end(tmp_path, REAL, show=people(tmp_path, awaiting_approval="approve"), **options)
        assert len(starts(rig)) == 2 - (arrow == "denied")
    elif arrow == "expired":
        with campaign(tmp_path, REAL, **options) as run:
            run.conduct(wait=False)
        changed = REAL + "\nconstants: {note: 1 K}"
        killed(tmp_path, point, changed, **options)
        to_the_end(tmp_path, changed, show=people(tmp_path, awaiting_approval="approve"), **options)
        assert len(starts(rig)) == 2
    elif arrow in ("rejected", "failed"):
        breaks(rig, **({"preflight": ["no"]} if arrow == "rejected" else {"run_fails": True, "result": "machine"}))
        killed(tmp_path, point, **options)
        breaks(rig)
        to_the_end(tmp_path, **options)
        assert 1 <= len(starts(rig)) <= 3
    elif arrow == "awaiting_analysis":
        breaks(rig, analysis_tomorrow=True)
        killed(tmp_path, point, **options)
        breaks(rig)
        to_the_end(tmp_path, **options)
        assert len(starts(rig)) == 2
    elif arrow == "cancelled":
        breaks(rig, stuck=True)
        killed(tmp_path, point, show=people(tmp_path, running="abort"), **options)
        to_the_end(tmp_path, **options)
        assert len(starts(rig)) == 3  # the aborted one was made again, as another run
    else:
        killed(tmp_path, "before-running", **options)
        reboot(rig, forget=True)
        said = people(tmp_path, unknown="resolve repeat")
        killed(tmp_path, point, show=said, **options)
        run = to_the_end(tmp_path, show=said, **options)
        assert len(starts(rig)) == 3  # the doubtful one, its repetition and the second trial
        assert [each.status.value for each in run.ledger.runs.values()] == ["resolved", "done", "done"]
