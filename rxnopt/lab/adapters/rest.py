"""Calls of a REST interface: what was surely not sent, and what may have been done."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import Any

from rxnopt.cards.adapters import Flowchem, RestCommand
from rxnopt.errors import LabError
from rxnopt.lab.adapters.calls import Silent, extra, trusted, within
from rxnopt.lab.interface import NotAccepted, OutcomeUnknown, Rejected, Unreachable
from rxnopt.lab.secrets import secret

with extra("flowchem", "the adapter 'flowchem'"):
    import httpx

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)
CUT = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
Failure = (httpx.HTTPError, OSError, Silent)
KEPT_OUT = (401, 403)
"""What a server answers that does not know who we are."""
CONFLICT = 409
"""What a server answers whose state is in the way."""


class Rest:
    """A client of one server. ``connect`` and ``call``: time-outs in seconds."""

    def __init__(self, settings: Flowchem, folder: Path, connect: float, call: float) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self.url, self._call = settings.url.rstrip("/"), call
        self._way = "address, network" + (" and adapter.certificate" if self.url.startswith("https") else " and device")
        token = secret(settings.token)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        trust = settings.certificate and trusted(folder / settings.certificate)
        limits = httpx.Timeout(call, connect=connect)
        self._client = httpx.AsyncClient(timeout=limits, headers=headers, verify=trust or True, trust_env=False)

    async def get(self, route: str) -> Any:
        """Return what a path says; raise :class:`Unreachable`, or :class:`LabError` where there is no such path.

        A connection that was cut is made again once: to read has no side effect, and a sequence is worth it.
        """
        try:
            try:
                answer = await within(self._call, self._client.get(self.url + route), self.url)
            except CUT:
                answer = await within(self._call, self._client.get(self.url + route), self.url)
        except Failure as error:
            raise Unreachable(f"{self.url}: {error or type(error).__name__}; check {self._way}") from error
        return self._said(answer, route)

    def _said(self, answer: httpx.Response, route: str) -> Any:
        if answer.is_error:
            what = "check adapter.token" if answer.status_code in KEPT_OUT else "correct the lab file"
            raise LabError(f"{self.url}{route} answers {answer.status_code}: {answer.text[:200]}; {what}")
        try:
            return answer.json()
        except ValueError:
            return answer.text

    async def put(self, command: RestCommand, arguments: dict[str, str] | None = None, run_id: str = "") -> Any:
        """Call once. Raises :class:`NotAccepted` (not sent, not let in, not now), :class:`Rejected` (other 4xx) or
        :class:`OutcomeUnknown`.
        """
        place, headers = self.url + command.put, {"X-Run-Id": run_id} if run_id else {}
        try:
            call = self._client.put(place, params=command.arguments | (arguments or {}), headers=headers)
            answer = await within(self._call, call, self.url)
        except NOT_SENT as error:
            raise Unreachable(f"{place}: {error or type(error).__name__}; check {self._way}") from error
        except Failure as error:
            raise OutcomeUnknown(f"{place}: {error or type(error).__name__}") from error
        if answer.status_code in KEPT_OUT:
            raise NotAccepted(f"{place} answers {answer.status_code}: {answer.text[:200]}; check adapter.token")
        if answer.status_code == CONFLICT:
            raise NotAccepted(f"{place} answers {answer.status_code}: {answer.text[:200]}")
        if 400 <= answer.status_code < 500:
            raise Rejected([f"{place} answers {answer.status_code}: {answer.text[:200]}"])
        if answer.is_error:
            raise OutcomeUnknown(f"{place} answers {answer.status_code}: {answer.text[:200]}")
        return self._said(answer, command.put)

    async def close(self) -> None:
        """Let go of the connections."""
        with contextlib.suppress(*Failure):
            await within(min(self._call, 2.0), self._client.aclose(), self.url)
