"""Compare reaction cards with an oracle, and make ``oracle.csv``: its answers to a few random experiments of each card.

The oracle is one Python file, ``reactions_scipy.py``, by somebody else: the published equations in plain SciPy, LSODA
at a relative 1e-9 or closed forms, sharing nothing with rxnopt. It is no part of the project. The environment variable
``RXNOPT_ORACLE`` says where it lies; ``../shared/reference/reactions_scipy.py`` beside the checkout is the default.

Run ``python tests/golden/make_oracle.py`` (seconds) after adding a reaction.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from rxnopt.catalogue import names
from rxnopt.seeds import stream
from rxnopt.simulators import Reaction, load

HERE = Path(__file__).resolve()
DEFAULT = HERE.parents[3] / "shared" / "reference" / "reactions_scipy.py"
SAMPLES = 5
HELD = {"acetic_anhydride": {"water_temperature": 60.0}}
"""The oracle's batch ends where the jacket falls through 65 degC, and never where colder water keeps it below."""

Model = Callable[..., dict[str, float]]
"""Conditions in the units of a card, as keywords; outputs in the units of the card."""


def place() -> Path:
    """Return where the oracle should lie."""
    return Path(os.environ.get("RXNOPT_ORACLE", DEFAULT))


def oracle() -> ModuleType:
    """Return the oracle as a module."""
    spec = importlib.util.spec_from_file_location("reactions_scipy", place())
    if spec is None or spec.loader is None:
        raise ImportError(f"{place()} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def models(o: ModuleType) -> dict[str, Model]:
    """Return for each card the model of the oracle in the words and units of the card."""

    def snar(residence_time, equivalents, concentration, temperature):
        y = o.snar_pyr(residence_time, equivalents, concentration, temperature)
        return {"yield": 100 * y["yield_"], "space_time_yield": y["sty"], "e_factor": y["e_factor"]}

    def mit(case):
        def model(catalyst_loading, reaction_time, catalyst, temperature):
            y = o.mit(case, catalyst_loading, reaction_time, int(catalyst[1:]), temperature)
            return {"yield": 100 * y["yield_"], "turnover_number": y["ton"]}

        return model

    def paal_knorr(residence_time, temperature, equivalents, tanks):
        y = o.paal_knorr(residence_time, temperature, equivalents, tanks)
        return {"yield": 100 * y["yield_"], "space_time_yield": y["sty"], "mass_efficiency": 100 * y["rme"]}

    def lactose(residence_time, temperature, tanks):
        y = o.lactose(residence_time, temperature, tanks)
        return {"yield": 100 * y["yield_"], "side_yield": 100 * y["side"], "conversion": 100 * y["conv"]}

    def snar_morpholine(residence_time, temperature, concentration, equivalents, tanks):
        y = o.snar_morph(residence_time, temperature, concentration, equivalents, tanks)
        return {
            "yield": 100 * y["yield_"], "para_yield": 100 * y["para"], "bis_yield": 100 * y["bis"],
            "space_time_yield": y["sty"], "mass_efficiency": 100 * y["rme"],
        }  # fmt: skip

    def vandevusse_cascade(residence_time, temperature, tanks):
        y = o.vdv_cascade(residence_time, temperature, tanks)
        return {"yield": 100 * y["yield_"], "conversion": 100 * y["conv"]}

    def vandevusse_isothermal(residence_time, temperature):
        y = o.vdv_cstr_ss(1 / residence_time, temperature)
        return {"yield": 100 * y["yield_"], "product": y["cB"], "selectivity": 100 * y["sel"]}

    def vandevusse(dilution_rate, jacket_heat):
        def slope(_, x):
            return o.vdv_rhs(0.0, x, dilution_rate, jacket_heat, 5.1, 104.9)

        settled = o.ivp(slope, 20.0, [5.1, 0.0, 104.9, 104.9]).y[:, -1]
        a, b, reactor, jacket = o.fsolve(lambda x: slope(0.0, x), settled, xtol=1e-13)
        return {"reactant": a, "product": b, "reactor_temperature": reactor, "jacket_temperature": jacket}

    def fructose(temperature, pH, residence_time):
        y = o.fructose(temperature, pH, residence_time)
        return {
            "yield": 100 * y["yield_"], "levulinic_yield": 100 * y["la"], "formic_yield": 100 * y["fa"],
            "conversion": 100 * y["conv"],
        }  # fmt: skip

    def biodiesel(temperature, reaction_time, methanol_ratio):
        return _biodiesel(o.biodiesel(temperature, reaction_time, methanol_ratio))

    def biodiesel_systems(system, reaction_time, methanol_ratio):
        k = dict(zip(("noureddini_zhu", "jansri", "klofutar"), o.BD_SETS.values(), strict=True))[system]
        return _biodiesel(o.biodiesel(50.0, reaction_time, methanol_ratio, k=k))

    def williams_otto(feed_B, temperature):
        y = o.williams_otto(feed_B, temperature)
        return {"profit": y["profit"], "waste": 100 * y["x"][5], "unreacted": 100 * y["x"][0]}

    def fogler(feed_flow, jacket_temperature, batch_time):
        y = o.fogler135(feed_flow, jacket_temperature, batch_time)
        return {
            "product": y["nC"], "product_concentration": y["cC"], "volume": y["V"], "yield": 100 * y["yield_"],
            "peak_temperature": y["Tmax"],
        }  # fmt: skip

    def oil_shale(temperature, reaction_time):
        kerogen, bitumen = o.oilshale(temperature, reaction_time)["y"]
        return {"yield": 100 * bitumen, "conversion": 100 * (1 - kerogen)}

    def photobioreactor(light, nitrate_feed):
        biomass, nitrate, pigment = o.photobio(light, nitrate_feed)
        return {"product": 1000 * pigment, "nitrate_left": nitrate, "biomass_end": biomass}

    def trambouze(residence_time, temperature, concentration):
        y = o.trambouze(60 * residence_time, temperature, concentration)
        return {"yield": 100 * y["yield_"], "reactant": y["cA"]}

    def acetic_anhydride(feed_rate, water_temperature):
        y = o.aa_semibatch(feed_rate, Tcw=water_temperature)
        return {"batch_time": y["t_end"], "peak_temperature": y["Tmax"], "yield": 100 * y["conv"]}

    def nitroaniline(charge, temperature, batches):
        share = (charge - 3.17) / (9.0448 - 3.17)
        amounts = charge, 43 - 10 * share, 103.6 + 0.1 * share, 3.265 + (5.119 - 3.265) * share
        y = o.nitroaniline(*amounts, 45.0, 10.0, T0=temperature + 273.15)
        return {
            "failure_temperature": y["T_after_fail"] - 273.15, "heat_made": y["Qg"], "heat_removed": y["Qr"],
            "peak_temperature": min(y["Tmax"] - 273.15, 265.0), "runaway": float(y["runaway"]),
        }  # fmt: skip

    own: list[Model] = [
        snar, paal_knorr, lactose, snar_morpholine, vandevusse_cascade, vandevusse_isothermal, vandevusse, fructose,
        biodiesel, biodiesel_systems, williams_otto, fogler, oil_shale, photobioreactor, trambouze,
        acetic_anhydride, nitroaniline,
    ]  # fmt: skip
    return {model.__name__: model for model in own} | {f"mit_case{case}": mit(case) for case in range(1, 6)}


def _biodiesel(y: dict[str, Any]) -> dict[str, float]:
    return {"yield": 100 * y["yield_"], "conversion": 100 * y["conv"], "monoglyceride_left": y["mono"]}


def conditions(reaction: Reaction, n: int) -> list[dict[str, Any]]:
    """Return ``n`` random conditions of a card, always the same, uniform over its box."""
    found = reaction.space.to_dicts(reaction.space.sample(n, stream(0, "oracle")))
    return [at | HELD.get(reaction.name, {}) for at in found]


def main(target: Path) -> None:
    """Write ``oracle.csv``: for each card some conditions and what the oracle answers."""
    known = models(oracle())
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["card", "conditions", "outputs"])
        for name in (name for name in names("envs") if name in known):
            for at in conditions(load(name), SAMPLES):
                at = {key: float(f"{value:.7g}") if isinstance(value, float) else value for key, value in at.items()}
                answer = {key: float(f"{np.float64(value):.12g}") for key, value in known[name](**at).items()}
                writer.writerow([name, json.dumps(at), json.dumps(answer)])
    sys.stdout.write(f"{target} written\n")


if __name__ == "__main__":
    main(HERE.with_name("oracle.csv"))
