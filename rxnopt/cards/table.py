"""A measured grid as the model of a reaction: which files, and which of their columns is what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from rxnopt.cards.base import Identifier, Model, UnitText, refuse
from rxnopt.cards.parameters import AnyParameter, Categorical
from rxnopt.errors import did_you_mean


class TableFile(Model):
    """One file of the table."""

    file: str = Field(description="A name under 'data'.")
    levels: dict[Identifier, str] = Field(
        default_factory=dict, description="Parameters of which the whole file has one level, in no column of it."
    )


class Column(Model):
    """The column that says which level of a parameter a row has."""

    column: str = Field(description="Its name in the first line of the file.")
    by: Identifier | None = Field(
        None, description="The property of the levels, such as smiles, that stands there; left out: their names."
    )


class Told(Column):
    """A column that tells levels, also in other words."""

    also: dict[str, str] = Field(default_factory=dict, description="Other texts that stand there, and their levels.")


class DescriptorTable(Column):
    """A file with a row of numbers for each level of a parameter; columns of text are left out."""

    file: str = Field(description="A name under 'data'.")


class Measured(Model):
    """A column of measured numbers."""

    column: str = Field(description="Its name in the first line of the file.")
    unit: UnitText = Field("1", description="Unit of its numbers.")


def plain(model: type[Model]) -> BeforeValidator:
    """Let a plain name stand for a mapping of the first field alone."""
    first = next(iter(model.model_fields))
    return BeforeValidator(
        lambda value: {first: value} if isinstance(value, str) else value, json_schema_input_type=model | str
    )


class TableModel(Model):
    """Experiments that were done: looked up in files, a row for each combination of levels."""

    kind: Literal["table"]
    files: tuple[Annotated[TableFile, plain(TableFile)], ...] = Field(
        min_length=1, strict=False, description="Names under 'data', whose rows make one table."
    )
    columns: dict[Identifier, Annotated[Told, plain(Told)]] = Field(
        description="For each parameter the column that names its level."
    )
    measured: dict[Identifier, Measured] = Field(
        min_length=1, description="Columns of numbers, by the name that formulas of outputs use."
    )
    where: dict[str, str] = Field(
        default_factory=dict, description="Only rows with these texts in these columns belong to the table."
    )
    repeats: Literal["refuse", "mean"] = Field(
        "refuse", description="Whether rows with the same conditions are a mistake, or stand for their mean."
    )

    def check(self, parameters: Mapping[str, AnyParameter], files: Iterable[str], taken: Iterable[str]) -> None:
        """Refuse a table that does not tell the level of each parameter.

        ``files``: names under 'data'; ``taken``: names that formulas have beside the measured ones.
        """
        for file in self.files:
            if file.file not in files:
                hint = did_you_mean(file.file, files) or f"; there are {', '.join(files) or 'none'}"
                refuse(f"{file.file!r} is no file under 'data'{hint}", "model", "files")
            for name in parameters:
                if (name in file.levels) == (name in self.columns):
                    refuse(f"the level of {name!r} must be told once, by a column or a file", "model")
            for name, level in file.levels.items():
                levels = _levels(parameters, name, "model", "files")
                if level not in levels:
                    refuse(f"{level!r} is no level of {name!r}{did_you_mean(level, levels)}", "model", "files")
        for name, column in self.columns.items():
            levels = _levels(parameters, name, "model", "columns")
            properties = next(iter(levels.values()))
            for level in column.also.values():
                if level not in levels:
                    refuse(f"{level!r} is no level of {name!r}{did_you_mean(level, levels)}", "model", "columns", name)
            if column.by is not None and column.by not in properties:
                hint = did_you_mean(column.by, properties)
                refuse(f"the levels have no property {column.by!r}{hint}", "model", "columns", name)
        for name in self.measured:
            if name in taken:
                refuse(f"the name {name!r} is taken; choose another", "model", "measured", name)


def check_descriptors(
    descriptors: Mapping[str, DescriptorTable], parameters: Mapping[str, AnyParameter], files: Iterable[str]
) -> None:
    """Refuse descriptors of what is no categorical parameter, or of an unknown file or property."""
    for name, entry in descriptors.items():
        properties = next(iter(_levels(parameters, name, "descriptors").values()))
        if entry.file not in files:
            refuse(f"{entry.file!r} is no file under 'data'{did_you_mean(entry.file, files)}", "descriptors", name)
        if entry.by is not None and entry.by not in properties:
            hint = did_you_mean(entry.by, properties)
            refuse(f"the levels have no property {entry.by!r}{hint}", "descriptors", name)


def check_held(held: Mapping[str, str], model: TableModel, parameters: Mapping[str, AnyParameter], part: str) -> None:
    """Refuse a part of a table that holds what is no level, or everything."""
    for name, level in held.items():
        if name not in model.columns:
            hint = did_you_mean(name, model.columns)
            refuse(f"{name!r} is told by no column of the table{hint}", "parts", part, "levels", name)
        if model.columns[name].also:
            refuse(f"levels of {name!r} are told in several words, so that none is held", "parts", part, "levels", name)
        levels = _levels(parameters, name, "model", "columns")
        if level not in levels:
            refuse(f"{level!r} is no level of {name!r}{did_you_mean(level, levels)}", "parts", part, "levels", name)
    if set(parameters) <= set(held):
        refuse("a part leaves at least one parameter free; hold fewer", "parts", part, "levels")


def _levels(parameters: Mapping[str, AnyParameter], name: str, *where: str) -> Mapping[str, Mapping[str, object]]:
    parameter = parameters.get(name)
    if not isinstance(parameter, Categorical):
        hint = did_you_mean(name, parameters)
        refuse(f"{name!r} is no categorical parameter{hint}; what stands here has levels", *where)
    return parameter.levels
