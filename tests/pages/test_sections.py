"""Sections of pages about fields that not every card has; the cards are those of docs/cards.md."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rxnopt.pages import chemistry, facts, fronts, laboratory
from rxnopt.pages.survey import Survey
from rxnopt.simulators import load
from rxnopt.simulators.pareto import stored_front

DOCS = (Path(__file__).parents[2] / "docs" / "cards.md").read_text(encoding="utf-8")


@pytest.fixture
def card(tmp_path):
    def find(name, *more):
        text = re.search(rf"^# a complete card: {name}.yaml\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)[1]
        place = tmp_path / f"{name}.yaml"
        place.write_text("\n".join([text, *more]), encoding="utf-8")
        return load(place).card

    return find


def said(text, *parts):
    return [part for part in parts if part not in text] == []


def test_noise_and_realism(card):
    plates = card("plates")
    assert said(
        laboratory.noise(plates),
        "| Output | Standard deviation | Of its value | From run to run | Replicates | Outliers |",
        "| `yield` | `floor + clumsy * max(0, temperature - T_easy)` | 1 % | 0.5 % | 2 | 2 %, 10 × |",
    )
    assert said(
        laboratory.realism(plates),
        "| drift of `temperature` | slope 0.05 K, walk 0.1 K per experiment |",
        "| drift of `yield` | relative −0.1 % per experiment |",
        "| fails by chance | 1 % |",
        "| fails: clogging | `amount * A_0 > crowded` |",
        "| plate | 8 experiments share `temperature`, `reaction_time` |",
        "| delay | 8 experiments are begun",
        "| cost of an experiment | `hour_price * reaction_time` USD |",
    )
    cascade = card("cascade")
    assert laboratory.noise(cascade) == "Measurements are exact."
    assert laboratory.realism(cascade).startswith("Nothing drifts")


def test_uncertain_constants(card):
    block = "uncertainty: {r1.k: {relative: 0.3}, water_0: {absolute: 0.1 mol/L, distribution: normal, group: wet}}"
    assert said(
        laboratory.uncertainty(card("amide", block)),
        "| `r1.k` | ± 30 % | uniform |  |",
        "| `water_0` | ± 0.1 mol/L | normal | wet |",
    )
    assert laboratory.uncertainty(card("amide")) == ""


def test_constraints(card):
    vial = card("vial")
    assert "| `sealed_vial` | `temperature <= solvent_boiling_point + margin` |" in facts.constraints(vial)
    assert "| acetone | 56.1 °C | 0 kJ/mol |" in chemistry.happening(vial)


def test_balances_of_a_semibatch_reactor(card):
    nitration = card("nitration")
    assert said(
        chemistry.happening(nitration),
        "| reactor | semi-batch |",
        "| feed flow | `feed_flow` |",
        "| `r2` | product + acid → tar | k₂ [product] [acid] | 10⁻⁵ L/mol/s | 95 kJ/mol | 40 °C |",
        "| `T` | K | `T_start` |",
        "| `hottest` | largest `T` |",
        "| `acid_feed` | 8 mol/L |",
        "R = 8.314462618 J/mol/K",
    )
    assert "| `peak` | 95 | °C |" in facts.limits(nitration, 0.5)
    assert "50 % of random ones" in facts.limits(nitration, 0.5)


def test_balances_of_ones_own(card):
    text = chemistry.happening(card("cells"))
    assert said(text, "| reactor | balances as below |", "| `mu` | `mu_max * S / (K_S + S)` |")
    assert "Rate constants" not in text


def test_laws_that_are_no_mass_action():
    own = load(Path(__file__).parents[1] / "cards" / "imagined" / "autocatalysis.yaml").card
    assert "| `k_ref * exp(-E_over_R * (1 / T - 1 / T_start)) * A * (B + 0.001 * c_0) / (1" in chemistry.happening(own)
    tanks = load("vandevusse").card
    assert "| `r3` | A → 0.5 D | k₃ [A]² | 9.043 × 10⁹ L/mol/h | 8560 K |" in chemistry.happening(tanks)
    assert "Energies in K are E<sub>a</sub> / R." in chemistry.happening(tanks)


def test_versions_are_told_from_the_newest_to_the_first(card):
    amide = card("amide").model_copy(update={"id": "Amide-v2", "versions": {"v2": "Dry solvent", "v1": "Colder."}})
    assert facts.versions(amide) == "- `v2`: Dry solvent.\n- `v1`: Colder.\n- `v0`: first."


def test_objectives_with_and_without_a_known_front(card):
    def written(reaction):
        return fronts.objectives(Survey(reaction, np.empty((0, 1)), None, None))

    block = "objectives: {yield: {direction: maximize, reference: 5}, worth: {direction: minimize, reference: 0}}"
    assert written(replace(load("lactose"), card=card("amide", block))).endswith("| `worth` | minimize | 0 % |")
    assert written(load("lactose")) == ""
    text = written(load("snar"))
    assert said(text, "| `e_factor` | minimize | 50 | 8.452 |", "figures/snar-front.png", "envs/fronts/snar.csv")
    front = stored_front(load("snar"))
    assert f"has {len(front.X)} points" in text
    assert f"hypervolume of {float(f'{front.hypervolume:.4g}'):.0f}" in text
