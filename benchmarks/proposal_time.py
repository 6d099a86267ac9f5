"""How long agents that learn within a campaign think about the next experiment: seconds per proposal.

Each is asked once for the next trial after 10, 25 and 50 trials of a Sobol sequence, again and again with other
seeds of the call, in a process that has been warmed up. On snar lognehvi has two objectives, else one. Run:
``python benchmarks/proposal_time.py``.
"""

from __future__ import annotations

import os
from itertools import count

from measuring import machine, seconds

from rxnopt.agents import build, load
from rxnopt.campaign import Campaign
from rxnopt.seeds import stream

REACTIONS = ("snar", "mit_case5")
AGENTS = ("tpe", "cmaes", "ppo", "gp", "logei", "lognei", "lognehvi")
TRIALS = (10, 25, 50)


def measured(reaction: str, agent: str, trials: int) -> tuple[float, float, float]:
    """Return the least, the median and the largest seconds of a proposal."""
    pareto = agent == "lognehvi" and reaction == "snar"
    with Campaign(reaction, "sobol", budget=trials, seed=1, pareto=pareto) as campaign:
        campaign.run()
        asked, calls = build(load(agent), campaign.reaction, budget=trials + 1, seed=1), count()
        return seconds(lambda: asked.propose(campaign.space, campaign.history, 1, stream(next(calls), "call")))


def main() -> None:
    """Print a table."""
    print(machine("optuna", "botorch", "torch", "cmaes"))
    print(f"load of the machine at the start: {os.getloadavg()[0]:.1f}; milliseconds, median [least to largest] of 7")
    print(f"{'reaction':10} {'agent':9}" + "".join(f"{f'{trials} trials':>26}" for trials in TRIALS))
    for reaction in REACTIONS:
        for agent in AGENTS:
            cells = [measured(reaction, agent, trials) for trials in TRIALS]
            row = "".join(f"{f'{1e3 * mid:.1f} [{1e3 * low:.1f} to {1e3 * high:.1f}]':>26}" for low, mid, high in cells)
            print(f"{reaction:10} {agent:9}{row}", flush=True)


if __name__ == "__main__":
    main()
