"""The inputs of a kernel: which parameters and which properties of levels a model can see."""

from __future__ import annotations

from rxnopt.cards.parameters import Categorical
from rxnopt.cards.reaction import ReactionCard
from rxnopt.units import Quantity, quantity


def input_names(card: ReactionCard) -> list[tuple[str, str | None]]:
    """Return the inputs of the kernel in order: (parameter, None) or (parameter, numeric property of its levels)."""
    found: list[tuple[str, str | None]] = []
    for name, parameter in card.parameters.items():
        if isinstance(parameter, Categorical):
            properties = next(iter(parameter.levels.values()))
            found += [(name, key) for key in properties if _numeric(parameter, key)]
        else:
            found.append((name, None))
    return found


def _numeric(parameter: Categorical, key: str) -> bool:
    return all(as_quantity(level[key]) is not None for level in parameter.levels.values())


def as_quantity(value: float | int | str) -> Quantity | None:
    """Return a level property as a quantity; ``None`` for text such as a SMILES."""
    return quantity(value if isinstance(value, str) else repr(value))
