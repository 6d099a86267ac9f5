"""An emulator as the model of a reaction: which experiments it learns from, and by which method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from rxnopt.cards.base import Identifier, Model, UnitText, refuse
from rxnopt.cards.parameters import AnyParameter
from rxnopt.cards.table import Measured, plain
from rxnopt.errors import did_you_mean

OUTSIDE = "outside"
"""Name that formulas have for the flag of extrapolation."""


class ConditionColumn(Model):
    """The column that holds a parameter: numbers, or names of levels."""

    column: str = Field(description="Its name in the first line of the file.")
    unit: UnitText | None = Field(None, description="Unit of its numbers; left out, that of the parameter.")


class Score(Model):
    """How well experiments are told that were left out of training."""

    r2: float = Field(le=1, description="Coefficient of determination: 1 is perfect, 0 no better than the mean.")
    rmse: float = Field(ge=0, description="Root of the mean squared error, in the unit of the column.")


class EmulatorModel(Model):
    """Experiments that were done, and a regression that tells what others would give."""

    kind: Literal["emulator"]
    files: tuple[str, ...] = Field(min_length=1, strict=False, description="Names under 'data', all rows together.")
    header: tuple[str, ...] = Field(
        (), strict=False, description="Names of the columns of files whose first line is an experiment already."
    )
    skip: int = Field(0, ge=0, description="Rows below the first line that are no experiments.")
    columns: dict[Identifier, Annotated[ConditionColumn, plain(ConditionColumn)]] = Field(
        default_factory=dict, description="The column of each parameter; left out, the one with its name."
    )
    measured: dict[Identifier, Measured] = Field(
        min_length=1, description="Columns of numbers, by the name that formulas of outputs use."
    )
    learner: Literal["extra-trees", "random-forest", "gaussian-process"] = Field(
        "extra-trees", description="Ensembles of decision trees, or a smooth model."
    )
    trees: int = Field(100, ge=10, le=1000, description="Decision trees in an ensemble.")
    leaf: int = Field(1, ge=1, description="Experiments in each leaf of a tree, at least.")
    scores: dict[Identifier, Score] = Field(
        default_factory=dict, description="Cross-validated, for each name under 'measured'."
    )

    @model_validator(mode="after")
    def _scored(self) -> EmulatorModel:
        for name in self.scores:
            if name not in self.measured:
                refuse(f"{name!r} is not measured{did_you_mean(name, self.measured)}", "scores", name)
        return self

    def check(self, parameters: Mapping[str, AnyParameter], files: Iterable[str], taken: Iterable[str]) -> None:
        """Refuse an emulator with unknown files or parameters, or names that mean two things.

        ``files``: names under 'data'; ``taken``: names that formulas have beside those of the emulator.
        """
        for file in self.files:
            if file not in files:
                hint = did_you_mean(file, files) or f"; there are {', '.join(files) or 'none'}"
                refuse(f"{file!r} is no file under 'data'{hint}", "model", "files")
        for name in self.columns:
            if name not in parameters:
                refuse(f"{name!r} is no parameter{did_you_mean(name, parameters)}", "model", "columns", name)
        names = [given for name in self.measured for given in (name, f"{name}_sd")]
        for name in [*names, OUTSIDE]:
            if name in taken:
                refuse(f"the emulator gives formulas the name {name!r}; call the other otherwise", "model", "measured")
