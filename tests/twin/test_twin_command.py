"""Twins as processes: one line when ready, killed for good, and what the page says of them."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rxnopt.cards.base import validate
from rxnopt.cards.lab import LabCard, seconds
from rxnopt.catalogue import parse
from rxnopt.cli.frame import app
from rxnopt.lab.adapters import create
from rxnopt.lab.interface import Quantity, Request, RunState
from rxnopt.lab.rig import load_lab
from rxnopt.simulators import load
from rxnopt.testing.problems import toy
from rxnopt.twin import Rig, Scenario, labfile, load_scenario, starts
from rxnopt.twin.clock import ScaledClock
from rxnopt.twin.serving import Serving

for command in ("look", "twin"):
    import_module(f"rxnopt.cli.{command}")

PAGE = (Path(__file__).parents[2] / "docs" / "twins.md").read_text()
SETTING = {
    "residence_time": Quantity(1.0, "min"), "equivalents": Quantity(2.0), "concentration": Quantity(0.2, "mol/L"),
    "temperature": Quantity(60.0, "degC"),
}  # fmt: skip


class Process:
    """A twin that is surely gone at the end."""

    def __init__(self, *arguments):
        command = [sys.executable, "-m", "rxnopt", "twin", *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        line = self.process.stdout.readline()
        self.said = json.loads(line) if line else None
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


def test_f04_an_opcua_twin_comes_up_with_a_memory_of_failed_runs(tmp_path):
    """Whose outputs have no value."""
    from rxnopt.testing.problems import toy
    from rxnopt.twin import ManualClock, Rig
    from rxnopt.twin.serving import Serving

    lost = Rig(toy("smooth"), ManualClock(), folder=tmp_path)
    lost.asked("r1")
    lost.start("r1", [{"temperature": 80.0, "time": 5.0, "equivalents": 3.0}])
    with Serving("opcua", toy("smooth"), folder=tmp_path) as again:
        assert again.rig.find("r1").state == "failed"


def test_f04_killed_and_started_again_without_its_memory(tmp_path):
    """A new boot id, no memory of the run, and one physical start that the journal kept."""
    options = (
        "sila",
        "--reaction",
        "snar",
        "--speed",
        60,
        "--folder",
        tmp_path / "rig",
        "--lab",
        tmp_path / "lab.yaml",
    )

    async def submit(adapter):
        info = await adapter.connect()
        await adapter.submit(Request("r1", (SETTING,), {"yield": "%"}))
        await adapter.close()
        return info.boot_id

    async def looked(adapter):
        info = await adapter.connect()
        state = await adapter.lookup("r1")
        await adapter.close()
        return info.boot_id, state

    with Process(*options) as twin:
        assert twin.said["pid"] == twin.process.pid
        first = asyncio.run(submit(_adapter(tmp_path)))
        port = twin.said["port"]
        twin.kill()
    with Process(*options, "--port", port, "--forget") as twin:
        assert twin.said["port"] == port
        second, state = asyncio.run(looked(_adapter(tmp_path)))
    assert second != first
    assert state is RunState.ABSENT
    assert starts(tmp_path / "rig" / "physical.jsonl") == {"r1": 1}


def _adapter(folder):
    lab = load_lab(folder / "lab.yaml")
    return create(lab.card, lab.folder)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("opcua", "--reaction", "snra"), "snar"),
        (("opcua", "--faults", "no.yaml"), "no such file"),
        (("filedrop",), "give --folder"),
        (("filedrop", "--port", "4840"), "no port"),
        (("opcua", "--positions", "8"), "take filedrop for plates"),
        (("modbus",), "modbus"),
    ],
)
def test_mistakes_are_one_sentence(arguments, words):
    run = CliRunner().invoke(app, ["twin", *arguments])
    assert run.exit_code == 2
    assert words in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(("speed", "limit"), [(1.0, 60 + 2 * 780), (600.0, 60 + 2 * 1.3)])
def test_a_run_may_take_twice_as_long_as_the_longest_in_real_time(speed, limit):
    """Heater 7 * 40 s, pumps 20 s, three volumes of at most 2 min, analysis 2 min."""
    rig = Rig(load("snar"), ScaledClock(speed))
    card = validate(parse(labfile.lab_file(rig, labfile.sila(rig, 1)), "lab.yaml"), LabCard)
    assert seconds(card.timeouts.run) == pytest.approx(limit, abs=0.5)


def test_every_field_stands_in_the_page():
    schema = Scenario.model_json_schema()
    nodes = [schema, *schema["$defs"].values()]
    words = {name for node in nodes for name in node.get("properties", {})}
    words |= {word for node in nodes for p in node.get("properties", {}).values() for word in p.get("enum", [])}
    assert len(words) > 40
    assert {word for word in words if not re.search(rf"\b{word}\b", PAGE)} == set()


def test_the_scenario_of_the_page_is_one(tmp_path):
    [text] = re.findall(r"```yaml\n(# a complete scenario.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "faults.yaml"
    path.write_text(text)
    assert [fault.fault for fault in load_scenario(path).faults] == ["drop", "reboot", "clamp", "nan"]


def test_python_of_the_page(monkeypatch):
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    scope = {}
    exec(code, scope)  # noqa: S102 - our own page
    card = validate(parse(scope["lab_file"], "lab.yaml"), LabCard)
    assert set(card.outputs) == {"yield", "conversion", "space_time_yield", "e_factor"}
    assert scope["twin"].rig.latch == "estop"


def test_a_signal_is_the_button_that_resets_an_emergency_stop():
    async def go():
        serving = Serving("http", toy("smooth"))
        async with serving.desk as desk:
            desk.button()
            serving.rig.trip("estop")
            os.kill(os.getpid(), signal.SIGUSR1)
            await asyncio.sleep(0.05)
            return serving.rig.state

    assert asyncio.run(go()) == "idle"
