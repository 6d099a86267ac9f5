"""The prior of hyperparameters that a training leaves: numbers in a JSON file, and where they come from."""

from __future__ import annotations

import hashlib
import json
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field, ValidationError, model_validator

from rxnopt.agents.base import USUAL
from rxnopt.agents.prior.process import Draws
from rxnopt.agents.prior.similarity import ORDERS
from rxnopt.cards.agent import AgentCard
from rxnopt.cards.base import Model
from rxnopt.cards.prior import GpPrior
from rxnopt.catalogue import catalogue, names
from rxnopt.errors import AgentError, WeightsError
from rxnopt.seeds import stream
from rxnopt.space import Array

HYPERPARAMETERS = ("main", "pairs", "triples", "all", "noise", "mean")
"""Logarithms of the variances of the parts of the kernel and of the noise, and the mean of the process."""
SIZE = len(HYPERPARAMETERS)

Numbers = Annotated[tuple[float, ...], Field(min_length=SIZE, max_length=SIZE, strict=False)]


class Prior(Model):
    """A normal distribution of the hyperparameters, and how results of the tables are distributed (``warped``)."""

    mean: Numbers
    covariance: Annotated[tuple[Numbers, ...], Field(min_length=SIZE, max_length=SIZE, strict=False)]
    warped: Annotated[tuple[float, float], Field(strict=False)]
    sha256: str = Field("", exclude=True)

    @model_validator(mode="after")
    def _distribution(self) -> Prior:
        spread = np.array(self.covariance)
        if not np.allclose(spread, spread.T) or np.linalg.eigvalsh(spread).min() <= 0.0:
            raise ValueError("covariance must be symmetric and positive definite")
        if self.warped[1] <= 0.0:
            raise ValueError("the second number of warped, a standard deviation, must be positive")
        return self

    def draw(self, m: int) -> Draws:
        """Return m draws, always the same ones: normal values of a scrambled Sobol sequence."""
        from scipy.stats import norm, qmc

        points = qmc.Sobol(SIZE, scramble=True, rng=stream(0, "gp-prior")).random(1 << (m - 1).bit_length())[:m]
        return self.of(norm.ppf(points))

    def of(self, normal: Array) -> Draws:
        """Return the draws that are made of independent standard normal numbers (m, 6)."""
        values = np.array(self.mean) + normal @ np.linalg.cholesky(np.array(self.covariance)).T
        return Draws(np.exp(values[:, :ORDERS]), np.exp(values[:, ORDERS]), values[:, ORDERS + 1])


def settings_of(card: AgentCard) -> GpPrior:
    """Return the settings of a card of kind 'gp-prior'; raise :class:`AgentError` for another kind."""
    if not isinstance(card.agent, GpPrior):
        raise AgentError(f"agent {card.name!r} has no prior that is fitted to tables; take gp-prior")
    return card.agent


def find_prior(card: AgentCard, given: Path | None = None) -> Prior:
    """Read the prior at ``given``, else that in :data:`USUAL`, else that shipped with the agent catalogue.

    Raises :class:`rxnopt.errors.WeightsError` where there is none, or one of other tables.
    """
    own = f"CARD.yaml', where CARD.yaml is the path of the card of {card.name!r}"
    remedy = f"run 'rxnopt train {card.name}'" if card.name in names("agents") else f"run 'rxnopt train {own}"
    name = f"{card.name}.json"
    shipped = catalogue("agents") / "weights"
    places: list[Traversable] = [USUAL, shipped] if given is None else [given.parent]
    name = name if given is None else given.name
    for folder in places:
        if (folder / name).is_file():
            label = f"agents/weights/{name}" if folder is shipped else str(folder / name)
            return _read((folder / name).read_bytes(), label, card, remedy)
    raise WeightsError(f"agent {card.name!r} has no prior{f' at {given}' if given else ''}; {remedy}")


def _read(data: bytes, label: str, card: AgentCard, remedy: str) -> Prior:
    try:
        told: Any = json.loads(data)
        prior = Prior.model_validate(told["prior"])
        tables = tuple(each["card"] for each in told["tables"])
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise WeightsError(f"{label}: {field or 'the prior'} is wrong ({first['msg']}); {remedy}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise WeightsError(f"{label}: this is no file of a fitted prior ({error}); {remedy}") from error
    if tables != settings_of(card).tables:
        raise WeightsError(
            f"{label}: fitted to {', '.join(tables)}, other tables than the card of agent {card.name!r} names; {remedy}"
        )
    return prior.model_copy(update={"sha256": hashlib.sha256(data).hexdigest()})
