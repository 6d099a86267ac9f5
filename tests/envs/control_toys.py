"""Small control problems with closed forms."""

from __future__ import annotations

from pathlib import Path

CHARGE = """
name: charge
id: Charge-v0
title: What flows in, weighed, with a limit on the way
constants: {hour: 1 h, rate: 1 1/h, most: 4}
parameters:
  inflow: {low: -2, high: 2, description: per hour}
control: {intervals: 4, measured: [content]}
model:
  reactor: {type: custom, time: hour}
  states:
    x: {initial: 3, derivative: 4 * rate * inflow}
  path: {fullest: {max: x}}
outputs:
  content: {formula: x}
  fullest_so_far: {formula: fullest}
  worth: {formula: "content - 10 * max(0, fullest_so_far - most)"}
objective: {maximize: worth}
limits: {fullest_so_far: {high: 4}}
noise: {content: {sd: 0.1}, worth: {sd: 0.1}}
optimum: {value: 4, profile: charge.csv, note: in the first interval half an inflow and then nothing}
"""
"""Content after an interval: content before plus the inflow. The best is 4 from the start of 3."""

EXPLOSION = """
name: explosion
id: Explosion-v0
title: Growth in proportion to the square
constants: {run: 1 s}
parameters:
  push: {low: 0, high: 8}
control: {intervals: 4, measured: [size]}
model:
  reactor: {type: custom, time: run}
  states:
    x: {initial: 1, derivative: push * x ** 2 / run}
outputs:
  size: {formula: x}
objective: {minimize: size}
optimum: {value: 1, profile: explosion.csv}
"""
"""1/x falls by a quarter of the push in each interval: a push of 8 tears it apart in the first."""

FREE = (
    CHARGE.replace("name: charge", "name: free")
    .replace("time: hour", "time: length")
    .replace("control:", "  length: {low: 0.5, high: 2, unit: h}\ncontrol:")
    .replace("objective:", "  end: {formula: t, unit: h}\nobjective:")
)
"""The same with intervals that choose their length: half an hour to two hours, in four parts."""


def write(folder: Path, text: str, profile: str = "inflow\n0.5\n0\n0\n0\n") -> Path:
    """Write a card and the profile beside it; return the path of the card."""
    name = text.split("name: ")[1].split("\n")[0]
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    (folder / f"{text.split('profile: ')[1].split('.csv')[0]}.csv").write_text(profile, encoding="utf-8")
    return folder / f"{name}.yaml"
