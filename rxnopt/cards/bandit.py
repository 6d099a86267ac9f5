"""Settings of agents that treat each condition as an arm of a bandit."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rxnopt.cards.base import Model, refuse

Algorithm = Literal[
    "round-robin",
    "explore-then-commit",
    "epsilon-greedy",
    "ucb1",
    "ucb1-tuned",
    "thompson-normal",
    "thompson-beta",
    "bayes-ucb-normal",
    "bayes-ucb-beta",
]
TAKES = {
    "epsilon": ("epsilon-greedy",),
    "explore": ("explore-then-commit",),
    "sd": ("thompson-normal", "bayes-ucb-normal"),
}
"""Options, and the algorithms that need them; others refuse them."""


class Bandit(Model):
    """A stochastic bandit over the combinations of levels: formulas and sources in :mod:`rxnopt.agents.pulls`."""

    kind: Literal["bandit"]
    algorithm: Algorithm = Field(description="How the next arm is chosen.")
    epsilon: float | None = Field(None, ge=0, le=1, description="Share of random proposals.")
    explore: int | None = Field(None, ge=1, description="Proposals of each arm before the best one is kept to.")
    sd: float | None = Field(None, gt=0, description="Standard deviation of the rewards of an arm, as it is assumed.")
    rewards: Annotated[tuple[float, float], Field(strict=False)] | None = Field(
        None,
        description="Objective of reward 0 and of reward 1, what lies beyond counts as these; left out: 0 and 100 of "
        "an objective in %, else the worst and the best result so far.",
    )

    @model_validator(mode="after")
    def _fitting(self) -> Bandit:
        for option, algorithms in TAKES.items():
            given = getattr(self, option) is not None
            if given != (self.algorithm in algorithms):
                remedy = "remove" if given else "add"
                refuse(f"{self.algorithm!r} {'takes no' if given else 'needs'} {option!r}; {remedy} it", option)
        if self.rewards is not None and self.rewards[0] == self.rewards[1]:
            refuse("both rewards are of the same objective; give two different ones", "rewards")
        return self
