"""What an agent knows after a campaign, and why it proposes what it proposes next."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from rxnopt.agents import OnPlates
from rxnopt.agents.base import known
from rxnopt.agents.belief import Belief, Believer
from rxnopt.agents.design import Design
from rxnopt.agents.sampler import quiet
from rxnopt.campaign import Campaign
from rxnopt.errors import RxnoptError
from rxnopt.history import History
from rxnopt.optuna import distributions
from rxnopt.seeds import stream
from rxnopt.space import Array, Parameter, Space

GRID = 61
"""Points of a slice through a parameter that has more values."""
DRAWS = 64
"""Proposals that are asked for at once, to see how an agent spreads them."""
STAGES = 5
"""Moments of a campaign at which that is done."""


@dataclass(frozen=True)
class Slice:
    """One parameter is varied and all others stay as in the best trial.

    ``x`` (g,): its column of ``X``; ``mean`` and ``sd`` (g,) of the objective in its unit; ``acquisition`` (g,):
    over that of the next proposal.
    """

    parameter: Parameter
    x: Array
    mean: Array
    sd: Array
    acquisition: Array


@dataclass(frozen=True)
class Explanation:
    """What there is to say about one campaign.

    ``best`` and ``proposed`` (d,): the best trial and the next proposal. ``importance``: share of each parameter in
    what sets good trials apart from others (PED-ANOVA, whatever the agent). ``sensitivity``: how fast the model of the
    agent varies with each, as a share; ``expected`` (2, 2): its mean and sd at the best trial and at the proposal; both
    None without a model. ``slices``: of the model. ``drawn``: number of trials -> ``X`` (DRAWS, d), what an agent
    without a model would have proposed at once after them.
    """

    agent: str
    reaction: str
    objective: str
    unit: str
    sign: float
    space: Space
    history: History
    best: Array
    proposed: Array
    importance: dict[str, float]
    sensitivity: dict[str, float] | None
    expected: Array | None
    slices: tuple[Slice, ...]
    drawn: dict[int, Array]

    @property
    def title(self) -> str:
        """Agent, reaction and number of trials in words."""
        return f"{self.agent} on {self.reaction} after {len(self.history)} trials"

    @property
    def expectation(self) -> str:
        """What the model expects, in words; empty without a model."""
        if self.expected is None:
            return ""
        (at_best, sd_best), (at_next, sd_next) = self.expected
        unit = "" if self.unit == "1" else f" {self.unit}"
        return (
            f"the model expects a {self.objective.replace('_', ' ')} of {at_best:.4g} ± {sd_best:.2g}{unit} at the "
            f"best trial and of {at_next:.4g} ± {sd_next:.2g}{unit} at the next proposal"
        )


def explain(campaign: Campaign) -> Explanation:
    """Return what the agent of a campaign knows; raise :class:`rxnopt.errors.RxnoptError` before the first result.

    Of a campaign with several objectives it is the first one that a model is asked about.
    """
    history, space, agent = campaign.history, campaign.space, campaign.agent
    objective = next(iter(campaign.goals), campaign.reaction.objective)
    sign = campaign.goals[objective].sign if campaign.goals else campaign.reaction.card.objective.sign
    best = space.to_array(campaign.best.conditions)[0]
    proposed = agent.propose(space, history, 1, _rng(campaign, len(history)))[0]
    believed = _believed(campaign, best, proposed)
    return Explanation(
        agent=campaign.agent_name,
        reaction=campaign.reaction.name,
        objective=objective,
        unit=campaign.reaction.units[objective],
        sign=sign,
        space=space,
        history=history,
        best=best,
        proposed=proposed,
        importance=importance(space, history),
        sensitivity=None if believed is None else _shares(space, believed.sensitivity),
        expected=None if believed is None else np.stack([sign * believed.mean[-2:], believed.sd[-2:]], axis=1),
        slices=() if believed is None else _slices(space, believed, sign),
        drawn={} if believed is not None or isinstance(agent, Design) else _drawn(campaign),
    )


def _rng(campaign: Campaign, number: int) -> np.random.Generator:
    return stream(campaign.seed, "agent", number)


def _believed(campaign: Campaign, best: Array, proposed: Array) -> Belief | None:
    """Return what a model says of all slices, the best trial and the proposal; None for agents without one."""
    agent = campaign.agent.agent if isinstance(campaign.agent, OnPlates) else campaign.agent
    if not isinstance(agent, Believer):
        return None
    X = np.concatenate([*(_line(best, j, p) for j, p in enumerate(campaign.space)), [best, proposed]])
    return agent.believe(campaign.space, campaign.history, X, _rng(campaign, len(campaign.history)))


def _line(best: Array, j: int, parameter: Parameter) -> Array:
    """Return ``X`` (g, d) that differs from ``best`` in column j only."""
    x = _values(parameter)
    X = np.tile(best, (len(x), 1))
    X[:, j] = x
    return X


def _values(parameter: Parameter) -> Array:
    if parameter.discrete and parameter.count <= GRID:
        return np.arange(parameter.low, parameter.high + 1)
    return Space((parameter,)).from_unit(np.linspace(0.0, 1.0, GRID)[:, None])[:, 0]


def _slices(space: Space, belief: Belief, sign: float) -> tuple[Slice, ...]:
    found, start = [], 0
    wanted = np.exp(belief.acquisition - belief.acquisition.max())  # of these points, the proposal among them
    for parameter in space:
        x = _values(parameter)
        rows = slice(start, start + len(x))
        found.append(Slice(parameter, x, sign * belief.mean[rows], belief.sd[rows], wanted[rows]))
        start += len(x)
    return tuple(found)


def _shares(space: Space, sensitivity: Array | None) -> dict[str, float] | None:
    if sensitivity is None:
        return None
    return dict(zip(space.names, (sensitivity / sensitivity.sum()).tolist(), strict=True))


def _drawn(campaign: Campaign) -> dict[int, Array]:
    """Return what the agent would have proposed at several moments of the campaign."""
    moments = sorted({round(m) for m in np.linspace(0, len(campaign), STAGES)})
    return {
        m: campaign.agent.propose(campaign.space, _first(campaign.history, m), DRAWS, _rng(campaign, m))
        for m in moments
    }


def _first(history: History, m: int) -> History:
    more = (None if each is None else each[:m] for each in (history.Y, history.violation, history.substrate))
    return History(history.X[:m], history.y[:m], history.status[:m], *more)


def importance(space: Space, history: History) -> dict[str, float]:
    """Return the share of each parameter in what sets the best tenth of trials within the limits apart from others.

    PED-ANOVA (Watanabe et al., IJCAI 2023, 10.24963/ijcai.2023/488) as Optuna does it; equal shares where there are too
    few trials to tell.
    """
    import optuna

    ranges, over = distributions(space), known(space, history)
    if len(over.y) < 2:
        raise RxnoptError(f"{len(over.y)} trials have a result; two or more tell what matters, so go on")
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # too few trials: that is what equal shares say
        study = optuna.create_study(direction="maximize")
        for row, y in zip(space.to_dicts(over.X), over.y.tolist(), strict=True):
            study.add_trial(optuna.create_trial(params=row, distributions=ranges, value=y))
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: float(found.get(name, 0.0)) for name in space.names}


__all__ = ["Explanation", "Slice", "explain", "importance"]
