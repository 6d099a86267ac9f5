"""A small device made of files, with a journal of physical starts of its own, and a reaction to run on it."""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from pathlib import Path

import numpy as np
import pytest

from rxnopt import Campaign
from rxnopt.cards import ReactionCard
from rxnopt.cards.base import validate
from rxnopt.cards.lab import LabCard
from rxnopt.catalogue import parse
from rxnopt.lab.interface import (
    TWIN,
    Capabilities,
    DeviceInfo,
    Health,
    InterlockOpen,
    Measured,
    NotAccepted,
    OutcomeUnknown,
    Quantity,
    Range,
    Rejected,
    Result,
    ResultInvalid,
    RunEvent,
    RunState,
    Ticket,
)
from rxnopt.lab.rig import Lab
from rxnopt.lab.settings import to_setting
from rxnopt.laboratory.inbox import command, send
from rxnopt.runs import RunStatus
from rxnopt.simulators import Outcome, Reaction
from rxnopt.space import Space

REACTION = """
name: toy
id: Toy-v0
title: A toy on a rig
budget: 4
parameters:
  temperature: {low: 20, high: 120, unit: degC}
  time: {low: 1, high: 10, unit: min}
  solvent: {levels: [THF, DMF]}
model: {reactor: {type: batch, time: 1 h}, initial: {A: 1 mol/L}, reactions: [{equation: A -> B, k: 1 1/h}]}
outputs: {yield: {formula: B, unit: "%"}}
"""
LAB = """
name: toy-rig
title: A device made of files
adapter: {kind: python, adapter: "rig_toys:FileRig", settings: {folder: "FOLDER"}}
parameters:
  temperature: {low: 293.15, high: 393.15, unit: K, tolerance: 0.5}
  time: {low: 60, high: 600, unit: s}
  solvent: {levels: {THF: {boiling: 66 degC}, DMF: {boiling: 153 degC}}}
outputs: {yield: {unit: "1"}}
timeouts: {connect: 2 s, call: 0.3 s, poll: 0.01 s, stall: 0.5 s, run: 5 s}
"""


def truth(setting) -> float:
    """The yield as a fraction: best at 70 degC; DMF is better."""
    T = setting["temperature"].to("degC").value
    return 0.9 - ((T - 70) / 100) ** 2 - 0.1 * (setting["solvent"] == "THF")


class FileRig:
    """Runs take ``duration`` seconds; ``faults.json`` in the folder says what goes wrong, by name."""

    def __init__(self, folder: str, duration: float = 0.0) -> None:
        self.folder, self.duration = Path(folder), duration
        self.runs = self.folder / "runs"
        self.runs.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "boot").exists():
            reboot(self.folder, forget=False)

    @property
    def boot(self) -> str:
        return (self.folder / "boot").read_text()

    def fault(self, name: str, once: bool = True):
        """Return what is wrong, and forget it where it happens once."""
        place = self.folder / "faults.json"
        faults = json.loads(place.read_text()) if place.exists() else {}
        found = faults.pop(name, None)
        if found is not None and once:
            place.write_text(json.dumps(faults))
        return found

    async def connect(self) -> DeviceInfo:
        if self.fault("hang_connect"):
            await asyncio.sleep(100)
        vendor = "plant" if self.fault("real", once=False) else TWIN
        return DeviceInfo(vendor, "files", str(self.folder), "1", self.boot)

    async def capabilities(self) -> Capabilities:
        unit = self.fault("unit", once=False) or "K"
        ranges = {"temperature": Range(unit, 250, self.fault("high", once=False) or 400), "time": Range("s")}
        return Capabilities(ranges | {"solvent": Range(levels=("THF", "DMF"))}, can_cancel=True, batch_size=4)

    async def health(self) -> Health:
        if self.fault("hang_health"):
            await asyncio.sleep(100)
        state = self.fault("state", once=False) or "idle"
        now = next((each for each in self._all() if not self._over(each)), None)
        if now is None:
            return Health(state, self.boot)
        lost = self.fault("lost_target", once=False)
        setpoints = {"temperature": Quantity(lost or now["positions"][0]["temperature"][0], "K")}
        return Health("busy" if state == "idle" else state, self.boot, now["id"], setpoints)

    async def preflight(self, request) -> tuple[str, ...]:
        assert all(isinstance(p["temperature"], Quantity) for p in request.positions)
        return tuple(self.fault("preflight") or ())

    async def submit(self, request) -> Ticket:
        before = self.fault("before_accept")
        if before:
            raise {"busy": NotAccepted, "reject": lambda m: Rejected([m]), "estop": InterlockOpen}[before](before)
        rows = [{n: v if isinstance(v, str) else [v.value, v.unit] for n, v in p.items()} for p in request.positions]
        clamp = self.fault("clamp")
        if clamp:
            rows[0]["temperature"] = [clamp, "K"]
        assert not self._file(request.run_id).exists(), "the same run id was submitted twice"
        self._start(request.run_id, rows)
        if self.fault("reply_lost"):
            raise OutcomeUnknown("the line went dead")
        if self.fault("reply_late"):
            await asyncio.sleep(100)
        back = [{"temperature": Quantity(*row["temperature"])} for row in rows]
        return Ticket(request.run_id, "h1", tuple(back))

    def _start(self, run_id: str, rows) -> None:
        with (self.folder / "starts.log").open("a") as log:
            log.write(f"{run_id}\n")
            log.flush()
            os.fsync(log.fileno())
        row = {"id": run_id, "positions": rows, "wall": time.time(), "stuck": self.fault("stuck")}
        self._file(run_id).write_text(json.dumps(row))

    def _file(self, run_id: str) -> Path:
        return self.runs / f"{run_id}.json"

    def _all(self):
        return [json.loads(file.read_text()) for file in sorted(self.runs.glob("*.json"))]

    def _over(self, row) -> bool:
        return bool(row.get("ended")) or (not row["stuck"] and time.time() - row["wall"] >= self.duration)

    async def lookup(self, run_id: str) -> RunState:
        if self.fault("silent", once=False):
            await asyncio.sleep(100)
        if not self._file(run_id).exists():
            return RunState.ABSENT
        row = json.loads(self._file(run_id).read_text())
        if row.get("ended"):
            return RunState.CANCELLED
        if not self._over(row):
            return RunState.RUNNING
        return RunState.FAILED if self.fault("run_fails") else RunState.DONE

    async def events(self, run_id: str):
        while False:
            yield RunEvent(run_id, RunState.RUNNING)

    async def result(self, run_id: str) -> Result:
        kind = self.fault("result", once=False)
        row = json.loads(self._file(run_id).read_text())
        if kind == "none":
            raise ResultInvalid("there is no result")
        if kind == "stale":
            return Result("r-other", (Measured({"yield": Quantity(0.99)}),))
        settings = [
            {n: v if isinstance(v, str) else Quantity(*v) for n, v in position.items()} for position in row["positions"]
        ]
        wrong = {"nan": np.nan, "110": 1.1}
        value = [Quantity(wrong[kind]) if kind in wrong else Quantity(truth(setting)) for setting in settings]
        if kind == "first_nan":
            value[0] = Quantity(np.nan)
        if kind == "unit":
            value = [Quantity(each.value, "K") for each in value]
        quality = kind if kind in ("uncertain", "bad") else "good"
        failure = kind if kind in ("machine", "chemistry") else None
        complete = not (self.fault("analysis_tomorrow", once=False))
        told = self.fault("achieved", once=False)
        achieved = {"temperature": Quantity(float(told[0]), told[1])} if told else {}
        return Result(run_id, tuple(
            Measured({"yield": v} if complete else {}, {"temperature": s["temperature"], **achieved}, quality, failure)
            for v, s in zip(value, settings, strict=True)
        ), complete)  # fmt: skip

    async def cancel(self, run_id: str) -> None:
        if not self.fault("cancel_ignored", once=False) and self._file(run_id).exists():
            row = json.loads(self._file(run_id).read_text())
            self._file(run_id).write_text(json.dumps({**row, "ended": True}))

    async def safe_state(self) -> None:
        with (self.folder / "safe.log").open("a") as log:
            log.write("safe\n")

    async def close(self) -> None:
        pass


def reboot(folder: Path, forget: bool) -> None:
    """Switch the device off and on again."""
    (folder / "boot").write_text(uuid.uuid4().hex)
    if forget:
        for file in (folder / "runs").glob("*.json"):
            file.unlink()


def starts(folder: Path) -> list[str]:
    """The oracle: run ids in the order in which the device began them."""
    place = folder / "starts.log"
    return place.read_text().split() if place.exists() else []


def breaks(folder: Path, **faults) -> None:
    """Tell the device what goes wrong from now on."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "faults.json").write_text(json.dumps(faults))


def simulate(X: np.ndarray) -> Outcome:
    raise AssertionError("a campaign on a rig simulates nothing")


def reaction(changes: str = "") -> Reaction:
    card = validate(parse(REACTION + changes, "toy.yaml"), ReactionCard)
    return Reaction(card, Space.from_cards(card.parameters), simulate)


def lab(folder: Path, changes: str = "", duration: float = 0.0) -> Lab:
    """The lab of a device in ``folder``; top-level blocks of ``changes`` replace those of the file."""
    import yaml

    data = yaml.safe_load(LAB.replace("FOLDER", str(folder))) | (yaml.safe_load(changes) or {})
    if "rig_toys" in str(data["adapter"].get("adapter", "")):
        data["adapter"]["settings"]["duration"] = duration
    data["timeouts"] = yaml.safe_load(LAB.replace("FOLDER", ""))["timeouts"] | data["timeouts"]
    return Lab(validate(parse(yaml.safe_dump(data), "lab.yaml"), LabCard), folder)


class Draws:
    """Proposes points by the seed and the number of trials alone."""

    def propose(self, space, history, n, rng):
        return space.sample(n, rng)


def campaign(tmp_path: Path, changes: str = "", *, budget: int = 4, duration: float = 0.0, agent=None, card: str = ""):
    """A campaign of the toy on its device, with a journal."""
    rig = lab(tmp_path / "rig", changes, duration)
    tmp_path.mkdir(exist_ok=True)
    return Campaign(reaction(card), agent or Draws(), budget=budget, journal=tmp_path / "j.db", lab=rig)


WAITING = {"wait": False}
REAL = "approval: {required: true}"
OVER = {"done", "failed", "cancelled", "resolved", "unknown"}
NEVER_STARTED = {"rejected", "denied", "expired", "cancelled"}


def to_the_end(tmp_path, *args, show=None, **options):
    """Run what is left and check that nothing was lost, started twice or adopted wrongly."""
    with campaign(tmp_path, *args, **options) as run:
        run.conduct(show=show)
        begun = starts(tmp_path / "rig")
        assert len(begun) == len(set(begun)), "a run id was started twice"
        for each in run.ledger.runs.values():
            assert each.status in (OVER if each.id in begun else NEVER_STARTED)
        assert set(begun) <= set(run.ledger.runs), "an orphan"
        for trial in run:
            done = [each for each in run.ledger.of_trial(trial.number) if each.status is RunStatus.DONE]
            assert trial.status != "pending"
            assert len(done) == (trial.status == "done")
            if done:
                setting = to_setting(run.space, run.lab.card, trial.conditions)
                assert trial.outputs["yield"] == pytest.approx(100 * truth(setting), abs=1e-9)
        return run


def statuses(run):
    return [each.status.value for each in run.ledger.runs.values()]


def say(tmp_path, verb, **args):
    send(tmp_path / "j.db", command(verb, args))
