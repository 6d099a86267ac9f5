"""How long agents that learn within a campaign think about the next experiment: seconds per proposal.

Each is asked for the next trial after 10, 25 and 50 trials of a Sobol sequence, again and again with other seeds of
the call, in a process that has been warmed up; before that it has been asked after all of these trials but the last,
as in a campaign. On snar lognehvi has two objectives, else one. Run: ``python benchmarks/proposal_time.py [REACTION]``.
"""

from __future__ import annotations

import os
import sys
import time

from measuring import machine

from rxnopt.agents import build, load
from rxnopt.campaign import Campaign
from rxnopt.history import History
from rxnopt.seeds import stream

USUAL = ("tpe", "cmaes", "ppo", "gp", "logei", "lognei", "lognehvi")
AGENTS = {"snar": USUAL, "mit_case5": USUAL, "lactose": ("few-shot", "posterior"), "direct_arylation": ("gp-prior",)}
TRIALS, CALLS = (10, 25, 50), 7


def measured(reaction: str, agent: str, trials: int) -> tuple[float, float, float]:
    """Return the least, the median and the largest seconds of a proposal."""
    pareto = agent == "lognehvi" and reaction == "snar"
    with Campaign(reaction, "sobol", budget=trials, seed=1, pareto=pareto) as campaign:
        campaign.run()
        taken, now = [], campaign.history
        before = History(
            now.X[:-1], now.y[:-1], now.status[:-1], *(None if a is None else a[:-1] for a in (now.Y, now.violation))
        )
        for call in range(1 + CALLS):
            asked = build(load(agent), campaign.reaction, budget=trials + 1, seed=1)
            asked.propose(campaign.space, before, 1, stream(call, "before"))
            start = time.perf_counter()
            asked.propose(campaign.space, now, 1, stream(call, "call"))
            taken.append(time.perf_counter() - start)
        low, *_, high = ordered = sorted(taken[1:])  # the first one warms up
        return low, ordered[CALLS // 2], high


def main() -> None:
    """Print a table."""
    print(machine("optuna", "botorch", "torch", "cmaes"))
    print(f"load of the machine at the start: {os.getloadavg()[0]:.1f}; milliseconds, median [least to largest] of 7")
    print(f"{'reaction':17}{'agent':9}" + "".join(f"{f'{trials} trials':>26}" for trials in TRIALS))
    for reaction in sys.argv[1:] or AGENTS:
        for agent in AGENTS[reaction]:
            cells = [measured(reaction, agent, trials) for trials in TRIALS]
            row = "".join(f"{f'{1e3 * mid:.1f} [{1e3 * low:.1f} to {1e3 * high:.1f}]':>26}" for low, mid, high in cells)
            print(f"{reaction:17}{agent:9}{row}", flush=True)


if __name__ == "__main__":
    main()
