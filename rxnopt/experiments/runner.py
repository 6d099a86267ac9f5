"""From an experiment card to a table: plan the cells, run what is not there yet, merge."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import signal
import time
import warnings
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rxnopt.agents import load, weights_digest
from rxnopt.cards import AgentCard, ExperimentCard, ReactionCard, load_card
from rxnopt.cards.parts import load_reaction
from rxnopt.catalogue import is_path
from rxnopt.errors import CardError, ReportError, WeightsError
from rxnopt.experiments import facts
from rxnopt.experiments.cells import (
    SCHEMA,
    Cell,
    Finished,
    duration,
    foretold,
    merge,
    read_cell,
    read_table,
    run_cell,
    write_table,
)
from rxnopt.experiments.past import about_past, check_past, past_tables
from rxnopt.files import put
from rxnopt.progress import bar
from rxnopt.seeds import stream_seed
from rxnopt.simulators.pareto import front_file

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Results:
    """A finished comparison: its folder, and what its manifest says."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def trials(self) -> pd.DataFrame:
        """All trials (columns: :func:`rxnopt.experiments.cells.schema`)."""
        frame: pd.DataFrame = read_table(self.folder / "trials.parquet").to_pandas()
        return frame

    @property
    def failed(self) -> list[dict[str, Any]]:
        """Campaigns without a result: reaction, agent, seed, error."""
        return list(self.manifest["failed"])

    def scores(self) -> pd.DataFrame:
        """One row per agent (columns: :class:`rxnopt.experiments.scores.AgentScore`)."""
        import pandas as pd

        from rxnopt.experiments.scores import agent_scores, curves, scales

        return pd.DataFrame(agent_scores(curves(self.trials, scales(self.manifest)), self.manifest))

    def report(self) -> Path:
        """Write ``report.html`` and return its path."""
        from rxnopt.experiments.report import report

        return report(self.folder)


def compare(
    experiment: str | Path | ExperimentCard,
    *,
    out: str | Path = "runs",
    workers: int | None = None,
    progress: bool = True,
) -> Results:
    """Run every agent on every reaction with every seed and put the results into ``out``/<name>.

    Finished campaigns are kept and skipped, so that a comparison that was stopped goes on. ``workers``: processes, all
    cores if left out; the numbers do not depend on it. A campaign that fails is named in ``Results.failed``.

    Raises :class:`CardError` or :class:`UnknownNameError` before anything runs, :class:`ReportError` if results cannot
    be written, and KeyboardInterrupt with a sentence on Ctrl-C.
    """
    card = (
        experiment
        if isinstance(experiment, ExperimentCard)
        else load_card("experiments", experiment, ExperimentCard)[0]
    )
    started, clock = datetime.now(UTC), time.perf_counter()
    folder = Path(out) / card.name
    cells = plan(card)
    with _told(str(card.name if isinstance(experiment, ExperimentCard) else experiment), folder):
        # Worker processes may be older than the current folder of this one: they get absolute paths.
        reactions, failed = _run(cells, folder.absolute(), workers or os.cpu_count() or 1, progress)
        tables = [table for cell in cells if (table := read_cell(cell, folder)) is not None]
        if not tables:
            raise ReportError(
                f"{folder}: none of {len(cells)} campaigns gave a result; the first said: {failed[0].error}"
            )
        if len(tables) + len(failed) < len(cells):
            raise ReportError(f"{folder}: {len(cells) - len(tables) - len(failed)} cell files are gone; run it again")
        times, tables = [duration(table) for table in tables], [*tables, *past_tables(card)]
        manifest = _describe(card, cells, reactions, failed) | {
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - clock, 1),
            "campaigns": times,
            "table": {"sha256": write_table(merge(tables), folder / "trials.parquet"), "rows": sum(map(len, tables))},
        }
        put(folder / "manifest.json", (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())
    return Results(folder, manifest)


def plan(card: ExperimentCard) -> list[Cell]:
    """Return all cells in the order of the card; every card that is named is read and checked.

    The seed of a campaign comes from the root seed, the reaction and a number: all agents meet the same noise
    (common random numbers), and different reactions are independent.
    """
    reactions = {place: load_reaction(place)[0] for place in card.reactions}
    agents = [load(place) for place in card.agents]
    check_past(card)
    for kind, named in (("reaction", list(reactions.values())), ("agent", agents)):
        known = [item.name for item in named]
        for name in known:
            if known.count(name) > 1:
                raise CardError(f"experiment {card.name!r} has two {kind} cards called {name!r}; rename one")
    version = facts.version()
    return [
        Cell(
            card.name, reaction.name, reaction.digest(), agent, _weights(agent, reaction.name),
            stream_seed(card.seed, f"campaign on {reaction.name}", number),
            card.budget or reaction.budget, card.noise, card.realism, version,
            str(Path(place).absolute()) if is_path(place) else place,
            card.objective, card.weights, "" if card.objective == "card" else _objectives(reaction, place),
        )
        for place, reaction in reactions.items()
        for agent in agents
        for number in range(card.seeds)
    ]  # fmt: skip


def _objectives(reaction: ReactionCard, place: str) -> str:
    """Return the hash of what is known about the objectives of a card; raise :class:`CardError` where it has none."""
    if not reaction.objectives:
        raise CardError(
            f"reaction {reaction.name!r} has a single objective; add 'objectives' to its card or leave it out"
        )
    known = [goal.model_dump() for goal in reaction.objectives.values()]
    file = None if is_path(place) else front_file(reaction.name)
    text = json.dumps([list(reaction.objectives), known]) + ("" if file is None else file.read_text(encoding="utf-8"))
    return hashlib.sha256(text.encode()).hexdigest()


def _weights(agent: AgentCard, reaction: str) -> str | None:
    try:
        return weights_digest(agent, reaction)
    except WeightsError:
        return None  # the campaign itself will say what is missing


def _run(
    cells: Sequence[Cell], folder: Path, workers: int, progress: bool
) -> tuple[dict[str, dict[str, Any]], list[Finished]]:
    """Run the cells that have no file; return what is known about each reaction, and the cells that failed."""
    from joblib import Parallel, delayed

    missing = [cell for cell in cells if not _is_there(cell, folder)]
    for cell, sentence in foretold(missing):
        _log.warning("%s on %s will give no result: %s", cell.agent.name, cell.reaction, sentence)
    places = {cell.place: cell for cell in cells}
    # At most `workers` tasks are handed out at a time. There are two processes at least, because joblib would run a
    # single worker inside this process, with other numbers of threads and so with other rounding.
    pool = Parallel(
        n_jobs=max(workers, 2), pre_dispatch=workers, batch_size=1, return_as="generator_unordered", max_nbytes=None,
        backend="loky", inner_max_num_threads=1, initializer=_leave_ctrl_c_to_the_parent,
    )  # fmt: skip
    about, failed = {}, []
    with bar(progress, "campaigns", len(cells), len(cells) - len(missing)) as advance:
        advance(0, f"compiling {len(places)} reactions")
        look = delayed(facts.about_reaction)
        for found in pool(look(place, cell.objective, cell.objective_weights) for place, cell in places.items()):
            about[found["name"]] = found
        with _given_up(pool(delayed(run_cell)(cell, folder) for cell in _in_turns(missing))) as results:
            for finished in results:
                if finished.disk:
                    raise OSError(None, finished.disk)
                failed += [finished] if finished.error else []
                advance(1, finished.cell.label)
    for (agent, reaction), same in groupby(sorted(failed, key=_names), _names):
        first, *others = same
        _log.warning("%s on %s gave no result in %d campaigns: %s", agent, reaction, 1 + len(others), first.error)
    return {cell.reaction: about[cell.reaction] for cell in places.values()}, failed


@contextmanager
def _given_up(results: Generator[Finished]) -> Iterator[Generator[Finished]]:
    """Close results after an error at once, without the advice of joblib to ask for less: the error is to be read."""
    try:
        yield results
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r".* limit unnecessary computation time\.$", UserWarning)
            results.close()


def _names(finished: Finished) -> tuple[str, str]:
    return finished.cell.agent.name, finished.cell.reaction


def _is_there(cell: Cell, folder: Path) -> bool:
    try:
        return read_cell(cell, folder) is not None
    except ReportError as error:
        _log.warning("the results of %s are damaged and are made again (%s)", cell.label, error)
        return False


def _in_turns(cells: Sequence[Cell]) -> list[Cell]:
    """Order cells: one campaign of each agent on each reaction, then the next one of each.

    So the time left can be foretold from the time used, and a comparison that is stopped has something of everything.
    Within a turn the last agents of the card come first: where those are the slow ones, workers end together.
    """
    turns: Counter[tuple[str, str]] = Counter()
    order = []
    for place, cell in enumerate(cells):
        pair = (cell.reaction, cell.agent.name)
        order.append((turns[pair], -place, cell))
        turns[pair] += 1
    return [cell for _, _, cell in sorted(order, key=lambda item: item[:2])]


def _leave_ctrl_c_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _told(name: str, folder: Path) -> Iterator[None]:
    """Say in one sentence how to go on after Ctrl-C, after the death of a worker, and where nothing can be written."""
    try:
        yield
    except KeyboardInterrupt:
        sentence = f"stopped; finished campaigns are in {folder}: run 'rxnopt compare {name}' again to go on"
        raise KeyboardInterrupt(sentence) from None
    except BrokenProcessPool as error:
        raise ReportError(
            f"{folder}: a worker process died, perhaps for want of memory; finished campaigns are kept: "
            "run again to go on, with fewer workers if it happens again"
        ) from error
    except OSError as error:
        raise ReportError(
            f"{folder}: results cannot be written ({error.strerror}); finished campaigns are kept: "
            "free space or give another folder, and run again to go on"
        ) from error


def _describe(
    card: ExperimentCard, cells: Sequence[Cell], reactions: dict[str, dict[str, Any]], failed: Sequence[Finished]
) -> dict[str, Any]:
    agents = {cell.agent.name: cell.agent for cell in cells}
    seeds = {name: sorted({cell.seed for cell in cells if cell.reaction == name}) for name in reactions}
    budgets = {cell.reaction: cell.budget for cell in cells}
    return {
        "schema": SCHEMA,
        "experiment": card.model_dump(mode="json"),
        "digest": card.digest(),
        "reactions": {n: about | {"budget": budgets[n], "seeds": seeds[n]} for n, about in reactions.items()},
        "agents": {name: facts.about_agent(agent, list(reactions)) for name, agent in agents.items()}
        | about_past(card),
        "failed": [
            {"reaction": f.cell.reaction, "agent": f.cell.agent.name, "seed": f.cell.seed, "error": f.error}
            for f in failed
        ],
        "versions": facts.versions(),
        "machine": facts.machine(),
        "command": facts.command(),
    }


__all__ = ["Results", "compare", "plan"]
