"""The agent card: which algorithm proposes, with which options.

Names of samplers and of their options are checked when the agent is built, by the library that knows them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from rxnopt.cards.base import Card, Model
from rxnopt.cards.botorch import BoTorch

Options = dict[str, Any]


class Designed(Model):
    """A design made in advance: it looks at no result."""

    kind: Literal["design"]
    method: Literal["random", "sobol", "lhs"] = Field(
        description="Even random points, a scrambled Sobol sequence, or a Latin hypercube of the size of the budget."
    )


class OptunaSampler(Model):
    """A sampler of Optuna, by class name."""

    kind: Literal["optuna"]
    sampler: str = Field(pattern=r"^[A-Z][A-Za-z]*Sampler$", description="A class of optuna.samplers.")
    options: Options = Field(default_factory=dict, description="Arguments of the sampler, without its seed.")


class CmaEs(Model):
    """CMA-ES of the cmaes library on the action box."""

    kind: Literal["cmaes"]
    sigma: float = Field(0.5, gt=0, le=2, description="First step size, in the box [-1, 1].")
    population: int | None = Field(
        None, ge=3, description="Trials in a generation; left out: 4 + floor(3 ln(columns of the action box))."
    )


class Practice(Model):
    """The environment of training, with the budget of the reaction card."""

    observation_mode: Literal["summary", "history"] = Field(description="What the policy sees.")
    reward_mode: Literal["objective", "improvement", "regret"] = Field(description="What an experiment earns.")
    noise: bool = Field(description="Whether measurements carry the noise of the reaction card.")


class Sb3Trained(Model):
    """A policy trained in simulation by Stable-Baselines3; its weights are used as they are."""

    kind: Literal["sb3-trained"]
    algorithm: Literal["PPO", "A2C"]
    options: Options = Field(default_factory=dict, description="Arguments of the algorithm, without policy and seed.")
    env: Practice
    n_envs: int = Field(ge=1, le=100_000, description="Copies of the environment in training.")
    steps: int = Field(ge=1, description="Experiments simulated in training.")
    deterministic: bool = Field(description="Propose the mean of the policy instead of a sample.")


class Sb3Online(Model):
    """An algorithm of Stable-Baselines3 that starts from nothing and learns from the trials of the campaign."""

    kind: Literal["sb3-online"]
    algorithm: Literal["PPO", "A2C"]
    options: Options = Field(default_factory=dict, description="Arguments of the algorithm, without policy and seed.")


class AgentCard(Card):
    """One agent."""

    agent: Annotated[
        Designed | OptunaSampler | BoTorch | CmaEs | Sb3Trained | Sb3Online,
        Field(discriminator="kind", description="The algorithm and its options."),
    ]


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
    "BoTorch",
    "CmaEs",
    "Designed",
    "FunctionCard",
    "OptunaSampler",
    "Practice",
    "PythonFunction",
    "Sb3Online",
    "Sb3Trained",
]
