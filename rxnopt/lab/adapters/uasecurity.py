"""Certificates of OPC UA: ours, which the server must trust, and the server's, without which it is not spoken to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rxnopt.cards.adapters import UaSecurity
from rxnopt.errors import LabError
from rxnopt.lab.adapters.calls import extra
from rxnopt.lab.secrets import secret

with extra("opcua", "the adapter 'opcua'"):
    from asyncua import ua
    from asyncua.crypto import security_policies, uacrypto
    from cryptography import x509


async def secure(client: Any, given: UaSecurity, folder: Path) -> None:
    """Make a client sign and encrypt; raise :class:`LabError` where a file or the server is not what was said.

    The server is first asked, without security, what it offers: with a wrong policy or certificate it would be silent.
    """
    own = await _certificate(folder / given.certificate, "certificate")
    server = await _certificate(folder / given.server_certificate, "server_certificate")
    client.application_uri = _uri(own) or client.application_uri  # servers compare it with the certificate
    policy = getattr(security_policies, f"SecurityPolicy{given.policy}")
    key = await _key(folder / given.key, secret(given.key_password))
    if key.public_key().public_numbers() != own.public_key().public_numbers():
        raise LabError(f"{folder / given.key}: this is not the key of {given.certificate}; correct adapter.security")
    mode = getattr(ua.MessageSecurityMode, given.mode)
    _compare(await client.connect_and_get_server_endpoints(), policy.URI, mode, given, server)
    client.security_policy = policy(server, own, key, mode)
    client.uaclient.set_security(client.security_policy)


def _compare(endpoints: Any, policy: str, mode: Any, given: UaSecurity, server: Any) -> None:
    fitting = [each for each in endpoints if (each.SecurityPolicyUri, each.SecurityMode) == (policy, mode)]
    if not fitting:
        known = {f"{each.SecurityPolicyUri.partition('#')[2]} {each.SecurityMode.name}" for each in endpoints}
        raise LabError(
            f"the server offers {', '.join(sorted(known))}, not {given.policy} {given.mode}; correct adapter.security"
        )
    if uacrypto.x509_from_der(fitting[0].ServerCertificate) != server:
        raise LabError(
            f"the server shows another certificate than {given.server_certificate}; ask whoever runs it for its own "
            "(adapter.security.server_certificate)"
        )


async def _certificate(path: Path, field: str) -> Any:
    try:
        return await uacrypto.load_certificate(path)
    except (OSError, ValueError) as error:
        raise LabError(
            f"{path}: no certificate could be read ({_said(error)}); correct adapter.security.{field}"
        ) from error


async def _key(path: Path, password: str | None) -> Any:
    try:
        return await uacrypto.load_private_key(path, password)
    except (OSError, ValueError, TypeError) as error:
        raise LabError(
            f"{path}: no private key could be read ({_said(error)}); correct adapter.security.key or its password"
        ) from error


def _said(error: Exception) -> str:
    return (error.strerror or "") if isinstance(error, OSError) else str(error).split(".")[0].split("(")[0]


def _uri(certificate: Any) -> str | None:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return None
    return next(iter(names.value.get_values_for_type(x509.UniformResourceIdentifier)), None)
