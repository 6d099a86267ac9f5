"""A twin behind a folder, as JSON files: it claims requests by renaming them and answers with results.

The files are those of :mod:`rxnopt.lab.adapters.filedrop`. Here the faults ``half_written``, ``duplicate`` and
``partial`` have a meaning: a result that is there in half first, one that is written twice, one that is analysed later.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from pathlib import Path
from typing import Any, Literal

from rxnopt.errors import UnitError
from rxnopt.files import put
from rxnopt.twin.desk import VENDOR, Desk
from rxnopt.twin.runs import Busy, Gone, Latched, Refusal, Run
from rxnopt.units import unit

FOLDERS = ("requests", "claimed", "results", "cancelled", "cancel")


class FileDropSkin:
    """The device's side of the folder ``drop`` in the folder of the twin."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.rig = desk, desk.rig
        self.folder = place_of(desk)
        self._told: dict[str, Any] = {}
        self._halves: set[str] = set()
        self._analysed: dict[str, float] = {}

    async def start(self) -> int:
        """Make the folders; there is no port."""
        for name in FOLDERS:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        await self.show()
        return 0

    async def rebooted(self) -> None:
        """Tell the new boot id."""
        await self.show()

    async def disturb(self, fault: Literal["mute", "out_of_order"]) -> None:
        """Nothing: there are no subscriptions."""

    async def stop(self) -> None:
        """Nothing is open."""

    async def show(self) -> None:
        """Take wishes and requests, tell results; before and after that, how the device is."""
        self._tell()
        self._wishes()
        for place in sorted((self.folder / "requests").glob("*.json")):
            if self.rig.current is None and self.rig.latch is None:
                await self._claim(place)
        for place in (self.folder / "claimed").glob("*.json"):
            run = self.rig.find(place.stem)
            if run is not None and run.over:
                self._answer(run)
        self._tell()

    def _tell(self) -> None:
        told = self._device()
        if told != self._told:
            self._told = told
            put(self.folder / "device.json", json.dumps(told).encode())

    def _wishes(self) -> None:
        wish = self.folder / "safe_state"
        if wish.exists():
            self.rig.safe()
            wish.unlink()
        for place in (self.folder / "cancel").iterdir():
            if self.rig.current is not None and self.rig.current.run_id == place.name:
                self.rig.abort()
            place.unlink()

    async def _claim(self, place: Path) -> None:
        if (self.folder / "claimed" / place.name).exists():  # it was taken before
            place.unlink()
            return
        try:
            row = json.loads(place.read_text())
            run_id, positions = str(row["run_id"]), [self._setting(each) for each in row["positions"]]
            place.rename(self.folder / "claimed" / place.name)
        except (OSError, ValueError, KeyError, TypeError, UnitError) as error:
            put(self.folder / "results" / place.name, _failed(place.stem, f"no request: {error}"))
            place.unlink(missing_ok=True)
            return
        try:
            with contextlib.suppress(Gone):
                await self.desk.submit(run_id, positions)
        except (Busy, Latched):
            claimed = self.folder / "claimed" / place.name
            if self.rig.faults.get("redelivered"):
                put(place, claimed.read_bytes())  # it was started, and the request comes once more
            else:
                claimed.rename(place)
        except Refusal as error:
            put(self.folder / "results" / place.name, _failed(run_id, str(error)))

    def _setting(self, row: dict[str, Any]) -> dict[str, Any]:
        def native(name: str, value: Any) -> Any:
            if isinstance(value, str) or name not in self.rig.space.names:
                return value
            own = self.rig.space.parameters[self.rig.space.names.index(name)].unit
            same = value["unit"] == own
            return value["value"] if same else float(unit(own).from_si(unit(value["unit"]).to_si(value["value"])))

        return {name: native(name, value) for name, value in row.items()}

    def _answer(self, run: Run) -> None:
        """Write the result of a run, unless it is there."""
        place = self.folder / "results" / f"{run.run_id}.json"
        half, analysed = run.run_id in self._halves, self._analysed.get(run.run_id, math.inf)
        if (place.exists() and not half and time.monotonic() < analysed) or self.rig.faults.get("no_result"):
            return
        self._analysed.pop(run.run_id, None)
        partial = self.rig.faults.get("partial")
        if partial and not place.exists():
            self._analysed[run.run_id] = time.monotonic() + partial.seconds
            row = self._result(run)
            put(place, json.dumps(row | {"complete": False, "positions": [{} for _ in row["positions"]]}).encode())
            return
        data = json.dumps(self._result(run)).encode()
        if self.rig.faults.get("half_written") and not half:
            self._halves.add(run.run_id)
            place.write_bytes(data[: len(data) // 2])
            return
        self._halves.discard(run.run_id)
        put(place, data)
        if self.rig.faults.get("duplicate"):
            put(place, data)
            put(place.with_name(f"{run.run_id}-copy.json"), data)

    def _result(self, run: Run) -> dict[str, Any]:
        outputs = run.outputs or [{} for _ in run.settings]
        achieved = run.achieved or run.settings
        positions = [
            {
                "outputs": self._quantities(out), "achieved": self._quantities(real), "quality": run.quality,
                "failure": run.failure or ("machine" if run.state == "failed" else None), "message": run.message,
            }
            for out, real in zip(outputs, achieved, strict=False)
        ]  # fmt: skip
        return {"run_id": run.shown_as or run.run_id, "state": run.state, "complete": True, "positions": positions}

    def _quantities(self, row: dict[str, Any]) -> dict[str, Any]:
        own = self.rig.reaction.units | {p.name: p.unit for p in self.rig.space}
        return {n: v if isinstance(v, str) else {"value": v, "unit": own[n]} for n, v in row.items()}

    def _device(self) -> dict[str, Any]:
        rig = self.rig
        busy = rig.current is not None and not rig.faults.get("lie_idle")
        return {
            "vendor": VENDOR, "model": f"twin of {rig.reaction.name}", "serial": "", "firmware": "1",
            "boot_id": rig.boot_id, "state": rig.latch or ("busy" if busy else "idle"),
            "run_id": rig.current.run_id if rig.current else None, "can_cancel": True, "batch_size": rig.positions,
            "setpoints": self._quantities(rig.setpoints),
            "parameters": {p.name: {"unit": p.unit, "levels": list(p.levels)} if p.levels else
                           {"unit": p.unit, "low": p.low, "high": p.high} for p in rig.space},
        }  # fmt: skip


def place_of(desk: Desk) -> Path:
    """Return the folder of the files of a twin."""
    path = desk.rig.ledger.path
    if path is None:
        raise Refusal("a twin behind a folder needs one; give --folder")
    return path.absolute().parent / "drop"


def _failed(run_id: str, message: str) -> bytes:
    position = {"outputs": {}, "achieved": {}, "failure": "machine", "message": message}
    return json.dumps({"run_id": run_id, "state": "failed", "complete": True, "positions": [position]}).encode()
