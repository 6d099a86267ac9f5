"""The part of an agent card that Stable-Baselines3 and sb3-contrib read."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from rxnopt.cards.base import Model, refuse

Options = dict[str, Any]
Algorithm = Literal[
    "PPO", "A2C", "SAC", "TD3", "DDPG", "DQN", "TQC", "CrossQ", "TRPO", "RecurrentPPO", "MaskablePPO"
]  # fmt: skip
Mode = Literal["box", "multidiscrete", "discrete"]
_OPTIONS = (
    "Arguments of the algorithm, without policy and seed. action_noise is a number: the standard deviation of the "
    "normal noise that TD3 and DDPG add to their actions."
)


class Practice(Model):
    """The environment of training."""

    observation_mode: Literal["summary", "history"] = Field(description="What the policy sees.")
    reward_mode: Literal["objective", "improvement", "regret"] = Field(description="What an experiment earns.")
    noise: bool = Field(description="Whether measurements carry the noise of the reaction card.")
    action_mode: Mode | None = Field(None, description="Left out: the first one that the algorithm takes.")
    levels: int = Field(5, ge=2, description="Values of a continuous parameter in the two discrete action modes.")
    uncertainty: bool = Field(
        False, description="Draw the uncertain constants of the card anew for each episode; families always do."
    )
    mask: bool = Field(
        False,
        description="MaskablePPO does not choose what it has run in an episode, nor levels that a reaction lacks.",
    )
    budget: int | None = Field(None, ge=1, description="Experiments of an episode; left out: the budget of the card.")


class Sb3Trained(Model):
    """A policy trained in simulation by Stable-Baselines3 or sb3-contrib; its weights are used as they are."""

    kind: Literal["sb3-trained"]
    algorithm: Algorithm
    options: Options = Field(default_factory=dict, description=_OPTIONS)
    env: Practice
    n_envs: int = Field(ge=1, le=100_000, description="Copies of the environment in training.")
    steps: int = Field(ge=1, description="Experiments simulated in training.")
    deterministic: bool = Field(description="Propose what the policy finds best instead of a draw from it.")

    @model_validator(mode="after")
    def _maskable(self) -> Sb3Trained:
        if self.env.mask and self.algorithm != "MaskablePPO":
            refuse(f"{self.algorithm} takes no masks; leave it out, or take MaskablePPO", "env", "mask")
        return self


class Sb3Online(Model):
    """An algorithm of Stable-Baselines3 that starts from nothing and learns from the trials of the campaign."""

    kind: Literal["sb3-online"]
    algorithm: Literal["PPO", "A2C"]
    options: Options = Field(default_factory=dict, description="Arguments of the algorithm, without policy and seed.")


class Tuned(Model):
    """What ``rxnopt tune`` may choose for one hyperparameter: one of ``choices``, or a number from a range."""

    low: float | None = Field(None, description="Smallest value.")
    high: float | None = Field(None, description="Largest value.")
    log: bool = Field(False, description="Whether the range is logarithmic.")
    whole: bool = Field(False, description="Whether only whole numbers are allowed.")
    choices: list[Any] = Field(default_factory=list, description="Values to choose from, in place of a range.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Tuned:
        if bool(self.choices) == (self.low is not None or self.high is not None):
            refuse("give either choices or low and high")
        if not self.choices and (self.low is None or self.high is None or not self.low < self.high):
            refuse(f"low={self.low} and high={self.high} are no range; give two numbers, the smaller one as low")
        if self.log and not (self.low or 0.0) > 0.0:
            refuse(f"low={self.low} cannot be on a logarithmic scale; give a positive number")
        return self


__all__ = ["Algorithm", "Mode", "Options", "Practice", "Sb3Online", "Sb3Trained", "Tuned"]
