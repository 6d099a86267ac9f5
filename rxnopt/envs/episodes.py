"""Episodes: a task, and a batch of campaigns on it that run in step. Both environments are thin shells around this."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from rxnopt.cards.generality import AnyGenerality
from rxnopt.cards.realism import Given
from rxnopt.envs import actions
from rxnopt.envs.actions import ActionMode, Decoder
from rxnopt.envs.drawn import Drawn, with_context
from rxnopt.envs.masks import Masks
from rxnopt.envs.observations import (
    Bools,
    Floats,
    ObservationMode,
    Observer,
    objective_scale,
    observation_space,
)
from rxnopt.envs.play import Results, member
from rxnopt.envs.rewards import (
    RewardMode,
    checked_penalty,
    failed_score,
    optimum_score,
    reward,
    reward_space,
    vector_reward,
)
from rxnopt.errors import ConditionsError, RxnoptError, at_least
from rxnopt.simulators import Outcome, Reaction, load
from rxnopt.simulators.draws import Walkthrough
from rxnopt.simulators.general import drawing, generalised
from rxnopt.simulators.population import Population, asked_for
from rxnopt.simulators.scalar import Weights
from rxnopt.space import Array, Space

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Task:
    """What an agent is asked to do; the arguments are those of :class:`rxnopt.envs.ReactionEnv`."""

    reaction: Reaction
    budget: int
    action_mode: ActionMode
    observation_mode: ObservationMode
    reward_mode: RewardMode
    levels: int
    population: Population | None = None
    limit_penalty: float = 0.0

    @classmethod
    def of(
        cls,
        reaction: Reaction | str | Path,
        budget: int | None,
        action_mode: str,
        observation_mode: str,
        reward_mode: str,
        noise: bool,
        realism: Given,
        levels: int,
        uncertainty: bool | Mapping[str, Any] | None = None,
        objective: str = "card",
        weights: Weights = None,
        limit_penalty: float = 0.0,
        generality: AnyGenerality = False,
    ) -> Task:
        """Check the arguments, load the reaction where it is given by name or path, and return the task."""
        member("action_mode", action_mode, get_args(ActionMode))
        member("observation_mode", observation_mode, get_args(ObservationMode))
        member("reward_mode", reward_mode, get_args(RewardMode))
        at_least("levels", levels, 2)
        if not isinstance(reaction, Reaction):
            reaction = load(reaction, generality=generality)
        elif generality is not False:
            reaction = generalised(reaction, generality)
        if objective != "card":
            reaction = reaction.scalarised(objective, weights)
        elif weights is not None:
            raise ConditionsError("weights belong to objective='weighted' or 'chebyshev'; give one of them")
        reaction = reaction.with_realism(realism, noise=noise)
        budget = reaction.card.budget if budget is None else budget
        at_least("budget", budget, 1)
        population = asked_for(reaction, uncertainty)
        if reward_mode == "regret" and population is None:
            optimum_score(reaction.card)
        mode = cast(RewardMode, reward_mode)
        return cls(
            reaction,
            budget,
            cast(ActionMode, action_mode),
            cast(ObservationMode, observation_mode),
            mode,
            levels,
            population,
            checked_penalty(limit_penalty, mode),
        )

    @cached_property
    def reward_space(self) -> gym.spaces.Box | None:
        """Space of vector rewards, None where the reward is a number."""
        return reward_space(self.reaction) if self.reward_mode == "vector" else None

    def actions(self) -> tuple[gym.Space[Any], Decoder]:
        """Return the action space of one environment and the decoder of batches."""
        if self.action_mode == "box" and self.population is not None:
            return actions.checked_box(self.space)
        return actions.coded(self.action_mode, self.space, self.levels)

    @property
    def space(self) -> Space:
        """What an action sets."""
        return self.reaction.space

    def episodes(self, b: int) -> Episodes:
        """Return b campaigns."""
        return Episodes(self, b)

    def observations(self) -> gym.Space[Floats]:
        """Return the observation space of one environment."""
        space = observation_space(self.observation_mode, self.reaction.space, self.budget)
        return space if self.population is None else with_context(space, self.population.context)

    def observer(self, b: int) -> Observer:
        """Return the observer of b environments."""
        scale = objective_scale(self.reaction.card)
        return Observer(self.observation_mode, self.reaction.space, self.budget, scale, b)

    @cached_property
    def masks(self) -> Masks:
        """The masks of actions; raise :class:`rxnopt.errors.UnknownNameError` for a mode without them."""
        return Masks(self.action_mode, self.reaction.space, self.levels)

    @cached_property
    def failed_score(self) -> float:
        """Score of a failed experiment."""
        return failed_score(self.reaction.card)


class Episodes:
    """The state of b campaigns on one task, all at the same experiment.

    ``X`` (budget, b, d), ``score`` (budget, b) and ``failed`` (budget, b) hold what was done; ``t`` counts it.
    """

    def __init__(self, task: Task, b: int) -> None:
        self.task = task
        self.t = 0
        self._begun = False
        self.X = np.empty((task.budget, b, len(task.reaction.space)))
        self.score = np.empty((task.budget, b))
        self.failed: NDArray[np.bool_] = np.empty((task.budget, b), bool)
        self._best = np.empty(b)
        self._observer = task.observer(b)
        self.experiment: Callable[..., tuple[Outcome, Outcome]] = task.reaction.experiment
        """Runs conditions (b, d); replaced where the environment stands on a rig."""
        self._chance = Walkthrough(task.reaction.measurement.chance, b)
        self._waiting: deque[tuple[Array, Array, Array, Bools, Array]] = deque()
        self._substrate = np.empty((task.budget, b), np.intp)
        self._drawn: Drawn | None = None
        if task.population is not None:
            self._drawn = Drawn(task.reaction, task.population, b, task.reward_mode == "regret")

    @property
    def over(self) -> bool:
        """Whether the budget is spent."""
        return self.t == self.task.budget

    def reset(
        self,
        rng: np.random.Generator,
        which: Bools,  # noqa: ARG002 - all campaigns begin together
        options: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Begin new campaigns and return their infos; ``options`` may give the ``constants`` of their reactions."""
        given = None if options is None else options.get("constants")
        if self._drawn is not None:
            self._drawn.begin(rng, given)
        elif given is not None:
            raise ConditionsError("options['constants'] needs an environment made with uncertainty=True")
        self.t, self._begun = 0, True
        self._best[:] = self.task.failed_score
        self._observer.reset()
        self._chance.reset()
        self._waiting.clear()
        return {} if self._drawn is None else self._drawn.told

    def observe(self) -> Floats:
        """Return the observations (b, obs_dim)."""
        observations = self._observer.observe()
        return observations if self._drawn is None else self._drawn.beside(observations)

    def record(self, i: int) -> tuple[Array, Array, Bools]:
        """Return conditions (t, d), measured scores (t,) and which failed (t,) of campaign ``i`` so far."""
        return self.X[: self.t, i], self.score[: self.t, i], self.failed[: self.t, i]

    def run(self, X: Array, rng: np.random.Generator) -> Results:
        """Do one experiment in each campaign, at decoded actions ``X``: conditions (b, d), see :meth:`Task.actions`."""
        if not self._begun:
            raise RxnoptError("no episode has begun; call reset() before step()")
        if self.over:
            raise RxnoptError(f"the budget of {self.task.budget} experiments is spent; call reset() before step()")
        reaction, task = self.task.reaction, self.task
        drawn = self._drawn
        X = self._on_plate(X if drawn is None or task.action_mode != "box" else drawn.conditions(X))
        draws, general = self._chance.draw(rng), drawing(reaction)
        if general is not None:
            past = self.X[: self.t], self._substrate[: self.t]
            self._substrate[self.t] = general.next_substrates(X, draws, past)
            draws = replace(draws, substrate=self._substrate[self.t])
        exact, measured = self.experiment(X, draws, None if drawn is None else drawn.constants)
        failed, y, true = measured.failed, reaction.score(measured), reaction.score(exact)
        if failed.any():
            y, true = np.where(failed, task.failed_score, y), np.where(failed, task.failed_score, true)
        self.X[self.t], self.score[self.t], self.failed[self.t] = X, y, failed
        self.t += 1
        beyond = reaction.cost(measured)
        vector = vector_reward(reaction, measured) if task.reward_space else -task.limit_penalty * beyond
        self._waiting.append((X, y, true, failed, vector))
        infos = {
            "conditions": X,
            "outputs": measured.values,
            "score": y,
            "score_noise_free": true,
            "failed": failed,
            "failure": reaction.reasons(measured),
            "within_limits": reaction.within_limits(measured),
            "violation": reaction.violation(measured),
            "cost": beyond,
            "feasible": reaction.space.feasible(X),
            "trial": np.full(len(X), self.t),
        }
        cost = reaction.experiment_cost(X)
        infos |= {} if cost is None else {"experiment_cost": cost}
        infos |= {} if general is None else {"substrate": np.array(general.named(self._substrate[self.t - 1]), object)}
        return Results(self._arrived(), np.full(len(X), self.over), infos)

    def action_masks(self) -> Bools:
        """Return which actions are of use now (b, n); where the substrate is drawn, those that were run are, too."""
        done = self.X[: 0 if drawing(self.task.reaction) else self.t].transpose(1, 0, 2)
        return self.task.masks(done, None if self._drawn is None else self._drawn.levels)

    def _on_plate(self, X: Array) -> Array:
        """Return conditions with the shared parameters of the first experiment of the plate."""
        plate = self.task.reaction.options.plate
        if plate is None or self.t % plate.size == 0:
            return X
        columns = [self.task.reaction.space.names.index(name) for name in plate.shared]
        X = X.copy()
        X[:, columns] = self.X[self.t - self.t % plate.size][:, columns]
        return X

    def _arrived(self) -> Array:
        """Take in the results that have come back by now, all of them at the end; return their rewards (b,), (b, k)."""
        task = self.task
        gain: Array = np.zeros((len(self._best), *(task.reward_space.shape if task.reward_space else ())))
        while len(self._waiting) > (0 if self.over else self.task.reaction.options.delay):
            X, y, true, failed, more = self._waiting.popleft()
            gain = gain + more  # objectives, or a penalty
            if task.reward_space is None:
                optima = None if self._drawn is None else self._drawn.optima
                gain = gain + reward(task.reward_mode, task.reaction.card, y, true, self._best, optima)
            np.maximum(self._best, y, out=self._best)
            self._observer.add(X, y, ~failed)
        return gain if task.reward_space is None else gain.astype(np.float32)

    def draw(self, figure: Figure, i: int) -> None:
        """Draw campaign ``i`` so far into an empty figure."""
        from rxnopt.envs import render

        render.draw(figure, self.task.reaction, *self.record(i), self.task.budget)
