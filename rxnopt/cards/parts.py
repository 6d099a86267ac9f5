"""Cards that are made of other ones.

Parts of a table are the reactions that are left when some of its parameters are held, such as one substrate each. The
generality of a reaction is the search for conditions that are good for all substrates.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rxnopt.cards.base import load_card, validate
from rxnopt.cards.generality import Generality, asked_generality
from rxnopt.cards.reaction import ReactionCard
from rxnopt.catalogue import GENERAL, Source, camel, is_path, owner_of_general, owner_of_part


class GeneralCard(ReactionCard):
    """A reaction with some of its parameters as substrates; ``general`` says which."""

    general: Generality


def load_reaction(name: str | Path) -> tuple[ReactionCard, Source]:
    """Read and validate a reaction card, one of the parts of a card of the catalogue, or the card of its generality.

    Raises :class:`CardError`.
    """
    general = owner_of_general(str(name))
    if general is not None:
        card, source = load_card("envs", general, ReactionCard)
        return general_card(card, asked_generality(card, True)), source
    owner = None if is_path(name) else owner_of_part(str(name))
    if owner is None:
        return load_card("envs", name, ReactionCard)
    whole, source = load_card("envs", owner[0], ReactionCard)
    own = Source(source.file, part(whole, owner[1]), source.lines, source.folder)
    return validate(own, ReactionCard), own


def part(card: ReactionCard, name: str) -> dict[str, Any]:
    """Return the plain data of the card of one part of a table."""
    held = card.parts[name]
    data = card.model_dump(mode="json", exclude_defaults=True, exclude={"parts", "past", "optimum"})
    where = data["model"].setdefault("where", {})
    for parameter, level in held.levels.items():
        column = data["model"]["columns"].pop(parameter)
        levels = data["parameters"].pop(parameter)["levels"]
        data.get("descriptors", {}).pop(parameter, None)
        where[column["column"]] = levels[level][column["by"]] if "by" in column else level
    if card.generality is not None and set(card.generality.over) & set(held.levels):
        del data["generality"]
    if held.optimum is not None:
        data["optimum"] = held.optimum.model_dump(mode="json", exclude_defaults=True)
    stem, version = card.id.rsplit("-", 1)
    title = f"{card.title}: {held.title}"
    return data | {"name": f"{card.name}-{name}", "id": f"{stem}{camel(name)}-{version}", "title": title}


def general_card(card: ReactionCard, generality: Generality) -> GeneralCard:
    """Return the card of a search for general conditions, without its optimum."""
    fields = {name: getattr(card, name) for name in ReactionCard.model_fields}
    kept = {name: p for name, p in card.parameters.items() if generality.chosen or name not in generality.over}
    stem, version = card.id.rsplit("-", 1)
    fields |= {"name": card.name + GENERAL, "id": f"{stem}General-{version}", "optimum": None, "general": generality}
    title = f"{card.title}: conditions that are general over {', '.join(generality.over)}"
    return GeneralCard.model_construct(**fields | {"title": title, "parameters": kept, "uncertainty": {}})
