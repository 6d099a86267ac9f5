"""Samplers of Optuna and OptunaHub as agents."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from inspect import isabstract, signature
from math import inf
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.trial import TrialState

from rxnopt.agents.base import Known, distinct, in_order_of_values, known
from rxnopt.agents.belief import Belief
from rxnopt.cards.agent import OptunaSampler
from rxnopt.errors import AgentError, did_you_mean
from rxnopt.history import History
from rxnopt.seeds import stream_seed
from rxnopt.space import Array, Parameter, Space

READ_THE_TRIALS = ("RandomSampler", "TPESampler", "GPSampler", "BruteForceSampler")
"""Samplers that see nothing but conditions, values, constraints and states of trials, and so need no replay."""
CONSTRAINED = ("TPESampler", "GPSampler", "NSGAIISampler", "NSGAIIISampler")
"""Samplers that treat limits as constraints of their own; for others a trial beyond them has a bad value."""
LARGEST = {"GPSampler": 2_000}
"""Trials that a sampler can learn from: a Gaussian process takes a minute for 2,000, growing with their third power."""
ASKS = 10
"""Conditions that a sampler may suggest for one trial before a random feasible point takes their place."""


class Sampler:
    """An Optuna sampler on a study that is made from the history at each call.

    Measured trials are COMPLETE; failed ones are COMPLETE with the worst measured value, because samplers take no
    notice of the state FAIL and would run into the same failure again; pending ones are RUNNING, which TPE punishes
    (``constant_liar``) and GP integrates over (qLogEI).

    Samplers that note things beside the trials (generations of NSGA-II, the position in a QMC sequence) are asked
    for every trial of the history anew, with one seed for the campaign, and are given the conditions that were run.
    All others get a seed from the generator of the call.

    A campaign with several objectives is a study with as many directions. Limits of the reaction are constraints of
    the study (:data:`CONSTRAINED`). What a sampler suggests against a constraint of the parameters it is told as a
    trial beyond that constraint, with the worst values, and asked again; nothing of this is kept for the next proposal.
    """

    def __init__(self, name: str, settings: OptunaSampler, seed: int) -> None:
        self._name, self._settings = name, settings
        self._seed = stream_seed(seed, "optuna")
        self._own = settings.sampler if settings.hub is None else ""  # of others nothing is known beforehand
        self._replays = self._own not in READ_THE_TRIALS
        self._class = _find(name, settings)
        _check_options(name, self._class, settings.options)
        self._make(self._seed)

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return n conditions (n, d); raise :class:`rxnopt.errors.AgentError` if the sampler gives up."""
        sampler, past = self._sampler(rng), self._past(space, history)
        asked = self._asked(sampler, self._told(space, past, history), n)
        return distinct(space, np.array(asked, float).reshape(n, len(space)), rng, past.pending)

    def believe(self, space: Space, history: History, X: Array, rng: np.random.Generator) -> Belief | None:
        """Return what a Gaussian process says of conditions ``X`` (m, d); None for samplers without one."""
        if self._own != "GPSampler":
            return None
        sampler, told = self._sampler(rng), self._told(space, self._past(space, history), history)
        with quiet(), self._threads():
            from rxnopt.agents.gaussian import belief, watched

            seen = watched(sampler)
            study = optuna.create_study(sampler=sampler, directions=["maximize"] * told.values.shape[1])
            told.add(study)
            _ = study.ask(told.distributions).relative_params  # fits the model
            if not seen:
                return None
            return belief(sampler, seen[-1], told.values[:, 0], told.distributions, [_params(space, x) for x in X])

    def _sampler(self, rng: np.random.Generator) -> BaseSampler:
        return self._make(self._seed if self._replays else int(rng.integers(2**32)))

    def _told(self, space: Space, past: Known, history: History) -> _Told:
        distributions = {p.name: _distribution(p) for p in space}
        return _Told(space, past, distributions, self._own in CONSTRAINED, history.Y is not None)

    def _asked(self, sampler: BaseSampler, told: _Told, n: int) -> list[list[float]]:
        with quiet(), self._threads():
            study = optuna.create_study(sampler=sampler, directions=["maximize"] * told.values.shape[1])
            try:
                (told.replay if self._replays else told.add)(study)
                return [told.ask(study) for _ in range(n)]
            except (ValueError, TypeError, NotImplementedError, RuntimeError) as error:
                raise AgentError(f"agent {self._name!r}: {self._settings.sampler} cannot go on ({error})") from error

    def _past(self, space: Space, history: History) -> Known:
        past, largest = known(space, history), LARGEST.get(self._own, inf)
        if len(past.y) > largest:
            raise AgentError(
                f"agent {self._name!r}: {len(past.y):,} trials are more than the {largest:,} that "
                f"{self._settings.sampler} can learn from; go on with another agent, such as tpe"
            )
        return in_order_of_values(past) if self._own == "GPSampler" else past

    def _threads(self) -> AbstractContextManager[None]:
        if self._own != "GPSampler":
            return nullcontext()
        from rxnopt.agents.borrow import one_thread  # imports torch, which only this sampler computes with

        return one_thread()

    def _make(self, seed: int) -> BaseSampler:
        """Return the sampler; a card that names an experimental option or sampler wants it, so no warning."""
        takes_seed = "seed" in signature(self._class).parameters
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                return self._class(**self._settings.options, **({"seed": seed} if takes_seed else {}))
        except (TypeError, ValueError, AttributeError) as error:
            raise AgentError(f"agent {self._name!r}: {self._settings.sampler} refuses its options ({error})") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna's log of studies and trials to errors."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _find(name: str, settings: OptunaSampler) -> type[BaseSampler]:
    sampler = settings.sampler
    if settings.hub is not None:
        from rxnopt.agents.hub import hub_sampler

        return hub_sampler(name, settings.hub, sampler)
    allowed = [
        each
        for each in optuna.samplers.__all__
        if each.endswith("Sampler") and not isabstract(getattr(optuna.samplers, each))
    ]
    if sampler not in allowed:
        hint = did_you_mean(sampler, allowed) or f"; there are {', '.join(allowed)}"
        raise AgentError(f"agent {name!r}: optuna {optuna.__version__} has no sampler {sampler!r}{hint}")
    found: type[BaseSampler] = getattr(optuna.samplers, sampler)
    return found


def _check_options(name: str, sampler: type[BaseSampler], options: dict[str, Any]) -> None:
    if "seed" in options:
        raise AgentError(f"agent {name!r}: the campaign gives the seed; remove 'seed' from the options")
    allowed = [each for each in signature(sampler).parameters if each != "seed"]
    for option in options:
        if option not in allowed:
            hint = did_you_mean(option, allowed) or f"; options are {', '.join(allowed)}"
            raise AgentError(f"agent {name!r}: {sampler.__name__} has no option {option!r}{hint}")


def _distribution(parameter: Parameter) -> BaseDistribution:
    if parameter.levels:
        return CategoricalDistribution(range(parameter.count))
    if parameter.discrete:
        return IntDistribution(int(parameter.low), int(parameter.high))
    return FloatDistribution(parameter.low, parameter.high, log=parameter.log)


def _params(space: Space, x: Array) -> dict[str, Any]:
    return {p.name: int(value) if p.discrete else value for p, value in zip(space, x.tolist(), strict=True)}


class _Told:
    """What a study is told: trials that are over with values (m, k) and constraints (m, c), and pending ones."""

    def __init__(
        self, space: Space, over: Known, distributions: dict[str, BaseDistribution], constrained: bool, several: bool
    ) -> None:
        self._space, self._over, self.distributions = space, over, distributions
        self.values = over.Y if several or constrained else over.y[:, None]
        parameters = np.empty((len(over.X), 0)) if space.constraints is None else space.constraints.excess(over.X)
        self._limits = over.violation.shape[1] if constrained else 0
        self._constraints = np.hstack([over.violation[:, : self._limits], parameters])

    def add(self, study: optuna.Study) -> None:
        """Add the trials as they are."""
        for x, values, beyond in zip(self._over.X, self.values.tolist(), self._constraints, strict=True):
            trial = optuna.trial.create_trial(
                params=_params(self._space, x), distributions=self.distributions, values=values,
                constraints=_named(beyond),
            )  # fmt: skip
            study.add_trial(trial)
        for x in self._over.pending:
            params = _params(self._space, x)
            study.add_trial(
                optuna.trial.create_trial(params=params, distributions=self.distributions, state=TrialState.RUNNING)
            )

    def replay(self, study: optuna.Study) -> None:
        """Ask for each trial as the campaign did, and put the conditions that were run in place of what is asked."""
        for x, values, beyond in zip(self._over.X, self.values.tolist(), self._constraints, strict=True):
            _tell(study, self._rerun(study, x), values, beyond)
        for x in self._over.pending:
            self._rerun(study, x)

    def _rerun(self, study: optuna.Study, x: Array) -> optuna.Trial:
        trial = study.ask(self.distributions)
        for name, value in _params(self._space, x).items():
            inner = self.distributions[name].to_internal_repr(value)
            study._storage.set_trial_param(trial._trial_id, name, inner, self.distributions[name])
        return trial

    def ask(self, study: optuna.Study) -> list[float]:
        """Return conditions (d,): the first suggestion that keeps the constraints of the parameters."""
        for _ in range(ASKS):
            trial = study.ask(self.distributions)
            x = [float(trial.params[p.name]) for p in self._space]
            X = np.array([x])
            if self._space.constraints is None or self._space.feasible(X)[0]:
                break
            excess = np.nan_to_num(self._space.constraints.excess(X)[0], nan=1.0)
            beyond = np.append(self._worst(self._constraints, np.max)[: self._limits], np.maximum(excess, 0.0))
            beyond[-1] = max(beyond[-1], TINY)
            _tell(study, trial, self._worst(self.values, np.min).tolist(), beyond)
        return x

    def _worst(self, columns: Array, worst: Any) -> Array:
        found: Array = worst(columns, axis=0) if len(columns) else np.zeros(columns.shape[1])
        return found


TINY = 1e-9
"""Excess of a constraint that is broken without a number: a strict one at its bound."""


def _tell(study: optuna.Study, trial: optuna.Trial, values: list[float], beyond: Array) -> None:
    for name, value in _named(beyond).items():
        trial.set_constraint(name, value)
    study.tell(trial, values)


def _named(beyond: Array) -> dict[str, float]:
    return {str(i): value for i, value in enumerate(beyond.tolist())}
