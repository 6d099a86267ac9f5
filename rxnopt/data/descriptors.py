"""Published descriptors of levels, such as DFT numbers of ligands, as few columns as tell most of them."""

from __future__ import annotations

from importlib.resources.abc import Traversable

import numpy as np
from numpy.typing import NDArray

from rxnopt.cards import ReactionCard
from rxnopt.cards.parameters import Categorical
from rxnopt.data.reading import Rows
from rxnopt.errors import DataError, did_you_mean
from rxnopt.sheet import number

VARIANCE = 0.95
"""Share of the variance that the columns keep."""


def published_descriptors(card: ReactionCard, parameter: str, folder: Traversable | None) -> dict[str, list[float]]:
    """Return a row of numbers for each level of a parameter with 'descriptors' in the card.

    They are the principal components that hold 95 % of the variance of the standardised numeric columns of the file;
    columns of text, with gaps or of one value are left out. Raises :class:`rxnopt.errors.DataError` where a level has
    no row or nothing tells the levels apart.
    """
    entry, owner = card.descriptors[parameter], card.parameters[parameter]
    levels = owner.levels if isinstance(owner, Categorical) else {}
    rows = Rows.of(card, entry.file, folder)
    known = {text: i for i, text in enumerate(rows.column(entry.column))}
    places = []
    for level, properties in levels.items():
        text = level if entry.by is None else str(properties[entry.by])
        if text not in known:
            hint = did_you_mean(text, known)
            raise DataError(f"{rows.place} has no row for {text!r}, level {level!r} of {parameter!r}{hint}")
        places.append(known[text])
    columns = [rows.column(name) for name in rows.header if rows.header.count(name) == 1 and name != entry.column]
    table = np.array([[_number(column[i]) for column in columns] for i in places])
    table = table[:, np.isfinite(table).all(axis=0)]
    table = table[:, np.ptp(table, axis=0) > 0]
    if not table.shape[1]:
        raise DataError(f"{rows.place} has no column of numbers that differ between the levels of {parameter!r}")
    return dict(zip(levels, _components(table).tolist(), strict=True))


def _number(text: str) -> float:
    try:
        return number(text)
    except ValueError:
        return np.nan


def _components(table: NDArray[np.float64]) -> NDArray[np.float64]:
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    found: NDArray[np.float64] = PCA(VARIANCE, svd_solver="full").fit_transform(StandardScaler().fit_transform(table))
    return found
