"""Campaigns on a digital twin while runner and twin are killed at random: is each experiment started exactly once?

The twin is a process of its own with a real protocol server; half of its restarts lose the memory of runs. The oracle
is its physical journal. ``--naive`` is the control: a loop that stores results, and starts again with the first
experiment that has none. ``--hours 24`` lets that much twin time pass with all faults at random, those that can happen
in any phase in each of them, and watches the memory of both processes; a twin that a fault has killed is started again,
half of the time without its memory.

Somebody is there all day who looks every three seconds (half an hour of twin time) and does what the status asks for:
where the campaign is held, resets interlock or emergency stop at the rig and says ``rxnopt lab resume``; of a run that
may have happened, reads the physical journal and says ``rxnopt lab resolve``, ``done`` with the value that was measured
where there is one, ``repeat`` elsewhere; starts a runner again that has stopped with a sentence.

Run: ``nice python benchmarks/lab_chaos.py --runs 500``; results: results/lab_chaos.txt.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import shutil
import signal
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import get_args

import numpy as np

from rxnopt import Campaign
from rxnopt.errors import RxnoptError
from rxnopt.lab.adapters import create
from rxnopt.lab.interface import Quantity, Request
from rxnopt.lab.rig import load_lab
from rxnopt.laboratory.inbox import command, send, status_of, waiting
from rxnopt.runs import OPEN
from rxnopt.runs import RunStatus as S
from rxnopt.simulators import load
from rxnopt.testing.oracle import disagreements
from rxnopt.twin import Fault, Scenario
from rxnopt.twin.ledger import read
from rxnopt.twin.scenario import PHASED, Kind, Phase
from rxnopt.twin.serving import Serving

FORK = multiprocessing.get_context("fork")
REACTION = "snar"
SPEED = {"killed": 6000.0, "day": 600.0}
"""How many times as fast as the clock; slower where a day is to hold as many polls as it does in a laboratory."""
POLICY = "failures: {in_a_row: 1000000, retries: 3, unknown: %s}\n"
SEED = 1
CHANCE = 0.05
"""Of each kind of fault in an attempt to start a run; of one that can happen in any phase, over all phases."""
LOOK = 3.0
"""Seconds between two looks of the person who is there."""


def faults(protocol: str) -> Scenario:
    """All faults that a twin of this protocol can show."""
    files = {"half_written", "duplicate", "partial"}
    kinds = [kind for kind in get_args(Kind) if protocol == "filedrop" or kind not in files]
    phases = get_args(Phase)
    placed = [
        Fault(fault=kind, phase=phase, probability=CHANCE / len(phases), seconds=1.0)
        for kind in kinds if kind in PHASED for phase in phases
    ]  # fmt: skip
    others = [Fault(fault=kind, probability=CHANCE, seconds=1.0) for kind in kinds if kind not in PHASED]
    return Scenario(faults=(*placed, *others))


def twin(place: Path, protocol: str, port: int, forget: bool, faults: Scenario, speed: float) -> None:
    """Serve until killed; the lab file is there when it is ready."""

    async def serve() -> None:
        options = {"port": port, "speed": speed, "seed": SEED, "folder": place / "rig", "forget": forget}
        serving = Serving(protocol, REACTION, faults, **options)
        async with serving.desk as desk:
            draft = place / "lab.draft"
            policy = POLICY % ("wait" if faults.faults else "go_on")
            draft.write_text(serving.lab_file(call="2 s", connect="2 s", stall="30 s", run="20 s") + policy)
            draft.rename(place / "lab.yaml")
            desk.button()
            (place / f"ready-{os.getpid()}").write_text(str(desk.port))
            await desk.wait()

    asyncio.run(serve())


def runner(place: Path, runs: int) -> None:
    """One runner, as ``rxnopt run snar --lab lab.yaml`` starts it, and a person who always resumes."""
    with contextlib.suppress(RxnoptError), campaign(place, runs) as own:
        if own.ledger.held is not None:
            send(place / "j.db", command("resume", {}))
        own.conduct(wait=False)
        if not own.remaining and not any(run.status in OPEN - {S.UNKNOWN} for run in own.ledger.runs.values()):
            (place / "over").touch()


def watched(place: Path, runs: int) -> None:
    """One runner that waits for a person where it must."""
    with contextlib.suppress(RxnoptError), campaign(place, runs) as own:
        own.conduct()


def person(place: Path, twin_pid: int) -> Counter:
    """What somebody does who looks at the status once; what was done is counted."""
    journal, done = place / "j.db", Counter()
    if not status_of(journal).exists() or waiting(journal):
        return done
    status = json.loads(status_of(journal).read_text())
    if status["held"] is not None:
        os.kill(twin_pid, signal.SIGUSR1)
        send(journal, command("resume", {}))
        done["campaigns resumed, the rig reset"] += 1
    lines = read(place / "rig" / "physical.jsonl")
    ended = {line["run_id"] for line in lines if line["kind"] == "end" and line["state"] == "done"}
    measured = {line["run_id"]: line["outputs"][0] for line in lines if line["kind"] == "measured"}
    for row in status["runs"]:
        if row["status"] == "unknown":
            known = row["run"] in ended and row["run"] in measured
            wish = (
                {"verdict": "done", "outputs": {"yield": measured[row["run"]]["yield"]}}
                if known
                else {"verdict": "repeat"}
            )
            send(journal, command("resolve", {"run": row["run"], **wish}))
            done[f"runs resolved as {wish['verdict']}"] += 1
    return done


def campaign(place: Path, runs: int) -> Campaign:
    """The campaign of the journal."""
    return Campaign(REACTION, "random", budget=runs, seed=3, journal=place / "j.db", lab=place / "lab.yaml")


def naive(place: Path, runs: int) -> None:
    """The loop that everybody writes first: ask, run, append the result."""
    lab, results = load_lab(place / "lab.yaml"), place / "results.jsonl"
    units = {name: p.unit for name, p in lab.card.parameters.items()}
    space = load(REACTION).space

    async def go() -> None:
        adapter = create(lab.card, lab.folder)
        await adapter.connect()
        done = len(results.read_text().splitlines()) if results.exists() else 0
        for k in range(done, runs):
            setting = space.to_dicts(space.sample(1, np.random.default_rng(k)))[0]
            run_id = f"n{k:04d}-{uuid.uuid4().hex[:6]}"
            positions = ({name: Quantity(value, units[name]) for name, value in setting.items()},)
            await adapter.submit(Request(run_id, positions, {"yield": "%"}))
            while not (await adapter.lookup(run_id)).over:
                await asyncio.sleep(0.05)
            result = await adapter.result(run_id)
            with results.open("a") as file:
                file.write(json.dumps([run_id, result.positions[0].outputs["yield"].value]) + "\n")

    with contextlib.suppress(RxnoptError, KeyError):
        asyncio.run(go())
        (place / "over").touch()


class Bench:
    """The two processes, and whoever kills them."""

    def __init__(self, place: Path, protocol: str, runs: int, loop, faults: Scenario, seed: int = 0) -> None:
        self.place, self.protocol, self.runs, self.loop, self.faults = place, protocol, runs, loop, faults
        self.speed = SPEED["day" if faults.faults else "killed"]
        self.random, self.port, self.kills, self.memory = np.random.default_rng(seed), 0, Counter(), []
        self.done, self.looked, self.quiet, self.heard = Counter(), 0.0, 0.0, (0, 0.0)
        self.twin = self.runner = None

    def start_twin(self, forget: bool = False) -> None:
        self.twin = FORK.Process(
            target=twin, args=(self.place, self.protocol, self.port, forget, self.faults, self.speed)
        )
        self.twin.start()
        ready = self.place / f"ready-{self.twin.pid}"
        while not ready.exists() or not ready.read_text():
            if not self.twin.is_alive():
                raise SystemExit("the twin does not start")
            time.sleep(0.02)
        self.port = int(ready.read_text())

    def start_runner(self) -> None:
        self.runner = FORK.Process(target=self.loop, args=(self.place, self.runs))
        self.runner.start()

    def run(self, kill_runner: float, kill_twin: float, finished, limit: float) -> float:
        """Run to the end, killing every so many seconds on average; return the seconds that it took."""
        start = time.monotonic()
        self.start_twin()
        self.start_runner()
        mean = {"runner": kill_runner, "twin": kill_twin}
        due = {name: every and self.random.exponential(every) for name, every in mean.items()}
        while not finished() and time.monotonic() - start < limit:
            time.sleep(0.01)
            now = time.monotonic() - start
            if not self.runner.is_alive() and not finished():
                self.kills["runner ended by itself"] += 1
                self.start_runner()
            if not self.twin.is_alive():
                self.kills["twin"] += 1
                self.start_twin(forget=self.random.random() < 0.5)
            for name in ("runner", "twin"):
                if mean[name] and now > due[name]:
                    due[name] = now + self.random.exponential(mean[name])
                    self.kills[name] += 1
                    process = getattr(self, name)
                    process.kill()
                    process.join()
                    if name == "twin":
                        self.start_twin(forget=self.random.random() < 0.5)
                    else:
                        self.start_runner()
            self._watch(now)
        if self.faults.faults:
            send(self.place / "j.db", command("stop", {}))
        self.runner.join(10)
        for process in (self.runner, self.twin):
            process.kill()
            process.join()
        return time.monotonic() - start

    def _watch(self, now: float) -> None:
        size = (self.place / "rig" / "physical.jsonl").stat().st_size
        if size != self.heard[0]:
            self.quiet, self.heard = max(self.quiet, now - self.heard[1]), (size, now)
        if self.faults.faults and now - self.looked > LOOK:
            self.looked = now
            self.done += person(self.place, self.twin.pid)
        if not self.memory or now - self.memory[-1][0] > 5.0:
            sizes = [_resident(process.pid) for process in (self.runner, self.twin)]
            self.memory.append((now, *sizes))


def _resident(pid: int) -> float:
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return float("nan")


def verdict(place: Path, runs: int) -> dict[str, int]:
    """Compare the journal of the campaign with what physically happened."""
    lines = read(place / "rig" / "physical.jsonl")
    with campaign(place, runs) as own:
        wrong = {name: len(found) for name, found in disagreements(lines, own).items()}
        known = Counter(run.status.value for run in own.ledger.runs.values())
        trials = Counter(trial.status for trial in own)
    return {
        "trials": sum(trials.values()), "trials done": trials["done"], "trials failed": trials["failed"],
        "trials pending": trials["pending"], "physical starts": sum(line["kind"] == "start" for line in lines),
        "run ids": sum(known.values()), **wrong,
        "still going on at the end": sum(known[each] for each in ("submitting", "running", "awaiting_analysis")),
        "unknown or resolved by a person": known["unknown"] + known["resolved"],
    }  # fmt: skip


def verdict_naive(place: Path) -> dict[str, int]:
    lines = read(place / "rig" / "physical.jsonl")
    begun = [line["run_id"] for line in lines if line["kind"] == "start"]
    results = [json.loads(line) for line in (place / "results.jsonl").read_text().splitlines()]
    per_experiment = Counter(run_id[:5] for run_id in begun)
    return {
        "experiments": len(results), "physical starts": len(begun),
        "experiments started more than once": sum(count > 1 for count in per_experiment.values()),
        "starts wasted": len(begun) - len(results),
    }  # fmt: skip


def said(title: str, table: dict[str, object]) -> str:
    return "\n".join([title, *(f"  {value!s:>8}  {name}" for name, value in table.items()), ""])


def chapter(title: str, options, loop, runs: int, faults: Scenario, killing: bool, judge) -> str:
    """One campaign with its kills, and what became of it."""
    place = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        bench = Bench(place, options.protocol, runs, loop, faults)
        every = (options.runner_every, options.twin_every) if killing else (0.0, 0.0)
        took = bench.run(*every, (place / "over").exists, options.limit)
        boots = [line for line in read(place / "rig" / "physical.jsonl") if line["kind"] == "boot"]
        table: dict[str, object] = {
            "runners killed": bench.kills["runner"], "twins killed": bench.kills["twin"],
            "boots without memory": sum(line["memory"] == "lost" for line in boots[1:]),
            "seconds": round(took), **judge(place),
        }  # fmt: skip
        if killing:
            table["came to its end"] = (place / "over").exists()
        else:
            table["hours of twin time"] = round(took * bench.speed / 3600, 1)
            table["longest silence of the rig, s"] = round(bench.quiet, 1)
            kinds = happened(place, faults)
            table["kinds of faults that happened"] = len(kinds)
            table |= dict(sorted((bench.done + kinds).items()))
            table["runners that stopped with a sentence"] = bench.kills["runner ended by itself"]
            for column, name in ((1, "runner"), (2, "twin")):
                sizes = [row[column] for row in bench.memory if row[column] == row[column]]
                quarter = sizes[len(sizes) // 4], sizes[-1]
                table[f"MB of the {name} after a quarter and at the end"] = "/".join(f"{size:.0f}" for size in quarter)
        return said(title, table)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def happened(place: Path, faults: Scenario) -> Counter:
    """The faults of all attempts, by kind."""
    attempts = [line["attempt"] for line in read(place / "rig" / "physical.jsonl") if line["kind"] == "asked"]
    return Counter(f"fault: {fault.fault}" for attempt in attempts for fault in faults.at(attempt, SEED))


def chapters(options):
    """The campaign, the control, and the day with faults."""
    calm = Scenario()
    judged = lambda runs: lambda place: verdict(place, runs)  # noqa: E731
    if options.runs:
        title = f"{options.runs} trials of {REACTION} on a twin that speaks {options.protocol}, killed at random"
        yield chapter(title, options, runner, options.runs, calm, True, judged(options.runs))
    if options.naive:
        title = f"control: a naive loop over {options.naive} experiments, killed likewise"
        yield chapter(title, options, naive, options.naive, calm, True, verdict_naive)
    if options.hours:
        wrong = faults(options.protocol)
        options.limit = options.hours * 3600 / SPEED["day"]
        kinds = len({fault.fault for fault in wrong.faults})
        title = f"{options.hours:g} h of twin time, {options.protocol}, {kinds} kinds of faults at random"
        yield chapter(title, options, watched, 1_000_000, wrong, False, judged(1_000_000))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--naive", type=int, default=100)
    parser.add_argument("--hours", type=float, default=0.0)
    parser.add_argument("--protocol", default="opcua")
    parser.add_argument("--runner-every", type=float, default=1.0)
    parser.add_argument("--twin-every", type=float, default=6.0)
    parser.add_argument("--limit", type=float, default=900.0)
    options = parser.parse_args()
    load(REACTION).simulate({"residence_time": 1, "equivalents": 2, "concentration": 0.2, "temperature": 60})
    for text in chapters(options):
        print(text, flush=True)


if __name__ == "__main__":
    main()
