"""Agents of rxnopt in studies of Optuna: ``optuna.create_study(sampler=rxnopt.optuna.AgentSampler("gp"))``."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.search_space import intersection_search_space
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from rxnopt.agents import Agent, build, given, name_of
from rxnopt.agents.function import Propose
from rxnopt.cards import AgentCard
from rxnopt.cards.parameters import AnyParameter, Categorical, Continuous, Integer
from rxnopt.errors import AgentError, ConditionsError, at_least
from rxnopt.history import DONE, FAILED, PENDING, History
from rxnopt.seeds import stream, stream_seed
from rxnopt.simulators import Reaction, load
from rxnopt.space import Array, Parameter, Space

BUDGET = 100
"""Trials that an agent plans for where nobody says how many there will be."""
STATES = {
    TrialState.COMPLETE: DONE,
    TrialState.PRUNED: FAILED,
    TrialState.FAIL: FAILED,
    TrialState.RUNNING: PENDING,
    TrialState.WAITING: PENDING,
}
PROPOSED = "rxnopt:proposed"
"""Attribute of a trial: what was proposed for it, so that others know of it before all of it has been suggested."""
_one_at_a_time = threading.Lock()  # agents borrow the global generators


class AgentSampler(BaseSampler):
    """Any agent as a sampler of Optuna.

    ``agent``: the name or path of a card, an agent, a function ``propose(space, history, n, rng)`` or its name. It
    proposes the parameters that all trials of a study share, and all of them from the first trial on where
    ``search_space`` (name -> distribution) or ``reaction`` (name, path or object; see :func:`distributions`) is given;
    others, and the first trial of a study without either, are drawn at random (:class:`optuna.samplers.RandomSampler`).
    A policy trained in simulation needs the reaction of its training, and can be given ``weights``. ``budget``: trials
    that the agent plans for, such as the points of a Latin hypercube.

    The agent sees pruned and failed trials as failed experiments, and running and enqueued ones as pending.
    Constraints (``trial.set_constraint``) are limits. Of several objectives, an agent that knows one goes
    after the first. What is proposed depends on ``seed``, the trials of the study and the number of the trial only, so
    a study that is loaded from a storage goes on as if it had not been interrupted.

    Raises :class:`rxnopt.errors.AgentError` as :func:`rxnopt.agents.build` does, and for proposals outside the space:
    nothing is clamped.
    """

    def __init__(
        self,
        agent: str | Path | AgentCard | Agent | Propose = "gp",
        *,
        reaction: str | Path | Reaction | None = None,
        search_space: Mapping[str, BaseDistribution] | None = None,
        budget: int | None = None,
        weights: str | Path | None = None,
        seed: int | None = None,
    ) -> None:
        self._seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else at_least("seed", seed, 0)
        known = load(reaction) if isinstance(reaction, str | Path) else reaction
        self._space = None if known is None else known.space
        self._distributions = dict(search_space) if search_space is not None else None
        if known is not None:
            if search_space is not None:
                raise ConditionsError("reaction and search_space were both given; leave one of them out")
            self._distributions = distributions(known)
        if budget is None:
            budget = BUDGET if known is None else known.card.budget
        card = given(agent)
        self._name = name_of(card)
        self._agent = (
            build(card, known, budget=budget, seed=self._seed, weights=weights) if isinstance(card, AgentCard) else card
        )

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:  # noqa: ARG002
        """Return the distributions that were given, or those that all finished trials share."""
        found = self._distributions
        if found is None:
            found = intersection_search_space(study.get_trials(deepcopy=False), include_pruned=True)
        return {name: each for name, each in found.items() if self._space is not None or not each.single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return what the agent proposes for the parameters of ``search_space``."""
        if not search_space:
            return {}
        axes = _axes(search_space if self._space is None else self._distributions or {}, self._space)
        history = _history(axes, study, trial)
        with _one_at_a_time:
            X = self._agent.propose(_space(axes), history, 1, stream(self._seed, "agent", trial.number))
        numbers = dict(zip(axes, self._checked(_space(axes), np.asarray(X, float)), strict=True))
        study._storage.set_trial_system_attr(trial._trial_id, PROPOSED, numbers)
        return {name: axes[name].value(numbers[name]) for name in search_space}

    def _checked(self, space: Space, X: Array) -> list[float]:
        """Return the one row of a proposal; raise :class:`rxnopt.errors.AgentError` where it is refused."""
        try:
            space.check(X)
            (row,) = X.tolist()
        except ValueError as error:
            raise AgentError(f"the agent {self._name} made a proposal that is refused: {error}") from error
        return list(row)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw a parameter at random."""
        sampler = RandomSampler(stream_seed(self._seed, f"independent {param_name}", trial.number))
        return sampler.sample_independent(study, trial, param_name, param_distribution)


def distributions(reaction: str | Path | Reaction | Space) -> dict[str, BaseDistribution]:
    """Return the parameters of a reaction as a search space, for ``study.ask`` or ``trial.suggest_...`` alike."""
    loaded = load(reaction) if isinstance(reaction, str | Path) else reaction
    return {p.name: _distribution(p) for p in (loaded if isinstance(loaded, Space) else loaded.space)}


def _distribution(p: Parameter) -> BaseDistribution:
    if p.levels:
        return CategoricalDistribution(p.levels)
    if p.discrete:
        return IntDistribution(int(p.low), int(p.high))
    return FloatDistribution(p.low, p.high, log=p.log)


@dataclass(frozen=True)
class _Axis:
    """One parameter: its distribution, and its column in ``X``.

    A whole number on a log scale becomes a real one that is rounded; steps become their number.
    """

    parameter: Parameter
    distribution: BaseDistribution

    @property
    def _steps(self) -> bool:
        return self.parameter.discrete and not self.parameter.levels

    def number(self, value: Any) -> float:
        """Return the entry of ``X``."""
        d = self.distribution
        if isinstance(d, FloatDistribution | IntDistribution) and self._steps:
            return self.parameter.low + float(round((value - d.low) / (d.step or 1)))
        return float(d.to_internal_repr(value))

    def value(self, x: float) -> Any:
        """Return the value in the study."""
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            return d.choices[int(x)]
        if isinstance(d, IntDistribution):
            steps = round(x - self.parameter.low) * d.step + d.low
            return steps if self._steps else min(max(round(x), d.low), d.high)
        if isinstance(d, FloatDistribution) and d.step is not None:
            return min(d.low + (x - self.parameter.low) * d.step, d.high)
        return float(x)


def _axes(search_space: Mapping[str, BaseDistribution], space: Space | None) -> dict[str, _Axis]:
    if space is not None:
        return {p.name: _Axis(p, search_space[p.name]) for p in space}
    return {name: _Axis(Parameter(name, _card(name, each)), each) for name, each in search_space.items()}


def _card(name: str, d: BaseDistribution) -> AnyParameter:
    """Return the parameter that has the values of a distribution with two values or more."""
    if isinstance(d, CategoricalDistribution):
        return Categorical.model_validate({"levels": _level_names(d.choices)})
    if isinstance(d, IntDistribution) and d.log:
        return Continuous(low=d.low - 0.5, high=d.high + 0.5, scale="log")
    if isinstance(d, IntDistribution | FloatDistribution) and d.step is not None:
        low = d.low if isinstance(d, IntDistribution) and d.step == 1 else 0
        high = low + round((d.high - d.low) / d.step)
        if max(-low, high) > 2**53:
            raise AgentError(f"parameter {name!r}: {d} has values beyond 2^53, which no agent tells apart; narrow it")
        return Integer(kind="integer", low=int(low), high=int(high))
    if isinstance(d, FloatDistribution):
        return Continuous(low=d.low, high=d.high, scale="log" if d.log else "linear")
    raise AgentError(f"parameter {name!r}: {type(d).__name__} is not known to rxnopt; use Float, Int or Categorical")


def _level_names(choices: Sequence[Any]) -> list[str]:
    names = [str(choice) for choice in choices]
    return names if len(set(names)) == len(names) else [f"{i}: {name}" for i, name in enumerate(names)]


def _space(axes: Mapping[str, _Axis]) -> Space:
    return Space(tuple(axis.parameter for axis in axes.values()))


def _history(axes: Mapping[str, _Axis], study: Study, current: FrozenTrial) -> History:
    """Return the trials of a study that have a place in the space, but for the one that is being asked for."""
    rows, trials = [], []
    for trial in study.get_trials(deepcopy=False):
        row = None if trial.number == current.number else _row(axes, trial)
        if row is not None:
            rows.append(row)
            trials.append(trial)
    signs = np.array([1.0 if direction == StudyDirection.MAXIMIZE else -1.0 for direction in study.directions])
    lacking = [np.nan] * len(signs)
    values = [trial.values if trial.state == TrialState.COMPLETE else lacking for trial in trials]
    Y = signs * np.array(values, float).reshape(-1, len(signs))
    status = np.array([STATES[trial.state] for trial in trials], np.uint8)
    X = np.array(rows, float).reshape(-1, len(axes))
    return History(X, Y[:, 0], status, Y if len(signs) > 1 else None, _violation(trials))


def _row(axes: Mapping[str, _Axis], trial: FrozenTrial) -> list[float] | None:
    """Return the conditions of a trial, None where one of them is not known or not in its distribution."""
    params = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
    proposed = trial.system_attrs.get(PROPOSED, {}) if not trial.state.is_finished() else {}
    row = []
    for name, axis in axes.items():
        if name in params:
            try:
                inside = axis.distribution._contains(axis.distribution.to_internal_repr(params[name]))
            except ValueError:
                inside = False
            if not inside:
                return None
            row.append(axis.number(params[name]))
        elif name in proposed:
            row.append(proposed[name])
        else:
            return None
    return row


def _violation(trials: Sequence[FrozenTrial]) -> Array | None:
    told = [trial.constraints for trial in trials]
    names = sorted({name for constraints in told for name in constraints})
    if not names:
        return None
    return np.array([[constraints.get(name, np.nan) for name in names] for constraints in told])


__all__ = ["AgentSampler", "distributions"]
