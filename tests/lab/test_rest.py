"""The flowchem adapter on devices as flowchem has them: no set-point repeated, a pump that runs as soon as it is set.

The server is one of the standard library, over TLS with a certificate of its own, and wants a token.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlparse

import pytest
from certificates import certificate

from rxnopt.cards.base import validate
from rxnopt.cards.lab import LabCard
from rxnopt.catalogue import parse
from rxnopt.errors import CardError, LabError
from rxnopt.lab.adapters import create
from rxnopt.lab.interface import NotAccepted, Quantity, Rejected, Request, RunState

LAB = """
name: flow
title: A heater, a pump and a detector
adapter:
  kind: flowchem
  url: https://127.0.0.1:{port}
  token: ${{FLOW_TOKEN}}
  certificate: {pem}
  setpoints:
    temperature: {{put: /heater/temperature, argument: temp, read: /heater/temperature}}
    flow: {{get: /pump/flowrate}}
  start: [{{put: /pump/infuse, arguments: {{rate: "{{flow}}"}}}}]
  steady: 0.01 s
  result: /detector/signal
  outputs: {{signal: result}}
  stop: [{{put: /pump/stop}}]
  pumping: /pump/is-pumping
parameters:
  temperature: {{low: 30, high: 150, unit: degC, tolerance: 0.5}}
  flow: {{low: 0.2, high: 5, unit: mL/min, tolerance: 0.02}}
outputs: {{signal: {{unit: "1"}}}}
timeouts: {{connect: 3 s, call: 3 s}}
"""


class Devices(BaseHTTPRequestHandler):
    """What they do: the heater clamps at 120 degC, the detector shows a tenth of the temperature."""

    state: ClassVar[dict] = {}

    def do_GET(self):
        self.answer({"/heater/temperature": self.state["T"], "/pump/flowrate": self.state["flow"],
                     "/pump/is-pumping": self.state["flow"] > 0, "/detector/signal": self.state["T"] / 10}
                    .get(self.path))  # fmt: skip

    def do_PUT(self):
        place = urlparse(self.path)
        said = {name: value[0] for name, value in parse_qs(place.query).items()}
        if place.path == "/heater/temperature":
            self.state["T"] = min(float(said["temp"].removesuffix(" degC")), 120.0)
        elif place.path == "/pump/infuse":
            if self.state["refuses"]:
                self.answer(None)
                return
            self.state["flow"] = float(said["rate"].removesuffix(" mL/min"))
        else:
            self.state["flow"], self.state["stops"] = 0.0, self.state["stops"] + 1
        self.answer(True)

    def answer(self, value):
        known = self.headers["Authorization"] == "Bearer open sesame"
        self.send_response(401 if not known else 404 if value is None else 200)
        self.end_headers()
        self.wfile.write(json.dumps(value if known else "who are you?").encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def rig(tmp_path, monkeypatch):
    pytest.importorskip("httpx")
    monkeypatch.setenv("FLOW_TOKEN", "open sesame")
    Devices.state = {"T": 25.0, "flow": 0.0, "stops": 0, "refuses": False}
    certificate(tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Devices)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,)).start()
    yield tmp_path, server.server_port
    server.shutdown()
    server.server_close()


def card(port=1, old="", new=""):
    return validate(parse(LAB.format(port=port, pem="ca.pem").replace(old, new), "lab.yaml"), LabCard)


def run(rig, work, old="", new=""):
    """Connect, do ``work(adapter)`` and close."""

    async def whole():
        adapter = create(card(rig[1], old, new), rig[0])
        try:
            await adapter.connect()
            return await work(adapter)
        finally:
            await adapter.close()

    return asyncio.run(whole())


def request(T=60.0):
    return Request("r0", ({"temperature": Quantity(T, "degC"), "flow": Quantity(1.5, "mL/min")},), {"signal": "1"})


def test_a_pump_runs_as_soon_as_it_is_set_and_achieved_temperatures_are_told(rig):
    async def work(adapter):
        ticket = await adapter.submit(request(140.0))
        assert ticket.readback[0]["flow"] == Quantity(1.5, "mL/min")
        while not (await adapter.lookup("r0")).over:
            pass
        assert await adapter.lookup("r0") is RunState.DONE
        return (await adapter.result("r0")).positions[0]

    found = run(rig, work)
    assert found.achieved["temperature"] == Quantity(120.0, "degC")
    assert found.outputs["signal"].value == 12.0
    assert Devices.state["flow"] == 0.0


def test_a_refused_start_leaves_nothing_heating(rig):
    Devices.state["refuses"] = True
    with pytest.raises(Rejected, match="answers 404"):
        run(rig, lambda adapter: adapter.submit(request()))
    assert Devices.state["stops"] == 1


def test_a_token_that_expires_in_a_campaign_rejects_no_conditions(rig):
    async def work(adapter):
        adapter._rest._client.headers["Authorization"] = "Bearer old"
        await adapter._rest.put(adapter.map.start[0], {"rate": "1 mL/min"})

    with pytest.raises(NotAccepted, match=r"check adapter.token") as told:
        run(rig, work)
    assert not isinstance(told.value, Rejected)


def test_token_and_certificate(rig, monkeypatch):
    async def nothing(_):
        pass

    with pytest.raises(LabError, match=r"CERTIFICATE_VERIFY_FAILED.* and adapter.certificate"):
        run(rig, nothing, "  certificate: ca.pem\n")
    with pytest.raises(LabError, match=r"gone.pem: no certificate could be read \(No such file"):
        run(rig, nothing, "ca.pem", "gone.pem")
    monkeypatch.setenv("FLOW_TOKEN", "open barley")
    with pytest.raises(LabError, match=r"answers 401: .*check adapter.token"):
        run(rig, nothing)
    monkeypatch.delenv("FLOW_TOKEN")
    with pytest.raises(LabError, match="FLOW_TOKEN, which is not set"):
        run(rig, nothing)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{flow}", "1 mL/min", "nothing sets flow"),
        ("{flow}", "{flux}", "takes {flux}, which is no set-point"),
        ("https://127.0.0.1", "http://10.0.0.7", "the token would be sent in the clear"),
    ],
)
def test_lab_files(old, new, told):
    assert card(old="https", new="http").adapter.token  # on this computer
    with pytest.raises(CardError, match=told):
        card(old=old, new=new)
