"""Journals of rigs, and lab files that do not fit; the device is the toy of this folder."""

from __future__ import annotations

import sqlite3

import pytest
from rig_toys import (
    Draws,
    campaign,
    reaction,
    to_the_end,
)

from rxnopt import Campaign
from rxnopt.errors import CardError, JournalError, LabError


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


def test_a_journal_of_simulations_is_no_journal_of_a_rig_and_the_other_way_round(tmp_path):
    to_the_end(tmp_path, budget=2)
    said = pytest.raises(LabError, match="of a laboratory")
    with Campaign(reaction(), Draws(), budget=3, journal=tmp_path / "j.db") as run, said:
        run.run()


def test_a_lab_file_that_does_not_fit_the_reaction_is_refused(tmp_path):
    for change, said in [
        ("outputs: {purity: {unit: '1'}}", "no output 'purity'"),
        ("outputs: {yield: {unit: K}}", "yield: "),
        ("parameters: {temperature: {low: 300, high: 390, unit: K}}", "lacks the parameter"),
    ]:
        with pytest.raises((LabError, CardError), match=said), campaign(tmp_path, change) as run:
            run.run()
