"""Samplers of Optuna as agents."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from inspect import isabstract, signature
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.trial import TrialState

from rxnopt.agents.base import Known, distinct, known
from rxnopt.cards.agent import OptunaSampler
from rxnopt.errors import AgentError, did_you_mean
from rxnopt.history import History
from rxnopt.seeds import stream_seed
from rxnopt.space import Array, Parameter, Space

READ_THE_TRIALS = ("RandomSampler", "TPESampler", "GPSampler", "BruteForceSampler")
"""Samplers that see nothing but conditions, values and states of trials, and so need no replay."""


class Sampler:
    """An Optuna sampler on a study that is made from the history at each call.

    Measured trials are COMPLETE; failed ones are COMPLETE with the worst measured value, because samplers take no
    notice of the state FAIL and would run into the same failure again; pending ones are RUNNING, which TPE punishes
    (``constant_liar``) and GP integrates over (qLogEI).

    Samplers that note things beside the trials (generations of NSGA-II, the position in a QMC sequence) are asked
    for every trial of the history anew, with one seed for the campaign, and are given the conditions that were run.
    All others get a seed from the generator of the call.
    """

    def __init__(self, name: str, settings: OptunaSampler, seed: int) -> None:
        self._name, self._settings = name, settings
        self._seed = stream_seed(seed, "optuna")
        self._replays = settings.sampler not in READ_THE_TRIALS
        self._class = _find(name, settings.sampler)
        _check_options(name, self._class, settings.options)
        self._make(self._seed)

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return n conditions (n, d); raise :class:`rxnopt.errors.AgentError` if the sampler gives up."""
        distributions = {p.name: _distribution(p) for p in space}
        sampler = self._make(self._seed if self._replays else int(rng.integers(2**32)))
        with _quiet(), self._threads():
            study = optuna.create_study(sampler=sampler, direction="maximize")
            fill = _replay if self._replays else _add
            try:
                fill(study, space, known(space, history), distributions)
                asked = [study.ask(distributions).params for _ in range(n)]
            except (ValueError, TypeError, NotImplementedError, RuntimeError) as error:
                raise AgentError(f"agent {self._name!r}: {self._settings.sampler} cannot go on ({error})") from error
        X = np.array([[float(params[p.name]) for p in space] for params in asked])
        return distinct(space, X.reshape(n, len(space)), rng)

    def _threads(self) -> AbstractContextManager[None]:
        if self._settings.sampler != "GPSampler":
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
def _quiet() -> Iterator[None]:
    """Keep Optuna's log of studies and trials to errors."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _find(name: str, sampler: str) -> type[BaseSampler]:
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


def _add(study: optuna.Study, space: Space, over: Known, distributions: dict[str, BaseDistribution]) -> None:
    for x, y in zip(over.X, over.y.tolist(), strict=True):
        params = _params(space, x)
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=y))
    for x in over.pending:
        study.add_trial(
            optuna.trial.create_trial(params=_params(space, x), distributions=distributions, state=TrialState.RUNNING)
        )


def _replay(study: optuna.Study, space: Space, over: Known, distributions: dict[str, BaseDistribution]) -> None:
    """Ask for each trial as the campaign did, and put the conditions that were run in place of what is asked."""
    for x, y in zip(over.X, over.y.tolist(), strict=True):
        study.tell(_rerun(study, space, x, distributions), y)
    for x in over.pending:
        _rerun(study, space, x, distributions)


def _rerun(study: optuna.Study, space: Space, x: Array, distributions: dict[str, BaseDistribution]) -> optuna.Trial:
    trial = study.ask(distributions)
    for name, value in _params(space, x).items():
        inner = distributions[name].to_internal_repr(value)
        study._storage.set_trial_param(trial._trial_id, name, inner, distributions[name])
    return trial
