"""The OPC UA adapter against its twin."""

import asyncio
import math
from pathlib import Path

import pytest

from rxnopt import Campaign
from rxnopt.cards.base import validate
from rxnopt.cards.lab import LabCard
from rxnopt.catalogue import parse
from rxnopt.errors import LabError
from rxnopt.lab.adapters import create
from rxnopt.lab.interface import Quantity, Request, RunState
from rxnopt.lab.rig import Lab
from rxnopt.testing.problems import toy
from rxnopt.testing.twins import TwinConformance
from rxnopt.twin.serving import Serving


class TestOpcUa(TwinConformance):
    protocol = "opcua"

    def test_units_and_ranges_of_the_server_are_told_f11(self):
        async def test(adapter):
            ranges = (await adapter.capabilities()).parameters
            assert ranges["temperature"].unit == "degC"
            assert (ranges["time"].low, ranges["time"].high) == (0.1, 10.0)

        self.run(test)

    def test_a_lab_file_in_another_unit_than_the_server_is_refused_f11(self, tmp_path):
        text = self.twin.lab_file().replace("unit: degC", "unit: K").replace("low: 30.0", "low: 303.0")
        lab = Lab(validate(parse(text.replace("high: 120.0", "high: 393.0"), "lab.yaml"), LabCard), tmp_path)
        before = len(self.twin.rig.ledger.of("asked"))
        with (
            Campaign(self.reaction(), "random", budget=2, journal=tmp_path / "j.db", lab=lab) as campaign,
            pytest.raises(LabError, match=r"temperature is in 'K' there and in 'degC' on the device"),
        ):
            campaign.conduct()
        assert len(self.twin.rig.ledger.of("asked")) == before

    def test_a_wrong_node_is_named_with_its_field(self):
        text = self.twin.lab_file().replace("s=Result.yield", "s=Result.yeild")
        adapter = create(validate(parse(text, "lab.yaml"), LabCard), Path())
        with pytest.raises(LabError, match=r"no node 'ns=2;s=Result\.yeild' \(adapter\.outputs\.yield\)"):
            asyncio.run(adapter.connect())

    def test_without_a_look_up_only_the_run_on_the_display_is_known(self):
        card = self.card()
        card = card.model_copy(update={"adapter": card.adapter.model_copy(update={"lookup": None})})

        async def test(adapter):
            other = create(card, Path())
            await other.connect()
            first, second = self.request(), self.request()
            await self.ended(adapter, first)
            assert await other.lookup(first.run_id) is RunState.DONE
            assert await other.lookup(second.run_id) is RunState.UNKNOWN
            await self.ended(adapter, second)
            assert await other.lookup(first.run_id) is RunState.UNKNOWN
            await other.close()

        self.run(test)

    def test_a_password_comes_from_the_environment(self, monkeypatch):
        card = self.card()
        settings = card.adapter.model_copy(update={"user": "rig", "password": "${RIG_PASSWORD}"})
        adapter = create(card.model_copy(update={"adapter": settings}), Path())
        monkeypatch.delenv("RIG_PASSWORD", raising=False)
        with pytest.raises(LabError, match="environment variable RIG_PASSWORD"):
            asyncio.run(adapter.connect())


def test_levels_whole_numbers_and_switches_are_set():
    setting = {"temperature": 70.0, "tanks": 4, "catalyst": "Pd", "stirred": 1}
    values = {
        k: v if isinstance(v, str) else Quantity(v, "degC" if k == "temperature" else "1") for k, v in setting.items()
    }

    async def go(adapter):
        await adapter.connect()
        ticket = await adapter.submit(Request("r", (values,), {"yield": "%"}))
        while not (await adapter.lookup("r")).over:
            await asyncio.sleep(0.02)
        result = await adapter.result("r")
        await adapter.close()
        return ticket, result.positions[0]

    with Serving("opcua", toy("mixed"), speed=6000.0, seed=1) as twin:
        adapter = create(validate(parse(twin.lab_file(), "lab.yaml"), LabCard), Path())
        ticket, measured = asyncio.run(go(adapter))
        assert twin.rig.ledger.of("start")[0]["settings"] == [setting]
    assert ticket.readback[0]["catalyst"] == "Pd"
    assert math.isfinite(measured.outputs["yield"].value)
