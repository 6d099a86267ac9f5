"""The flowchem adapter against a twin with a REST interface like flowchem's."""

import asyncio

import httpx
import pytest

from rxnopt.cards.adapters import RestCommand
from rxnopt.errors import LabError
from rxnopt.lab.adapters import create
from rxnopt.lab.interface import OutcomeUnknown, Quantity, Rejected, RunState
from rxnopt.testing.twins import TwinConformance


class TestFlowchem(TwinConformance):
    protocol = "http"

    def test_the_twin_clamps_in_silence_and_the_adapter_does_not_f10(self):
        port = self.twin.desk.port
        answer = httpx.put(f"http://127.0.0.1:{port}/rig/temperature/set", params={"value": "300 degC"})
        assert (answer.status_code, answer.json()) == (200, True)
        assert httpx.get(f"http://127.0.0.1:{port}/rig/temperature/set").json() == "120.0 degC"

        async def test(adapter):
            request = self.request(setting={**self.setting, "temperature": Quantity(300.0, "degC")})
            with pytest.raises(Rejected, match=r"temperature was asked to be 300 degC and is 120 degC"):
                await adapter.submit(request)
            assert self.starts(request.run_id) == 0

        self.run(test)

    def test_after_a_crash_of_the_runner_nobody_knows_f02(self):
        async def test(adapter):
            run_id, error = await self.submitted(adapter)
            assert error is None
            assert await self.seen(run_id) is RunState.UNKNOWN
            assert self.starts(run_id) == 1

        self.run(test)

    def test_a_second_command_that_is_refused_leaves_the_outcome_unknown(self):
        card = self.card()
        settings = card.adapter.model_copy(
            update={"start": (RestCommand(put="/rig/start"), RestCommand(put="/rig/no-such-pump"))}
        )

        async def go():
            adapter = create(card.model_copy(update={"adapter": settings}), self.folder)
            await adapter.connect()
            run_id, error = await self.submitted(adapter)
            await adapter.close()
            assert isinstance(error, OutcomeUnknown)
            assert self.starts(run_id) == 1

        asyncio.run(go())

    def test_a_wrong_path_is_told(self):
        card = self.card()
        settings = card.adapter.model_copy(update={"ready": "/rig/target-raeched"})

        async def go():
            adapter = create(card.model_copy(update={"adapter": settings}), self.folder)
            try:
                with pytest.raises(LabError, match=r"/rig/target-raeched answers 404"):
                    await adapter.connect()
            finally:
                await adapter.close()

        asyncio.run(go())

    def test_an_analysis_that_refuses_ends_the_run_and_says_why(self):
        settings = self.card().adapter.model_copy(update={"analyse": RestCommand(put="/nmr/aquire")})

        async def go():
            adapter = create(self.card().model_copy(update={"adapter": settings}), self.folder)
            await adapter.connect()
            try:
                run_id, error = await self.submitted(adapter)
                assert error is None
                assert await self.until(adapter, run_id) is RunState.FAILED
                [measured] = (await adapter.result(run_id)).positions
                assert measured.failure == "machine"
                assert "/nmr/aquire answers 404" in measured.message
            finally:
                await adapter.close()

        asyncio.run(go())
