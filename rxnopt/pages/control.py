"""What a page says about a control problem: its best known profile beside constant controls and random profiles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from rxnopt.seeds import stream
from rxnopt.simulators import Outcome, Reaction, load
from rxnopt.simulators.profile import ProfileSimulator, ProfileSpace, best_profile
from rxnopt.space import Array, Space

PROFILES = 5_000
"""Random profiles: each interval draws its controls evenly."""
CONSTANTS = 5_000
"""Constant controls on a grid, at most."""


@dataclass(frozen=True)
class Trace:
    """One run of k intervals: ``time`` (k + 1,) in s from 0 to its end, ``outcome`` then, ``U`` (k, c) controls."""

    time: Array
    U: Array
    outcome: Outcome


@dataclass(frozen=True)
class ControlSurvey:
    """Noise-free runs of a control problem.

    ``profile`` (k, c): the best known one. ``runs``: outcome of random profiles. ``constants`` (n, c) with
    ``constant_values`` (n,): controls that stay as they are, and the objective.
    """

    reaction: Reaction
    profile: Array
    runs: Outcome
    constants: Array
    constant_values: Array

    @classmethod
    def of(cls, reaction: Reaction) -> ControlSurvey:
        """Run the profiles: equal cards give equal surveys."""
        single = load(reaction.name, intervals=1)
        grid = _grid(single.space, CONSTANTS)
        random = reaction.space.sample(PROFILES, stream(0, "survey"))
        best = best_profile(reaction.card, reaction.place)
        return cls(reaction, best, reaction.outcome(random), grid, _objective(single, single.outcome(grid)))

    @cached_property
    def random(self) -> Array:
        """The objective of random profiles, NaN where a run failed."""
        return _objective(self.reaction, self.runs)

    @property
    def within_limits(self) -> float:
        """Share of random profiles that keep all limits."""
        return float(self.reaction.within_limits(self.runs).mean())

    @property
    def controls(self) -> Space:
        """The controls of one interval."""
        return cast(ProfileSpace, self.reaction.space).controls

    @property
    def intervals(self) -> int:
        """Intervals of a run, as the card says."""
        return cast(ProfileSpace, self.reaction.space).intervals

    @cached_property
    def states(self) -> tuple[str, ...]:
        """Names of states and of extremes on the way, in the order of the observation."""
        system = cast(ProfileSimulator, self.reaction.simulator).lower()
        return (*map(str, system.states), *(str(path.symbol) for path in system.paths))

    @property
    def best(self) -> float:
        """The best known objective."""
        return self.reaction.optimum().value

    @cached_property
    def best_constant(self) -> tuple[Array, float]:
        """The best constant controls (c,) of the grid and their objective."""
        place = int(np.nanargmax(self.reaction.card.objective.sign * self.constant_values))
        return self.constants[place], float(self.constant_values[place])

    @property
    def constant_share(self) -> float:
        """The objective of the best constant controls over that of the best known profile."""
        return self.best_constant[1] / self.best

    @property
    def near(self) -> float:
        """Share of random profiles whose objective is within 95 % of the best known one."""
        missing = self.reaction.card.objective.sign * (self.best - self.random)
        return float(np.count_nonzero(missing <= 0.05 * abs(self.best))) / len(self.random)

    @property
    def median(self) -> float:
        """The median objective of random profiles that did not fail."""
        return float(np.nanmedian(self.random))

    @property
    def worst(self) -> float:
        """The worst objective among random profiles and constant controls."""
        sign = self.reaction.card.objective.sign
        return sign * float(np.nanmin(sign * np.concatenate([self.random, self.constant_values])))

    def trace(self, profile: Array) -> Trace:
        """Return the run of a profile (k, c), interval by interval."""
        simulator = cast(ProfileSimulator, load(self.reaction.name, intervals=len(profile)).simulator)
        stages = [simulator.begin(1)]
        for controls in profile:
            stages.append(simulator.advance(stages[-1], controls[None, :]))
        outcome = Outcome(
            np.concatenate([each.outcome.values for each in stages]),
            np.concatenate([each.outcome.failed for each in stages]),
        )
        return Trace(np.concatenate([each.carried[:, 0] for each in stages]), profile, outcome)


def _objective(reaction: Reaction, outcome: Outcome) -> Array:
    """Return the objective (n,), NaN where a run failed."""
    return outcome.values[:, reaction.outputs.index(reaction.objective)]


def _grid(space: Space, points: int) -> Array:
    """Return ``X`` of a full grid of at most so many points, from bound to bound."""
    each = int(points ** (1.0 / len(space)) + 1e-9)
    axes = np.meshgrid(*[np.linspace(0.0, 1.0, each)] * len(space), indexing="ij")
    return space.from_unit(np.stack([axis.ravel() for axis in axes], axis=1))
