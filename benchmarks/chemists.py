"""Direct arylation: people, EDBO and agents in the figures of the literature, from a finished comparison.

Run ``rxnopt compare arylation-vs-chemists`` first (the data are fetched, or come from RXNOPT_DATA_MIRROR), then
``python benchmarks/chemists.py``: table and figure go to ``benchmarks/results``. For each agent: the mean over its
campaigns of the best yield so far, the median number of experiments until a yield of 95 % and of 99 %, and the share
that gets to 99 %. A campaign that ended early keeps what it had. The first row is no simulation but the exact
expectation of random search without repetition.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import gammaln

import rxnopt
from rxnopt.experiments.report import read_run
from rxnopt.simulators.past import past_campaigns

RESULTS = Path(__file__).parent / "results"
AT = (5, 10, 15, 20, 25, 30, 50)
TARGETS = (95, 99)
LONGEST = 100


def best_so_far(campaigns):
    """Return the best yields so far (campaigns, experiments), carried on to the longest."""
    longest = max(map(len, campaigns))
    rows = np.full((len(campaigns), longest), -np.inf)
    for row, yields in zip(rows, campaigns, strict=True):
        row[: len(yields)] = np.where(np.isnan(yields), -np.inf, yields)
    return np.maximum.accumulate(rows, axis=1)


def figures(best):
    """Return mean best yields at :data:`AT` (NaN beyond the end), median experiments to 95 and 99 %, share at 99 %."""
    means = [best[:, n - 1].mean() if n <= best.shape[1] else np.nan for n in AT]
    first = [np.where((best >= y).any(1), (best >= y).argmax(1) + 1.0, np.inf) for y in TARGETS]
    return [*means, *(float(np.median(n)) for n in first), 100 * float(np.isfinite(first[1]).mean())]


def past(name):
    """Return all that was done in past campaigns: a list of yields for each."""
    reaction = rxnopt.load("direct_arylation")
    return [[row["yield"] for row in campaign.outputs] for campaign in past_campaigns(reaction, name)]


def random_search(yields):
    """Return the figures of random search without repetition over all ``yields``: exact, share at 99 % after 100."""
    y = np.sort(yields)
    k, N = np.arange(1, len(y) + 1), len(y)

    def below(m, n):
        """Return the probability that none of the m best is among the first n."""
        return np.exp(_chosen(N - m, n) - _chosen(N, n)) if n <= N - m else 0.0

    means = []
    for n in AT:
        last = np.exp(np.where(k >= n, _chosen(np.maximum(k - 1, n - 1), n - 1) - _chosen(N, n), -np.inf))
        means.append(float(last @ y))
    counts = [int((y >= target).sum()) for target in TARGETS]
    medians = [float(next(n for n in range(1, N) if below(m, n) <= 0.5)) for m in counts]
    return [*means, *medians, 100 * (1 - below(counts[1], LONGEST))]


def _chosen(n, k):
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def table(rows):
    """Return the rows as text."""
    columns = [*map(str, AT), *(f"to {y}" for y in TARGETS), "at 99"]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    shown = frame.copy().astype(object)
    for column in columns:
        shown[column] = [
            "-" if np.isnan(v) else "never" if np.isinf(v) else f"{v:.0f} %" if column == "at 99" else f"{v:.1f}"
            for v in frame[column]
        ]
    return shown.to_string()


def draw(curves, place):
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=Path("runs/arylation-vs-chemists"), help="a finished comparison")
    manifest, trials = read_run(parser.parse_args().run)
    reaction = rxnopt.load("direct_arylation")
    rows = {"random search, exact": random_search(reaction.simulator.values[:, 0])}
    curves = {}
    for agent in manifest["agents"]:
        mine = trials[trials["agent"] == agent].sort_values("trial").groupby("seed")["objective_noise_free"]
        done = past(agent) if agent in reaction.card.past else [group.tolist() for _, group in mine]
        curves[agent] = best_so_far(done)
        rows[agent] = figures(curves[agent])
    note = (
        f"Mean best yield / % after so many experiments, median experiments to 95 and 99 %, share at 99 %\n"
        f"({manifest['experiment']['seeds']} campaigns of {manifest['experiment']['budget']} experiments for agents; "
        "all experiments of chemists and EDBO, up to 100; random search after 100).\n\n"
    )
    text = note + table(rows) + "\n"
    print(text, end="")
    (RESULTS / "chemists.txt").write_text(text, encoding="utf-8")
    draw(curves, RESULTS / "chemists.png")


if __name__ == "__main__":
    main()
