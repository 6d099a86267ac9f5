"""Campaigns on a device: each experiment is started once, whatever goes wrong; the oracle is the device's own log."""

from __future__ import annotations

from rig_toys import campaign, starts, truth

from rxnopt.lab.settings import to_setting
from rxnopt.runs import RunStatus


def test_a_campaign_runs_to_its_end(tmp_path):
    with campaign(tmp_path) as run:
        table = run.run()
        assert list(table["status"]) == ["done"] * 4
        assert starts(tmp_path / "rig") == list(run.ledger.runs)
        for trial in run:
            setting = to_setting(run.space, run.lab.card, trial.conditions)
            assert abs(trial.outputs["yield"] - 100 * truth(setting)) < 1e-9
            assert abs(trial.achieved["temperature"] - trial.conditions["temperature"]) < 1e-9
        assert {r.status for r in run.ledger.runs.values()} == {RunStatus.DONE}
