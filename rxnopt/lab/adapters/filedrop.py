"""A folder between the campaign and anything that reads and writes files, or a person.

Every file appears whole (written under another name, flushed, renamed). Below the folder::

    requests/<run id>.json   a request; the device claims it by renaming it into claimed/, and leaves one that is there
    claimed/<run id>.json    the run has been started
    results/<run id>.json    its result
    cancelled/<run id>.json  a request that was taken back before anybody claimed it
    cancel/<run id>          a wish to end a run; the device answers with a result whose state is cancelled
    safe_state               a wish for the safe state; the device removes the file when it is reached
    device.json              the device as it is, rewritten by it (not in manual mode)
    folder.json              made here: the name of this folder, so that a new one is not taken for the old one

A request: ``run_id``, ``boot_id``, ``positions`` (a list of ``{name: {value, unit}}``, levels as text), ``outputs``
(name to unit). A result: ``run_id``, ``state`` (done, failed, cancelled), ``complete``, ``positions``: a list of
``{outputs: {name: {value, unit}}, achieved: {...}, quality, failure, message}``. ``device.json``: ``vendor``,
``model``, ``serial``, ``firmware``, ``boot_id``, ``state``, ``run_id``, ``setpoints``, ``readings``, ``message``,
``can_cancel``, ``batch_size`` and ``parameters``: ``{name: {unit, low, high, levels}}``.

With ``format: csv`` requests and results are tables (:mod:`rxnopt.lab.adapters.tables`). In manual mode there is no
device: a person finds a request, runs it, and puts the result into ``results``.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from rxnopt.cards.adapters import FileDrop
from rxnopt.cards.lab import LabCard
from rxnopt.cards.parameters import Categorical
from rxnopt.errors import LabError
from rxnopt.files import put
from rxnopt.lab.adapters import tables
from rxnopt.lab.adapters.rigging import settings_of
from rxnopt.lab.gate import limits
from rxnopt.lab.interface import (
    Capabilities,
    DeviceInfo,
    Health,
    Measured,
    NotAccepted,
    Quantity,
    Range,
    Request,
    Result,
    ResultInvalid,
    RunEvent,
    RunState,
    Setting,
    Ticket,
    Unreachable,
)
from rxnopt.lab.settings import rig_unit

FOLDERS = ("requests", "claimed", "results", "cancelled", "cancel")
POLL = 0.1
"""Seconds between two looks at the folder."""


def create(card: LabCard, folder: Path) -> FileDropAdapter:
    """Return the adapter of a lab file with ``kind: filedrop``."""
    settings = settings_of(card, FileDrop)
    return FileDropAdapter(card, settings, (folder / settings.folder).resolve())


class FileDropAdapter:
    """See the head of this module."""

    def __init__(self, card: LabCard, settings: FileDrop, folder: Path) -> None:
        self._card, self._manual, self._csv = card, settings.manual, settings.format == "csv"
        self._folder = folder
        self._waits: dict[str, str] = {}  # by run: what a person is to do

    async def connect(self) -> DeviceInfo:
        """Make the folders; raise :class:`Unreachable` where there is no folder or no device in it."""
        if not self._folder.is_dir():
            raise Unreachable(f"{self._folder}: there is no such folder; make it, or correct 'folder' in the lab file")
        try:
            for name in FOLDERS:
                (self._folder / name).mkdir(exist_ok=True)
            own = self._folder / "folder.json"
            if not own.exists():
                put(own, json.dumps({"id": uuid.uuid4().hex}).encode())
        except OSError as error:
            raise Unreachable(f"{self._folder}: the folder cannot be written ({error.strerror})") from error
        if self._manual:
            return DeviceInfo("person", "manual", str(self._folder), "", self._boot())
        told = self._device()
        vendor, model, serial, firmware = (str(told.get(k, "")) for k in ("vendor", "model", "serial", "firmware"))
        return DeviceInfo(vendor, model, f"{serial} {self._folder}".strip(), firmware, self._boot())

    def _device(self) -> dict[str, Any]:
        """Return what the device says of itself."""
        if self._manual:
            return {}
        place = self._folder / "device.json"
        try:
            return _mapping(json.loads(place.read_text()))
        except FileNotFoundError as error:
            raise Unreachable(f"{place}: there is no such file; start the side of the device, or set manual") from error
        except (OSError, ValueError) as error:
            raise LabError(f"{place}: the file cannot be read ({error})") from error

    def _boot(self) -> str:
        folder = json.loads((self._folder / "folder.json").read_text())["id"]
        return f"{folder}/{self._device().get('boot_id', '')}"

    async def capabilities(self) -> Capabilities:
        """Return what the device tells; in manual mode what the lab file allows."""
        told, ranges = self._device(), {}
        for name, parameter in self._card.parameters.items():
            if self._manual:
                levels = tuple(parameter.levels) if isinstance(parameter, Categorical) else ()
                ranges[name] = Range(rig_unit(self._card, name), *limits(parameter), levels=levels)
            elif name in told.get("parameters", {}):
                row = told["parameters"][name]
                low, high = float(row.get("low", "-inf")), float(row.get("high", "inf"))
                ranges[name] = Range(row.get("unit", "1"), low, high, levels=tuple(row.get("levels", ())))
        size = self._card.plate.size if self._card.plate else 1
        cancel = self._manual or bool(told.get("can_cancel", False))
        return Capabilities(ranges, True, cancel, size if self._manual else int(told.get("batch_size", 1)))

    async def health(self) -> Health:
        """Return what the device tells, and for what it waits; a person is always there."""
        told = self._device()
        said = [str(told.get("message", "")), *self._waits.values()]
        return Health(
            told.get("state", "idle"), self._boot(), told.get("run_id"), _setting(told.get("setpoints", {})),
            _setting(told.get("readings", {})), "; ".join(filter(None, said)),
        )  # fmt: skip

    async def preflight(self, request: Request) -> tuple[str, ...]:  # noqa: ARG002
        """A folder has nothing to say."""
        return ()

    async def submit(self, request: Request) -> Ticket:
        """Put the request into the folder; a run id that was there before is left as it is."""
        if await self.lookup(request.run_id) is not RunState.ABSENT:
            return Ticket(request.run_id)
        outputs = dict(request.outputs)
        if self._csv:
            data = tables.request(request.run_id, request.positions, outputs)
        else:
            positions = [_plain(setting) for setting in request.positions]
            row = {"run_id": request.run_id, "boot_id": self._boot(), "positions": positions, "outputs": outputs}
            data = json.dumps(row, indent=1)
        try:
            put(self._file("requests", request.run_id), data.encode())
        except OSError as error:
            raise NotAccepted(f"{self._folder}: the request cannot be written ({error.strerror})") from error
        return Ticket(request.run_id)

    async def lookup(self, run_id: str) -> RunState:
        """Tell by the folder in which the file of a run lies; a result that is not whole is none yet."""
        state = self._state(run_id)
        return self._state(run_id) if state is RunState.ABSENT else state  # it may have been claimed between two looks

    def _state(self, run_id: str) -> RunState:
        self._waits.pop(run_id, None)
        if self._file("results", run_id).exists():
            try:
                return RunState(self._read(run_id)["state"])
            except (ResultInvalid, ValueError) as error:
                self._waits[run_id] = f"{error}; replace it"
                return RunState.RUNNING
        if self._file("cancelled", run_id).exists():
            return RunState.CANCELLED
        claimed, results = self._file("claimed", run_id), self._folder / "results"
        if claimed.exists():
            if self._manual:
                where = f"the result into {results}, or this file into {self._folder / 'cancelled'} if there is none"
                self._waits[run_id] = f"{claimed} waits for a person, who puts {where}"
            return RunState.UNKNOWN if self._forgotten(run_id) else RunState.RUNNING
        request = self._file("requests", run_id)
        if not request.exists():
            return RunState.ABSENT
        if self._manual:
            self._waits[run_id] = f"{request} waits for a person, who puts the result into {results}"
        return RunState.QUEUED

    def _forgotten(self, run_id: str) -> bool:
        """Return whether the device was restarted since it was asked for a run."""
        if self._csv or self._manual:
            return False
        row = _mapping(json.loads(self._file("claimed", run_id).read_text()))
        return bool(row.get("boot_id") != self._boot())

    async def events(self, run_id: str) -> AsyncIterator[RunEvent]:
        """Yield each change of the state of a run, by looking."""
        last = None
        while True:
            state = await self.lookup(run_id)
            if state is not last:
                yield RunEvent(run_id, state)
            if state.over:
                return
            last = state
            await asyncio.sleep(POLL)

    async def result(self, run_id: str) -> Result:
        """Read the result; raise :class:`ResultInvalid` where it is not whole or not of this run."""
        row = self._read(run_id)
        try:
            positions = tuple(_measured(each) for each in row["positions"])
            return Result(run_id, positions, bool(row.get("complete", True)), row)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ResultInvalid(f"{self._file('results', run_id)}: {error}", raw=row) from error

    def _read(self, run_id: str) -> dict[str, Any]:
        place = self._file("results", run_id)
        try:
            text = place.read_text(encoding="utf-8-sig")  # spreadsheets mark their tables
            row = tables.result(text, self._card.outputs) if self._csv else _mapping(json.loads(text))
        except (OSError, ValueError) as error:
            raise ResultInvalid(f"{place}: the file is no whole result ({error})") from error
        if row.get("run_id") != run_id:
            raise ResultInvalid(f"{place}: the result is of run {row.get('run_id')!r}", raw=row)
        return {"state": "done", **row}

    async def cancel(self, run_id: str) -> None:
        """Take an unclaimed request back; of a claimed one wish for the end."""
        try:
            self._file("requests", run_id).rename(self._file("cancelled", run_id))
        except FileNotFoundError:
            put(self._folder / "cancel" / run_id, b"")

    async def safe_state(self) -> None:
        """Wish for the safe state, and wait until the device has taken the wish; a person is told by the terminal."""
        if self._manual:
            return
        wish = self._folder / "safe_state"
        put(wish, b"")
        while wish.exists():
            await asyncio.sleep(POLL)

    async def close(self) -> None:
        """Nothing is open."""

    def _file(self, folder: str, run_id: str) -> Path:
        return self._folder / folder / f"{run_id}.{'csv' if self._csv else 'json'}"


def _mapping(row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise ValueError("it holds no mapping")
    return row


def _plain(setting: Setting) -> dict[str, Any]:
    return {n: v if isinstance(v, str) else {"value": v.value, "unit": v.unit} for n, v in setting.items()}


def _setting(row: Mapping[str, Any]) -> Setting:
    return {n: v if isinstance(v, str) else _quantity(n, v) for n, v in row.items()}


def _quantity(name: str, row: Any) -> Quantity:
    try:
        return Quantity(float(row["value"]), str(row["unit"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f'{name} is {row!r}; give it like {{"value": 61.5, "unit": "%"}}') from error


def _measured(row: Mapping[str, Any]) -> Measured:
    outputs = {name: _quantity(name, value) for name, value in row.get("outputs", {}).items()}
    quality, failure = row.get("quality", "good"), row.get("failure")
    if quality not in ("good", "uncertain", "bad") or failure not in (None, "machine", "chemistry"):
        raise ValueError(f"quality {quality!r}, failure {failure!r}")
    return Measured(outputs, _setting(row.get("achieved", {})), quality, failure, str(row.get("message", "")))


__all__ = ["FileDropAdapter", "create"]
