"""Bayesian optimisation with the models and acquisition functions of BoTorch."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from botorch.exceptions.errors import BotorchError, ModelFittingError

from rxnopt.agents.base import Known, known
from rxnopt.agents.bayes.coding import Coding
from rxnopt.agents.bayes.search import acquired, best
from rxnopt.agents.bayes.surrogate import Surrogate, fit
from rxnopt.agents.belief import Belief
from rxnopt.agents.borrow import borrowed
from rxnopt.agents.descriptors import known as known_descriptors
from rxnopt.agents.descriptors import tables
from rxnopt.agents.design import Design
from rxnopt.cards.agent import AgentCard
from rxnopt.cards.botorch import BoTorch
from rxnopt.errors import AgentError
from rxnopt.history import History
from rxnopt.simulators import Reaction
from rxnopt.space import Array, Space

_logger = logging.getLogger(__name__)


class Bayes:
    """Gaussian processes, fitted anew at each proposal, and an acquisition function.

    Starts with points of a Sobol sequence, and stays with them as long as nothing has been measured. A batch is chosen
    one by one, each for what it adds to those before it and to the trials that are being run, whose results are
    integrated over (Wilson et al. 2018, 10.48550/arXiv.1805.10196). On a plate the first one sets what is shared and
    the others are the best that share it. Limits of outputs are modelled as outputs of their own. A failed trial has
    the worst value measured so far.
    """

    def __init__(self, card: AgentCard, reaction: Reaction | None, budget: int, seed: int) -> None:
        settings = card.agent
        if not isinstance(settings, BoTorch):
            raise AgentError(f"agent {card.name!r} is none of BoTorch")
        self._name, self._settings, self._start = card.name, settings, Design("sobol", budget, seed)
        self._reference: Array | None = None
        self._shared: tuple[str, ...] = ()
        self._descriptors = known_descriptors(card.name, settings, reaction)
        if reaction is not None:
            tables(card.name, reaction.space, self._descriptors)  # wrong ones are told before the first trial
            self._reference = reaction.reference if reaction.card.objectives else None
            self._shared = tuple(reaction.options.plate.shared) if reaction.options.plate else ()

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return n conditions (n, d); raise :class:`rxnopt.errors.AgentError` where a fit or the search fails."""
        over = self._known(space, history)
        if over is None:
            return self._start.propose(space, history, n, rng)
        shared = [space.names.index(name) for name in self._shared]
        coding = Coding(space, tables(self._name, space, self._descriptors))
        X = np.empty((0, len(space)))
        seed = int(rng.integers(2**31))
        with borrowed(seed):
            surrogate = self._fit(coding, over)
            with self._said("searched after", len(over.X), logging.DEBUG):
                for _ in range(n):
                    taken = np.vstack([over.pending[np.lexsort(over.pending.T)], X])
                    acquisition = surrogate.acquisition(
                        self._settings.acquisition, self._reference, coding.code(taken), seed
                    )
                    fixed = {j: float(X[0, j]) for j in shared} if len(X) else {}
                    X = np.vstack([X, best(acquisition, coding, taken, fixed, rng)])
        return X

    def believe(self, space: Space, history: History, X: Array, rng: np.random.Generator) -> Belief | None:
        """Return what the Gaussian processes say of conditions ``X`` (m, d), None before the first of them."""
        over = self._known(space, history)
        if over is None:
            return None
        coding, seed = Coding(space, tables(self._name, space, self._descriptors)), int(rng.integers(2**31))
        with borrowed(seed):
            surrogate = self._fit(coding, over)
            pending = coding.code(over.pending)
            acquisition = surrogate.acquisition(self._settings.acquisition, self._reference, pending, seed)
            with self._said("asked after", len(over.X), logging.DEBUG):
                mean, sd = surrogate.objective(coding.code(X))
                return Belief(mean, sd, acquired(acquisition, coding, X), surrogate.sensitivity(coding))

    def _known(self, space: Space, history: History) -> Known | None:
        """Return what can be learnt, None as long as it is too little."""
        several = self._settings.acquisition == "qLogNEHVI"
        over = known(space, history if several else replace(history, Y=None))
        enough = len(over.X) and len(over.X) + len(over.pending) >= self._settings.n_startup_trials
        return over if enough else None

    def _fit(self, coding: Coding, over: Known) -> Surrogate:
        with self._said("fitted to", len(over.X), logging.WARNING):
            return fit(coding, over, self._settings.max_trials)

    @contextmanager
    def _said(self, action: str, trials: int, level: int) -> Iterator[None]:
        """Turn what BoTorch cannot do into an error, and what it says about a second try into the log."""
        try:
            with warnings.catch_warnings(record=True) as heard:
                warnings.simplefilter("always")
                yield
        except (BotorchError, ModelFittingError, RuntimeError, ValueError) as error:
            raise AgentError(
                f"agent {self._name!r}: a Gaussian process cannot be {action} {trials} trials "
                f"({' '.join(str(error).split())}); correct results that are no measurements, or add trials by hand"
            ) from error
        for text in dict.fromkeys(f"{warning.category.__name__}: {warning.message}" for warning in heard):
            _logger.log(level, "agent %r: %s", self._name, " ".join(text.split()))
