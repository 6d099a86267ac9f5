"""Experiments until a campaign comes within 5 % of the optimum, on reactions whose constants were drawn anew.

    python benchmarks/few_shot.py [CARD ...] [--agents NAME ...] [--draws 100] [--budget 40] [--write]

Each draw has constants from the uncertainty of the card (30 % on rate constants, 5 kJ/mol on barriers) and the noise of
the card; agents see measurements, and the noise-free value decides. Agents that are trained or simulate know the card
and its uncertainty, never the draw. Two controls: ``blind`` proposes the optimum of the card itself and nothing else;
``NAME+blind`` is an agent whose first trial that is. A campaign ends where it has come within 5 %; medians with 95 %
intervals of 2,000 bootstrap samples, ``>`` where half of the campaigns do not come that far. ``--write`` adds the lines
to benchmarks/results/few_shot.csv: one per campaign, which a later run takes instead of running it again.
"""

from __future__ import annotations

import argparse
import csv
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from measuring import machine
from optuna.exceptions import ExperimentalWarning

from rxnopt.agents import Agent, build
from rxnopt.agents import load as load_agent
from rxnopt.campaign import Campaign
from rxnopt.history import History
from rxnopt.seeds import stream
from rxnopt.simulators import Reaction, load
from rxnopt.space import Array, Space

CARDS = [
    "lactose", "oil_shale", "trambouze", "vandevusse", "vandevusse_cascade", "vandevusse_isothermal", "williams_otto",
    "fructose",
]  # fmt: skip
AGENTS = ["blind", "posterior", "few-shot", "gp", "tpe", "lognei", "random", "gp+blind", "lognei+blind"]
SHARE, SAMPLES = 0.95, 2000
RESULTS = Path(__file__).with_name("results") / "few_shot.csv"


class Blind:
    """Proposes the optimum of the card, then goes on as another agent, or stays there."""

    def __init__(self, reaction: Reaction, after: Agent | None) -> None:
        self.X, self.after = reaction.space.to_array(reaction.optimum().conditions), after

    def propose(self, space: Space, history: History, n: int, rng: np.random.Generator) -> Array:
        """Return conditions (n, d)."""
        if self.after is None or not len(history):
            return np.repeat(self.X, n, axis=0)
        return self.after.propose(space, history, n, rng)


@cache
def nominal(card: str) -> Reaction:
    return load(card)


def made(name: str, card: str, budget: int, seed: int) -> Agent:
    first, _, rest = name.partition("+")
    if name == "blind":
        return Blind(nominal(card), None)
    agent = build(load_agent(first), nominal(card), budget=budget, seed=seed)
    return Blind(nominal(card), agent) if rest else agent


def first_within(card: str, name: str, draw: int, budget: int) -> int:
    """Return the number of the first trial (from 1) within 5 % of the optimum, 0 where there is none."""
    warnings.simplefilter("ignore", ExperimentalWarning)
    row = nominal(card).draw(stream(0, "few shot"), draw + 1)[draw]
    reaction = nominal(card).with_constants(row)
    best = reaction.card.objective.sign * reaction.optimum().value
    with Campaign(reaction, made(name, card, budget, draw), budget=budget, seed=draw) as campaign:
        for _ in range(1 if name == "blind" else budget):
            (trial,) = campaign.ask()
            exact, measured = reaction.experiment(
                reaction.space.to_array(trial.conditions),
                reaction.measurement.chance.of_trials(draw, [trial.number]),
            )
            if exact.failed[0] or measured.failed[0]:
                campaign.tell(trial.number, None)
                continue
            score = float(reaction.score(exact)[0])
            if 1 - (best - score) / abs(best) >= SHARE and reaction.within_limits(exact)[0]:
                return trial.number + 1
            campaign.tell(trial.number, dict(zip(reaction.outputs, measured.values[0].tolist(), strict=True)))
    return 0


def told(name: str, numbers: list[int], budget: int) -> str:
    n = np.where(np.array(numbers) == 0, np.inf, numbers)
    rng = np.random.default_rng(0)
    medians = np.median(rng.choice(n, size=(SAMPLES, len(n))), axis=1)
    low, high = np.quantile(medians, [0.025, 0.975], method="nearest")
    texts = [f"{x:g}" if np.isfinite(x) else f">{budget}" for x in (np.median(n), low, high)]
    shares = [f"{np.mean(n <= k):.0%}" for k in (1, 3, 5, 10, budget)]
    return f"    {name:22s} median {texts[0]:>5s} [{texts[1]} to {texts[2]}]   by 1, 3, 5, 10, all: {', '.join(shares)}"


def stored() -> dict[tuple[str, str, int, int], int]:
    if not RESULTS.exists():
        return {}
    with RESULTS.open(newline="") as file:
        return {
            (r["card"], r["agent"], int(r["draw"]), int(r["budget"])): int(r["first"]) for r in csv.DictReader(file)
        }


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("cards", nargs="*", default=CARDS)
    options.add_argument("--agents", nargs="+", default=AGENTS)
    options.add_argument("--draws", type=int, default=100)
    options.add_argument("--budget", type=int, default=40)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    print(machine("optuna", "botorch", "torch", "numba"))
    known = stored()
    for card in given.cards:
        print(f"{card}, {given.draws} draws", flush=True)
        for name in given.agents:
            keys = [(card, name, draw, given.budget) for draw in range(given.draws)]
            todo = [key for key in keys if key not in known]
            with ProcessPoolExecutor(2, get_context("spawn")) as pool:
                known |= dict(zip(todo, pool.map(first_within, *zip(*todo, strict=True)), strict=True)) if todo else {}
            if given.write:
                with RESULTS.open("w", newline="", encoding="utf-8") as file:
                    rows = [(*key, first) for key, first in sorted(known.items())]
                    csv.writer(file, lineterminator="\n").writerows(
                        [("card", "agent", "draw", "budget", "first"), *rows]
                    )
            print(told(name, [known[key] for key in keys], given.budget), flush=True)


if __name__ == "__main__":
    main()
