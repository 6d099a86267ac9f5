"""Calls of a REST interface: what was surely not sent, and what may have been done."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

from rxnopt.cards.adapters import RestCommand
from rxnopt.errors import LabError
from rxnopt.lab.adapters.calls import Silent, extra, within
from rxnopt.lab.interface import OutcomeUnknown, Rejected, Unreachable

with extra("flowchem", "the adapter 'flowchem'"):
    import httpx

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)
Failure = (httpx.HTTPError, OSError, Silent)


class Rest:
    """A client of one server. ``connect`` and ``call``: time-outs in seconds."""

    def __init__(self, url: str, connect: float, call: float) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self.url, self._call = url.rstrip("/"), call
        self._client = httpx.AsyncClient(timeout=httpx.Timeout(call, connect=connect), trust_env=False)

    async def get(self, route: str) -> Any:
        """Return what a path says; raise :class:`Unreachable`, or :class:`LabError` where there is no such path."""
        try:
            answer = await within(self._call, self._client.get(self.url + route), self.url)
        except Failure as error:
            raise Unreachable(f"{self.url}: {error or type(error).__name__}; check address and network") from error
        return self._said(answer, route)

    def _said(self, answer: httpx.Response, route: str) -> Any:
        if answer.is_error:
            raise LabError(f"{self.url}{route} answers {answer.status_code}: {answer.text[:200]}; correct the lab file")
        try:
            return answer.json()
        except ValueError:
            return answer.text

    async def put(self, command: RestCommand, arguments: dict[str, str] | None = None, run_id: str = "") -> Any:
        """Call once. Raises :class:`Unreachable` (not sent), :class:`Rejected` (4xx) or :class:`OutcomeUnknown`."""
        place, headers = self.url + command.put, {"X-Run-Id": run_id} if run_id else {}
        try:
            call = self._client.put(place, params=command.arguments | (arguments or {}), headers=headers)
            answer = await within(self._call, call, self.url)
        except NOT_SENT as error:
            raise Unreachable(f"{place}: {error or type(error).__name__}; check address and network") from error
        except Failure as error:
            raise OutcomeUnknown(f"{place}: {error or type(error).__name__}") from error
        if 400 <= answer.status_code < 500:
            raise Rejected([f"{place} answers {answer.status_code}: {answer.text[:200]}"])
        if answer.is_error:
            raise OutcomeUnknown(f"{place} answers {answer.status_code}: {answer.text[:200]}")
        return self._said(answer, command.put)

    async def close(self) -> None:
        """Let go of the connections."""
        with contextlib.suppress(*Failure):
            await within(min(self._call, 2.0), self._client.aclose(), self.url)
