"""Direct arylation: agents beside fifty chemists and EDBO, noise-free as in the published comparison.

    python benchmarks/arylation.py [--agents NAME ...] [--seeds 50] [--budget 50] [--write]

1,728 measured experiments (4 bases, 12 ligands, 4 solvents, 3 concentrations, 3 temperatures). Campaigns have the seeds
of `rxnopt compare` with seed 0. ``logei-dft`` is logei with published descriptors of bases, ligands and solvents (DFT,
10.1038/s41586-021-03213-y): the principal components that hold 95 % of the variance of the standardised columns; and
with concentrations and temperatures as numbers. Agents without descriptors know levels by name. gp-prior compares
structures; its prior is fitted to other reactions. Means of the best yield so far with 95 % bootstrap intervals, and
the median number of experiments to 95 and 99 %, ``>`` where half of the campaigns do not come that far. ``--write``
adds the campaigns to benchmarks/results/arylation.csv, from which a later run takes them, and draws arylation.png.
"""

from __future__ import annotations

import argparse
import csv
import warnings
from functools import cache
from pathlib import Path

import pandas as pd
from measuring import machine
from optuna.exceptions import ExperimentalWarning
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from rxnopt.agents import load as load_agent
from rxnopt.campaign import Campaign
from rxnopt.cards.agent import AgentCard
from rxnopt.data import content
from rxnopt.seeds import stream_seed
from rxnopt.simulators import Reaction, load

AGENTS = ["random", "tpe", "gp", "ppo-online", "logei", "logei-dft", "gp-prior"]
AT, TARGETS, SAMPLES, VARIANCE = (5, 10, 15, 20, 25, 30, 50), (95.0, 99.0), 2000, 0.95
RESULTS = Path(__file__).with_name("results") / "arylation.csv"


@cache
def arylation() -> Reaction:
    return load("direct_arylation")


@cache
def card_of(name: str) -> AgentCard:
    """Return the card of the catalogue; of logei-dft that of logei with descriptors."""
    card = load_agent(name.removesuffix("-dft"))
    if not name.endswith("-dft"):
        return card
    descriptors: dict[str, object] = {name: described(name) for name in ("base", "ligand", "solvent")}
    descriptors |= {name: ["value"] for name in ("concentration", "temperature")}
    settings = card.agent.model_copy(update={"descriptors": descriptors})
    return card.model_copy(update={"name": name, "agent": settings})


def described(parameter: str) -> dict[str, list[float]]:
    """Return a row of principal components for each level."""
    card = arylation().card
    place, _ = content(card, f"{parameter}_dft", None)
    table = pd.read_csv(place).set_index(f"{parameter}_SMILES").select_dtypes("number")
    rows = table.loc[[str(each["smiles"]) for each in card.parameters[parameter].levels.values()]].dropna(axis=1)
    found = PCA(VARIANCE).fit_transform(StandardScaler().fit_transform(rows))
    return dict(zip(card.parameters[parameter].levels, found.tolist(), strict=True))


def campaign(name: str, number: int, budget: int) -> list[float]:
    """Return the yields of a campaign in their order."""
    seed = stream_seed(0, "campaign on direct_arylation", number)
    with Campaign(arylation(), card_of(name), budget=budget, seed=seed, noise=False) as running:
        return [float(y) for y in running.run(progress=False)["objective"]]


def stored() -> dict[tuple[str, int], list[float]]:
    if not RESULTS.exists():
        return {}
    with RESULTS.open(newline="") as file:
        _, *rows = csv.reader(file)
    return {(agent, int(number)): [float(y) for y in yields] for agent, number, *yields in rows}


def store(known: dict[tuple[str, int], list[float]]) -> None:
    longest = max(map(len, known.values()))
    with RESULTS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["agent", "campaign", *range(1, longest + 1)])
        writer.writerows([*key, *(f"{y:g}" for y in yields)] for key, yields in sorted(known.items()))


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--agents", nargs="+", default=AGENTS)
    options.add_argument("--seeds", type=int, default=50)
    options.add_argument("--budget", type=int, default=50)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    warnings.simplefilter("ignore", ExperimentalWarning)
    print(machine("optuna", "botorch", "torch", "scikit-learn"))
    for name in given.agents:
        for number in range(given.seeds):
            known = stored()  # several of these may run side by side, one for each agent
            if len(known.get((name, number), [])) < given.budget:
                known = {(name, number): campaign(name, number, given.budget)}
                if given.write:
                    store(stored() | known)


if __name__ == "__main__":
    main()
