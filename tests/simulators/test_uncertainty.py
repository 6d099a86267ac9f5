"""Uncertain constants: what is drawn, what a drawn reaction does, and what is refused."""

import pickle

import numpy as np
import pytest

from rxnopt.campaign import Campaign
from rxnopt.cards import ReactionCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import names, parse
from rxnopt.errors import CardError, ConditionsError
from rxnopt.kinetics.lowering import lower
from rxnopt.seeds import stream
from rxnopt.simulators import load
from rxnopt.simulators.population import randomised
from rxnopt.simulators.search import find_optima

R = 8.314462618
CARD = """
name: decay
id: Decay-v0
title: Five ways to write the rate of a first-order decay
constants: {factor: 2, barrier: 60 kJ/mol, shift: 5 kJ/mol}
parameters:
  minutes: {low: 1, high: 60, unit: min}
  temperature: {low: 20, high: 90, unit: degC}
model:
  kind: ode
  reactor: {type: batch, time: minutes, temperature: temperature}
  initial: {A: 1 mol/L, B: 1 mol/L, C: 1 mol/L, D: 1 mol/L}
  reactions:
    - {equation: A -> P, k: 0.02 1/min, at: 50 degC, Ea: 60 kJ/mol}
    - {equation: B -> P, k: 1e8 1/min, Ea: 60 kJ/mol, name: plain}
    - {equation: C -> P, k: factor * 5e7, at: 50 degC, Ea: barrier + shift}
    - {equation: D -> P, k: 1e8 1/min, Ea: 7200 K}
outputs:
  yield: {formula: P, unit: mol/L}
  A: {formula: A, unit: mol/L}
"""
CARD = CARD.replace("k: factor * 5e7, at: 50 degC", "k: factor * slow, at: 50 degC").replace(
    "constants: {", "constants: {slow: 0.01 1/min, "
)
OUT = "outputs:\n" + "".join(f"  left_{s}: {{formula: {s} , unit: mol/L}}\n" for s in "ABCD")
CARD = CARD[: CARD.index("outputs:")] + OUT + "  yield: {formula: P, unit: mol/L}\n"
BLOCK = """
uncertainty:
  r1.k: {relative: 0.3}
  r1.Ea: {absolute: 5 kJ/mol}
  plain.Ea: {absolute: 5 kJ/mol, at: 60 degC}
  factor: {relative: 0.5, group: both}
  slow: {relative: 0.5, group: both}
  r3.Ea: {absolute: 2 kJ/mol, distribution: normal}
  r4.k: {relative: 0.2, distribution: normal}
  r4.Ea: {absolute: 4 kJ/mol, at: 60 degC}
"""
NOMINAL = [0.02, 60.0, 60.0, 2.0, 0.01, 0.0, 1e8, 7200.0]


@pytest.fixture(scope="module")
def decay(tmp_path_factory):
    place = tmp_path_factory.mktemp("cards") / "decay.yaml"
    place.write_text(CARD + BLOCK, encoding="utf-8")
    return load(place)


def left(minutes, celsius, row):
    """What is left of A, B, C and D: closed form, written from the definition of each constant."""
    T, at50, at60 = celsius + 273.15, 323.15, 333.15
    k1, E1, E2, factor, slow, shift3, k4, E4 = row
    E1, E2, E3 = 1e3 * E1, 1e3 * E2, 65e3 + 1e3 * shift3
    rates = [
        k1 * np.exp(-E1 / R * (1 / T - 1 / at50)),
        1e8 * np.exp(-60e3 / R / at60) * np.exp(-E2 / R * (1 / T - 1 / at60)),
        factor * slow * np.exp(-E3 / R * (1 / T - 1 / at50)),
        k4 * np.exp(-7200 / at60) * np.exp(-E4 * (1 / T - 1 / at60)),
    ]
    return np.exp(-minutes * np.stack(rates, axis=-1))


def test_the_nominal_constants_are_those_of_the_card(decay):
    assert decay.population.names == (
        "r1.k", "r1.Ea", "plain.Ea", "factor", "slow", "r3.Ea", "r4.k", "r4.Ea",
    )  # fmt: skip
    np.testing.assert_allclose(decay.population.nominal, NOMINAL, rtol=1e-12)
    X = decay.space.sample(100, stream(0, "points"))
    expected = decay.outcome(X).values
    np.testing.assert_allclose(decay.outcome(X, constants=np.array([NOMINAL])).values, expected, rtol=1e-9)


def test_every_kind_of_constant_does_what_its_definition_says(decay):
    """One batch with other constants in every row; the stated accuracy is 1e-6 of the value, here of at least 1e-3."""
    C = decay.draw(stream(1, "constants"), 200)
    X = decay.space.sample(200, stream(1, "points"))
    found = decay.outcome(X, constants=C).values[:, :4]
    expected = np.array([left(*x, row) for x, row in zip(X, C, strict=True)])
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    one = decay.with_constants(C[3])
    np.testing.assert_array_equal(one.outcome(X[3:4]).values[0, :4], found[3])


def test_a_barrier_leaves_the_rate_constant_where_it_is_held(decay):
    low, high = (np.array([[*NOMINAL[:2], E, *NOMINAL[3:]]]) for E in (55.0, 65.0))
    at, hot = (np.array([[10.0, celsius]]) for celsius in (60.0, 80.0))
    same, other = ([decay.outcome(x, constants=c).values[0, 1] for c in (low, high)] for x in (at, hot))
    assert same[0] == pytest.approx(same[1], rel=1e-6)
    assert other[0] > 1.1 * other[1]


def test_a_barrier_may_move_while_another_constant_is_held(decay):
    """The pre-exponential factor at infinity, or the rate constant at a temperature that is not that of the step."""
    spread = {"absolute": "5 kJ/mol"}
    held = {"r1.Ea": spread | {"at": "infinity"}, "plain.Ea": spread | {"at": "infinity"}}
    moved = randomised(decay, held | {"r3.Ea": spread | {"at": "20 degC"}})
    X, (E1, E2, shift) = np.array([[20.0, 60.0]]), (62.0, 57.0, 3.0)
    found = moved.simulate(X, np.array([[E1, E2, shift]])).values[0, :3]
    T, at50, at20 = 333.15, 323.15, 293.15
    rates = [
        0.02 * np.exp(60e3 / R / at50) * np.exp(-1e3 * E1 / R / T),
        1e8 * np.exp(-1e3 * E2 / R / T),
        0.02 * np.exp(-65e3 / R * (1 / at20 - 1 / at50)) * np.exp(-1e3 * (65 + shift) / R * (1 / T - 1 / at20)),
    ]
    np.testing.assert_allclose(found, np.exp(-20.0 * np.array(rates)), rtol=1e-6)


def test_draws_have_the_stated_distributions(decay):
    """20,000 draws: quantiles of a uniform z scatter by 1 / sqrt(20000) = 0.007, a standard deviation by 0.5 %."""
    C = decay.draw(stream(5, "constants"), 20_000)
    z = np.log(C[:, 0] / 0.02) / np.log(1.3)
    assert -1 <= z.min() < -0.999
    assert 0.999 < z.max() <= 1
    np.testing.assert_allclose(np.quantile(z, [0.25, 0.5, 0.75]), [-0.5, 0.0, 0.5], atol=0.035)
    assert np.abs(C[:, 1] - 60).max() <= 5
    assert C[:, 5].std() == pytest.approx(2.0, rel=0.025)
    assert np.log(C[:, 6] / 1e8).std() == pytest.approx(np.log(1.2), rel=0.025)
    np.testing.assert_allclose(np.abs(C[:, 7] - 7200).max(), 4000 / R, rtol=1e-3)
    np.testing.assert_allclose(C[:, 3] / 2.0, C[:, 4] / 0.01, rtol=1e-12)
    assert abs(np.corrcoef(C[:, 0], C[:, 1])[0, 1]) < 0.035


def test_a_draw_does_not_depend_on_how_many_are_drawn(decay):
    many = decay.draw(stream(2, "constants"), 50)
    np.testing.assert_array_equal(many[:3], decay.draw(stream(2, "constants"), 3))


def test_a_drawn_reaction_is_a_reaction_of_its_own(tmp_path):
    nominal, drawn = load("snar"), load("snar-7")
    assert drawn.name == "snar-7"
    assert drawn.card.digest() == load("snar", seed=7).card.digest() != nominal.card.digest()
    assert drawn.card.digest() != load("snar-8").card.digest()
    best = drawn.optimum()
    again = drawn.simulate(best.conditions)
    assert again["cost_weighted_yield"] == pytest.approx(best.value, rel=1e-12)
    assert best.value != pytest.approx(nominal.optimum().value, rel=1e-3)
    X = drawn.space.sample(20_000, stream(3, "points"))
    assert drawn.score(drawn.outcome(X)).max() <= best.value
    with Campaign("snar-7", "random", budget=3, journal=tmp_path / "a.db") as campaign:
        assert len(campaign.run()) == 3
    copy = pickle.loads(pickle.dumps(drawn))
    np.testing.assert_array_equal(copy.outcome(X[:9]).values, drawn.outcome(X[:9]).values)


@pytest.mark.parametrize("name", ["snar", "mit_case5", "lactose"])
def test_the_search_finds_what_the_card_states(name):
    """The card has a global search with local polish; the batch search comes within 2e-4 of it."""
    reaction = load(name)
    (score,), X = find_optima(reaction, reaction.population.nominal[None])
    assert score == pytest.approx(reaction.card.objective.sign * reaction.card.optimum.value, rel=2e-4)
    assert reaction.score(reaction.outcome(X))[0] == pytest.approx(score, rel=1e-6)


def test_uncertainty_does_not_change_the_reaction_itself():
    card = load("snar").card
    assert card.uncertainty
    assert card.digest() == card.model_copy(update={"uncertainty": {}}).digest()


def test_six_cards_of_the_catalogue_say_how_well_their_constants_are_known():
    uncertain = [reaction for name in names("envs") if (reaction := load(name)).card.uncertainty]
    assert len(uncertain) >= 6
    for reaction in uncertain:
        lower(reaction.card, reaction.simulator.source, reaction.card.uncertain())


WRONG = {
    "r9.k: {relative: 0.3}": "'r9.k' is no constant of this card; did you mean 'r4.k'?",
    "velocity: {relative: 0.3}": "'velocity' is no constant of this card; constants are slow, factor",
    "r1.k: {relative: -0.1}": "-0.1 must be greater than 0",
    "r1.k: {relative: 30}": "30 must be less than or equal to 10",
    "r1.k: {}": "give either 'relative' or 'absolute'",
    "r1.k: {absolute: 0.01 1/min}": "a rate constant keeps its sign; give 'relative'",
    "r1.Ea: {absolute: 5 kJ}": "'5 kJ' is in J, the constant in J/mol",
    "barrier: {absolute: 600 K}": "'600 K' is in K, the constant in J/mol",
    "barrier: {absolute: 0 kJ/mol}": "'0 kJ/mol' must be a difference above 0, such as '5 kJ/mol'",
    "plain.Ea: {relative: 0.1}": "say at which temperature the rate constant stays as it is, such as 'at: 80 degC'",
    "plain.Ea: {relative: 0.1, at: 80 s}": "'80 s' is no temperature; write it like '80 degC'",
    "r1.Ea: {relative: 0.1, at: 0 K}": "'0 K' is no temperature; write it like '80 degC', or 'infinity'",
    "slow: {relative: 0.1, at: 80 degC}": "'at' belongs to the Ea of a step, such as r1.Ea; remove it",
    "slow: {relative: 0.1, distribution: beta}": "must be one of uniform, normal",
    "r3.Ea: {absolute: 5 K}": "the difference is in K, the formula in J/mol",
}


@pytest.mark.parametrize(("line", "said"), WRONG.items(), ids=list(WRONG))
def test_a_wrong_block_is_told_in_one_sentence(line, said):
    source = parse(f"{CARD}uncertainty:\n  {line}\n", "my.yaml")
    with pytest.raises(CardError) as caught:
        lower(card := validate(source, ReactionCard), source, card.uncertain())
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"my.yaml:{CARD.count(chr(10)) + 2} uncertainty.")


def test_a_card_without_uncertainty_can_be_given_one(decay):
    reaction = load("mit_case1")
    with pytest.raises(CardError, match="has no uncertain constants; add 'uncertainty' to its card"):
        reaction.draw(stream(0, "constants"))
    population = randomised(reaction, {"r1.Ea": {"absolute": "5 kJ/mol", "at": "70 degC"}})
    assert population.names == ("r1.Ea",)
    with pytest.raises(CardError, match=r"mit_case1:1 uncertainty\.r7\.k: 'r7\.k' is no constant of this card"):
        randomised(reaction, {"r7.k": {"relative": 0.3}})
    with pytest.raises(ConditionsError, match=r"constants of shape \(2,\) do not fit; give 8 finite numbers"):
        decay.with_constants(np.ones(2))
