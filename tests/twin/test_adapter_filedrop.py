"""The filedrop adapter against a twin behind a folder."""

import asyncio
import json
from pathlib import Path

import pytest

from rxnopt.errors import LabError
from rxnopt.lab.interface import Quantity, Request, ResultInvalid, RunState
from rxnopt.testing.bench import TwinBench
from rxnopt.twin.serving import Serving


class TestFileDrop(TwinBench):
    protocol = "filedrop"
    refused = None  # a folder takes everything; the device answers that it failed

    def unreachable(self):
        return None

    @property
    def drop(self):
        return Path(self._place.name) / "drop"

    def test_a_run_starts_once_although_its_request_is_there_twice_f27(self):
        async def test(adapter):
            request = self.request()
            await adapter.submit(request)
            await adapter.submit(request)
            await self.until(adapter, request.run_id)
            await adapter.submit(request)
            await asyncio.sleep(0.2)
            assert self.starts(request.run_id) == 1

        self.run(test)

    def test_half_a_result_is_none_and_a_second_one_changes_nothing_f26(self):
        self.plan(self.fault("half_written"), self.fault("duplicate"))

        async def test(adapter):
            request = self.request()
            await adapter.submit(request)
            seen, place = set(), self.drop / "results" / f"{request.run_id}.json"
            while not (await adapter.lookup(request.run_id)).over:
                if place.exists():
                    try:
                        json.loads(place.read_text())
                    except ValueError:
                        seen.add("half")
                        with pytest.raises(ResultInvalid, match="no whole result"):
                            await adapter.result(request.run_id)
                await asyncio.sleep(0.001)
            first = await adapter.result(request.run_id)
            await asyncio.sleep(0.1)
            assert await adapter.result(request.run_id) == first
            assert seen == {"half"}
            assert (self.drop / "results" / f"{request.run_id}-copy.json").exists()

        self.run(test)

    def test_a_stale_result_is_not_ours_f09(self):
        async def test(adapter):
            await self.ended(adapter, self.request())
            self.plan(self.fault("stale"))
            request = self.request()
            await adapter.submit(request)
            await asyncio.sleep(1.0)
            with pytest.raises(ResultInvalid, match="the result is of run"):
                await adapter.result(request.run_id)

        self.run(test)

    def test_a_device_that_was_restarted_and_forgot_f04(self):
        self.plan(self.fault("reboot", "running", memory="lost"))

        async def test(adapter):
            before = (await adapter.health()).boot_id
            request = self.request()
            await adapter.submit(request)
            await asyncio.sleep(1.0)
            assert (await adapter.health()).boot_id != before
            assert await self.seen(request.run_id) is RunState.UNKNOWN
            with pytest.raises(LabError):
                await adapter.result(request.run_id)

        self.run(test)

    def test_a_device_that_is_stopped_claims_nothing_f22(self):
        self.twin.do(lambda: self.twin.rig.trip("estop"))

        async def test(adapter):
            request = self.request()
            await adapter.submit(request)
            await asyncio.sleep(0.2)
            assert (await adapter.health()).state == "estop"
            assert await adapter.lookup(request.run_id) is RunState.QUEUED
            assert self.starts(request.run_id) == 0
            self.twin.do(self.twin.rig.reset)
            assert await self.until(adapter, request.run_id) is RunState.DONE

        self.run(test)

    def test_what_the_rig_cannot_do_has_failed(self):
        async def test(adapter):
            request = self.request(setting={**self.setting, "temperature": Quantity(500.0, "degC")})
            await adapter.submit(request)
            assert await self.until(adapter, request.run_id) is RunState.FAILED
            assert self.starts(request.run_id) == 0

        self.run(test)


def test_a_plate_comes_back_position_by_position(tmp_path):
    from rxnopt.cards.base import validate
    from rxnopt.cards.lab import LabCard
    from rxnopt.catalogue import parse
    from rxnopt.lab.adapters import create
    from rxnopt.testing.problems import toy

    settings = tuple(
        {"temperature": Quantity(353.15, "K"), "time": Quantity(t, "min"), "equivalents": Quantity(3.0)}
        for t in (1.0, 2.0, 4.0)
    )

    async def go(card):
        adapter = create(card, tmp_path)
        await adapter.connect()
        assert (await adapter.capabilities()).batch_size == 4
        await adapter.submit(Request("plate-1", settings, {"yield": "%"}))
        while not (await adapter.lookup("plate-1")).over:
            await asyncio.sleep(0.02)
        return await adapter.result("plate-1")

    with Serving("filedrop", toy("smooth"), speed=6000.0, folder=tmp_path, positions=4) as twin:
        card = validate(parse(twin.lab_file(), "lab.yaml"), LabCard)
        result = asyncio.run(go(card))
    assert card.plate.shared == ("temperature",)
    assert [p.achieved["time"].value for p in result.positions] == pytest.approx([1.0, 2.0, 4.0])
    assert len({p.outputs["yield"].value for p in result.positions}) == 3
