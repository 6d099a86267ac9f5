"""What a device tells of a run, and what is learnt of it; the device is the toy of this folder."""

from __future__ import annotations

import numpy as np
import pytest
from rig_toys import (
    breaks,
    campaign,
    say,
    starts,
    statuses,
)

from rxnopt.errors import LabError
from rxnopt.lab.interface import Quantity
from rxnopt.runs import RunStatus


class Fixed:
    """Proposes what it was made with."""

    def __init__(self, **conditions):
        self.conditions = conditions

    def propose(self, space, history, n, rng):
        return np.repeat(space.to_array(self.conditions), n, axis=0)


@pytest.mark.parametrize("kind", ["nan", "110", "unit"])
def test_f12_what_is_no_result_is_kept_and_not_learnt(tmp_path, kind):
    breaks(tmp_path / "rig", result=kind)
    with campaign(tmp_path, budget=1) as run:
        run.run()
        [trial] = run
        assert (trial.status, trial.failure) == ("failed", "invalid")
        assert len(run.learnt) == 0
        event = next(e for e in run.journal.events() if e.kind == "failed")
        assert event.payload["why"]
        assert event.payload["raw"]["outputs"]["yield"][0] != 0
    assert len(starts(tmp_path / "rig")) == 1


def test_f10_other_set_points_in_the_answer_end_the_run(tmp_path):
    breaks(tmp_path / "rig", clamp=250.0, stuck=True)
    with campaign(tmp_path, "failures: {retries: 0}", budget=1) as run:
        run.run()
        assert statuses(run) == ["failed"]
        assert "other set-points" in next(iter(run.ledger.runs.values())).reason
        assert next(iter(run)).failure == "machine"


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


def test_f17_a_plate_that_lacks_a_result_keeps_what_is_known_of_the_others(tmp_path):
    plate = {"changes": "plate: {size: 3, shared: [temperature]}", "agent": "random"}
    breaks(tmp_path / "rig", result="first_nan")
    with campaign(tmp_path, budget=3, **plate) as run:
        run.run()
        assert [trial.failure for trial in run] == ["invalid", None, None]
    say(tmp_path, "correct", trial=1, outputs={"yield": 42.0})
    with campaign(tmp_path, budget=6, **plate) as run:
        run.run()
        assert [trial.outputs["yield"] for trial in run if trial.number == 1] == [42.0]
        assert [event.trial for event in run.journal.events() if event.kind == "corrected"] == [1]
    breaks(tmp_path / "rig")
    with campaign(tmp_path, budget=6, **plate) as run:
        run.run()
        assert [trial.status for trial in run] == ["done"] * 6
        assert [event.trial for event in run.journal.events() if event.kind == "corrected"] == [1, 0, 3]


def test_a_machine_failure_is_run_again_under_another_id(tmp_path):
    breaks(tmp_path / "rig", result="machine")

    def show(status):
        if len(status["runs"]) == 2:
            breaks(tmp_path / "rig")

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
