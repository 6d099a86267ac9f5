"""What every agent promises, as tests that run on any of them."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from rxnopt.agents import Agent
from rxnopt.agents.base import repeats
from rxnopt.campaign import Campaign
from rxnopt.errors import AgentError
from rxnopt.history import DONE, FAILED, PENDING, History
from rxnopt.seeds import stream
from rxnopt.simulators import Reaction
from rxnopt.space import Array
from rxnopt.testing.problems import history_of, toy

FINITE = ("grid", "levels", "tiny")
"""Problems without continuous parameters."""
HORIZON = 13
"""Trials of the campaigns that an agent is made for here."""


class AgentConformance:
    """Tests of an agent: inherit, and say in ``make`` how it is made; pytest finds the rest.

    Problems (:func:`rxnopt.testing.toy`) are a continuous space, a mixed one and one of two conditions, and, once, one
    whose constraints leave a single point. Failures are :class:`AssertionError` with a sentence. What an agent may do
    otherwise is declared:

    ``seeded``: whether another seed gives other first proposals, of three. ``any_order``: whether the order of past
    trials makes no difference (to a Gaussian process it should not, to an evolution strategy it does). ``many``: how
    many past trials it must cope with in ``patience`` seconds; it may also refuse them, with an
    :class:`rxnopt.errors.AgentError` that names their number.
    """

    problems: tuple[str, ...] = ("smooth", "mixed", "tiny")
    seeded = True
    any_order = False
    many = 10_000
    patience = 30.0

    def make(self, reaction: Reaction, seed: int) -> Agent:
        """Return the agent, new, for a campaign of :data:`HORIZON` trials on ``reaction``."""
        raise NotImplementedError

    def test_it_proposes_inside_the_space_after_any_number_of_trials(self) -> None:
        """No trial yet, one, a few, and more than it was made for."""
        for reaction in self._reactions():
            agent = self.make(reaction, 1)
            for m in (0, 1, HORIZON - 2, 3 * HORIZON):
                _ask(agent, reaction, _past(reaction, m))

    def test_what_it_proposes_at_once_differs(self) -> None:
        """Several proposals are different where the space has that many conditions, unless the agent ``repeats``."""
        for reaction in self._reactions():
            agent = self.make(reaction, 1)
            X = _ask(agent, reaction, _past(reaction), n=3)
            if repeats(agent):
                continue
            size = {"tiny": 2}.get(reaction.name, 3)
            found = len(np.unique(X, axis=0))
            _expect(found == size, f"{reaction.name}: 3 proposals at once hold {found} different ones, not {size}")

    def test_a_space_of_one_point_is_no_obstacle(self) -> None:
        """Constraints may leave a single point, which is then proposed again and again."""
        reaction = toy("point")
        for history in (History.empty(reaction.space), _past(reaction, 2)):
            _ask(self.make(reaction, 1), reaction, history, n=2)

    def test_equal_seeds_give_equal_proposals(self) -> None:
        """And other seeds others, where it is ``seeded``."""
        for reaction in self._reactions():
            for history, n in ((History.empty(reaction.space), 2), (_past(reaction), 1)):
                first, again = (_ask(self.make(reaction, 1), reaction, history, n) for _ in range(2))
                _expect_equal(first, again, f"{reaction.name}: equal seeds and histories give different proposals")
        if self.seeded:
            reaction = toy(self.problems[0])
            empty = History.empty(reaction.space)
            first, other = (_ask(self.make(reaction, seed), reaction, empty, n=3, seed=seed) for seed in (1, 2))
            _expect(not np.array_equal(first, other), "seeds 1 and 2 give the same first proposals")

    def test_rebuilt_from_the_journal_it_goes_on_like_the_lost_one(self) -> None:
        """A campaign that is closed and opened again, with a new agent, proposes what one in one piece does."""
        for reaction in self._reactions():
            with TemporaryDirectory() as folder:
                whole = self._campaign(reaction, None, HORIZON)
                for stop in (HORIZON - 1, HORIZON):
                    parts = self._campaign(reaction, Path(folder) / "journal.db", stop)
            same = whole.trials.equals(parts.trials)
            _expect(same, f"{reaction.name}: a campaign that was interrupted goes on with other proposals")

    def _campaign(self, reaction: Reaction, journal: Path | None, stop: int) -> Campaign:
        """Return a closed campaign after ``stop`` trials, the first of them by hand."""
        with Campaign(reaction, self.make(reaction, 1), budget=HORIZON, seed=1, journal=journal) as campaign:
            if not len(campaign):
                past = _past(reaction, HORIZON - 2)
                for row, y in zip(reaction.space.to_dicts(past.X), past.y.tolist(), strict=True):
                    campaign.add(row, {reaction.objective: y})
            while len(campaign) < stop:
                campaign.tell(campaign.ask()[0].number, {reaction.objective: float(len(campaign))})
        return campaign

    def test_it_keeps_nothing_of_what_it_saw_before(self) -> None:
        """After a correction, and after other histories, an agent proposes like a fresh one."""
        for reaction in self._reactions():
            live, history = self.make(reaction, 1), _past(reaction)
            _ask(live, reaction, history)
            _ask(live, reaction, history_of(reaction, history.X[::-1]))
            corrected = replace(history, y=history.y + 50.0 * (np.arange(len(history)) == 3))
            first, fresh = (_ask(agent, reaction, corrected) for agent in (live, self.make(reaction, 1)))
            _expect_equal(first, fresh, f"{reaction.name}: a corrected trial is not seen as by a fresh agent")

    def test_the_order_of_trials_makes_no_difference_where_it_should_not(self) -> None:
        """Trials in another order give the same proposal, where it says ``any_order``."""
        for reaction in self._reactions() if self.any_order else ():
            history = _past(reaction)
            order = stream(2, "order").permutation(len(history))
            other = History(history.X[order], history.y[order], history.status[order])
            first, second = (_ask(self.make(reaction, 1), reaction, each) for each in (history, other))
            _expect_equal(first, second, f"{reaction.name}: the order of past trials changes the proposal")

    def test_trials_without_a_result_are_no_obstacle(self) -> None:
        """One failed or pending trial, and nothing but such trials."""
        for reaction in self._reactions():
            for status in (FAILED, PENDING):
                _ask(self.make(reaction, 1), reaction, _changed(_past(reaction), [2], status))
                _ask(self.make(reaction, 1), reaction, _changed(_past(reaction), range(HORIZON - 2), status))

    def test_trials_out_of_bounds_are_no_obstacle(self) -> None:
        """Bounds may have changed since a trial was run; proposals are inside the present ones."""
        for reaction in self._reactions():
            history, high = _past(reaction), [p.high for p in reaction.space]
            X = history.X.copy()
            X[[0, 4]] = np.array(high) + 1.0
            _ask(self.make(reaction, 1), reaction, replace(history, X=X))

    def test_many_trials_are_no_obstacle(self) -> None:
        """``many`` past trials, within ``patience`` seconds or refused in one sentence."""
        reaction = toy(self.problems[1])
        history, agent, start = _past(reaction, self.many), self.make(reaction, 1), time.perf_counter()
        try:
            _ask(agent, reaction, history)
        except AgentError as error:
            said = f"{self.many:,}" in str(error)
            _expect(said, f"{self.many:,} past trials are refused without a word of their number: {error}")
        seconds = time.perf_counter() - start
        _expect(seconds < self.patience, f"a proposal after {self.many:,} trials takes {seconds:.0f} s")

    def test_the_history_and_the_global_generators_are_left_as_they_are(self) -> None:
        """Nothing that is shared is changed."""
        for reaction in self._reactions():
            history = _past(reaction)
            before, state = [a.copy() for a in (history.X, history.y, history.status)], _global_state()
            _ask(self.make(reaction, 1), reaction, history)
            for array, copy in zip((history.X, history.y, history.status), before, strict=True):
                _expect_equal(np.asarray(array), copy, f"{reaction.name}: the history was changed")
            _expect(state == _global_state(), f"{reaction.name}: a global generator or number of threads was changed")

    def _reactions(self) -> Iterator[Reaction]:
        return map(toy, self.problems)


def check_agent(make: Callable[[Reaction, int], Agent], **declared: Any) -> None:
    """Run all tests of :class:`AgentConformance` on what ``make(reaction, seed)`` returns; AssertionError if one fails.

    ``declared``: attributes of the class, such as ``any_order=True``.
    """
    suite = AgentConformance()
    for name, value in {"make": make, **declared}.items():
        setattr(suite, name, value)
    for name in sorted(name for name in dir(suite) if name.startswith("test_")):
        getattr(suite, name)()


def _past(reaction: Reaction, m: int = HORIZON - 2) -> History:
    """Return m measured trials, none of them proposed by the agent."""
    return history_of(reaction, reaction.space.sample(m, stream(5, "past")))


def _changed(history: History, rows: Any, status: int) -> History:
    now, y = history.status.copy(), history.y.copy()
    now[list(rows)] = status
    return replace(history, y=np.where(now == DONE, y, np.nan), status=now)


def _ask(agent: Agent, reaction: Reaction, history: History, n: int = 1, seed: int = 1) -> Array:
    X = agent.propose(reaction.space, history, n, stream(seed, "agent", len(history)))
    d = len(reaction.space)
    _expect(isinstance(X, np.ndarray) and X.dtype == float, f"a proposal is an array of floats, not {X!r}")
    _expect(X.shape == (n, d), f"{reaction.name}: {n} proposals of {d} parameters have shape {X.shape}")
    wrong = X[~reaction.space.inside(X)]
    _expect(not len(wrong), f"{reaction.name}: outside the space after {len(history)} trials: {wrong.tolist()}")
    return X


def _global_state() -> list[Any]:
    numpy = np.random.get_state()  # noqa: NPY002 - the state that libraries share
    torch = sys.modules.get("torch")
    borrowed = [] if torch is None else [torch.get_rng_state().tolist(), torch.get_num_threads()]
    return [random.getstate(), [np.asarray(part).tolist() for part in numpy], *borrowed]


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _expect_equal(first: Array, second: Any, message: str) -> None:
    same = np.array_equal(first, second, equal_nan=True)
    _expect(same, f"{message}: {first.tolist()} and {np.asarray(second).tolist()}")


__all__ = ["FINITE", "HORIZON", "AgentConformance", "check_agent"]
