"""The SiLA 2 adapter against its twin, and against the same rig behind a server of the library sila2."""

import asyncio
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from rxnopt.cards.base import validate
from rxnopt.cards.lab import LabCard
from rxnopt.catalogue import parse
from rxnopt.errors import LabError
from rxnopt.lab.adapters import create
from rxnopt.lab.interface import Quantity, Request, RunState
from rxnopt.testing.problems import toy
from rxnopt.testing.twins import TwinConformance
from rxnopt.twin import labfile, serving
from rxnopt.twin.serving import Serving


class TestSila(TwinConformance):
    protocol = "sila"

    @pytest.mark.parametrize(
        ("right", "wrong", "words"),
        [
            ("ReactorController", "RecatorController", r"no feature 'RecatorController' \(adapter\.feature\)"),
            ("start: StartRun", "start: BeginRun", r"has no 'BeginRun' \(adapter\.start\)"),
            ("time: Time", "time: Tiem", r"StartRun has no parameter 'Tiem' \(adapter\.parameters\.time\)"),
            (
                "yield: Yield",
                "yield: Yeild",
                r"GetResult has no response 'Yeild' \(adapter\.outputs\.yield\); did you mean 'Yield'",
            ),
            ("unit: degC", "unit: K", r"parameters\.temperature\) is in 'degC' on the device and in 'K' in the lab"),
            ("unit: min", "unit: h", r"parameters\.time\) is in 'min' on the device and in 'h' in the lab file"),
            ("unit: '%'", "unit: '1'", r"outputs\.yield\) is in '%' on the device and in '1' in the lab file"),
        ],
    )
    def test_a_wrong_name_or_unit_is_told_with_its_field(self, right, wrong, words):
        text = self.twin.lab_file().replace(right, wrong)
        assert wrong in text
        adapter = create(validate(parse(text, "lab.yaml"), LabCard), Path())
        with pytest.raises(LabError, match=words):
            asyncio.run(adapter.connect())

    def test_limits_of_the_feature_are_told(self):
        async def test(adapter):
            told = (await adapter.capabilities()).parameters
            own = {p.name: p for p in self.twin.rig.space}
            assert {name: (each.low, each.high) for name, each in told.items()} == {
                name: (p.low, p.high) for name, p in own.items()
            }

        self.run(test)


def test_a_server_of_the_other_library():
    """In a process of its own: sila2 cannot be imported where TensorBoard was, whose messages have the same pool."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(run_on_a_server_of_the_other_library).result(timeout=60)


def run_on_a_server_of_the_other_library():
    serving.SKINS["sila2"] = ("sila2_server", "Sila2Skin", labfile.sila)  # in this folder
    setting = {"temperature": Quantity(353.15, "K"), "time": Quantity(5.0, "min"), "equivalents": Quantity(3.0)}

    async def go(card):
        first, second = create(card, Path()), create(card, Path())
        await first.connect()
        assert await first.preflight(Request("r", (setting,))) == ()
        await first.submit(Request("r", (setting,)))
        await first.close()
        await second.connect()
        assert await second.lookup("other") is RunState.ABSENT
        while not (await second.lookup("r")).over:
            await asyncio.sleep(0.02)
        result = await second.result("r")
        await second.safe_state()
        await second.close()
        return result.positions[0]

    with Serving("sila2", toy("smooth"), speed=6000.0, seed=1) as twin:
        measured = asyncio.run(go(validate(parse(twin.lab_file(), "lab.yaml"), LabCard)))
        assert twin.rig.ledger.of("start")[0]["settings"][0]["temperature"] == pytest.approx(80.0)
    assert 0 < measured.outputs["yield"].value < 100
    assert measured.achieved["temperature"].value == pytest.approx(80.0, abs=1.0)
