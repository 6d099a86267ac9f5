"""Direct arylation: agents beside fifty chemists and EDBO, noise-free as in the published comparison.

    python benchmarks/arylation.py [--agents NAME ...] [--seeds 50] [--budget 50] [--write]

1,728 measured experiments (4 bases, 12 ligands, 4 solvents, 3 concentrations, 3 temperatures). Campaigns have the seeds
of `rxnopt compare` with seed 0, and agents know levels by name, but for these: ``logei-dft`` is logei with published
descriptors of bases, ligands and solvents (DFT, 10.1038/s41586-021-03213-y), the principal components that hold 95 %
of the variance of their standardised columns, and with concentrations and temperatures as numbers; ``gp-prior``
compares structures, and its prior is fitted to other reactions. ``gp-prior-by-5`` proposes five at once, as EDBO and
the chemists do, and ``gp-prior-names`` is gp-prior where no level has a structure. few-shot cannot take part: it is
taught on reactions drawn from the uncertainty of a card, which a table has not. Told are means of the best yield so
far and medians of the experiments to 95 and 99 %, with 95 % bootstrap intervals over campaigns; ``>`` where half of the
campaigns do not come that far. A chemist who stopped keeps the best yield. ``--write`` adds the campaigns to
benchmarks/results/arylation.csv, from which a later run takes them, and draws arylation.png.
"""

from __future__ import annotations

import argparse
import csv
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from chemists import best_so_far, draw, past, random_search
from measuring import machine
from optuna.exceptions import ExperimentalWarning
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from rxnopt.agents import load as load_agent
from rxnopt.campaign import Campaign
from rxnopt.cards.agent import AgentCard
from rxnopt.cards.parameters import Categorical
from rxnopt.data import Rows
from rxnopt.seeds import stream_seed
from rxnopt.simulators import Reaction, load
from rxnopt.space import Space

AGENTS = [
    "random", "tpe", "ppo-online", "gp", "logei", "logei-dft", "gp-prior-names", "gp-prior-by-5", "gp-prior",
]  # fmt: skip
AT, TARGETS, SAMPLES, VARIANCE = (5, 10, 15, 20, 25, 30, 50), (95.0, 99.0), 2000, 0.95
WIDTHS = 7 * (21,) + 2 * (19,)
UNDRAWN = ("gp-prior-by-5", "gp-prior-names")
"""Curves that would crowd the figure."""
RESULTS = Path(__file__).with_name("results") / "arylation.csv"
Campaigns = dict[tuple[str, int], list[float]]


@cache
def arylation() -> Reaction:
    return load("direct_arylation")


@cache
def nameless() -> Reaction:
    """Return the reaction whose levels have names and nothing else."""
    cards = {
        p.name: p.card.model_copy(update={"levels": {level: {} for level in p.card.levels}})
        for p in arylation().space
        if isinstance(p.card, Categorical)
    }
    return replace(arylation(), space=Space.from_cards(cards))


@cache
def card_of(name: str) -> AgentCard:
    """Return the card of the catalogue; of logei-dft that of logei with descriptors."""
    card = load_agent(name.removesuffix("-dft").removesuffix("-by-5").removesuffix("-names"))
    if not name.endswith("-dft"):
        return card
    descriptors: dict[str, object] = {name: described(name) for name in ("base", "ligand", "solvent")}
    descriptors |= {name: ["value"] for name in ("concentration", "temperature")}
    settings = card.agent.model_copy(update={"descriptors": descriptors})
    return card.model_copy(update={"name": name, "agent": settings})


def described(parameter: str) -> dict[str, list[float]]:
    """Return a row of principal components for each level."""
    rows, levels = Rows.of(arylation().card, f"{parameter}_dft", None), arylation().card.parameters[parameter].levels
    table = pd.read_csv(rows.place).set_index(f"{parameter}_SMILES").select_dtypes("number")
    table = table.loc[[str(each["smiles"]) for each in levels.values()]].dropna(axis=1)
    found = PCA(VARIANCE).fit_transform(StandardScaler().fit_transform(table))
    return dict(zip(levels, found.tolist(), strict=True))


def campaign(name: str, number: int, budget: int) -> list[float]:
    """Return the yields of a campaign in their order."""
    seed = stream_seed(0, "campaign on direct_arylation", number)
    reaction = nameless() if name.endswith("-names") else arylation()
    with Campaign(reaction, card_of(name), budget=budget, seed=seed, noise=False) as running:
        return [float(y) for y in running.run(batch=5 if name.endswith("-by-5") else 1)["objective"]]


def stored() -> Campaigns:
    if not RESULTS.exists():
        return {}
    with RESULTS.open(newline="") as file:
        _, *rows = csv.reader(file)
    return {(agent, int(number)): [float(y) for y in yields] for agent, number, *yields in rows}


def store(known: Campaigns) -> None:
    with RESULTS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["agent", "campaign", *range(1, 1 + max(map(len, known.values())))])
        writer.writerows([*key, *(f"{y:g}" for y in yields)] for key, yields in sorted(known.items()))


def interval(values: np.ndarray, middle: Callable[..., np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a statistic of values (n, ...) over campaigns and the ends of its bootstrap interval."""
    rng = np.random.default_rng(0)
    drawn = [middle(values[rng.integers(len(values), size=len(values))], axis=0) for _ in range(SAMPLES)]
    return middle(values, axis=0), *np.quantile(drawn, [0.025, 0.975], axis=0, method="nearest")


def line(name: str, best: np.ndarray) -> str:
    """Return a row of the table."""
    mean, low, high = interval(best, np.mean)
    cells = [f"{mean[k - 1]:.1f} [{low[k - 1]:.1f}, {high[k - 1]:.1f}]" for k in AT if k <= best.shape[1]]
    for target in TARGETS:
        first = np.where((best >= target).any(axis=1), 1 + (best >= target).argmax(axis=1), np.inf)
        ends = [f"{x:g}" if np.isfinite(x) else f">{best.shape[1]}" for x in interval(first, np.median)]
        cells.append(f"{ends[0]} [{ends[1]}, {ends[2]}]")
    return f"{name:15}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, WIDTHS, strict=False))


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--agents", nargs="+", default=AGENTS)
    options.add_argument("--seeds", type=int, default=50)
    options.add_argument("--budget", type=int, default=50)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    warnings.simplefilter("ignore", ExperimentalWarning)
    print(machine("optuna", "botorch", "torch", "scikit-learn", "rdkit"))
    print(f"{given.seeds} campaigns of {given.budget} experiments; mean best yield in % after so many of them")
    heads = [*map(str, AT), *(f"median to {target:g} %" for target in TARGETS)]
    print(f"{'':15}" + "".join(f"{head:>{width}}" for head, width in zip(heads, WIDTHS, strict=True)))
    exact = random_search(arylation().simulator.values[:, 0])
    print(f"{'random, exact':15}" + "".join(f"{y:>{w}.1f}" for y, w in zip(exact[: len(WIDTHS)], WIDTHS, strict=True)))
    curves = {name: best_so_far(past(name)) for name in ("chemists", "edbo")}
    for name, best in curves.items():
        print(line(name, best))
    known = stored()
    for name in given.agents:
        for number in range(given.seeds):
            if len(known.get((name, number), [])) < given.budget:
                known[name, number] = campaign(name, number, given.budget)
                if given.write:
                    store(known)
        curves[name] = best_so_far([known[name, number][: given.budget] for number in range(given.seeds)])
        print(line(name, curves[name]), flush=True)
    if given.write:
        draw({name: best for name, best in curves.items() if name not in UNDRAWN}, RESULTS.with_suffix(".png"))


if __name__ == "__main__":
    main()
