"""Past campaigns: experiments that others made, one campaign a row of a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

from rxnopt.cards.base import Identifier, Model, Reference, refuse
from rxnopt.errors import did_you_mean


def _counted(text: str) -> str:
    if text.count("{n}") != 1:
        raise ValueError(f"{text!r} must hold '{{n}}' once, where the number of the experiment stands")
    return text


Numbered = Annotated[str, AfterValidator(_counted)]
"""The name of a column with ``{n}`` for the number of the experiment, such as ``yield_{n}``."""


class Past(Model):
    """Campaigns of a person or a program, such as games of chemists; a row ends where its columns are empty."""

    title: str = Field(description="One line for lists and figures.")
    description: str = Field("", description="A paragraph for people.")
    source: Reference = Field(default_factory=lambda: Reference(), description="Where they come from.")
    file: str = Field(description="A name under 'data'.")
    first: int = Field(1, ge=0, le=1, description="Number of the first experiment in the names of columns.")
    conditions: dict[Identifier, Numbered] = Field(
        default_factory=dict, description="For each parameter the columns of its levels; left out: they are not known."
    )
    outputs: dict[Identifier, Numbered] = Field(min_length=1, description="Columns of outputs, in their units.")

    def check(self, name: str, parameters: Iterable[str], outputs: Iterable[str], files: Iterable[str]) -> None:
        """Refuse names that the card does not have, and conditions that are told in part."""
        parameters, outputs, files = list(parameters), list(outputs), list(files)
        known_by = {"conditions": parameters, "outputs": outputs, "file": files}
        named = {"conditions": self.conditions, "outputs": self.outputs, "file": [self.file]}
        for field, known in known_by.items():
            for entry in named[field]:
                if entry not in known:
                    hint = did_you_mean(entry, known) or f"; there are {', '.join(known) or 'none'}"
                    refuse(f"{entry!r} is unknown here{hint}", "past", name, field)
        if self.conditions and set(parameters) - set(self.conditions):
            lacking = next(entry for entry in parameters if entry not in self.conditions)
            refuse(f"the columns of {lacking!r} are missing; add them", "past", name, "conditions")
