"""A cell of a comparison: one campaign of one agent on one reaction with one seed, and its file.

A cell file is named after the hash of everything that its numbers depend on, and put in place whole or not at all:
a file that is there and whole is a campaign that need not be run again.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rxnopt.agents import build
from rxnopt.campaign import Campaign
from rxnopt.cards import AgentCard
from rxnopt.cards.realism import Realism
from rxnopt.errors import CardError, ReportError, RxnoptError
from rxnopt.files import put
from rxnopt.simulators import Reaction, load

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = 2
"""Version of the tables; a change makes all cells run again."""


@dataclass(frozen=True)
class Cell:
    """One campaign: what it is called, what its numbers depend on, and where to load the reaction from.

    ``objectives``: hash of what the card and its known front say about several objectives, where they are asked for.
    """

    experiment: str
    reaction: str
    reaction_digest: str
    agent: AgentCard
    weights: str | None
    seed: int
    budget: int
    noise: bool
    realism: bool | Realism
    version: str
    place: str
    objective: str = "card"
    objective_weights: tuple[float, ...] | None = None
    objectives: str = ""

    @property
    def label(self) -> str:
        """Return the name in messages."""
        return f"{self.agent.name} on {self.reaction}, seed {self.seed}"

    @property
    def key(self) -> str:
        """Return the hash of what the numbers depend on."""
        parts = [SCHEMA, self.version, self.experiment, self.reaction, self.reaction_digest, self.agent.digest()]
        parts += [self.weights, self.seed, self.budget, self.noise]
        parts += [self.realism if isinstance(self.realism, bool) else self.realism.model_dump_json(exclude_unset=True)]
        parts += [self.objective, self.objective_weights, self.objectives]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def path(self, folder: Path) -> Path:
        """Return the file of the cell in the folder of a comparison."""
        return folder / "cells" / f"{self.key}.parquet"


@dataclass(frozen=True)
class Finished:
    """What a worker says about a cell: nothing if it is in its file, else why not."""

    cell: Cell
    error: str | None = None
    disk: str | None = None


def schema() -> pa.Schema:
    """Return the columns of all trial tables."""
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    return pa.schema(
        [
            ("experiment", text),
            ("reaction", text),
            ("agent", text),
            ("seed", pa.int64()),
            ("trial", pa.int64()),
            ("status", text),
            ("objective", number),
            ("objective_noise_free", number),
            ("within_limits", pa.bool_()),
            ("within_limits_noise_free", pa.bool_()),
            ("failure", text),
            ("conditions", text),
            ("outputs", text),
            ("outputs_noise_free", text),
        ]
    )


def foretold(cells: Iterable[Cell]) -> Iterator[tuple[Cell, str]]:
    """Tell which pairs of agent and reaction cannot work (no weights, wrong options): their first cell, and why."""
    pairs: dict[tuple[str, str], Cell] = {}
    for cell in cells:
        pairs.setdefault((cell.agent.name, cell.reaction), cell)
    for cell in pairs.values():
        try:
            build(cell.agent, _reaction(cell), budget=cell.budget, seed=cell.seed)
        except RxnoptError as error:
            yield cell, str(error)
        except Exception:  # noqa: BLE001, S112 - a bug in one agent: its campaigns tell of it, and the others go on
            continue


def run_cell(cell: Cell, folder: Path) -> Finished:
    """Run the campaign of a cell and write its file; errors are told, not raised, so that other cells go on."""
    start = time.perf_counter()
    try:
        table = _campaign(cell)
    except RxnoptError as error:
        return Finished(cell, str(error))
    except Exception as error:  # noqa: BLE001 - a bug in one agent must not cost the results of the others
        return Finished(cell, f"{type(error).__name__}: {error} (an unexpected error; please report it)")
    seconds = time.perf_counter() - start
    try:
        write_table(table.replace_schema_metadata({"key": cell.key, "seconds": f"{seconds:.3f}"}), cell.path(folder))
    except OSError as error:
        return Finished(cell, disk=error.strerror or str(error))
    return Finished(cell)


def _campaign(cell: Cell) -> pa.Table:
    import pyarrow as pa

    options: Any = {"budget": cell.budget, "seed": cell.seed, "noise": cell.noise, "pareto": cell.objective == "pareto"}
    with Campaign(_reaction(cell), cell.agent, **options) as campaign:
        frame = campaign.run()
        columns: dict[str, Any] = {
            "experiment": [cell.experiment] * len(frame),
            "reaction": [cell.reaction] * len(frame),
            "agent": [cell.agent.name] * len(frame),
            "seed": [cell.seed] * len(frame),
            "conditions": [json.dumps(trial.conditions | (trial.substrate or {})) for trial in campaign],
            "outputs": [json.dumps(trial.outputs) if trial.outputs else None for trial in campaign],
            "outputs_noise_free": [json.dumps(trial.exact) if trial.exact else None for trial in campaign],
        }
    names = ("trial", "status", "objective", "objective_noise_free", "within_limits", "within_limits_noise_free")
    for name in (*names, "failure"):
        columns[name] = pa.Array.from_pandas(frame[name])
    return pa.table({field.name: columns[field.name] for field in schema()}, schema=schema())


@lru_cache(maxsize=8)
def reaction_at(place: str, objective: str, weights: tuple[float, ...] | None) -> Reaction:
    """Return the reaction of a card with the objective of an experiment card."""
    reaction = load(place)
    return reaction if objective in ("card", "pareto") else reaction.scalarised(objective, weights)


def _reaction(cell: Cell) -> Reaction:
    if reaction_at(cell.place, "card", None).card.digest() != cell.reaction_digest:
        raise CardError(f"the card of reaction {cell.reaction!r} was changed while the comparison ran; start it again")
    return reaction_at(cell.place, cell.objective, cell.objective_weights).with_realism(cell.realism)


def read_cell(cell: Cell, folder: Path) -> pa.Table | None:
    """Return the table of a finished cell, None if there is none; raise :class:`ReportError` for a damaged one."""
    path = cell.path(folder)
    if not path.exists():
        return None
    table = read_table(path)
    whole = table.schema.equals(schema()) and len(table) == cell.budget
    if not whole or (table.schema.metadata or {}).get(b"key") != cell.key.encode():
        raise ReportError(f"{path}: this is not the file of {cell.label}; remove it")
    return table


def read_table(path: Path) -> pa.Table:
    """Read a Parquet file; raise :class:`ReportError` if it is missing or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(io.BytesIO(path.read_bytes()), page_checksum_verification=True).read()
    except (OSError, pa.ArrowException) as error:
        raise ReportError(
            f"{path}: the table cannot be read ({_first_line(error)}); run the comparison again"
        ) from error


def write_table(table: pa.Table, path: Path) -> str:
    """Write a Parquet file whole or not at all and return its SHA-256; equal tables give equal bytes."""
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    put(path, buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def duration(table: pa.Table) -> dict[str, Any]:
    """Return how long the campaign of a cell took."""
    reaction, agent, seed = (table[name][0].as_py() for name in ("reaction", "agent", "seed"))
    return {"reaction": reaction, "agent": agent, "seed": seed, "seconds": float(table.schema.metadata[b"seconds"])}


def merge(tables: Iterable[pa.Table]) -> pa.Table:
    """Return one table in the order given, without the metadata of the cells."""
    import pyarrow as pa

    return pa.concat_tables([table.replace_schema_metadata(None) for table in tables]).combine_chunks()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


__all__ = [
    "SCHEMA",
    "Cell",
    "Finished",
    "duration",
    "foretold",
    "merge",
    "reaction_at",
    "read_cell",
    "read_table",
    "run_cell",
    "schema",
    "write_table",
]
