"""Past campaigns of a reaction: who made which experiments, in their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rxnopt.data import Rows
from rxnopt.errors import DataError, UnknownNameError, did_you_mean
from rxnopt.simulators.reaction import Reaction
from rxnopt.simulators.table import TableSimulator


@dataclass(frozen=True)
class PastCampaign:
    """One campaign: for each experiment its outputs, in the units of the card, and its conditions where known."""

    name: str
    number: int
    conditions: tuple[dict[str, Any] | None, ...]
    outputs: tuple[dict[str, float], ...]

    def __len__(self) -> int:
        return len(self.outputs)


def past_campaigns(reaction: Reaction, name: str) -> list[PastCampaign]:
    """Return the past campaigns that the card of a reaction calls ``name``, in the order of their file.

    Where the file tells no conditions and the reaction is a table, an experiment whose outputs stand only once in the
    table is known by them; the conditions of others are None. Raises :class:`rxnopt.errors.UnknownNameError` and
    :class:`rxnopt.errors.DataError`.
    """
    known = reaction.card.past
    if name not in known:
        hint = did_you_mean(name, known) or f"; there are {', '.join(known) or 'none'}"
        raise UnknownNameError(f"{reaction.name} has no past campaigns {name!r}{hint}")
    past, source = known[name], getattr(reaction.simulator, "source", None)
    rows = Rows.of(reaction.card, past.file, source.folder if source else None)
    outputs = {output: rows.numbered(column, past.first) for output, column in past.outputs.items()}
    conditions = {parameter: rows.numbered(column, past.first) for parameter, column in past.conditions.items()}
    told = _told(reaction, tuple(past.outputs))
    found = []
    for i in range(len(rows.lines)):
        lengths = [_length(texts[i]) for texts in (*outputs.values(), *conditions.values())]
        if len(set(lengths)) > 1:
            raise DataError(f"{rows.place}:{rows.lines[i]}: the experiments of this row are told in part; mend it")
        results = [{o: rows.number(texts[i][k], o, i) for o, texts in outputs.items()} for k in range(lengths[0])]
        where: list[dict[str, Any] | None] = [told.get(tuple(result.values())) for result in results]
        if conditions:
            where = [{p: texts[i][k] for p, texts in conditions.items()} for k in range(lengths[0])]
            reaction.space.to_array([row for row in where if row is not None])
        found.append(PastCampaign(name, i, tuple(where), tuple(results)))
    return found


def _length(texts: list[str]) -> int:
    """Return how many texts stand there before the empty ones at the end."""
    return next((k for k in range(len(texts), 0, -1) if texts[k - 1]), 0)


def _told(reaction: Reaction, names: tuple[str, ...]) -> Mapping[tuple[float, ...], dict[str, Any]]:
    """Return the conditions of the experiments of a table whose outputs are those of no other."""
    if not isinstance(reaction.simulator, TableSimulator):
        return {}
    outcome = reaction.outcome(reaction.simulator.grid)
    columns = outcome.values[:, [reaction.outputs.index(name) for name in names]]
    counts = Counter(map(tuple, columns.tolist()))
    once = np.array([counts[tuple(row)] == 1 for row in columns.tolist()]) & ~outcome.failed
    conditions = reaction.space.to_dicts(reaction.simulator.grid[once])
    return dict(zip(map(tuple, columns[once].tolist()), conditions, strict=True))
