"""Which conditions are best on average over many substrates: bandits, chance and Bayesian optimisation.

    python benchmarks/generality.py [REACTION ...] [--simulations 500] [--budget 100] [--bayes 100] [--write]

Each simulation is a campaign on REACTION-general: an agent chooses conditions, a substrate that was not yet run with
them is drawn, and the measured yield comes back (Wang et al., Nature 2024, 626, 1025, 10.1038/s41586-024-07021-y).
After each experiment four questions are asked:

* own estimate: is the truly best one among the k conditions that the agent holds for best (mean of its results so far;
  of the Gaussian process: its expectation)? Ties are broken by chance, conditions without a result come last;
* own best: are the conditions that it holds for best among the k truly best ones?
* most played: are the conditions that were run most often among the k truly best ones? That is how the authors of the
  paper count for bandits;
* recommended: are those with the best shrunk mean, which rxnopt recommends for any agent, among the k truly best ones?

The own best of round robin is that of explore-then-commit for a budget that is known beforehand, their baseline. The
bandits are the agents of the catalogue; their rules run on arrays of all simulations at once. ``decoupled-gp`` runs as
campaigns: with drawn substrates like the bandits, and with substrates that it chooses itself. ``--write`` writes a
table and a figure to benchmarks/results.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from measuring import machine

from rxnopt.agents import load as load_agent
from rxnopt.agents.pulls import Pulls, best, indices
from rxnopt.campaign import Campaign
from rxnopt.experiments.figures import COLOURS
from rxnopt.history import History
from rxnopt.pages.drawing import png
from rxnopt.seeds import stream
from rxnopt.simulators import load
from rxnopt.simulators.general import SHRINKAGE, GeneralReaction, least_run
from rxnopt.simulators.grid import Grid

REACTIONS = ["ni_borylation", "deoxyfluorination", "ch_arylation_scope", "amidation"]
BANDITS = [
    "bayes-ucb-normal", "bayes-ucb-beta", "thompson-normal", "thompson-beta", "ucb1-tuned", "ucb1", "epsilon-greedy",
    "explore-then-commit", "round-robin",
]  # fmt: skip
TOP = (1, 3, 5)
QUESTIONS = ("own estimate", "own best", "most played", "recommended")
PLAIN = ("random", "round-robin", "explore-then-commit")
EVERY = 10
"""Experiments between two questions to the Gaussian process."""
RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True)
class Answers:
    """Shares of simulations that are right after each of ``at`` experiments, ``right`` (times, len(QUESTIONS),
    len(TOP)), and mean regret (times,)."""

    agent: str
    at: np.ndarray
    right: np.ndarray
    regret: np.ndarray


def yields(reaction: GeneralReaction) -> np.ndarray:
    """Return the yields (K, S) of all conditions and substrates as shares from 0 to 1; NaN where one is missing."""
    C, s = Grid(reaction.space).X, len(reaction.substrates)
    full = reaction.whole(np.repeat(C, s, axis=0), np.tile(np.arange(s), len(C)))
    return np.clip(reaction.base.score(reaction.base.outcome(full)).reshape(len(C), s) / 100.0, 0.0, 1.0)


def right(
    estimate: np.ndarray, count: np.ndarray, total: np.ndarray, truth: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return in how many of b simulations the answers are right, (len(QUESTIONS), len(TOP)).

    ``estimate``, ``count`` and ``total`` (b, K): what an agent expects of the conditions, how often it ran them, and
    the sum of their results.
    """
    overall = total.sum(axis=1, keepdims=True) / count.sum(axis=1, keepdims=True)
    shrunk = np.where(count > 0, (total + SHRINKAGE * overall) / (count + SHRINKAGE), -np.inf)
    ranking = np.argsort(-truth)
    order = np.lexsort([rng.random(estimate.shape), -estimate], axis=-1)
    own = np.argsort(order, axis=-1)[:, ranking[0]]
    played = best(count, rng)
    return np.array(
        [
            [(own < k).sum() for k in TOP],
            [np.isin(order[:, 0], ranking[:k]).sum() for k in TOP],
            [np.isin(played, ranking[:k]).sum() for k in TOP],
            [np.isin(best(shrunk, rng), ranking[:k]).sum() for k in TOP],
        ]
    )


def simulate(agent: str, Y: np.ndarray, b: int, budget: int) -> Answers:
    """Run b simulations of a bandit, or of random conditions, on a table of yields (K, S)."""
    rng, (K, S), rows = stream(0, agent), Y.shape, np.arange(b)
    zero = np.zeros((b, K))
    pulls, runs, truth = Pulls(zero, zero, zero), np.zeros((b, K, S)), np.nanmean(Y, axis=1)
    answers, regret = np.zeros((budget, len(QUESTIONS), len(TOP))), np.zeros(budget)
    for t in range(budget):
        arm = rng.integers(K, size=b) if agent == "random" else best(indices(load_agent(agent).agent, pulls, rng), rng)
        substrate = least_run(runs[rows, arm], rng.random((b, S)))
        runs[rows, arm, substrate] += 1
        one = np.zeros((b, K))
        one[rows, arm] = 1.0
        y = np.nan_to_num(Y[arm, substrate])[:, None] * one
        pulls = Pulls(pulls.count + one, pulls.total + y, pulls.squares + y * y)
        estimate = np.where(pulls.count > 0, pulls.mean, -1.0)
        answers[t] = right(estimate, pulls.count, pulls.total, truth, rng)
        regret[t] = (truth.max() - truth[arm]).mean()
    return Answers(agent, np.arange(1, budget + 1), answers / b, regret.cumsum())


def bayes(name: str, chosen: bool, b: int, budget: int) -> Answers:
    """Run b campaigns of the Gaussian process."""
    plain = load(name, generality=True)
    reaction = load(name, generality={"over": list(plain.generality.over), "chosen": chosen})
    at, rng, truth = np.arange(EVERY, budget + 1, EVERY), stream(1, "bayes"), np.nanmean(yields(plain), axis=1)
    answers, regret = np.zeros((len(at), len(QUESTIONS), len(TOP))), np.zeros(budget)
    for seed in range(b):
        with Campaign(reaction, "decoupled-gp", budget=budget, seed=seed) as campaign:
            campaign.run()
            agent, history = campaign.agent, campaign.history
        arms = agent.places(history, np.arange(budget))[0]
        for i, t in enumerate(at):
            estimate = agent.means(reaction.space, first(history, t))[None]
            count = np.bincount(arms[:t], minlength=len(truth))[None].astype(float)
            total = np.bincount(arms[:t], history.y[:t], len(truth))[None]
            answers[i] += right(estimate, count, total, truth, rng)
        regret += truth.max() - truth[arms]
    label = "decoupled-gp, chooses substrates" if chosen else "decoupled-gp"
    return Answers(label, at, answers / b, regret.cumsum()[at - 1] / b)


def first(history: History, t: int) -> History:
    """Return the first t trials."""
    substrate = None if history.substrate is None else history.substrate[:t]
    return History(history.X[:t], history.y[:t], history.status[:t], substrate=substrate)


def told(name: str, found: list[Answers], budget: int) -> Iterator[str]:
    """Yield the lines of a reaction: shares after half of the budget and at its end."""
    reaction = load(name, generality=True)
    K, S = len(Grid(reaction.space).X), len(reaction.substrates)
    first, second = np.sort(np.nanmean(yields(reaction), axis=1))[::-1][:2]
    yield f"{name}: {K} conditions, {S} substrates; best means {first:.1%} and {second:.1%}"
    for t in (budget // 2, budget):
        columns = "".join(f"{question + ', ' + '/'.join(map(str, TOP)):22}" for question in QUESTIONS)
        yield f"    {f'after {t} experiments':34}{columns}regret"
        for answers in sorted(found, key=lambda each: -each.right[-1, 0, 0]):
            (i,) = np.flatnonzero(answers.at == t)
            cells = [" / ".join(f"{share:4.0%}" for share in row) for row in answers.right[i]]
            yield f"    {answers.agent:34}{''.join(f'{cell:22}' for cell in cells)}{answers.regret[i]:6.1f}"


def draw(table: Path, simulations: int, campaigns: int) -> Figure:
    """Draw what is in the table: for three questions the share of simulations that are right.

    There are so many ``simulations`` of each bandit, and ``campaigns`` of the Gaussian process.
    """
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    reactions, agents = (list(dict.fromkeys(row[key] for row in rows)) for key in ("reaction", "agent"))
    titles = {
        "own_estimate_3": "the best is among its own top 3",
        "recommended_3": "what it recommends is among the 3 best",
        "most_played_3": "its most played is among the 3 best",
    }
    figure = Figure(figsize=(3.6 * len(reactions), 9.6), layout="constrained")
    axes = figure.subplots(len(titles), len(reactions), squeeze=False, sharey=True, sharex=True)
    for column, reaction in enumerate(reactions):
        for axis, (question, title) in zip(axes[:, column], titles.items(), strict=True):
            for k, agent in enumerate(agents):
                own = [row for row in rows if row["reaction"] == reaction and row["agent"] == agent]
                at, shares = ([float(row[key]) for row in own] for key in ("experiments", question))
                bayes = agent.startswith("decoupled")
                look = {"color": "#111111" if bayes else COLOURS[k % len(COLOURS)], "lw": 2.0 if bayes else 1.3}
                look["ls"] = ":" if "chooses" in agent else "--" if agent in PLAIN else "-"
                axis.plot(at, shares, label=agent, **look)
            axis.set(title=f"{reaction}\n{title}", ylim=(0, 1))
            axis.title.set_fontsize(9)
            axis.grid(alpha=0.3)
            axis.spines[["top", "right"]].set_visible(False)
        axes[-1, column].set_xlabel("experiments")
    for axis in axes[:, 0]:
        axis.set_ylabel("share of simulations")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    counts = f"{simulations} simulations of each bandit, {campaigns} of decoupled-gp"
    figure.suptitle(f"Which conditions are best on average over all substrates? {counts}", fontsize=11)
    return figure


def write(everything: dict[str, list[Answers]]) -> None:
    """Write all shares to a CSV."""
    with (RESULTS / "generality.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        shares = [f"{question.replace(' ', '_')}_{k}" for question in QUESTIONS for k in TOP]
        table.writerow(["reaction", "agent", "experiments", *shares, "regret"])
        for name, found in everything.items():
            for answers in found:
                for i, t in enumerate(answers.at):
                    shares = [f"{share:.3f}" for share in answers.right[i].ravel()]
                    if t % 5 == 0:
                        table.writerow([name, answers.agent, t, *shares, f"{answers.regret[i]:.3f}"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reactions", nargs="*", default=REACTIONS)
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--budget", type=int, default=100)
    parser.add_argument("--bayes", type=int, default=100, help="campaigns of the Gaussian process; 0 for none")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    print(machine("numpy", "scipy"))
    everything: dict[str, list[Answers]] = {}
    for name in args.reactions:
        start, Y = time.perf_counter(), yields(load(name, generality=True))
        found = [simulate(agent, Y, args.simulations, args.budget) for agent in [*BANDITS, "random"]]
        middle = time.perf_counter()
        found += [bayes(name, chosen, args.bayes, args.budget) for chosen in (False, True) if args.bayes]
        print("\n".join(told(name, found, args.budget)))
        rest = time.perf_counter() - middle
        print(f"    {middle - start:.0f} s for the bandits, {rest:.0f} s for the Gaussian process", flush=True)
        everything[name] = found
    if args.write:
        write(everything)
        (RESULTS / "generality.png").write_bytes(png(draw(RESULTS / "generality.csv", args.simulations, args.bayes)))


if __name__ == "__main__":
    main()
