"""Generality: one set of conditions for many substrates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rxnopt.cards.base import Identifier, Model, refuse, validate
from rxnopt.cards.parameters import AnyParameter, Categorical, Continuous
from rxnopt.catalogue import Source
from rxnopt.errors import CardError, did_you_mean

if TYPE_CHECKING:
    from rxnopt.cards.reaction import ReactionCard


class Generality(Model):
    """Which parameters are substrates; the others are conditions, sought to be good for all substrates on average."""

    over: tuple[Identifier, ...] = Field(min_length=1, strict=False, description="Parameters that tell the substrate.")
    chosen: bool = Field(
        False, description="The agent chooses the substrate of each experiment; left out: it is drawn."
    )

    def check(self, parameters: Mapping[str, AnyParameter], *where: str) -> None:
        """Refuse names that are no parameters with levels; ``where``: the field, for messages."""
        for name in self.over:
            if name not in parameters:
                hint = did_you_mean(name, parameters) or f"; parameters are {', '.join(parameters)}"
                refuse(f"{name!r} is no parameter{hint}", *where, "over")
            if isinstance(parameters[name], Continuous):
                refuse(f"{name!r} is continuous; substrates are levels", *where, "over")
        if not set(parameters) - set(self.over):
            refuse("no parameter is left for conditions; take one out", *where, "over")


AnyGenerality = Generality | Mapping[str, Any] | bool
"""What ``generality=`` may be: a block, or True for that of the card."""


def asked_generality(card: ReactionCard, given: AnyGenerality) -> Generality:
    """Return what ``generality=`` means for a card: True is its own block, a mapping another one.

    Raises :class:`rxnopt.errors.CardError` in one sentence.
    """
    if given is True:
        if card.generality is None:
            levels = [name for name, p in card.parameters.items() if isinstance(p, Categorical)]
            if not levels:
                raise CardError(
                    f"{card.name} has no substrates: these are levels, and none of its parameters has levels; take a "
                    "reaction with substrates, such as amidation-general"
                )
            raise CardError(
                f"{card.name} does not say which parameters are substrates; take a reaction that does, such as "
                f"amidation-general, or say it (generality={{'over': ['{levels[0]}']}}, or in a card of your own)"
            )
        return card.generality
    if not isinstance(given, Generality | Mapping):
        raise CardError(f"generality={given!r} is not allowed; give a mapping such as {{'over': [...]}}, True or False")
    fields = given.model_dump() if isinstance(given, Generality) else dict(given)
    return validate(_Argument("generality", fields, {}), Generality)


class _Argument(Source):
    """A block that is given in a program."""

    def place(self, where: Any) -> str:
        return ".".join(["generality", *map(str, where)])
