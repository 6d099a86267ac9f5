"""Cards of a small comparison: two reactions (one to maximise, one to minimise), three agents, one of them broken."""

from __future__ import annotations

from pathlib import Path

MADE = """
name: made
id: Made-v0
title: B between A and C
source: {doi: 10.1000/toy, citation: Nobody 2026}
budget: 8
constants: {charge: 1 mol/L}
parameters:
  time: {low: 0.1, high: 10, unit: min, scale: log}
  solvent: {levels: {water: {speed: 1 1/min}, ethanol: {speed: 2 1/min}, toluene: {speed: 0.5 1/min}}}
model:
  reactor: {type: batch, time: time}
  initial: {A: charge}
  reactions:
    - {equation: A -> B, k: solvent_speed}
    - {equation: B -> C, k: 0.3 1/min}
outputs:
  yield: {formula: B / charge, unit: "%"}
noise: {yield: {sd: 1.0}}
optimum: {value: 71.5504, conditions: {time: 1.11595, solvent: ethanol}}
"""
LEFT = """
name: left
id: Left-v0
title: What is left of A
budget: 8
parameters:
  time: {low: 1, high: 3, unit: min}
  charge: {low: 1, high: 2, unit: mol/L}
model:
  reactor: {type: batch, time: time}
  initial: {A: charge}
  reactions: [{equation: A -> B, k: 1 1/min}]
outputs:
  rest: {formula: A, unit: mol/L}
objective: {minimize: rest}
noise: {rest: {relative: 0.05}}
optimum: {value: 0.049787068367863944, conditions: {time: 3, charge: 1}}
"""
BROKEN = """
name: broken
title: A sampler that Optuna does not have
agent: {kind: optuna, sampler: NoSuchSampler}
"""
EXPERIMENT = """
name: small
title: A small comparison
description: For tests <b>only</b>.
reactions: [{folder}/made.yaml, {folder}/left.yaml]
agents: [{agents}]
seeds: {seeds}
budget: {budget}
"""


def write_cards(folder: Path, agents: str = "random, tpe", *, seeds: int = 3, budget: int = 8) -> Path:
    """Write the cards into ``folder`` and return the path of the experiment card."""

    for file, text in (("made", MADE), ("left", LEFT), ("broken", BROKEN)):
        (folder / f"{file}.yaml").write_text(text)
    card = folder / "small.yaml"
    agents = agents.replace("BROKEN", f"{folder}/broken.yaml")
    card.write_text(EXPERIMENT.format(folder=folder, agents=agents, seeds=seeds, budget=budget))
    return card
