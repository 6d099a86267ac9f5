"""How a campaign on a rig looks on a terminal: its runs as a table, the best trial, and what a person can do now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

FRAME = 6
"""Lines of a table around its rows."""


def shown(told: Mapping[str, Any], journal: Path, height: int | None = None) -> RenderableType:
    """Return the status of a campaign; with a ``height``, the latest runs that fit into so many lines."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    said = advice(told, journal)
    found = Table(title=told["state"], title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in ("run", "status", "proposed → achieved", "result"):
        if column == "status":
            found.add_column(column, min_width=10, max_width=32)
        else:
            found.add_column(column, overflow="fold", no_wrap=True)
    rows: list[tuple[str, str, str, str]] = []
    left = (height or 10**6) - FRAME - 2 * len(said)
    for row in reversed([cells for run in told["runs"] for cells in _cells(run)]):
        left -= max(cell.count("\n") for cell in row) + 1
        if left < 0 and rows:
            break
        rows.append(row)
    for row in reversed(rows):
        found.add_row(*map(Text, row))
    best = told["best"]
    outputs = ", ".join(_items(best["outputs"])) + f" (trial {best['trial']})" if best else "none yet"
    over = f"{told['over']} of {told['budget'] or told['trials']} trials are over; best: {outputs}"
    return Group(found, *map(Text, ["", over, *said]))


def _cells(run: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Yield the row of each trial of a run: what was achieved stands only where it differs from the proposal."""
    for i, trial in enumerate(run["trials"]):
        proposed, achieved = run["conditions"][i], run["achieved"][i] or {}
        setting = dict(zip(proposed, _items(proposed), strict=True))
        for name, item in zip(achieved, _items(achieved), strict=True):
            if setting.get(name) != item:
                setting[name] = f"{setting.get(name, name)} → {item.partition('=')[2]}"
        own = [each.partition(": ")[2] for each in run["notes"] if each.startswith(f"trial {trial}: ")]
        note = run["reason"] or (own[0] if own and run["failure"][i] else run["failure"][i]) or ""
        status = run["status"].replace("_", " ") + (f": {note}" if note else "")
        result = "\n".join(_items(run["outputs"][i] or {}))
        yield f"{_short(run)}\ntrial {trial}", status, "\n".join(setting.values()), result


def _items(row: Mapping[str, Any]) -> list[str]:
    return [f"{name}={value if isinstance(value, str) else f'{value:.4g}'}" for name, value in row.items()]


def _short(run: Mapping[str, Any]) -> str:
    return str(run["run"]).partition("-")[0]


def advice(told: Mapping[str, Any], journal: Path) -> list[str]:
    """Return what a person can do now, a sentence for each thing that waits for one."""
    found = [] if told["held"] is None else [f"Put it right, then: rxnopt lab resume {journal}"]
    for run in told["runs"]:
        name, correct = _short(run), f"rxnopt lab correct {journal} {' or '.join(map(str, run['trials']))} OUTPUT=VALUE"
        match run["status"]:
            case "awaiting_approval":
                found.append(f"{name} waits for a person: rxnopt lab approve {journal} {name} (or deny)")
            case "awaiting_analysis":
                found.append(f"{name} waits for its analysis; by hand: {correct}")
            case "unknown":
                found.append(
                    f"{name} may have happened. Look at the rig, then: rxnopt lab resolve {journal} {name} --as repeat "
                    "(it gave nothing), --as abandon (nor shall it), or --as done OUTPUT=VALUE (its result)"
                )
            case "done" | "failed" if "invalid" in run["failure"]:
                trial = run["trials"][run["failure"].index("invalid")]
                found.append(
                    f"The result of trial {trial} cannot be true; when it is known: "
                    f"rxnopt lab correct {journal} {trial} OUTPUT=VALUE"
                )
            case "submitting" | "running" if "pid" not in told:
                found.append(f"{name} may be on the device. Start the same `rxnopt run` again: it looks the run up.")
    return found


@contextmanager
def live(quiet: bool, journal: Path) -> Iterator[Callable[[Mapping[str, Any]], None] | None]:
    """Keep the status on the terminal; without one, a line for each new state. Ends with what a person can do."""
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False)
    last: list[Mapping[str, Any]] = [{"state": "", "held": None, "runs": []}]
    if console.is_terminal:
        with Live(console=console, refresh_per_second=4) as screen:
            yield lambda told: screen.update(shown(told, journal, console.height))
        return

    def line(told: Mapping[str, Any]) -> None:
        if told["state"] != last[0]["state"]:
            console.print(f"{told['over']} trials over; {told['state']}", soft_wrap=True, markup=False)
        last[0] = told

    yield line
    for sentence in advice(last[0], journal):
        console.print(sentence, soft_wrap=True, markup=False)
