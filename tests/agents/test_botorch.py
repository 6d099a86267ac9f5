"""Agents on BoTorch: what they find, what they are told, and what they refuse."""

from __future__ import annotations

import json
import sys
import time
import warnings
from dataclasses import replace

import numpy as np
import pytest

from rxnopt.agents import Agent, build, load
from rxnopt.agents.base import known
from rxnopt.campaign import Campaign
from rxnopt.cards import AgentCard, ReactionCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.errors import AgentError, CardError
from rxnopt.history import DONE, FAILED, PENDING, History
from rxnopt.seeds import stream
from rxnopt.simulators import Outcome, Reaction
from rxnopt.simulators.pareto import hypervolume
from rxnopt.space import Array, Space
from rxnopt.testing import history_of, toy

BOTORCH = ("logei", "lognei", "lognehvi")
CARD = """
name: bench
id: Bench-v0
title: A bench
budget: 20
parameters: {parameters}
model: {{reactor: {{type: batch, time: 1 h}}, initial: {{A: 1 mol/L}}, reactions: [{{equation: A -> B, k: 1 1/h}}]}}
outputs: {{yield: {{formula: B}}, cost: {{formula: B}}, heat: {{formula: B}}}}
noise: {{yield: {{sd: 0.01}}}}
"""
PLANE = "{a: {low: 0, high: 1}, b: {low: 0, high: 1}, level: {levels: {p: {top: 0.9}, q: {top: 1.2}}}}"


@pytest.fixture(autouse=True, scope="module")
def _imported():
    """As users import BoTorch: by asking for an agent, which keeps the warnings of its import to itself."""
    made("logei", toy("smooth"))


def bench(parameters: str, simulate, more: str = "") -> Reaction:
    """A reaction with a simulator of its own: ``simulate(X)`` returns columns yield, cost and heat."""
    card = validate(parse(CARD.format(parameters=parameters) + more, "bench.yaml"), ReactionCard)

    def run(X):
        columns = np.broadcast_arrays(*simulate(X))
        return Outcome(np.column_stack(columns).astype(float), np.zeros(len(X), bool))

    return Reaction(card, Space.of(card), run)


def plane(more: str = "") -> Reaction:
    """yield = a + b, cost = a, heat = b - 0.1."""
    return bench(PLANE, lambda X: (X[:, 0] + X[:, 1], X[:, 0], X[:, 1] - 0.1), more)


def made(name: str, reaction: Reaction, **settings) -> Agent:
    card = load(name)
    changed = card.model_copy(update={"agent": card.agent.model_copy(update=settings)})
    return build(changed, reaction, budget=20, seed=1)


def ask(agent: Agent, space: Space, history: History, n: int = 1, seed: int = 1) -> Array:
    X = agent.propose(space, history, n, stream(seed, "agent", len(history)))
    space.check(X)
    return X


def past(reaction: Reaction, m: int = 12) -> History:
    return history_of(reaction, reaction.space.sample(m, stream(5, "past")))


@pytest.mark.parametrize(("name", "space"), [("logei", "smooth"), ("lognei", "mixed")])
def test_campaigns_come_close_to_the_optimum_where_random_search_does_not(name, space):
    """Of 90, with noise of 1."""
    best = {}
    for agent in (name, "random"):
        found = []
        for seed in range(2):
            with Campaign(toy(space), agent, budget=18, seed=seed) as campaign:
                found.append(campaign.run()["objective_noise_free"].max())
        best[agent] = np.mean(found)
    assert best[name] > 88.5
    assert best[name] > best["random"]


def test_the_search_finds_the_maximum_of_the_acquisition_function():
    """Against a grid of 41^2 points for each of the levels, without and with a constraint."""
    from rxnopt.agents.bayes.coding import Coding
    from rxnopt.agents.bayes.search import best
    from rxnopt.agents.bayes.surrogate import fit
    from rxnopt.agents.borrow import borrowed

    for reaction in (plane(), plane("constraints: {triangle: a + b <= level_top}\n")):
        space = reaction.space
        coding, over = Coding(space, {}), known(space, past(reaction))
        axis = np.linspace(0.0, 1.0, 41)
        grid = np.stack([each.ravel() for each in np.meshgrid(axis, axis, [0.0, 1.0])], axis=1)
        grid = grid[space.feasible(grid)]
        with borrowed(0):
            acquisition = fit(coding, over, 300).acquisition("qLogEI", None, coding.code(over.pending), 0)

            def value(X, acquisition=acquisition, coding=coding):
                return acquisition(coding.code(X).unsqueeze(-2)).detach().numpy()

            found = best(acquisition, coding, over.pending, {}, stream(0, "test"))
            assert value(found[None])[0] > value(grid).max() - 0.02
            given = best(acquisition, coding, over.pending, {0: 0.25}, stream(0, "test"))
            assert given[0] == 0.25
            assert value(given[None])[0] > value(grid[grid[:, 0] == 0.25]).max() - 0.02


def test_spaces_with_millions_of_combinations_are_searched_without_trying_all():
    """Better than the best of 4,000 random conditions out of 6^6 * 30^2, each of which is discrete."""
    from rxnopt.agents.bayes.coding import Coding
    from rxnopt.agents.bayes.search import best
    from rxnopt.agents.bayes.surrogate import fit
    from rxnopt.agents.borrow import borrowed

    parameters = {f"p{i}": {"levels": list("abcdef")} for i in range(6)}
    parameters |= {f"n{i}": {"kind": "integer", "low": 1, "high": 30} for i in range(2)}
    reaction = bench(json.dumps(parameters), lambda X: (X @ np.array([1, 2, 1, 2, 1, 2, 0.1, 0.2]), 0, 0))
    space, draws = reaction.space, reaction.space.sample(4_000, stream(1, "draws"))
    coding, over = Coding(space, {}), known(space, past(reaction, 40))
    with borrowed(0):
        acquisition = fit(coding, over, 300).acquisition("qLogEI", None, coding.code(over.pending), 0)
        found = best(acquisition, coding, over.pending, {}, stream(0, "test"))
        space.check(found[None])
        values = acquisition(coding.code(np.vstack([found, draws])).unsqueeze(-2)).detach().numpy()
    assert values[0] > values[1:].max()


def test_limits_are_kept_once_they_are_known():
    """The best within the limit on heat is a = 1, b = 0.5; beyond it yields go on to 2."""
    reaction = plane("limits: {heat: {high: 0.4}}\n")
    with Campaign(reaction, "logei", budget=14, seed=1) as campaign:
        table = campaign.run()
    assert table["within_limits_noise_free"][9:].mean() > 0.5
    assert table["objective_noise_free"][table["within_limits_noise_free"]].max() > 1.45


def test_a_front_gains_more_volume_than_a_design_does():
    """yield and cost pull a apart: the front runs along b = 1, with a volume of 1.5 over (0, -1)."""
    goals = "objectives: {yield: {direction: maximize, reference: 0}, cost: {direction: minimize, reference: 1}}\n"
    volumes = {}
    for agent in ("lognehvi", "sobol"):
        with Campaign(plane(goals), agent, budget=14, seed=2, pareto=True) as campaign:
            campaign.run()
            volumes[agent] = hypervolume(campaign.history.Y, campaign.reaction.reference)
    assert volumes["lognehvi"] > 1.35
    assert volumes["lognehvi"] > volumes["sobol"] + 0.1
    history = campaign.history
    without = build(load("lognehvi"), None, budget=14, seed=2)  # and so without the reference point of a card
    ask(without, campaign.space, history)
    from botorch.acquisition.multi_objective import logei

    assert logei._C is None  # the same numbers with and without a compiler of C++


def test_a_batch_spreads_out_and_so_do_conditions_beside_those_that_are_being_run():
    reaction = toy("smooth")
    space, history = reaction.space, past(reaction)
    for name in BOTORCH[:2]:
        agent = made(name, reaction)
        X = ask(agent, space, history, n=3)
        running = replace(
            history, X=np.vstack([history.X, X[:2]]), y=np.append(history.y, [np.nan, np.nan]),
            status=np.append(history.status, [PENDING, PENDING]).astype(np.uint8),
        )  # fmt: skip
        U = space.to_unit(np.vstack([X, ask(agent, space, running)]))
        apart = np.abs(U[:, None] - U[None]).max(axis=2)[np.triu_indices(4, 1)]
        assert apart.min() > 0.01


def test_a_plate_is_chosen_given_what_its_first_experiment_sets():
    """The best time depends on the temperature that the plate shares: 1 - t at the first one's t."""
    parameters = "{t: {low: 0, high: 1}, time: {low: 0, high: 1}}"
    reaction = bench(
        parameters, lambda X: (-((X[:, 1] + X[:, 0] - 1.0) ** 2), 0.0, 0.0), "plate: {size: 4, shared: [t]}\n"
    )
    X = ask(made("logei", reaction), reaction.space, past(reaction, 25), n=4)
    assert len(np.unique(X[:, 0])) == 1
    assert len(np.unique(X[:, 1])) == 4
    assert np.abs(X[:, 1] + X[0, 0] - 1.0).max() < 0.3


def test_the_order_of_trials_makes_no_difference():
    reaction = toy("mixed")
    history = past(reaction)
    status = history.status.copy()
    status[[2, 5]] = PENDING
    history = replace(history, status=status)
    order = stream(3, "order").permutation(len(history))
    other = History(history.X[order], history.y[order], history.status[order])
    agent = made("lognei", reaction)
    np.testing.assert_array_equal(ask(agent, reaction.space, history), ask(agent, reaction.space, other))


def test_histories_that_are_hard_on_a_gaussian_process():
    reaction = toy("smooth")
    space, history = reaction.space, past(reaction)
    twice = replace(history, X=np.repeat(history.X[:2], 6, axis=0))
    flat = replace(history, y=np.full(12, 7.0))
    huge, tiny = replace(history, y=history.y * 1e12), replace(history, y=history.y * 1e-12)
    outside = replace(history, X=history.X + np.where(np.arange(12) < 6, 1e3, 0.0)[:, None])
    single = History(history.X[:1], history.y[:1], history.status[:1])
    failed = replace(history, status=np.where(np.arange(12) < 10, FAILED, DONE).astype(np.uint8))
    for each in (twice, flat, huge, tiny, outside, single, failed):
        ask(made("lognei", reaction, n_startup_trials=1), space, each)
    ask(made("lognei", reaction), space, replace(history, status=np.full(12, FAILED, np.uint8)))  # the start goes on
    single = ask(made("logei", reaction), space, replace(history, y=history.y * 1e12))
    np.testing.assert_allclose(single, ask(made("logei", reaction), space, history), rtol=1e-3)


def test_of_ten_thousand_trials_the_best_and_the_latest_are_learnt_from():
    from rxnopt.agents.base import telling

    reaction = toy("mixed")
    history = past(reaction, 10_000)
    begin = time.perf_counter()
    X = ask(made("lognei", reaction), reaction.space, history)
    assert time.perf_counter() - begin < 20.0
    assert reaction.simulator(X).values[0, 0] > 85.0
    rows = telling(known(reaction.space, history), 300)
    assert len(set(rows.tolist())) == 300
    assert set(np.argsort(-history.y)[:150]) <= set(rows.tolist())
    assert set(range(9_900, 10_000)) <= set(rows.tolist())


def solvents(tmp_path, text: str) -> AgentCard:
    (tmp_path / "solvents.csv").write_text(text)
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: mine\ntitle: Mine\nagent: {kind: botorch, acquisition: qLogEI, n_startup_trials: 4, "
        "descriptors: {solvent: solvents.csv}}\n"
    )
    return load(path)


LEVELS = [f"s{i}" for i in range(12)]
POLAR = {level: (0.083 * i * 7) % 1.0 for i, level in enumerate(LEVELS)}
TABLE = "solvent,polarity,none\n" + "".join(f"{level},{polar},3\n" for level, polar in POLAR.items())


def shelf(properties: bool = False) -> Reaction:
    """The yield is a parabola of the polarity of the solvent, best at 0.62."""
    levels = {level: {"polarity": POLAR[level]} for level in LEVELS} if properties else LEVELS
    polarity = np.array(list(POLAR.values()))
    return bench(f"{{solvent: {{levels: {levels}}}}}", lambda X: (-((polarity[X[:, 0].astype(int)] - 0.62) ** 2), 0, 0))


def test_descriptors_tell_which_untried_level_is_best(tmp_path):
    """Five of twelve solvents were tried; one-hot, an untried one is as good as another."""
    polarity = np.array(list(POLAR.values()))
    tried = np.argsort(polarity)[[0, 2, 5, 9, 11]].astype(float)[:, None]
    nearest = [level for level in np.argsort(np.abs(polarity - 0.62)) if level not in tried][:2]
    reaction = shelf(properties=True)
    y = reaction.score(reaction.simulator(tried))
    history = History(tried, y, np.full(5, DONE, np.uint8))
    by_file = solvents(tmp_path, TABLE)
    by_card = by_file.model_copy(
        update={"agent": by_file.agent.model_copy(update={"descriptors": {"solvent": ["polarity"]}})}
    )
    for card in (by_file, by_card):
        assert ask(build(card, reaction, budget=9, seed=0), reaction.space, history)[0, 0] in nearest


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("s3,", "s4,", r"mine.yaml:3 agent.descriptors.solvent: .*'solvents.csv': the level 's4' stands twice"),
        ("s0,0.0,", "s0,polar,", "'solvents.csv': polarity of 's0' is 'polar' and not a number"),
        ("s0,0.0,", "s0,nan,", "descriptors.solvent.*finite"),
        ("s0,0.0,3", "s0,0.0", "'solvents.csv': row 2 has 2 columns and the header 3"),
        (TABLE, "", "'solvents.csv' has no table"),
        (TABLE, TABLE.replace(",", ";"), "'solvents.csv' has no table; give a header, .* with commas"),
        ("s3,", '"s3,', "'solvents.csv' cannot be read as CSV"),
    ],
)
def test_tables_that_are_wrong_are_refused_with_the_card(tmp_path, old, new, message):
    with pytest.raises(CardError, match=message):
        solvents(tmp_path, TABLE.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("s3,", "s13,", "^agent 'mine': descriptors of 'solvent' lack the level 's3'; add its numbers"),
        (f"s1,{POLAR['s1']}", "s1,0.0", "are the same for 's0' and another level; add a column that tells them apart"),
    ],
)
def test_tables_that_do_not_fit_the_reaction_are_refused(tmp_path, old, new, message):
    card = solvents(tmp_path, TABLE.replace(old, new, 1))
    with pytest.raises(AgentError, match=message):
        build(card, shelf(), budget=9, seed=0)


def test_descriptors_of_what_the_reaction_does_not_have_are_refused(tmp_path):
    with pytest.raises(AgentError, match="describe no categorical parameter of the reaction; there are level"):
        build(solvents(tmp_path, TABLE), plane(), budget=9, seed=0)
    with pytest.raises(AgentError, match="level 's0' has no numeric property 'size' in the card of the reaction"):
        made("logei", shelf(properties=True), descriptors={"solvent": ["size"]})
    with pytest.raises(AgentError, match="have rows of 1 to 2 numbers; give each level equally many"):
        made("logei", plane(), descriptors={"level": {"p": [1.0], "q": [1.0, 2.0]}})
    (tmp_path / "solvents.csv").unlink()
    with pytest.raises(CardError, match=r"'solvents.csv' beside the card cannot be read \(No such file"):
        load(tmp_path / "mine.yaml")


def test_a_fit_that_fails_is_said_and_nothing_else_is_proposed(monkeypatch):
    from botorch.exceptions.errors import ModelFittingError

    from rxnopt.agents.bayes import surrogate

    def fail(*_, **__):
        raise ModelFittingError("All attempts to fit the model have failed.")

    reaction = toy("smooth")
    monkeypatch.setattr(surrogate, "fit_gpytorch_mll", fail)
    with pytest.raises(
        AgentError, match=r"^agent 'logei': a Gaussian process cannot be fitted to 12 trials \(All attem"
    ):
        ask(made("logei", reaction), reaction.space, past(reaction))


def test_a_fit_that_came_out_at_another_try_is_in_the_log(monkeypatch, caplog):
    from botorch.exceptions.warnings import OptimizationWarning

    from rxnopt.agents.bayes import surrogate

    fit = surrogate.fit_gpytorch_mll

    def grumble(*args, **options):
        warnings.warn("line search failed", OptimizationWarning, stacklevel=2)
        return fit(*args, **options)

    reaction = toy("smooth")
    monkeypatch.setattr(surrogate, "fit_gpytorch_mll", grumble)
    ask(made("logei", reaction), reaction.space, past(reaction))
    assert caplog.messages == ["agent 'logei': OptimizationWarning: line search failed"]


def test_without_botorch_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "botorch", None)
    with pytest.raises(AgentError, match=r"^agent 'logei' needs BoTorch, .* run \"pip install '\.\[botorch\]'\""):
        made("logei", toy("smooth"))
