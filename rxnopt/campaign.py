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

from rxnopt.agents import Agent, build, weights_digest
from rxnopt.cards import AgentCard, load_card
from rxnopt.cards.agent import Designed
from rxnopt.errors import AgentError, ConditionsError, RxnoptError, UnknownNameError, at_least, did_you_mean
from rxnopt.history import DONE, FAILED, PENDING, GrowingHistory, History
from rxnopt.journal import Entry, Journal, Trial, fold, step
from rxnopt.progress import bar
from rxnopt.seeds import stream
from rxnopt.simulators import Outcome, Reaction, load

if TYPE_CHECKING:
    import pandas as pd

CODES = {"done": DONE, "failed": FAILED, "pending": PENDING}


class Campaign:
    """Experiments of one agent on one reaction, up to a budget.

    ``reaction`` and ``agent`` are names of cards, paths of cards or objects. ``budget`` counts the trials that the
    agent proposes (the budget of the reaction card if left out); manual points come on top. Equal seeds give equal
    campaigns. ``journal`` is a file that is made, or gone on with if it is there, with the same budget or a larger one
    (the same where the agent is a Latin hypercube, drawn for one budget); None keeps the journal in memory.
    ``noise`` False makes simulated measurements exact. ``weights`` belongs to trained agents.
    """

    def __init__(
        self,
        reaction: str | Path | Reaction,
        agent: str | Path | AgentCard | Agent = "tpe",
        *,
        budget: int | None = None,
        seed: int = 0,
        journal: str | Path | None = None,
        noise: bool = True,
        weights: str | Path | None = None,
    ) -> None:
        if not isinstance(reaction, str | Path | Reaction):
            raise ConditionsError(f"reaction={reaction!r} is no reaction; give the name or path of a card, or load one")
        self.reaction = reaction if isinstance(reaction, Reaction) else load(reaction)
        self.space = self.reaction.space
        self.budget = self.reaction.card.budget if budget is None else at_least("budget", budget, 1)
        self.seed, self.noise = at_least("seed", seed, 0), noise
        file, weights = _path("journal", journal), _path("weights", weights)
        card = load_card("agents", agent, AgentCard)[0] if isinstance(agent, str | Path) else agent
        self._agent: Agent
        if isinstance(card, AgentCard):
            self._agent = build(card, self.reaction, budget=self.budget, seed=self.seed, weights=weights)
        elif callable(getattr(card, "propose", None)) and not isinstance(card, type):
            self._agent = card
        else:
            raise AgentError(
                f"agent={agent!r} is no agent; give the name or path of a card, or an object that proposes"
            )
        self.agent_name = card.name if isinstance(card, AgentCard) else type(card).__name__
        self._journal = Journal(file, self._identity(card, weights), extendable=_extendable(card))
        self._fold()

    def _identity(self, agent: AgentCard | Agent, weights: Path | None) -> dict[str, Any]:
        card = agent if isinstance(agent, AgentCard) else None
        return {
            "reaction": self.reaction.name,
            "reaction_digest": self.reaction.card.digest(),
            "agent": self.agent_name,
            "agent_digest": card.digest() if card else None,
            "weights": weights_digest(card, self.reaction.name, weights) if card else None,
            "seed": self.seed,
            "budget": self.budget,
            "noise": self.noise,
        }

    def _fold(self) -> None:
        try:
            self._trials = fold(self._journal.events())
        except RxnoptError:
            self._journal.close()
            raise
        self._proposed = sum(not trial.manual for trial in self._trials)
        self._seen = GrowingHistory(len(self.space))
        for trial in self._trials:
            self._see(trial)

    def _see(self, trial: Trial) -> None:
        score = np.nan if trial.score is None else trial.score
        self._seen.put(trial.number, self.space.to_array(trial.conditions)[0], score, CODES[trial.status])

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
        """The trial with the best measured objective."""
        y = self.history.y
        if np.isnan(y).all():
            raise RxnoptError("no trial has a result yet; run the campaign or tell a result first")
        return self._trials[np.nanargmax(y)]

    @property
    def remaining(self) -> int:
        """Trials that the agent may still propose."""
        return self.budget - self._proposed

    @property
    def trials(self) -> pd.DataFrame:
        """One row per trial.

        ``trial``, ``status``, ``manual``, a column per parameter and per output, ``objective`` (measured) and
        ``objective_noise_free`` in the unit of the output, ``within_limits``; NaN where there is no result.
        """
        import pandas as pd

        outputs, history = self.reaction.outputs, self.history
        rows = [[(trial.outputs or {}).get(name, np.nan) for name in outputs] for trial in self]
        measured = Outcome(np.array(rows, float).reshape(-1, len(outputs)), history.status == FAILED)
        frame = pd.DataFrame({"trial": np.arange(len(self)), "status": [trial.status for trial in self]})
        frame["manual"] = np.array([trial.manual for trial in self], bool)
        frame = frame.join(self.space.to_frame(history.X)).join(pd.DataFrame(measured.values, columns=list(outputs)))
        frame["objective"] = self.reaction.card.objective.sign * history.y
        frame["objective_noise_free"] = np.array([trial.noise_free for trial in self], float)
        frame["within_limits"] = self.reaction.within_limits(measured) & history.done
        return frame

    def ask(self, n: int = 1) -> list[Trial]:
        """Let the agent propose ``n`` trials; they are in the journal, pending, when this returns.

        Raises :class:`AgentError` where a proposal is out of bounds: nothing is clamped.
        """
        if at_least("n", n, 1) > self.remaining:
            raise RxnoptError(f"{n} trials were asked for and {self.remaining} of {self.budget} are left in the budget")
        first = len(self)
        X = np.asarray(self._agent.propose(self.space, self.history, n, stream(self.seed, "agent", first)), float)
        try:
            self.space.check(X)
            if len(X) != n:
                raise ConditionsError(f"{len(X)} conditions were proposed instead of {n}")
        except ConditionsError as error:
            raise AgentError(f"the agent {self.agent_name} made a proposal that is refused: {error}") from error
        rows = enumerate(self.space.to_dicts(X), first)
        return self._record([(number, "proposed", {"conditions": row}) for number, row in rows])

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
        """Add an experiment that a person made; conditions out of bounds are refused (:class:`ConditionsError`)."""
        row = self.space.to_dicts(self.space.to_array(conditions))[0]
        return self._record([(len(self._trials), "manual", {"conditions": row, **self._result(outcome)})])[0]

    def run(self, progress: bool = False, batch: int = 1) -> pd.DataFrame:
        """Simulate until the budget is spent, ``batch`` trials at a time, pending ones first; return :attr:`trials`."""
        at_least("batch", batch, 1)
        pending = [trial for trial in self._trials if trial.status == "pending"]
        with bar(progress, "trials", self.budget, self._proposed - len(pending)) as advance:
            while pending or self.remaining:
                pending = pending or self.ask(min(batch, self.remaining))
                self._simulate(pending)
                advance(len(pending), "")
                pending = []
        return self.trials

    def _simulate(self, trials: Sequence[Trial]) -> None:
        """Run trials in one batch; the noise of trial k depends on the seed and k only."""
        reaction, names, sign = self.reaction, self.reaction.outputs, self.reaction.card.objective.sign
        exact = reaction.outcome(self._seen.X[[trial.number for trial in trials]])
        noise_free = (sign * reaction.score(exact)).tolist()
        entries: list[Entry] = []
        for i, trial in enumerate(trials):
            one = Outcome(exact.values[i : i + 1], exact.failed[i : i + 1])
            if self.noise and reaction.card.noise:
                one = reaction.with_noise(one, stream(self.seed, "noise", trial.number))
            row = zip(names, one.values[0].tolist(), strict=True)
            measured = {name: value for name, value in row if np.isfinite(value)}
            if one.failed[0] or reaction.objective not in measured:
                entries.append((trial.number, "failed", self._result(None)))
            else:
                entries.append((trial.number, "done", self._result(measured) | {"noise_free": noise_free[i]}))
        self._record(entries)

    def _result(self, outcome: Mapping[str, float] | None) -> dict[str, Any]:
        """Return the payload of a result: the outputs as plain numbers, and the score."""
        if outcome is None:
            return {"outputs": None}
        if not isinstance(outcome, Mapping):
            raise ConditionsError(f"an outcome is a mapping of outputs to numbers, not {outcome!r}; give one, or None")
        if outcome.get("failed"):  # as Reaction.simulate says it
            return {"outputs": None}
        outputs = {
            name: _finite(name, value, self.reaction.outputs) for name, value in outcome.items() if name != "failed"
        }
        objective = self.reaction.objective
        if objective not in outputs:
            raise ConditionsError(f"the outcome lacks the objective {objective!r}; give it, or None if it failed")
        return {"outputs": outputs, "score": self.reaction.card.objective.sign * outputs[objective]}

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
    """Whether a campaign of this agent can go on with a larger budget; a Latin hypercube is drawn for one."""
    settings = agent.agent if isinstance(agent, AgentCard) else None
    return not (isinstance(settings, Designed) and settings.method == "lhs")


def _path(name: str, value: str | Path | None) -> Path | None:
    if not isinstance(value, str | Path | None):
        raise ConditionsError(f"{name}={value!r} is no path; give a str or a Path")
    return None if value is None else Path(value)


def _finite(name: str, value: Any, outputs: Sequence[str]) -> float:
    if name not in outputs:
        hint = did_you_mean(name, outputs) or f"; outputs are {', '.join(outputs)}"
        raise UnknownNameError(f"there is no output {name!r}{hint}")
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number):
        raise ConditionsError(f"{name} = {value!r} is no finite number; give one, or tell None if the trial failed")
    return number


__all__ = ["Campaign", "Trial"]
