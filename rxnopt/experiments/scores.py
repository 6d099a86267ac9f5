r"""Scores of agents, comparable between reactions.

The score of a campaign after t experiments is

    score(t) = max(0, (best(t) - baseline) / (optimum - baseline))

with ``best(t)`` the best noise-free objective among the first t experiments (failed ones left out), ``baseline`` the
median noise-free objective of random experiments, and ``optimum`` the best known noise-free objective. 0 is a typical
random experiment, 1 the known optimum, above 1 something better than what was known; 1 - score is the normalised
regret. An experiment beyond a limit of the card counts like a failed one: no conditions there are of use, however
good their objective. The formula holds for objectives that are minimised (both differences change sign) and for optima
of any sign.

The target is a share of the known optimum itself, in the unit of the objective: with a share of 0.95, 95 % of an
optimum that is maximised and 105 % of one that is minimised (5 % of its size worse, whatever its sign).

Where conditions are sought that are good for all substrates, ``best(t)`` is the mean over the substrates of the
conditions that a campaign recommends by then: those with the best mean of measured results, shrunk towards the mean of
all (:func:`rxnopt.simulators.general.recommended`).

A comparison after the Pareto front has as its objective the hypervolume that the experiments so far dominate within the
limits, as a share of that of the known front: the baseline is 0, the optimum 1.

Over campaigns and reactions the scores are put together as interquartile means: the mean of the middle half. Their
95 % intervals are percentile intervals of a bootstrap that draws campaigns anew within each reaction (stratified).
Agarwal, Schwarzer, Castro, Courville, Bellemare, NeurIPS 2021, 34, 29304 (10.48550/arXiv.2108.13264).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rxnopt.seeds import stream
from rxnopt.simulators.general import recommended
from rxnopt.simulators.pareto import hypervolume

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Statistic = Callable[..., Any]
RESAMPLES = 2000
NEVER = 1e12
"""Experiments that a campaign needs if it never reaches its target: more than any budget."""


@dataclass(frozen=True)
class Scale:
    """The two fixed points of the score of a reaction, in the unit of the objective, and the share of the target.

    ``front``: the known Pareto front, where campaigns are after it (:func:`rxnopt.experiments.facts.about_front`).
    ``over``: parameters that are substrates, where conditions are sought that are good for all of them.
    """

    baseline: float
    optimum: float
    share: float = 0.95
    front: Mapping[str, Any] | None = None
    over: tuple[str, ...] = ()

    @property
    def sign(self) -> float:
        """Return 1 where large is good, -1 where small is."""
        return float(np.sign(self.optimum - self.baseline))

    @property
    def target(self) -> float:
        """Return the objective that counts as reached."""
        return self.optimum - self.sign * (1.0 - self.share) * abs(self.optimum)

    def score(self, best: Array) -> Array:
        """Return scores of best noise-free objectives; NaN (nothing has succeeded yet) gives 0."""
        score = (np.asarray(best, float) - self.baseline) / (self.optimum - self.baseline)
        return np.where(np.isnan(score), 0.0, np.maximum(score, 0.0))


def scales(manifest: Mapping[str, Any]) -> dict[str, Scale]:
    """Return the scale of each reaction of a manifest."""
    share = manifest["experiment"]["target"]
    return {
        name: Scale(about["baseline"], about["optimum"], share, about["front"], tuple(about.get("over", ())))
        for name, about in manifest["reactions"].items()
    }


def curves(trials: pd.DataFrame, scales: Mapping[str, Scale]) -> pd.DataFrame:
    """Return trials with ``best`` (best noise-free objective so far), its ``score``, and whether it is ``reached``.

    ``trials`` has the columns of a comparison and rows in the order of their trial numbers. The curve of a campaign
    that ended early, as people's do, is carried on to the length of the longest.
    """
    parts = []
    runs = ["reaction", "agent", "seed"]
    for reaction, part in trials.groupby("reaction", sort=False):
        scale = scales[str(reaction)]
        groups = [part[name] for name in runs]
        kept = part["objective_noise_free"].where(part["within_limits_noise_free"])
        value = kept if scale.front is None else attained(part, scale.front)
        best = scale.sign * (scale.sign * value).groupby(groups).cummax()
        best = best if not scale.over else recommendations(part, kept, scale)
        best = best.groupby(groups).ffill()  # an experiment that failed or broke a limit leaves the best as it is
        reached = scale.sign * (best - scale.target) >= 0
        own = part[[*runs, "trial"]].assign(best=best, score=scale.score(np.asarray(best, float)), reached=reached)
        parts.append(_carried(own, runs))
    import pandas as pd

    return pd.concat(parts, ignore_index=True)


def _carried(curves: pd.DataFrame, runs: list[str]) -> pd.DataFrame:
    """Return the curves of one reaction, all as long as the longest: those that ended early are carried on."""
    import pandas as pd

    longest = int(curves["trial"].max()) + 1
    campaigns = curves[runs].drop_duplicates()
    if len(curves) == longest * len(campaigns):
        return curves
    whole = campaigns.merge(pd.DataFrame({"trial": range(longest)}), how="cross").merge(curves, how="left")
    values = whole.groupby(runs, sort=False)[["best", "score", "reached"]].ffill()
    return whole.assign(**values).astype({"reached": bool})


def recommendations(trials: pd.DataFrame, value: pd.Series[float], scale: Scale) -> pd.Series[float]:
    """Return the noise-free ``value`` of the conditions that a campaign on substrates recommends after each trial."""
    import pandas as pd

    told = [json.loads(text) for text in trials["conditions"]]
    keys = [tuple((name, x) for name, x in row.items() if name not in scale.over) for row in told]
    places = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    arms, y = np.array([places[key] for key in keys]), scale.sign * trials["objective"].to_numpy()
    values = value.to_numpy()
    found = np.full(len(trials), np.nan)
    for rows in trials.groupby(["agent", "seed"], sort=False).indices.values():
        own = np.asarray(rows)
        for i, row in enumerate(own.tolist(), 1):
            known = own[:i][np.isfinite(y[own[:i]]) & np.isfinite(values[own[:i]])]
            if len(known):
                found[row] = values[known[arms[known] == recommended(arms[known], y[known])][0]]
    return pd.Series(found, index=trials.index)


def attained(trials: pd.DataFrame, front: Mapping[str, Any]) -> pd.Series[float]:
    """Return the hypervolume after each trial of a reaction, as a share of that of the known front."""
    import pandas as pd

    reference, Y = np.array(front["reference"]), objectives(trials, front)
    found = pd.Series(0.0, index=trials.index)
    for places in trials.groupby(["agent", "seed"], sort=False).indices.values():
        volumes = [hypervolume(Y[places[: i + 1]], reference) for i in range(len(places))]
        found.iloc[places] = np.array(volumes) / front["hypervolume"]
    return found


def objectives(trials: pd.DataFrame, front: Mapping[str, Any]) -> Array:
    """Return noise-free objectives (n, k), turned so that larger is better; NaN beyond limits and where it failed."""
    rows = trials["outputs_noise_free"].where(trials["within_limits_noise_free"]).tolist()
    known = [json.loads(text) if isinstance(text, str) else {} for text in rows]
    columns = [[goal["sign"] * row.get(goal["name"], np.nan) for row in known] for goal in front["goals"]]
    return np.array(columns, float).T


def by_reaction(curves: pd.DataFrame, agent: str, column: str = "score") -> dict[str, Array]:
    """Return a column of :func:`curves` for an agent as arrays (campaigns, trials), one for each reaction."""
    mine = curves[curves["agent"] == agent]
    return {
        str(reaction): part.pivot_table(index="seed", columns="trial", values=column).to_numpy()
        for reaction, part in mine.groupby("reaction", sort=False)
    }


def iqm(*strata: Array, axis: int = -1) -> Any:
    """Return the interquartile mean over all strata, along ``axis``."""
    from scipy.stats import trim_mean

    return trim_mean(np.concatenate(strata, axis=axis), 0.25, axis=axis)


def median(*strata: Array, axis: int = -1) -> Any:
    """Return the median over all strata, along ``axis``."""
    return np.median(np.concatenate(strata, axis=axis), axis=axis)


def interval(strata: Sequence[Array], statistic: Statistic, level: float = 0.95) -> tuple[Array, Array]:
    """Return the bounds of a stratified percentile bootstrap; campaigns are the last axis of each stratum.

    NaN where a stratum has a single campaign, from which nothing can be drawn anew.
    """
    from scipy.stats import bootstrap

    if min(stratum.shape[-1] for stratum in strata) < 2:
        nothing = np.full(strata[0].shape[:-1], np.nan)
        return nothing, nothing
    found = bootstrap(
        tuple(strata), statistic, n_resamples=RESAMPLES, vectorized=True, axis=-1, confidence_level=level,
        method="percentile", rng=stream(0, "bootstrap"),
    ).confidence_interval  # fmt: skip
    return found.low, found.high


def needed(reached: NDArray[Any]) -> Array:
    """Return the experiments that campaigns (n, trials) needed to reach the target; NEVER where they did not."""
    return np.where(reached.any(axis=1), reached.argmax(axis=1) + 1.0, NEVER)


@dataclass(frozen=True)
class AgentScore:
    """What a comparison says about one agent.

    ``runs``: finished campaigns; ``score`` with ``low`` and ``high``: interquartile mean at the end of the budget and
    its 95 % interval; ``experiments`` with ``experiments_low`` and ``experiments_high``: median number needed to reach
    the target, inf beyond the budget; ``reached``: share of campaigns that got there. All NaN for an agent without a
    single campaign on one of the reactions: it would be scored on other reactions than the others.
    """

    agent: str
    runs: int
    score: float = np.nan
    low: float = np.nan
    high: float = np.nan
    experiments: float = np.nan
    experiments_low: float = np.nan
    experiments_high: float = np.nan
    reached: float = np.nan

    @property
    def complete(self) -> bool:
        """Whether the agent has a campaign on every reaction, and so a score."""
        return bool(np.isfinite(self.score))


def agent_scores(curves: pd.DataFrame, manifest: Mapping[str, Any]) -> list[AgentScore]:
    """Return the scores of all agents, in the order of the card."""
    found = []
    for agent in manifest["agents"]:
        scores = by_reaction(curves, agent)
        runs = sum(map(len, scores.values()))
        if set(scores) != set(manifest["reactions"]):
            found.append(AgentScore(agent, runs))
            continue
        final = [array[:, -1] for array in scores.values()]
        counts = [needed(array) for array in by_reaction(curves, agent, "reached").values()]
        low, high = interval(final, iqm)
        first, last = interval(counts, median)
        found.append(
            AgentScore(
                agent,
                runs,
                score=float(iqm(*final)),
                low=float(low),
                high=float(high),
                experiments=_censored(median(*counts)),
                experiments_low=_censored(first),
                experiments_high=_censored(last),
                reached=float(np.mean(np.concatenate(counts) < NEVER)),
            )
        )
    return found


def _censored(experiments: Any) -> float:
    """Return a number of experiments, inf where a campaign that never arrived has a share in it."""
    return float("inf") if experiments > NEVER / 1e6 else float(experiments)


__all__ = [
    "NEVER",
    "AgentScore",
    "Scale",
    "agent_scores",
    "by_reaction",
    "curves",
    "interval",
    "iqm",
    "median",
    "needed",
    "objectives",
    "scales",
]
