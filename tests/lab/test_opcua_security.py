"""OPC UA with certificates and a password, against a server of asyncua that wants them."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
import socket
import threading
import time
from pathlib import Path

import pytest

from rxnopt.cards.base import validate
from rxnopt.cards.lab import LabCard
from rxnopt.catalogue import parse
from rxnopt.errors import CardError, LabError
from rxnopt.lab.interface import Quantity, Request
from rxnopt.lab.rig import Lab
from rxnopt.laboratory.device import Device

pytest.importorskip("asyncua")
from asyncua import Server, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions
from cryptography.x509.oid import ExtendedKeyUsageOID

LAB = """
name: locked
title: A controller that wants certificates and a password
adapter:
  kind: opcua
  url: opc.tcp://127.0.0.1:{port}
  user: anna
  password: ${{PLANT_PASSWORD}}
  security: {{policy: {policy}, certificate: {own}.der, key: {key}.pem, server_certificate: {server}.der}}
  setpoints: {{temperature: "ns=2;s=Set"}}
  outputs: {{yield: "ns=2;s=Yield"}}
  state: ns=2;s=State
  run_id: ns=2;s=RunId
  result_run_id: ns=2;s=RunId
  start: {{object: ns=2;s=Reactor, method: ns=2;s=Start}}
  safe_state: {{object: ns=2;s=Reactor, method: ns=2;s=Safe}}
parameters: {{temperature: {{low: 30, high: 120, unit: degC}}}}
outputs: {{yield: {{unit: "%"}}}}
timeouts: {{connect: 3 s, call: 3 s}}
"""


class Anna:
    """Lets one user in."""

    def get_user(self, iserver, username=None, password=None, certificate=None):
        return User(UserRole.User, username) if (username, password) == ("anna", "open sesame") else None


async def make(folder: Path, name: str, use) -> None:
    uri, host = f"urn:rxnopt:{name}", socket.gethostname()
    await setup_self_signed_certificate(folder / f"{name}.pem", folder / f"{name}.der", uri, host, [use], {})


async def served(folder: Path) -> Server:
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    server = Server(user_manager=Anna())
    await server.init()
    await server.set_application_uri("urn:rxnopt:server")
    server.set_endpoint("opc.tcp://127.0.0.1:0/locked")
    server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
    await server.load_certificate(folder / "server.der")
    await server.load_private_key(folder / "server.pem")
    (folder / "trusted").mkdir()
    shutil.copy(folder / "own.der", folder / "trusted")
    trusted = TrustStore([folder / "trusted"], [])
    await trusted.load()
    rules = CertificateValidatorOptions.TRUSTED_VALIDATION | CertificateValidatorOptions.PEER_CLIENT
    server.set_certificate_validator(CertificateValidator(rules, trusted))
    place = await server.register_namespace("urn:rxnopt:test")
    reactor = await server.nodes.objects.add_object(ua.NodeId("Reactor", place), "Reactor")
    for name, value in (("Set", 30.0), ("Yield", 0.0), ("State", "IDLE"), ("RunId", "")):
        await (await reactor.add_variable(ua.NodeId(name, place), name, value)).set_writable()
    text = [ua.VariantType.String]
    await reactor.add_method(ua.NodeId("Start", place), "Start", lambda _, run: [ua.Variant(True)], text, [])
    await reactor.add_method(ua.NodeId("Safe", place), "Safe", lambda _: [], [], [])
    await server.start()
    return server


def card(port: int, policy="Basic256Sha256", own="own", key=None, server="server", without="nothing") -> LabCard:
    text = LAB.format(port=port, policy=policy, own=own, key=key or own, server=server)
    text = re.sub(rf"^  ({without}): .*\n", "", text, flags=re.MULTILINE)
    return validate(parse(text, "lab.yaml"), LabCard)


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    """The folder of the certificates, and the port of a server in a thread."""
    folder, loop = tmp_path_factory.mktemp("certificates"), asyncio.new_event_loop()
    for name, use in (("server", "SERVER_AUTH"), ("own", "CLIENT_AUTH"), ("stranger", "CLIENT_AUTH")):
        loop.run_until_complete(make(folder, name, getattr(ExtendedKeyUsageOID, use)))
    server = loop.run_until_complete(served(folder))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield folder, server.bserver.port
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def said(rig, **changes: str) -> str:
    """Connect, start a run and read the health; return the state of the device, or what was told instead."""
    folder, port = rig
    device = Device(Lab(card(port, **changes), folder))

    async def run() -> str:
        begun = time.monotonic()
        try:
            await device.connect()
            await device.submit(Request("r0000-a", ({"temperature": Quantity(60.0, "degC")},), {"yield": "%"}))
            return (await device.health()).state
        except LabError as error:
            assert time.monotonic() - begun < 4.0, "within the time-out"
            return str(error)
        finally:
            await device.close()

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def _password(monkeypatch):
    monkeypatch.setenv("PLANT_PASSWORD", "open sesame")


def test_a_run_over_an_encrypted_connection(rig):
    assert said(rig) == "idle"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"policy": "Aes128Sha256RsaOaep"}, "offers Basic256Sha256 SignAndEncrypt, not Aes128Sha256RsaOaep"),
        ({"own": "stranger"}, "does not let us in .*BadCertificateUntrusted"),
        ({"server": "stranger"}, "shows another certificate than stranger.der"),
        ({"server": "nothing"}, "nothing.der: no certificate could be read .*adapter.security.server_certificate"),
        ({"key": "stranger"}, "stranger.pem: this is not the key of own.der"),
        ({"key": "lab"}, "lab.pem: no private key could be read"),
    ],
)
def test_what_is_wrong_is_told(rig, changes, told):
    (rig[0] / "lab.pem").write_text("no key")
    assert re.search(told, answer := said(rig, **changes)), answer
    assert "\n" not in answer


def test_a_wrong_password_and_none(rig, monkeypatch):
    monkeypatch.setenv("PLANT_PASSWORD", "open barley")
    assert "does not let us in" in said(rig)
    monkeypatch.delenv("PLANT_PASSWORD")
    assert "PLANT_PASSWORD, which is not set" in said(rig)


def test_a_server_that_asks_for_security(rig):
    assert "check adapter.security" in said(rig, without="user|password|security")


@pytest.mark.parametrize(
    ("without", "told"),
    [("security", "sent in the clear"), ("user", "belong together"), ("password", "belong together")],
)
def test_a_lab_file_that_would_tell_the_password(without, told):
    with pytest.raises(CardError, match=told):
        card(1, without=without)


def test_a_secret_in_a_file_is_not_repeated():
    text = LAB.format(port=1, policy="Basic256Sha256", own="own", key="own", server="server")
    for old, new in (("${PLANT_PASSWORD}", "sesame"), ("opc.tcp://", "opc.tcp://anna:sesame@")):
        with pytest.raises(CardError, match=r"does not stand in an? .*\$\{NAME\}") as told:
            validate(parse(text.replace(old, new), "lab.yaml"), LabCard)
        assert "sesame" not in str(told.value)
