"""Numbers in place of levels, so that levels that are alike can be told from those that are not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rxnopt.cards.botorch import BoTorch, Table
from rxnopt.cards.inputs import numeric_properties
from rxnopt.cards.medoids import Medoids
from rxnopt.cards.parameters import Categorical
from rxnopt.data import published_descriptors
from rxnopt.errors import AgentError, did_you_mean
from rxnopt.simulators import Reaction
from rxnopt.space import Array, Parameter, Space
from rxnopt.units import quantity


def known(agent: str, settings: BoTorch | Medoids, reaction: Reaction | None) -> Mapping[str, Table | list[str]]:
    """Return the descriptors that an agent uses by parameter: those of its card, and published ones if it asks.

    Raises :class:`rxnopt.errors.AgentError` for published ones without a reaction and
    :class:`rxnopt.errors.DataError` where their file cannot be had.
    """
    if not settings.published_descriptors:
        return settings.descriptors
    if reaction is None:
        raise AgentError(f"agent {agent!r} wants published descriptors; give it their reaction: reaction='snar'")
    source = getattr(reaction.simulator, "source", None)
    found: dict[str, Table | list[str]] = {}
    for parameter in reaction.space:
        if parameter.name in reaction.card.descriptors:
            folder = None if source is None else source.folder
            found[parameter.name] = published_descriptors(reaction.card, parameter.name, folder)
        elif isinstance(parameter.card, Categorical) and (names := numeric_properties(parameter.card)):
            found[parameter.name] = names
    return found | settings.descriptors


def tables(agent: str, space: Space, given: Mapping[str, Table | list[str]]) -> dict[str, Array]:
    """Return the descriptors (levels, columns) of each parameter, spread over [0, 1]; constant columns are left out.

    Raises :class:`rxnopt.errors.AgentError` where a parameter is not categorical or a level has no numbers.
    """
    found = {}
    for name, descriptors in given.items():
        whose = f"agent {agent!r}: descriptors of {name!r}"
        parameter = next((p for p in space if p.name == name), None)
        if parameter is None or not parameter.levels:
            categorical = [p.name for p in space if p.levels]
            hint = did_you_mean(name, categorical) or f"; there are {', '.join(categorical) or 'none'}"
            raise AgentError(f"{whose} describe no categorical parameter of the reaction{hint}")
        rows = _properties(whose, parameter, descriptors) if isinstance(descriptors, list) else descriptors
        found[name] = _spread(whose, parameter, rows)
    return found


def _properties(whose: str, parameter: Parameter, names: list[str]) -> Table:
    card = parameter.card
    if not isinstance(card, Categorical):
        raise AssertionError(parameter)  # it has levels
    rows: Table = {}
    for level, properties in card.levels.items():
        rows[level] = []
        for name in names:
            value = properties.get(name)
            number = quantity(value if isinstance(value, str) else repr(value)) if value is not None else None
            if number is None:
                raise AgentError(
                    f"{whose}: level {level!r} has no numeric property {name!r} in the card of the reaction"
                )
            rows[level].append(number.si)
    return rows


def _spread(whose: str, parameter: Parameter, rows: Table) -> Array:
    lacking = [level for level in parameter.levels if level not in rows]
    if lacking:
        hint = did_you_mean(lacking[0], [row for row in rows if row not in parameter.levels])
        raise AgentError(f"{whose} lack the level {lacking[0]!r}; add its numbers{hint}")
    widths = {len(rows[level]) for level in parameter.levels}
    if len(widths) > 1:
        raise AgentError(f"{whose} have rows of {min(widths)} to {max(widths)} numbers; give each level equally many")
    table = np.array([rows[level] for level in parameter.levels], float)
    unequal, of = np.unique(table, axis=0, return_inverse=True)
    if len(unequal) < len(table):
        twins = [level for level, i in zip(parameter.levels, of, strict=True) if np.sum(of == i) > 1]
        raise AgentError(f"{whose} are the same for {twins[0]!r} and another level; add a column that tells them apart")
    table = table[:, np.ptp(table, axis=0) > 0]
    scaled: Array = (table - table.min(axis=0)) / np.ptp(table, axis=0)
    return scaled
