"""A campaign: an agent, a reaction and a journal.

All that is asked, told or run is in the journal before it counts (:mod:`rxnopt.record`), so that a campaign that was
killed goes on where it stopped and gives the numbers of one that was not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rxnopt.agents import Agent, OnPlates, build, given, name_of, weights_digest
from rxnopt.agents.function import Propose
from rxnopt.cards import AgentCard
from rxnopt.cards.agent import Designed, Medoids
from rxnopt.cards.realism import Given, Plate
from rxnopt.errors import AgentError, ConditionsError, LabError, RxnoptError, at_least
from rxnopt.events import Entry, Trial
from rxnopt.history import DONE, FAILED, PENDING
from rxnopt.journal import Journal
from rxnopt.lab.rig import Lab, lab_of
from rxnopt.progress import bar
from rxnopt.record import Record
from rxnopt.seeds import stream
from rxnopt.simulators import Reaction, load
from rxnopt.trials import check_plate, cost_limit, proposed, simulated

if TYPE_CHECKING:
    import pandas as pd

    from rxnopt.laboratory.view import Show

CODES = {"done": DONE, "failed": FAILED, "pending": PENDING}


class Campaign(Record):
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

    ``lab`` is a lab file (:class:`rxnopt.cards.lab.LabCard`): trials are then run on that rig.

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
        lab: str | Path | Lab | None = None,
    ) -> None:
        if not isinstance(reaction, str | Path | Reaction):
            raise ConditionsError(f"reaction={reaction!r} is no reaction; give the name or path of a card, or load one")
        reaction = (reaction if isinstance(reaction, Reaction) else load(reaction)).with_realism(realism)
        self.lab = lab_of(reaction, lab)
        if self.lab is not None and self.lab.card.plate is not None:
            reaction = reaction.with_realism({"plate": self.lab.card.plate.model_dump()})
        self._given, self.reaction = reaction.realism, reaction.with_realism(True, noise=noise)
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
        kept = Journal(file, self._identity(card, weights), extendable=_extendable(card))
        super().__init__(self.reaction, kept, self.goals)

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

    @property
    def remaining(self) -> int:
        """Trials that the agent may still propose; none where the budget in cost is spent."""
        return self.budget - self.proposed if self.spent < self.budget_cost else 0

    def ask(self, n: int = 1) -> list[Trial]:
        """Let the agent propose ``n`` trials; they are in the journal, pending, when this returns.

        Raises :class:`AgentError` where a proposal is out of bounds or does not share what a plate shares: nothing is
        clamped or moved.
        """
        return self.write(self._asked(n))

    def _asked(self, n: int) -> list[Entry]:
        """Return the events of ``n`` proposals; nothing is written yet."""
        if at_least("n", n, 1) > self.remaining:
            raise RxnoptError(f"{n} trials were asked for and {self.remaining} of {self.budget} are left in the budget")
        if self._plate is not None and n > self._plate.size:
            raise RxnoptError(f"{n} trials were asked for at once and a plate holds {self._plate.size}; ask for fewer")
        first = len(self)
        X = np.asarray(self.agent.propose(self.space, self.learnt, n, stream(self.seed, "agent", first)), float)
        try:
            self.space.check(X)
            if len(X) != n:
                raise ConditionsError(f"{len(X)} conditions were proposed instead of {n}")
            check_plate(self.space, self._plate, X)
        except ConditionsError as error:
            raise AgentError(f"the agent {self.agent_name} made a proposal that is refused: {error}") from error
        payloads = proposed(self.reaction, X, self.seed, self._trials, self.history.X)
        return [(number, "proposed", payload) for number, payload in enumerate(payloads, first)]

    def run(self, progress: bool = False, batch: int | None = None) -> pd.DataFrame:
        """Simulate until the budget is spent, ``batch`` trials at a time, pending ones first; return :attr:`trials`.

        ``batch`` left out is one trial, or one plate. With a ``delay`` d of the card the agent proposes while up to d
        trials are pending. With a ``lab`` this is :meth:`conduct`.
        """
        batch = (self._plate.size if self._plate else 1) if batch is None else at_least("batch", batch, 1)
        if self.lab is not None:
            return self.conduct(batch)
        if self.ledger.runs:
            raise LabError("this journal is of a laboratory; give its lab file, or another journal to simulate")
        delay = self.reaction.options.delay
        pending = [trial for trial in self._trials if trial.status == "pending"]
        with bar(progress, "trials", self.budget, self.proposed - len(pending)) as advance:
            while pending or self.remaining:
                if self.remaining and len(pending) <= delay:
                    pending += self.ask(min(batch, self.remaining))
                back = max(len(pending) - (delay if self.remaining else 0), 0)
                if back:
                    self._simulate(pending[:back])
                    advance(back, "")
                pending = pending[back:]
        return self.trials

    def conduct(
        self, batch: int | None = None, *, wait: bool = True, show: Show | None = None, signals: bool = False
    ) -> pd.DataFrame:
        """Run the campaign on its lab until the budget is spent; return :attr:`trials`.

        ``wait`` False: where a person must act (an approval, a run that may have happened), return and leave it so.
        ``show`` is called with the status after each change. ``signals``: Ctrl-C stops after this run, a second one
        aborts. Raises :class:`LabError` where the rig cannot go on, after its safe state was asked for.
        """
        from rxnopt.laboratory.conductor import Conductor, conduct

        if self.lab is None:
            raise LabError("this campaign has no lab; make it with lab='lab.yaml'")

        batch = (self._plate.size if self._plate else 1) if batch is None else batch

        def more() -> list[Entry]:
            return self._asked(min(batch, self.remaining)) if self.remaining else []

        conduct(Conductor(self, self.lab, more, wait=wait, show=show, budget=self.budget), signals)
        return self.trials

    def _simulate(self, pending: Sequence[Trial]) -> None:
        """Run trials in one batch; what happens by chance in trial k depends on the seed and k only."""
        X = self._seen.conditions([trial.number for trial in pending])
        self.write(simulated(self.reaction, X, self.seed, pending, [*self.goals]))


def _extendable(agent: AgentCard | Agent) -> bool:
    """Whether a campaign of this agent can go on with a larger budget; some designs are made for one."""
    settings = agent.agent if isinstance(agent, AgentCard) else None
    return not (isinstance(settings, Medoids) or (isinstance(settings, Designed) and settings.method == "lhs"))


def _path(name: str, value: str | Path | None) -> Path | None:
    if not isinstance(value, str | Path | None):
        raise ConditionsError(f"{name}={value!r} is no path; give a str or a Path")
    return None if value is None else Path(value)


__all__ = ["Campaign", "Trial"]
