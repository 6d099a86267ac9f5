"""The agent card: which algorithm proposes, with which options.

Names of samplers and of their options are checked when the agent is built, by the library that knows them.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from rxnopt.cards.bandit import Bandit
from rxnopt.cards.base import Card, Identifier, Model, refuse
from rxnopt.cards.botorch import BoTorch
from rxnopt.cards.decoupled import Decoupled
from rxnopt.cards.medoids import Medoids
from rxnopt.cards.posterior import Posterior
from rxnopt.cards.pretrained import Pretrained
from rxnopt.cards.prior import GpPrior
from rxnopt.cards.sb3 import Options, Sb3Online, Sb3Trained, Tuned


class Designed(Model):
    """A design made in advance: it looks at no result."""

    kind: Literal["design"]
    method: Literal["random", "sobol", "lhs"] = Field(
        description="Even random points, a scrambled Sobol sequence, or a Latin hypercube of the size of the budget."
    )


class Hub(Model):
    """A package of OptunaHub: of one commit of its registry, or of a local copy of a registry."""

    package: str = Field(pattern=r"^[a-z0-9_]+(/[a-z0-9_]+)+$", description="Such as samplers/auto_sampler.")
    ref: str | None = Field(None, pattern=r"^[0-9a-f]{40}$", description="Commit of the registry of OptunaHub.")
    registry: str | None = Field(None, description="Folder of a local registry, instead of a commit.")

    @model_validator(mode="after")
    def _pinned(self) -> Hub:
        if (self.ref is None) == (self.registry is None):
            raise ValueError("give either 'ref', a commit, or 'registry', a folder")
        return self


class OptunaSampler(Model):
    """A sampler of Optuna or of OptunaHub, by class name."""

    kind: Literal["optuna"]
    sampler: str = Field(pattern=r"^[A-Z][A-Za-z0-9]*$", description="A class of optuna.samplers, or of the package.")
    hub: Hub | None = Field(None, description="Package that holds the class; it is loaded only if the user trusts it.")
    options: Options = Field(default_factory=dict, description="Arguments of the sampler, without its seed.")


class CmaEs(Model):
    """CMA-ES of the cmaes library on the action box."""

    kind: Literal["cmaes"]
    sigma: float = Field(0.5, gt=0, le=2, description="First step size, in the box [-1, 1].")
    population: int | None = Field(
        None, ge=3, description="Trials in a generation; left out: 4 + floor(3 ln(columns of the action box))."
    )


class AgentCard(Card):
    """One agent."""

    agent: Annotated[
        Designed
        | Medoids
        | Bandit
        | Decoupled
        | OptunaSampler
        | BoTorch
        | CmaEs
        | GpPrior
        | Posterior
        | Pretrained
        | Sb3Trained
        | Sb3Online,
        Field(discriminator="kind", description="The algorithm and its options."),
    ]
    tune: dict[Identifier, Tuned] = Field(
        default_factory=dict, description="What `rxnopt tune` may choose, by name of an option or of policy_kwargs."
    )

    WORDS: ClassVar[frozenset[str]] = Card.WORDS | {"tune"}

    @model_validator(mode="after")
    def _only_what_is_trained(self) -> AgentCard:
        if self.tune and not isinstance(self.agent, Sb3Trained):
            refuse("only an agent of kind 'sb3-trained' is tuned; remove the block", "tune")
        return self


class PythonFunction(Model):
    """A function that a user wrote. ``sha256``: of its file; ``place``, a module or a file, is not hashed."""

    kind: Literal["python"]
    place: str = Field(exclude=True)
    function: str
    sha256: str


class FunctionCard(AgentCard):
    """What stands for a card where a user names a function; files of cards cannot hold one: they run no code."""

    name: str
    agent: PythonFunction  # type: ignore[assignment]  # deliberately none of the algorithms of cards


__all__ = [
    "AgentCard",
    "Bandit",
    "BoTorch",
    "CmaEs",
    "Decoupled",
    "Designed",
    "FunctionCard",
    "GpPrior",
    "Hub",
    "Medoids",
    "OptunaSampler",
    "Posterior",
    "Pretrained",
    "PythonFunction",
    "Sb3Online",
    "Sb3Trained",
]
