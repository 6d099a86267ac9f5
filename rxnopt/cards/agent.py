"""The agent card: which algorithm proposes, with which options."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from rxnopt.cards.base import Card, Model


class Designed(Model):
    """A design made in advance: random, Sobol or Latin hypercube points."""

    kind: Literal["design"]
    method: Literal["random", "sobol", "lhs"]


class OptunaSampler(Model):
    """A sampler of Optuna, by class name."""

    kind: Literal["optuna"]
    sampler: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]*Sampler$")]
    options: dict[str, Any] = Field(default_factory=dict, description="Arguments of the sampler, without its seed.")


class CmaEs(Model):
    """CMA-ES of the cmaes library on the action box."""

    kind: Literal["cmaes"]
    sigma: float = Field(0.5, gt=0, description="First step size, in the box [-1, 1].")
    population: int | None = Field(None, ge=2, description="Trials per generation; the library's default if left out.")


class Sb3(Model):
    """An algorithm of Stable-Baselines3.

    ``trained``: a policy trained in simulation beforehand, whose weights are used as they are.
    ``online``: a policy that starts from nothing and learns from the trials of the campaign.
    """

    kind: Literal["sb3"]
    algorithm: Literal["PPO", "A2C"]
    mode: Literal["trained", "online"]
    policy: str = "MlpPolicy"
    options: dict[str, Any] = Field(default_factory=dict, description="Arguments of the algorithm, without its seed.")
    env: dict[str, Any] = Field(default_factory=dict, description="Arguments of the environment.")
    n_envs: int = Field(1, ge=1, description="Copies of the environment in training.")
    steps: int = Field(1, ge=1, description="Environment steps of training (trained).")
    deterministic: bool = Field(False, description="Take the mean action instead of a sample.")


class AgentCard(Card):
    """One agent."""

    agent: Annotated[Designed | OptunaSampler | CmaEs | Sb3, Field(discriminator="kind")]
