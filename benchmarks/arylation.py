"""Direct arylation: agents beside fifty chemists and EDBO, in the figures of the literature.

    python benchmarks/arylation.py [--again AGENT ...] [--out runs] [--write]

1,728 measured experiments (4 bases, 12 ligands, 4 solvents, 3 concentrations, 3 temperatures), without noise as in the
published comparison. Campaigns are those of ``rxnopt compare arylation-vs-chemists``; they come from
benchmarks/results/arylation.csv where they stand there, else the comparison runs them, and goes on where it was
stopped. Two rows more: ``gp-prior-by-5`` proposes five at once, as EDBO and the chemists do, and ``gp-prior-names`` is
gp-prior where no level has a structure.

Told are means of the best yield so far, medians of the experiments to 95 and 99 %, with 95 % bootstrap intervals over
campaigns, and the share that comes to 99 % within 100 experiments or as many as there are; ``>`` where half of the
campaigns do not come that far. Of chemists and EDBO all experiments count, up to 100; a chemist who stopped keeps the
best yield. ``random, exact`` is no simulation but the expectation of random search without repetition; below it the
same by 1,000 draws. ``--write`` adds the campaigns to arylation.csv and draws arylation.png.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import machine
from optuna.exceptions import ExperimentalWarning
from scipy.special import gammaln

from rxnopt import compare, load
from rxnopt.campaign import Campaign
from rxnopt.cards import ExperimentCard, load_card
from rxnopt.cards.parameters import Categorical
from rxnopt.experiments.scores import NEVER, interval, median, needed
from rxnopt.seeds import stream, stream_seed
from rxnopt.simulators import Reaction
from rxnopt.simulators.past import past_campaigns
from rxnopt.space import Space

CARD = load_card("experiments", "arylation-vs-chemists", ExperimentCard)[0]
VARIANTS = ("gp-prior-by-5", "gp-prior-names")
"""Rows beside those of the comparison; their curves would crowd the figure."""
AT, TARGETS, LONGEST, DRAWS = (5, 10, 15, 20, 25, 30, 50), (95, 99), 100, 1000
WIDTHS = 7 * (21,) + 2 * (19,) + (10,)
RESULTS = Path(__file__).with_name("results") / "arylation.csv"


def best_so_far(campaigns):
    """Return the best yields so far (campaigns, experiments), carried on to the longest."""
    rows = np.full((len(campaigns), max(map(len, campaigns))), -np.inf)
    for row, yields in zip(rows, campaigns, strict=True):
        row[: len(yields)] = np.where(np.isnan(yields), -np.inf, yields)
    return np.maximum.accumulate(rows, axis=1)


def figures(best):
    """Return mean best yields at :data:`AT`, median experiments to 95 and 99 %, share at 99 % in :data:`LONGEST`."""
    firsts = [float(median(needed(best >= y))) for y in TARGETS]
    share = 100 * float((best[:, :LONGEST] >= TARGETS[-1]).any(axis=1).mean())
    return [*best[:, [n - 1 for n in AT]].mean(axis=0), *(n if n < NEVER / 1e6 else np.inf for n in firsts), share]


def past(name):
    """Return all that was done in past campaigns: a list of yields for each."""
    return [[row["yield"] for row in campaign.outputs] for campaign in past_campaigns(load(CARD.reactions[0]), name)]


def random_search(yields):
    """Return the figures of random search without repetition over all ``yields``, exact."""
    y = np.sort(yields)
    k, N = np.arange(1, len(y) + 1), len(y)

    def chosen(n, k):
        return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)

    def without(m, n):
        """Return the probability that none of the m best is among the first n."""
        return np.exp(chosen(N - m, n) - chosen(N, n)) if n <= N - m else 0.0

    means = []
    for n in AT:
        last = np.exp(np.where(k >= n, chosen(np.maximum(k - 1, n - 1), n - 1) - chosen(N, n), -np.inf))
        means.append(float(last @ y))
    counts = [int((y >= target).sum()) for target in TARGETS]
    medians = [float(next(n for n in range(1, N) if without(m, n) <= 0.5)) for m in counts]
    return [*means, *medians, 100 * (1 - without(counts[-1], LONGEST))]


def drawn(yields, n=DRAWS, longest=300):
    """Return the best yields so far (n, longest) of random search without repetition."""
    rng = stream(0, "random search")
    return best_so_far([yields[rng.permutation(len(yields))[:longest]].tolist() for _ in range(n)])


def nameless(reaction: Reaction) -> Reaction:
    """Return a reaction whose levels have names and nothing else."""
    cards = {
        p.name: p.card.model_copy(update={"levels": {level: {} for level in p.card.levels}})
        for p in reaction.space
        if isinstance(p.card, Categorical)
    }
    return replace(reaction, space=Space.from_cards(cards))


def varied(name: str) -> list[list[float]]:
    """Return the yields of the campaigns of a row of :data:`VARIANTS`."""
    reaction, found = load(CARD.reactions[0]), []
    for number in range(CARD.seeds):
        seed = stream_seed(CARD.seed, f"campaign on {reaction.name}", number)
        own = nameless(reaction) if name.endswith("names") else reaction
        with Campaign(own, "gp-prior", budget=CARD.budget, seed=seed, noise=False) as campaign:
            found.append(campaign.run(batch=5 if name.endswith("5") else 1)["objective"].tolist())
    return found


def campaigns(again: list[str], out: str) -> dict[str, list[list[float]]]:
    """Return the yields of all campaigns by agent: those that are stored, others from the comparison."""
    known = {}
    if RESULTS.exists():
        for agent, rows in pd.read_csv(RESULTS).groupby("agent"):
            known[str(agent)] = rows.sort_values("campaign").iloc[:, 2:].to_numpy().tolist()
    known = {agent: yields for agent, yields in known.items() if agent not in again}
    missing = tuple(agent for agent in CARD.agents if agent not in known)
    if missing:
        done = compare(CARD.model_copy(update={"agents": missing, "past": ()}), out=out)
        for agent, trials in done.trials.groupby("agent"):
            known[str(agent)] = trials["objective_noise_free"].to_numpy().reshape(-1, CARD.budget).tolist()
    return known | {name: varied(name) for name in VARIANTS if name not in known}


def line(name, best):
    """Return a row of the table."""
    *found, share = figures(best)
    lows, highs = interval([best[:, [n - 1 for n in AT]].T], np.mean)
    cells = [f"{m:.1f} [{a:.1f}, {b:.1f}]" for m, a, b in zip(found, lows, highs, strict=False)]
    for target, middle in zip(TARGETS, found[len(AT) :], strict=True):
        ends = [middle, *(float(end) for end in interval([needed(best >= target)], median))]
        low, *rest = [f"{round(n, 1):g}" if n < NEVER / 1e6 else f">{best.shape[1]}" for n in ends]
        cells.append(f"{low} [{', '.join(rest)}]")
    return written(name, [*cells, f"{share:.0f} %"])


def written(name, cells):
    """Return a line with cells in columns."""
    return f"{name:20}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, WIDTHS, strict=True))


def store(known) -> None:
    """Write the yields of all campaigns."""
    rows = [[agent, i, *yields] for agent in sorted(known) for i, yields in enumerate(known[agent])]
    columns = ["agent", "campaign", *range(1, CARD.budget + 1)]
    pd.DataFrame(rows, columns=columns).to_csv(RESULTS, index=False, float_format="%g", lineterminator="\n")


def draw(curves, place) -> None:
    """Draw the mean best yield over the experiments."""
    import matplotlib as mpl

    mpl.use("Agg")
    from rxnopt.experiments.figures import COLOURS, MARKERS, STYLE, canvas

    with mpl.rc_context(STYLE):
        figure, axes = canvas(8, 4.6, 1, 1)
        for i, (name, best) in enumerate(curves.items()):
            mean = best.mean(axis=0)[: AT[-1]]
            style = {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)], "markevery": 5}
            axes[0, 0].plot(np.arange(1, len(mean) + 1), mean, label=name, linewidth=1.8, markersize=5, **style)
        axes[0, 0].set(xlabel="experiments", ylabel="mean best yield / %", ylim=(20, 101), xlim=(1, AT[-1]))
        axes[0, 0].legend(frameon=False, loc="lower right")
        figure.savefig(place, dpi=110, metadata={"Software": None})


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--again", nargs="+", default=[], metavar="AGENT", help="run these anew")
    options.add_argument("--out", default="runs", help="folder of comparisons")
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    warnings.simplefilter("ignore", ExperimentalWarning)
    known = campaigns(given.again, given.out)
    print(machine("optuna", "botorch", "torch", "scikit-learn", "rdkit"))
    print(f"{CARD.seeds} campaigns of {CARD.budget} experiments; mean best yield in % after so many of them")
    print(written("", [*map(str, AT), *(f"median to {target} %" for target in TARGETS), "at 99 %"]))
    yields = load(CARD.reactions[0]).simulator.values[:, 0]
    *exact, share = random_search(yields)
    cells = [*(f"{y:.1f}" for y in exact[: len(AT)]), *(f"{n:g}" for n in exact[len(AT) :]), f"{share:.0f} %"]
    print(written("random, exact", cells))
    print(line(f"random, {DRAWS:,} draws", drawn(yields)))
    curves = {name: best_so_far(past(name)) for name in CARD.past}
    curves |= {name: best_so_far(known[name]) for name in (*CARD.agents, *VARIANTS)}
    for name, best in curves.items():
        print(line(name, best))
    if given.write:
        store(known)
        draw({name: best for name, best in curves.items() if name not in VARIANTS}, RESULTS.with_suffix(".png"))


if __name__ == "__main__":
    main()
