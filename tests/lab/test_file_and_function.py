"""The adapters of the core: a folder of files, and a Python function."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from pathlib import Path

import pytest
from rig_toys import Draws, lab, reaction

from rxnopt import Campaign
from rxnopt.errors import LabError
from rxnopt.lab.adapters import create
from rxnopt.lab.interface import TWIN, Adapter, Quantity, Request, ResultInvalid, RunState, Unreachable
from rxnopt.laboratory.inbox import command, send
from rxnopt.runs import RunStatus

DROP = "adapter: {{kind: filedrop, folder: drop, format: {0}, manual: {1}}}"
SETTING = {"temperature": Quantity(330.0, "K"), "time": Quantity(120.0, "s"), "solvent": "THF"}


def adapter(folder: Path, kind: str = "json", manual: bool = True, changes: str = "") -> Adapter:
    (folder / "drop").mkdir(exist_ok=True)
    rig = lab(folder, DROP.format(kind, str(manual).lower()) + changes)
    made = create(rig.card, rig.folder)
    asyncio.run(made.connect())
    return made


def request(run_id: str = "r1", n: int = 1) -> Request:
    return Request(run_id, (SETTING,) * n, {"yield": "1"})


def answer(run_id: str, value, **more):
    return {"run_id": run_id, "positions": [{"outputs": {"yield": {"value": value, "unit": "1"}}, **more}]}


def test_files_go_out_once_and_come_back_whole(tmp_path):
    rig, drop = adapter(tmp_path), tmp_path / "drop"
    ask = asyncio.run
    assert ask(rig.lookup("r1")) is RunState.ABSENT
    ask(rig.submit(request()))
    [file] = (drop / "requests").iterdir()
    sent = json.loads(file.read_text())
    assert sent["positions"][0]["temperature"] == {"value": 330.0, "unit": "K"}
    assert ask(rig.lookup("r1")) is RunState.QUEUED
    file.rename(drop / "claimed" / file.name)
    assert ask(rig.lookup("r1")) is RunState.RUNNING
    ask(rig.submit(request()))  # again, after a crash: nothing new appears
    assert not list((drop / "requests").iterdir())
    result = drop / "results" / file.name
    for half in ('{"run_id": "r1", "posi', "[]", ""):
        result.write_text(half)
        assert ask(rig.lookup("r1")) is RunState.RUNNING
    result.write_text(json.dumps(answer("r0", 0.9)))
    with pytest.raises(ResultInvalid, match="of run 'r0'"):
        ask(rig.result("r1"))
    result.write_text(json.dumps(answer("r1", 0.9, quality="uncertain", achieved={"solvent": "THF"})))
    assert ask(rig.lookup("r1")) is RunState.DONE
    [position] = ask(rig.result("r1")).positions
    assert (position.outputs["yield"], position.quality) == (Quantity(0.9, "1"), "uncertain")
    result.write_text(json.dumps(answer("r1", "much")))
    with pytest.raises(ResultInvalid):
        ask(rig.result("r1"))


def test_a_request_that_is_claimed_between_two_looks_is_known(tmp_path, monkeypatch):
    rig, drop = adapter(tmp_path), tmp_path / "drop"
    asyncio.run(rig.submit(request()))
    place = rig._file

    def claimed_meanwhile(folder, run_id):
        found = place(folder, run_id)
        if folder == "requests" and found.exists():
            found.rename(drop / "claimed" / found.name)
        return found

    monkeypatch.setattr(rig, "_file", claimed_meanwhile)
    assert asyncio.run(rig.lookup("r1")) is RunState.RUNNING


def test_an_unclaimed_request_can_be_taken_back_and_a_claimed_one_wished_to_end(tmp_path):
    rig, drop = adapter(tmp_path), tmp_path / "drop"
    asyncio.run(rig.submit(request()))
    asyncio.run(rig.cancel("r1"))
    assert asyncio.run(rig.lookup("r1")) is RunState.CANCELLED
    asyncio.run(rig.submit(request("r2")))
    (drop / "requests" / "r2.json").rename(drop / "claimed" / "r2.json")
    asyncio.run(rig.cancel("r2"))
    assert (drop / "cancel" / "r2").exists()
    assert asyncio.run(rig.lookup("r2")) is RunState.RUNNING


def test_a_plate_goes_out_and_comes_back_as_a_table(tmp_path):
    rig, drop = adapter(tmp_path, "csv", changes="\nplate: {size: 3, shared: [temperature]}"), tmp_path / "drop"
    asyncio.run(rig.submit(request(n=3)))
    text = (drop / "requests" / "r1.csv").read_text()
    assert text.splitlines()[0] == "run_id,position,temperature [K],time [s],solvent,yield [1]"
    lines = text.splitlines()
    filled = [lines[0] + ",failure,temperature achieved [K]"]
    filled += [lines[1] + "0.5,,331", lines[2] + "0.25,,", lines[3] + ",chemistry,"]
    place = drop / "results" / "r1.csv"
    place.write_text("\n".join(filled))  # the last line has no end yet
    assert asyncio.run(rig.lookup("r1")) is RunState.RUNNING
    place.write_text("\n".join(filled[:3]) + "\n")
    assert len(asyncio.run(rig.result("r1")).positions) == 2  # the campaign compares it with the request
    place.write_text("\n".join(filled) + "\n")
    first, second, third = asyncio.run(rig.result("r1")).positions
    assert first.outputs == {"yield": Quantity(0.5, "1")}
    assert first.achieved == {"temperature": Quantity(331.0, "K")}
    assert second.outputs["yield"].value == 0.25
    assert (third.outputs, third.failure) == ({}, "chemistry")


def test_a_new_folder_is_not_taken_for_the_old_one(tmp_path):
    rig, drop = adapter(tmp_path), tmp_path / "drop"
    before = asyncio.run(rig.health()).boot_id
    (drop / "folder.json").unlink()
    asyncio.run(rig.connect())
    assert asyncio.run(rig.health()).boot_id != before


def test_a_device_beside_the_folder_speaks_by_its_file(tmp_path):
    rig_lab = lab(tmp_path, DROP.format("json", "false"))
    rig = create(rig_lab.card, rig_lab.folder)
    with pytest.raises(Unreachable, match="no such folder"):
        asyncio.run(rig.connect())
    drop = tmp_path / "drop"
    drop.mkdir()
    with pytest.raises(Unreachable, match=r"device\.json"):
        asyncio.run(rig.connect())
    told = {"vendor": TWIN, "model": "m", "serial": "s", "boot_id": "b1", "state": "busy", "run_id": "r9",
            "setpoints": {"temperature": {"value": 300, "unit": "K"}},
            "parameters": {"temperature": {"unit": "K", "low": 290, "high": 400}}}  # fmt: skip
    (drop / "device.json").write_text(json.dumps(told))
    assert asyncio.run(rig.connect()).vendor == TWIN
    health = asyncio.run(rig.health())
    assert (health.state, health.run_id, health.setpoints) == ("busy", "r9", {"temperature": Quantity(300.0, "K")})
    assert asyncio.run(rig.capabilities()).parameters["temperature"].high == 400
    asyncio.run(rig.submit(request()))
    (drop / "requests" / "r1.json").rename(drop / "claimed" / "r1.json")
    (drop / "device.json").write_text(json.dumps(told | {"boot_id": "b2"}))
    assert asyncio.run(rig.lookup("r1")) is RunState.UNKNOWN  # it was restarted and may have forgotten
    (drop / "device.json").write_text("{")
    with pytest.raises(LabError, match="cannot be read"):
        asyncio.run(rig.health())


def test_f26_f27_half_written_duplicate_and_foreign_results_in_a_campaign(tmp_path):
    (tmp_path / "drop").mkdir()
    rig = lab(tmp_path, DROP.format("json", "true") + "\napproval: {required: false}")
    done = threading.Event()

    def person():
        results, first = tmp_path / "drop" / "results", None
        while not done.is_set():
            for file in sorted((tmp_path / "drop").glob("requests/*.json")):
                text = json.dumps(answer(file.stem, 0.5 if first is None else 0.25))
                target = results / file.name
                target.write_text(text[:30])
                time.sleep(0.05)
                if first is not None:
                    target.write_text(first)  # the result of the run before, once more
                    time.sleep(0.05)
                target.write_text(text)
                file.rename(tmp_path / "drop" / "claimed" / file.name)
                first = first or text
            time.sleep(0.01)

    helper = threading.Thread(target=person)
    helper.start()
    try:
        with Campaign(reaction(), Draws(), budget=2, lab=rig, journal=tmp_path / "j.db") as run:
            run.run()
            assert [trial.outputs["yield"] for trial in run] == [50.0, 25.0]
            assert len(run.ledger.runs) == 2
    finally:
        done.set()
        helper.join()


RIG = """
from rxnopt.lab.interface import Quantity

calls = []

def run(setting, run_id):
    calls.append(run_id)
    if len(calls) == 2:
        raise ValueError("the pump is stuck")
    if len(calls) == 4:
        return None
    return {"yield": setting["temperature"].to("degC").value / 200}
"""


def test_twenty_lines_of_python_are_a_rig(tmp_path):
    (tmp_path / "rig.py").write_text(RIG)
    rig = lab(tmp_path, 'adapter: {kind: callable, function: "rig.py:run"}\napproval: {required: false}')
    with Campaign(reaction(), Draws(), budget=3, lab=rig, journal=tmp_path / "j.db") as run:
        run.run()
        first, second, third = run
        assert first.outputs["yield"] == pytest.approx(first.conditions["temperature"] / 2)
        assert second.status == "done"  # by a second run, after the fault of the machine
        assert third.failure == "chemistry"
        assert [each.status.value for each in run.ledger.runs.values()] == ["done", "failed", "done", "done"]
        assert "the pump is stuck" in list(run.ledger.runs.values())[1].reason


@pytest.mark.parametrize(
    ("text", "said"),
    [("nowhere.py:run", "no file"), ("rig.py:walk", "no function"), ("no_such_module:run", "no module")],
)
def test_a_function_that_is_not_there_is_told(tmp_path, text, said):
    (tmp_path / "rig.py").write_text(RIG)
    rig = lab(tmp_path, f'adapter: {{kind: callable, function: "{text}"}}')
    with Campaign(reaction(), Draws(), lab=rig, journal=tmp_path / "j.db") as run, pytest.raises(LabError, match=said):
        run.run()


def test_a_typed_result_takes_the_request_back_and_the_campaign_goes_on(tmp_path):
    (tmp_path / "drop").mkdir()
    answered = set()

    def show(status):
        for row in status["runs"]:
            if row["status"] == "running" and row["run"] not in answered:
                answered.add(row["run"])
                args = {"run": row["run"], "verdict": "done", "outputs": {"yield": 61.5}}
                send(tmp_path / "j.db", command("resolve", args))

    manual = DROP.format("json", "true") + "\napproval: {required: false}\ntimeouts: {stall: 2 s, poll: 0.01 s}"
    with Campaign(reaction(), Draws(), budget=3, journal=tmp_path / "j.db", lab=lab(tmp_path, manual)) as run:
        table = run.conduct(show=show)
        assert list(table["yield"]) == [61.5] * 3
        assert {each.status for each in run.ledger.runs.values()} == {RunStatus.RESOLVED}
    assert not list((tmp_path / "drop" / "requests").iterdir())  # nobody runs them again


def test_a_typed_result_of_a_request_that_was_claimed_waits_until_the_file_is_put_away(tmp_path):
    drop, done = tmp_path / "drop", []
    drop.mkdir()

    def show(status):
        [row] = status["runs"][:1]
        file = drop / "claimed" / f"{row['run']}.json"
        if row["status"] == "running" and not done:
            done.append("typed")
            (drop / "requests" / file.name).rename(file)
            send(
                tmp_path / "j.db",
                command("resolve", {"run": row["run"], "verdict": "done", "outputs": {"yield": 61.5}}),
            )
        elif status["held"] and len(done) == 1:
            done.append(status["held"])
            file.rename(drop / "cancelled" / file.name)
            send(tmp_path / "j.db", command("resume", {}))
        elif len(done) == 2 and len(status["runs"]) == 2 and status["runs"][1]["status"] == "running":
            done.append("stop")
            send(tmp_path / "j.db", command("abort", {}))

    manual = DROP.format("json", "true") + "\napproval: {required: false}\ntimeouts: {stall: 0.2 s, poll: 0.01 s}"
    with Campaign(reaction(), Draws(), budget=2, journal=tmp_path / "j.db", lab=lab(tmp_path, manual)) as run:
        run.conduct(show=show)
        assert [each.status for each in run.ledger.runs.values()] == [RunStatus.RESOLVED, RunStatus.CANCELLED]
    assert re.search(
        "is running .*waits for a person, who puts .* this file into .*cancelled if there is none", done[1]
    )


def test_a_result_that_cannot_be_read_is_told_and_a_better_one_is_taken(tmp_path):
    rig, drop, ask = adapter(tmp_path, "csv"), tmp_path / "drop", asyncio.run
    ask(rig.submit(request()))
    assert ask(rig.lookup("r1")) is RunState.QUEUED
    assert "r1.csv waits for a person" in ask(rig.health()).message
    table, result = (drop / "requests" / "r1.csv").read_text(), drop / "results" / "r1.csv"
    for wrong, why in (
        (table.replace(",", ";"), "separated by semicolons"),
        (table.replace(",\n", ",'44,5'\n"), "r1.csv"),
    ):
        result.write_text(wrong)
        assert ask(rig.lookup("r1")) is RunState.RUNNING
        assert why in ask(rig.health()).message
        assert ask(rig.health()).message.endswith("replace it")
    result.write_text(table)  # not filled in yet
    assert ask(rig.lookup("r1")) is RunState.DONE
    assert not ask(rig.result("r1")).complete
    result.write_text("\ufeff" + table.replace(",\n", ",0.445\n"), encoding="utf-8")  # as spreadsheets save it
    assert ask(rig.result("r1")).complete
    assert ask(rig.result("r1")).positions[0].outputs == {"yield": Quantity(0.445, "1")}
    assert ask(rig.health()).message == ""


@pytest.mark.parametrize("given", [61.5, "61.5 %", {"value": 61.5}])
def test_a_result_without_a_unit_says_what_is_wrong(tmp_path, given):
    rig = adapter(tmp_path)
    asyncio.run(rig.submit(request()))
    row = {"run_id": "r1", "positions": [{"outputs": {"yield": given}}]}
    (tmp_path / "drop" / "results" / "r1.json").write_text(json.dumps(row))
    with pytest.raises(ResultInvalid, match=r"yield is .*; give it like"):
        asyncio.run(rig.result("r1"))
