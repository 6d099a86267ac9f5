"""Make ``imagined.csv``: reference numbers for the invented cards of ``tests/cards/imagined``.

They prove that the card language says what it seems to say about reactions that the catalogue does not have. Closed
forms where there are any, otherwise SciPy (DOP853, relative tolerance 1e-12); no code is shared with rxnopt.
"""

from __future__ import annotations

import csv
import json
from math import exp, log10, sqrt
from pathlib import Path

from scipy.integrate import solve_ivp


def ester(reaction_time: float, temperature: float, excess: float, solvent: str) -> dict[str, float]:
    """A + B <-> E + W from nothing: Riccati's equation between its two roots. Seconds, mol/L."""
    shift, equilibrium = {"toluene": (0, 6), "dioxane": (1200, 4), "neat": (-800, 3.6)}[solvent]
    k = 2e-5 * exp(-(55e3 + shift) / 8.314462618 * (1 / (temperature + 273.15) - 1 / 298.15))
    a, b, q = 2.0, 2.0 * excess, 1 - 1 / equilibrium
    root = sqrt((a + b) ** 2 - 4 * q * a * b)
    low, high = ((a + b) - root) / (2 * q), ((a + b) + root) / (2 * q)
    grown = exp(-k * q * (high - low) * reaction_time * 60)
    fraction = low * high * (1 - grown) / (high - low * grown) / a
    return {
        "yield": 100 * fraction,
        "profit": 100 * (fraction - 0.02 * (excess - 1) - 0.01 * log10(reaction_time)),
    }


def enzyme(residence_time: float, S_in: float, tanks: int) -> dict[str, float]:
    """Michaelis-Menten with product inhibition; each tank is a quadratic. Seconds, mmol/L."""
    s, load = S_in, 0.8 * residence_time / tanks
    for _ in range(tanks):
        # (fed - s) (5 (1 + (S_in - s) / 40) + s) = load s
        fed = s
        a, b = 5 / 40 - 1, (1 - 5 / 40) * fed - 5 * (1 + S_in / 40) - load
        c = fed * 5 * (1 + S_in / 40)
        s = (-b - sqrt(b * b - 4 * a * c)) / (2 * a)
    made = S_in - s
    return {
        "yield": 100 * made / S_in,
        "space_time_yield": made / 1000 / (residence_time / 3600),
        "last_rate": 0.8 * s / (5 * (1 + made / 40) + s),
    }


def autocatalysis(hours: float, ramp: float, inhibited: int) -> dict[str, float]:
    """One balance, heated; the steepest point by an event. Hours, mol/L, kelvin."""

    def rate(t: float, made: float) -> float:
        T = 300 + ramp * t
        k = 3600 * 1e-4 * exp(-6000 * (1 / T - 1 / 300)) / (1 + 2 * inhibited)
        return k * (1 - made) * (made + 0.001)

    def turn(t, x):
        r = rate(t, x[0])
        return 6000 * ramp / (300 + ramp * t) ** 2 * r + r * (r / (x[0] + 0.001) - r / (1 - x[0]))

    solved = solve_ivp(
        lambda t, x: [rate(t, x[0])], (0, hours), [0.01], method="DOP853", rtol=1e-12, atol=1e-14, events=turn
    )
    made = float(solved.y[0, -1])
    turning = [(0.0, [0.01]), (hours, [made]), *zip(solved.t_events[0], solved.y_events[0], strict=True)]
    return {
        "yield": 100 * made,
        "top_rate": max(rate(t, x[0]) for t, x in turning),
        "lowest_temperature": 300 - 273.15,
        "end_temperature": 300 + ramp * hours - 273.15,
        "warming": 20 * (made - 0.01),
    }


POINTS = [
    (ester, {"reaction_time": 90.0, "temperature": 60.0, "excess": 2.5, "solvent": "toluene"}),
    (ester, {"reaction_time": 600.0, "temperature": 75.0, "excess": 1.0, "solvent": "dioxane"}),
    (ester, {"reaction_time": 10.0, "temperature": 25.0, "excess": 4.0, "solvent": "neat"}),
    (enzyme, {"residence_time": 120.0, "S_in": 60.0, "tanks": 1}),
    (enzyme, {"residence_time": 120.0, "S_in": 60.0, "tanks": 2}),
    (enzyme, {"residence_time": 600.0, "S_in": 200.0, "tanks": 6}),
    (autocatalysis, {"hours": 5.0, "ramp": 12.0, "inhibited": 0}),
    (autocatalysis, {"hours": 5.0, "ramp": 12.0, "inhibited": 1}),
    (autocatalysis, {"hours": 0.5, "ramp": 0.0, "inhibited": 0}),
]


def main(place: Path) -> None:
    """Compute and write."""
    with place.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["card", "conditions", "output", "value", "digits", "origin"])
        for model, at in POINTS:
            for output, value in model(**at).items():
                row = [model.__name__, json.dumps(at), output, f"{value:.12g}", 8, "independent SciPy script"]
                writer.writerow(row)


if __name__ == "__main__":
    main(Path(__file__).with_name("imagined.csv"))
