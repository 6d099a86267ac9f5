"""SiLA 2 over TLS: the twin with a certificate of its own, and what is told where certificates do not fit."""

from __future__ import annotations

import asyncio

import pytest
from certificates import certificate

from rxnopt.cards.base import validate
from rxnopt.cards.lab import LabCard
from rxnopt.catalogue import parse
from rxnopt.errors import LabError
from rxnopt.lab.adapters import create
from rxnopt.testing.problems import toy
from rxnopt.twin.serving import Serving

twin_sila = pytest.importorskip("rxnopt.twin.sila")


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    """The folder of the certificates, and the lab file of a twin with TLS."""
    folder, plain = tmp_path_factory.mktemp("certificates"), twin_sila.ServerConfig
    pem, key = certificate(folder)
    (folder / "lab.pem").write_text("no certificate")
    with pytest.MonkeyPatch.context() as patch:
        own = {"tls": True, "certificate_chain": pem, "private_key": key}
        patch.setattr(twin_sila, "ServerConfig", lambda **given: plain(**given | own))
        twin = Serving("sila", toy("smooth"), speed=6000.0)
    with twin:
        yield folder, twin.lab_file()


def state(rig, tls: str) -> str:
    """Connect with other settings and return the state of the device."""
    folder, text = rig
    card = validate(parse(text.replace("tls: false", tls), "lab.yaml"), LabCard)

    async def asked() -> str:
        adapter = create(card, folder)
        try:
            await adapter.connect()
            return (await adapter.health()).state
        finally:
            await adapter.close()

    return asyncio.run(asked())


def test_a_certificate_of_the_servers_own(rig):
    assert state(rig, "tls: true\n  certificate: ca.pem") == "idle"


@pytest.mark.parametrize(
    ("tls", "told"),
    [
        ("tls: true", "self-signed certificate; check adapter.tls and adapter.certificate"),
        ("tls: true\n  certificate: gone.pem", r"gone.pem: no certificate could be read \(No such file"),
        ("tls: true\n  certificate: lab.pem", r"lab.pem: no certificate could be read \(NO_CERTIFICATE"),
    ],
)
def test_what_does_not_fit_is_told_before_grpc_tries_in_silence(rig, tls, told):
    with pytest.raises(LabError, match=told):
        state(rig, tls)
