"""A campaign: an agent, a reaction and a journal. The only stateful class of rxnopt.

The journal is the truth. Whatever is asked, told or run is an event on the disk before it counts, and everything
else (the trials, the history that the agent sees) follows from the events, so that a campaign that was killed goes on
where it stopped and gives the numbers of one that was not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rxnopt.agents import Agent, OnPlates, build, given, name_of, weights_digest
from rxnopt.agents.function import Propose
from rxnopt.cards import AgentCard
from rxnopt.cards.agent import Designed, Medoids
from rxnopt.cards.realism import Given, Plate
from rxnopt.errors import AgentError, ConditionsError, RxnoptError, UnknownNameError, at_least
from rxnopt.history import DONE, FAILED, PENDING, GrowingHistory, History
from rxnopt.journal import Entry, Journal, Trial, fold, step
from rxnopt.progress import bar
from rxnopt.seeds import stream
from rxnopt.simulators import Reaction, load
from rxnopt.simulators.general import drawing
from rxnopt.simulators.pareto import nondominated
from rxnopt.space import Array
from rxnopt.trials import as_outcome, by_hand, check_plate, cost_limit, proposed, result, simulated, table

if TYPE_CHECKING:
    import pandas as pd

CODES = {"done": DONE, "failed": FAILED, "pending": PENDING}


class Campaign:
    """Experiments of one agent on one reaction, up to a budget.

    ``reaction`` and ``agent`` are names of cards, paths of cards or objects; an agent can also be a function
    ``propose(space, history, n, rng)``, or be named as one (:func:`rxnopt.agents.load`). ``budget`` counts the trials
    that the agent proposes (the budget of the reaction card if left out); manual points come on top. Equal seeds give
    equal campaigns. ``journal`` is a file that is made, or gone on with if it is there, with the same budget or a
    larger one (the same where the agent is a design made for one budget, as ``lhs`` is); None keeps it in memory.
    ``noise`` False takes the noise from simulated measurements; ``realism`` gives options in place of those of the
    card, False for none (:meth:`rxnopt.simulators.Reaction.with_realism`). ``weights`` belongs to trained agents.

    Where the card has a ``plate``, what is asked for at once is one plate, and a proposal whose trials do not share
    what they must is refused; agents given as cards share it (:class:`rxnopt.agents.OnPlates`). ``budget_cost`` ends
    proposals once the cost of all trials has reached it, in the unit of the ``cost`` of the card.

    With ``pareto`` the agent sees all ``objectives`` of the card; one that knows a single objective goes on with that
    of the card.
    """

    def __init__(
        self,
        reaction: str | Path | Reaction,
        agent: str | Path | AgentCard | Agent | Propose = "tpe",
        *,
        budget: int | None = None,
        seed: int = 0,
        journal: str | Path | None = None,
        noise: bool = True,
        realism: Given = True,
        weights: str | Path | None = None,
        budget_cost: float | None = None,
        pareto: bool = False,
    ) -> None:
        if not isinstance(reaction, str | Path | Reaction):
            raise ConditionsError(f"reaction={reaction!r} is no reaction; give the name or path of a card, or load one")
        reaction = (reaction if isinstance(reaction, Reaction) else load(reaction)).with_realism(realism)
        self._given, self.reaction = reaction.realism, reaction.with_realism(True, noise=noise)
        self.space = self.reaction.space
        self.budget = self.reaction.card.budget if budget is None else at_least("budget", budget, 1)
        self.seed, self.noise = at_least("seed", seed, 0), noise
        self.budget_cost = cost_limit(self.reaction, budget_cost)
        self.goals = dict(self.reaction.goals) if pareto else {}
        file, weights = _path("journal", journal), _path("weights", weights)
        card = given(agent)
        self.agent: Agent
        if isinstance(card, AgentCard):
            self.agent = build(card, self.reaction, budget=self.budget, seed=self.seed, weights=weights)
            if self._plate is not None:
                self.agent = OnPlates(self.agent, self._plate.shared)
        else:
            self.agent = card
        self.agent_name = name_of(card)
        self._journal = Journal(file, self._identity(card, weights), extendable=_extendable(card))
        self._fold()

    def _identity(self, agent: AgentCard | Agent, weights: Path | None) -> dict[str, Any]:
        card = agent if isinstance(agent, AgentCard) else None
        return {
            "reaction": self.reaction.name,
            "reaction_digest": self.reaction.card.digest(),
            "agent": self.agent_name,
            "agent_digest": card.digest() if card else None,
            "weights": weights_digest(card, self.reaction.origin.name, weights) if card else None,
            "seed": self.seed,
            "budget": self.budget,
            "noise": self.noise,
            "realism": None if self._given is None else self._given.model_dump_json(exclude_defaults=True),
            "objectives": {name: goal.direction for name, goal in self.goals.items()} or None,
        }

    @property
    def _plate(self) -> Plate | None:
        return self.reaction.options.plate

    def _fold(self) -> None:
        try:
            self._trials = fold(self._journal.events())
        except RxnoptError:
            self._journal.close()
            raise
        self._proposed = sum(not trial.manual for trial in self._trials)
        limits, general = len(self.reaction.card.limits), drawing(self.reaction)
        self._seen = GrowingHistory(len(self.space), len(self.goals), limits, len(general.over) if general else 0)
        for trial in self._trials:
            self._see(trial)

    def _see(self, trial: Trial) -> None:
        score = np.nan if trial.score is None else trial.score
        Y = violation = np.empty((1, 0))
        if self.goals or self.reaction.card.limits:
            measured = as_outcome(self.reaction, [trial.outputs])
            Y, violation = self.reaction.objectives(measured) if self.goals else Y, self.reaction.excess(measured)
        X, general = self.space.to_array(trial.conditions), drawing(self.reaction)
        drawn = general.over.to_array(trial.substrate or {})[0] if general else np.empty(0)
        self._seen.put(trial.number, X[0], score, CODES[trial.status], Y[0], violation[0], drawn)

    def __len__(self) -> int:
        return len(self._trials)

    def __iter__(self) -> Iterator[Trial]:
        return iter(tuple(self._trials))

    @property
    def history(self) -> History:
        """All trials so far as the agent sees them; later trials do not change it."""
        return self._seen.first(len(self))

    @property
    def best(self) -> Trial:
        """The trial with the best measured objective among those that are not known to break a limit of the card."""
        history = self.history
        if not history.done.any():
            raise RxnoptError("no trial has a result yet; run the campaign or tell a result first")
        if not history.within_limits.any():
            raise RxnoptError(f"no trial keeps the limits of {', '.join(self.reaction.card.limits)} yet; go on")
        return self._trials[np.argmax(np.where(history.within_limits, history.y, -np.inf))]

    @property
    def front(self) -> list[Trial]:
        """The trials within the limits whose measured ``objectives`` no other trial dominates, of a ``pareto`` one."""
        history = self.history
        if history.Y is None:
            raise RxnoptError("this campaign has one objective; make it with pareto=True to have a front")
        Y = np.where(history.within_limits[:, None], history.Y, np.nan)
        return [self._trials[i] for i in np.flatnonzero(nondominated(Y))]

    @property
    def remaining(self) -> int:
        """Trials that the agent may still propose; none where the budget in cost is spent."""
        return self.budget - self._proposed if self.spent < self.budget_cost else 0

    @property
    def costs(self) -> Array | None:
        """Cost of each trial (n,), pending and manual ones too, in the unit of the card; None where it gives none."""
        return self.reaction.experiment_cost(self.history.X)

    @property
    def spent(self) -> float:
        """Cost of all trials so far; 0 where the card gives no cost."""
        costs = self.costs
        return 0.0 if costs is None else float(costs.sum())

    @property
    def trials(self) -> pd.DataFrame:
        """One row per trial.

        ``trial``, ``status``, ``manual``, a column per parameter and per output, ``objective`` (measured) and
        ``objective_noise_free`` in the unit of the output, ``within_limits`` as measured, ``within_limits_noise_free``
        where a simulator knows it, ``failure`` (why a trial failed); NaN or None where there is no result.
        ``experiment_cost``: where the card gives a cost.
        """
        return table(self.reaction, tuple(self._trials), self.history, self.costs)

    def ask(self, n: int = 1) -> list[Trial]:
        """Let the agent propose ``n`` trials; they are in the journal, pending, when this returns.

        Raises :class:`AgentError` where a proposal is out of bounds or does not share what a plate shares: nothing is
        clamped or moved.
        """
        if at_least("n", n, 1) > self.remaining:
            raise RxnoptError(f"{n} trials were asked for and {self.remaining} of {self.budget} are left in the budget")
        if self._plate is not None and n > self._plate.size:
            raise RxnoptError(f"{n} trials were asked for at once and a plate holds {self._plate.size}; ask for fewer")
        first = len(self)
        X = np.asarray(self.agent.propose(self.space, self.history, n, stream(self.seed, "agent", first)), float)
        try:
            self.space.check(X)
            if len(X) != n:
                raise ConditionsError(f"{len(X)} conditions were proposed instead of {n}")
            check_plate(self.space, self._plate, X)
        except ConditionsError as error:
            raise AgentError(f"the agent {self.agent_name} made a proposal that is refused: {error}") from error
        payloads = proposed(self.reaction, X, self.seed, self._trials, self.history.X)
        return self._record([(number, "proposed", payload) for number, payload in enumerate(payloads, first)])

    def tell(self, number: int, outcome: Mapping[str, float] | None) -> Trial:
        """Give the measured outputs of a trial, or None if it failed; a second time corrects the first.

        ``outcome`` holds the objective and any other outputs, in the units of the card; with ``failed`` True, as
        :meth:`Reaction.simulate` may say it, the trial failed. Raises
        :class:`UnknownNameError` for an unknown trial or output, :class:`ConditionsError` for what is no number.
        """
        number = at_least("number", number, 0)
        if number >= len(self):
            known = f"trials are 0 to {len(self) - 1}" if self._trials else "ask for one first"
            raise UnknownNameError(f"there is no trial {number}; {known}")
        payload = self._result(outcome)
        if self._trials[number].status != "pending":
            return self._record([(number, "corrected", payload)])[0]
        return self._record([(number, "failed" if payload["outputs"] is None else "done", payload)])[0]

    def add(self, conditions: Mapping[str, Any], outcome: Mapping[str, float] | None) -> Trial:
        """Add an experiment that a person made; conditions out of bounds are refused (:class:`ConditionsError`).

        Where substrates are drawn, ``conditions`` tell the substrate too.
        """
        payload = by_hand(self.reaction, conditions) | self._result(outcome)
        return self._record([(len(self._trials), "manual", payload)])[0]

    def run(self, progress: bool = False, batch: int | None = None) -> pd.DataFrame:
        """Simulate until the budget is spent, ``batch`` trials at a time, pending ones first; return :attr:`trials`.

        ``batch`` left out is one trial, or one plate. With a ``delay`` d of the card the agent proposes while up to d
        trials are pending.
        """
        batch = (self._plate.size if self._plate else 1) if batch is None else at_least("batch", batch, 1)
        delay = self.reaction.options.delay
        pending = [trial for trial in self._trials if trial.status == "pending"]
        with bar(progress, "trials", self.budget, self._proposed - len(pending)) as advance:
            while pending or self.remaining:
                if self.remaining and len(pending) <= delay:
                    pending += self.ask(min(batch, self.remaining))
                back = max(len(pending) - (delay if self.remaining else 0), 0)
                if back:
                    self._simulate(pending[:back])
                    advance(back, "")
                pending = pending[back:]
        return self.trials

    def _simulate(self, pending: Sequence[Trial]) -> None:
        """Run trials in one batch; what happens by chance in trial k depends on the seed and k only."""
        X = self._seen.conditions([trial.number for trial in pending])
        self._record(simulated(self.reaction, X, self.seed, pending, [*self.goals]))

    def _result(self, outcome: Mapping[str, float] | None) -> dict[str, Any]:
        return result(self.reaction, outcome, self.goals)

    def _record(self, entries: Sequence[Entry]) -> list[Trial]:
        """Write events, then take them into the state."""
        changed = []
        for event in self._journal.append(entries):
            trial = step(self._trials, event)
            self._proposed += event.kind == "proposed"
            self._see(trial)  # first: an interrupt in between must leave a history for every trial
            self._trials[trial.number : trial.number + 1] = [trial]
            changed.append(trial)
        return changed

    def close(self) -> None:
        """Let go of the journal."""
        self._journal.close()

    def __enter__(self) -> Campaign:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _extendable(agent: AgentCard | Agent) -> bool:
    """Whether a campaign of this agent can go on with a larger budget; some designs are made for one."""
    settings = agent.agent if isinstance(agent, AgentCard) else None
    return not (isinstance(settings, Medoids) or (isinstance(settings, Designed) and settings.method == "lhs"))


def _path(name: str, value: str | Path | None) -> Path | None:
    if not isinstance(value, str | Path | None):
        raise ConditionsError(f"{name}={value!r} is no path; give a str or a Path")
    return None if value is None else Path(value)


__all__ = ["Campaign", "Trial"]
