"""Outputs of a card whose model gives numbers: formulas over parameters, constants and what the model gives."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rxnopt.cards import ReactionCard
from rxnopt.cards.inputs import input_dimensions
from rxnopt.catalogue import Source
from rxnopt.errors import CardError, FormulaError, did_you_mean
from rxnopt.formulas import parse
from rxnopt.inputs import Inputs
from rxnopt.space import Array
from rxnopt.units import Dimension, describe, quantity, same_dimension, unit


def outputs(card: ReactionCard, source: Source, X: Array, given: Mapping[str, tuple[str, Array]]) -> Array:
    """Return the outputs (n, m), in the units of the card, of conditions ``X`` (n, d); NaN where they have no value.

    ``given``: what the model says, as unit and values (n,) by name. Raises :class:`rxnopt.errors.CardError` for
    formulas with unknown names or wrong dimensions.
    """
    known = _inputs(card, X) | {
        name: (unit(text).dimension, np.asarray(unit(text).to_si(values))) for name, (text, values) in given.items()
    }
    found = np.empty((len(X), len(card.outputs)))
    for j, (name, output) in enumerate(card.outputs.items()):
        own, place = unit(output.unit), source.place(("outputs", name, "formula"))
        dimension, values = _value(output.formula, known, place)
        if not same_dimension(dimension, own.dimension):
            raise CardError(
                f"{place}: {output.formula!r} is in {describe(dimension)}; its unit is {describe(own.dimension)}"
            )
        known[name] = dimension, values
        same = given.get(output.formula, ("", values))  # a number that is only passed on stays as it is
        found[:, j] = same[1] if same[0] == output.unit else own.from_si(values)
    found[~np.isfinite(found)] = np.nan
    return found


def _inputs(card: ReactionCard, X: Array) -> dict[str, tuple[Dimension, Array]]:
    columns = Inputs.of(card)(X).T
    found = dict(zip(input_dimensions(card), columns, strict=True))
    known = {name: (dimension, found[name]) for name, dimension in input_dimensions(card).items()}
    for name, text in {"R_gas": card.gas_constant, **card.constants}.items():
        if (constant := quantity(text)) is not None:
            known[name] = constant.dimension, np.full(len(X), constant.si)
    return known


def _value(text: str, known: Mapping[str, tuple[Dimension, Array]], place: str) -> tuple[Dimension, Array]:
    if (number := quantity(text)) is not None:
        return number.dimension, np.asarray(number.si)
    formula = parse(text)
    for name in sorted(formula.names):
        if name not in known:
            hint = did_you_mean(name, known) or f"; known are {', '.join(sorted(known))}"
            raise CardError(f"{place}: formula {text!r} uses unknown name {name!r}{hint}")
    try:
        dimension = formula.dimension({name: known[name][0] for name in formula.names})
    except FormulaError as error:
        raise CardError(f"{place}: {error}") from error
    return dimension, formula.numpy({name: known[name][1] for name in formula.names})
