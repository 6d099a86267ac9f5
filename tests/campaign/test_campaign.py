"""The campaign: journal first, equal numbers for equal seeds, and one sentence for each mistake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from campaign_toys import Draws, simulate, toy

from rxnopt.campaign import Campaign
from rxnopt.errors import AgentError, ConditionsError, JournalError, RxnoptError, UnknownNameError, WeightsError
from rxnopt.events import fold
from rxnopt.history import DONE, FAILED, PENDING
from rxnopt.seeds import stream
from rxnopt.simulators import Outcome

GOOD = {"temperature": 70, "catalyst": "Pd", "tanks": 3}


def campaign(**options):
    return Campaign(toy(), Draws(), **options)


def same_history(a, b):
    np.testing.assert_array_equal(a.X, b.X)
    np.testing.assert_array_equal(a.y, b.y)
    np.testing.assert_array_equal(a.status, b.status)


def test_a_run_gives_a_tidy_table():
    table = campaign(seed=3).run()
    assert list(table) == [
        "trial", "status", "manual", "temperature", "catalyst", "tanks", "yield", "cost",
        "objective", "objective_noise_free", "within_limits", "within_limits_noise_free", "failure",
    ]  # fmt: skip
    assert list(table["trial"]) == list(range(20))
    assert set(table["catalyst"]) <= {"Pd", "Ni", "Cu"}
    assert table["tanks"].dtype == np.int64
    failed = table["temperature"] < 30
    assert 0 < failed.sum() < 20
    assert list(table["status"]) == ["failed" if f else "done" for f in failed]
    assert table.loc[failed, ["yield", "cost", "objective", "objective_noise_free"]].isna().all(axis=None)
    done = table[~failed]
    levels = done["catalyst"].map({"Pd": 0, "Ni": 1, "Cu": 2})
    exact = 100 - ((done["temperature"] - 70) / 10) ** 2 - 10 * levels - done["tanks"]
    np.testing.assert_allclose(done["objective_noise_free"], exact, rtol=1e-12)
    assert (done["objective"] == done["yield"]).all()
    assert list(table["within_limits"]) == list(table["cost"] <= 5)
    assert list(table["failure"]) == ["model" if f else None for f in failed]


def test_noise_of_a_trial_is_a_function_of_seed_and_number():
    table = campaign(seed=5).run()
    for row in table[table["status"] == "done"].itertuples():
        normal = stream(5, "noise", row.trial).standard_normal(1)[0]
        assert row.objective == row.objective_noise_free + 2.0 * normal
        assert row.cost == pytest.approx((row.temperature / 10 - 2) * (1 + 0.1 * normal), rel=1e-12)
    exact = campaign(seed=5, noise=False).run()
    assert exact["objective"].equals(exact["objective_noise_free"])


def test_equal_seeds_give_equal_campaigns_and_others_do_not(tmp_path):
    first = campaign(seed=1).run()
    pd.testing.assert_frame_equal(first, campaign(seed=1, journal=tmp_path / "j.db").run(), check_exact=True)
    assert not first.equals(campaign(seed=2).run())


def test_a_batch_is_one_call_of_the_simulator():
    sizes = []

    def counted(X):
        sizes.append(len(X))
        return simulate(X)

    table = Campaign(toy(simulator=counted), Draws(), budget=10).run(batch=4)
    assert sizes == [4, 4, 2]
    assert len(table) == 10


def test_a_minimised_objective_is_turned_for_the_agent_only():
    reaction = toy("objective: {minimize: cost}\n")
    with Campaign(reaction, Draws(), noise=False) as run:
        table = run.run()
        np.testing.assert_array_equal(table["objective"], table["cost"])
        np.testing.assert_array_equal(run.history.y, -table["cost"])
        assert run.best.outputs["cost"] == table["cost"].min()
        assert run.best.score == -table["cost"].min()


def test_ask_and_tell_by_hand(tmp_path):
    with campaign(journal=tmp_path / "j.db") as run:
        first, second = run.ask(2)
        assert (first.number, second.number, first.status) == (0, 1, "pending")
        assert list(run.history.status) == [PENDING, PENDING]
        assert run.tell(1, {"yield": 61, "cost": np.float64(3)}).outputs == {"yield": 61.0, "cost": 3.0}
        assert run.tell(np.int64(0), None).status == "failed"
        manual = run.add(GOOD, {"yield": 80.5})
        assert (manual.number, manual.manual, manual.conditions) == (2, True, GOOD | {"temperature": 70.0})
        assert list(run.history.status) == [FAILED, DONE, DONE]
        assert run.best == manual
        assert run.tell(2, {"yield": 8.05}).score == 8.05, "a slip of the decimal point, corrected"
        assert run.tell(0, {"yield": 50}).status == "done", "a late result of a trial marked failed"
        assert run.best.number == 1
        assert run.remaining == 18, "manual points are no part of the budget"
        before = run.history
    with campaign(journal=tmp_path / "j.db") as again:
        same_history(again.history, before)
        table = again.run()
    assert len(table) == 21
    assert list(table["manual"]) == [False, False, True] + 18 * [False]
    assert table.loc[0, "objective"] == 50
    assert np.isnan(table.loc[0, "objective_noise_free"]), "what a person tells has no noise-free value"


def test_history_equals_the_fold_of_the_journal_and_stays_as_given():
    run = campaign(budget=100)
    seen = []
    rng = np.random.default_rng(0)
    for _ in range(40):
        trials = run.ask(int(rng.integers(1, 3)))
        if rng.random() < 0.7:
            run.tell(trials[0].number, None if rng.random() < 0.2 else {"yield": rng.random()})
        run.tell(0, {"yield": rng.random()})
        seen.append((run.history, [array.copy() for array in (run.history.X, run.history.y, run.history.status)]))
        trials = fold(run.journal.events())
        assert trials == list(run)
        y = [np.nan if trial.score is None else trial.score for trial in trials]
        np.testing.assert_array_equal(run.history.y, y)
        np.testing.assert_array_equal(run.history.X, run.space.to_array([trial.conditions for trial in trials]))
        codes = {"done": DONE, "failed": FAILED, "pending": PENDING}
        assert list(run.history.status) == [codes[trial.status] for trial in trials]
    for history, arrays in seen:
        for array, copy in zip((history.X, history.y, history.status), arrays, strict=True):
            np.testing.assert_array_equal(array, copy)


def test_pending_trials_are_run_before_new_ones(tmp_path):
    whole = campaign(seed=4).run()
    with campaign(seed=4, journal=tmp_path / "j.db") as run:
        run.ask()
    with campaign(seed=4, journal=tmp_path / "j.db") as run:
        pd.testing.assert_frame_equal(run.run(), whole, check_exact=True)
        kinds = [event.kind for event in run.journal.events()]
    assert kinds.count("proposed") == 20
    with campaign(seed=4, journal=tmp_path / "j.db") as run:
        pd.testing.assert_frame_equal(run.run(), whole, check_exact=True)


@pytest.mark.parametrize(
    ("wrong", "kind", "message"),
    [
        (lambda c: c.tell(0, {"yield": 5}), UnknownNameError, "no trial 0; ask for one first"),
        (lambda c: c.ask() and c.tell(7, {"yield": 5}), UnknownNameError, "no trial 7; trials are 0 to 0"),
        (lambda c: c.ask() and c.tell(0, {"yeild": 5}), UnknownNameError, "did you mean 'yield'"),
        (lambda c: c.ask() and c.tell(0, {"cost": 5}), ConditionsError, "lacks the objective 'yield'"),
        (lambda c: c.ask() and c.tell(0, {"yield": np.nan}), ConditionsError, "no finite number"),
        (lambda c: c.ask() and c.tell(0, {"yield": "high"}), ConditionsError, "'high' is no finite number"),
        (lambda c: c.ask() and c.tell(0, 80), ConditionsError, "an outcome is a mapping"),
        (
            lambda c: c.add(GOOD | {"temperature": 121}, {"yield": 5}),
            ConditionsError,
            r"temperature = 121.* is not allowed; give a number in \[20",
        ),
        (lambda c: c.add(GOOD | {"catalyst": "pd"}, {"yield": 5}), ConditionsError, "levels are Pd, Ni, Cu"),
        (lambda c: c.add({"temperature": 70}, {"yield": 5}), ConditionsError, "catalyst is missing"),
        (lambda c: c.ask(21), RxnoptError, "21 trials were asked for and 20 of 20 are left"),
        (lambda c: c.ask(0), ConditionsError, "^n=0 is not allowed; give a whole number from 1 on$"),
        (lambda c: c.ask("a"), ConditionsError, "^n='a' is not allowed; give a whole number from 1 on$"),
        (lambda c: c.ask(1.0), ConditionsError, "^n=1.0 is not allowed"),
        (lambda c: c.ask() and c.tell(0.5, {"yield": 5}), ConditionsError, "^number=0.5 is not allowed"),
        (lambda c: c.ask() and c.tell("0", {"yield": 5}), ConditionsError, "^number='0' is not allowed"),
        (lambda c: c.ask() and c.tell(-1, {"yield": 5}), ConditionsError, "^number=-1 is not allowed"),
        (lambda c: c.run(batch=0), ConditionsError, "^batch=0 is not allowed"),
        (lambda c: c.run(batch=1.5), ConditionsError, "^batch=1.5 is not allowed"),
        (lambda c: c.best, RxnoptError, "no trial has a result"),
    ],
)
def test_mistakes_are_told_in_one_sentence_and_leave_no_trace(wrong, kind, message):
    run = campaign()
    with pytest.raises(kind, match=message) as caught:
        wrong(run)
    assert "\n" not in str(caught.value)
    assert all(trial.status == "pending" for trial in run)


@pytest.mark.parametrize("X", [[[130.0, 0, 1]], [[70.0, 0.5, 1]], [[np.nan, 0, 1]], [[70.0, 0]], [[70.0, 0, 1]] * 2])
def test_proposals_out_of_bounds_are_refused_and_not_clamped(X):
    class Wrong:
        def propose(self, space, history, n, rng):
            return np.array(X)

    run = Campaign(toy(), Wrong())
    with pytest.raises(AgentError, match="the agent Wrong made a proposal that is refused"):
        run.ask()
    assert len(run) == 0


def test_budget_and_seed_are_checked():
    for options in ({"budget": 0}, {"budget": "6"}, {"budget": True}, {"seed": -1}, {"seed": 1.5}, {"seed": None}):
        with pytest.raises(ConditionsError, match=f"^{next(iter(options))}=.* is not allowed; give a whole number"):
            campaign(**options)
    assert campaign(budget=np.int64(3)).budget == 3
    assert campaign().budget == 20, "that of the card"


@pytest.mark.parametrize("wrong", [None, 3, Draws, {"kind": "design"}])
def test_what_is_no_agent_or_reaction_is_refused(wrong):
    with pytest.raises(RxnoptError, match=r"^agent=.* is no agent; give the name or path of a card"):
        Campaign(toy(), wrong)
    with pytest.raises(RxnoptError, match=r"^reaction=.* is no reaction; give the name or path of a card"):
        Campaign(wrong, Draws())


def test_paths_may_be_text_and_nothing_else(tmp_path):
    with pytest.raises(WeightsError, match=r"missing\.pt"):
        Campaign(toy(), "ppo", weights=str(tmp_path / "missing.pt"))
    for name in ("weights", "journal"):
        with pytest.raises(ConditionsError, match=f"^{name}=3 is no path; give a str or a Path"):
            campaign(**{name: 3})


def test_outputs_that_are_no_numbers_are_left_out():
    def odd(X):
        values = np.stack([np.where(X[:, 2] < 4, np.nan, 50.0), np.full(len(X), np.inf)], axis=1)
        return Outcome(values, np.zeros(len(X), bool))

    run = Campaign(toy(simulator=odd), Draws(), noise=False)
    table = run.run()
    assert set(table["status"]) == {"done", "failed"}
    assert all(trial.outputs in (None, {"yield": 50.0}) for trial in run)


def test_another_campaign_is_refused(tmp_path):
    campaign(journal=tmp_path / "j.db").close()
    for options in ({"seed": 1}, {"noise": False}):
        with pytest.raises(JournalError, match=rf"another campaign \({next(iter(options))}"):
            campaign(journal=tmp_path / "j.db", **options)
    with pytest.raises(JournalError, match="reaction digest"):
        Campaign(toy("gas_constant: 8.3 J/mol/K\n"), Draws(), journal=tmp_path / "j.db")
    campaign(journal=tmp_path / "j.db").close()


def test_a_journal_goes_on_when_only_words_of_the_card_have_changed(tmp_path):
    campaign(journal=tmp_path / "j.db").close()
    Campaign(toy("description: other\n"), Draws(), journal=tmp_path / "j.db").close()


@pytest.mark.parametrize("agent", [Draws(), "sobol", "random"])
def test_a_campaign_can_be_extended(tmp_path, agent):
    whole = Campaign(toy(), agent, budget=12, seed=3).run()
    for budget in (5, 5, 6, 12):
        with Campaign(toy(), agent, budget=budget, seed=3, journal=tmp_path / "j.db") as run:
            assert run.remaining == budget - len(run)
            table = run.run()
            kinds = [(event.trial, event.kind, event.payload) for event in run.journal.events()]
    pd.testing.assert_frame_equal(table, whole, check_exact=True)
    extensions = [(trial, payload) for trial, kind, payload in kinds if kind == "extended"]
    assert extensions == [(-1, {"budget": 6}), (-1, {"budget": 12})]
    before = (tmp_path / "j.db").read_bytes()
    with pytest.raises(JournalError, match="has a budget of 12 and 6 is smaller; a budget can only grow") as caught:
        Campaign(toy(), agent, budget=6, seed=3, journal=tmp_path / "j.db")
    assert "\n" not in str(caught.value)
    assert (tmp_path / "j.db").read_bytes() == before


def test_a_design_for_one_budget_is_not_extended(tmp_path):
    Campaign(toy(), "lhs", budget=5, journal=tmp_path / "j.db").close()
    with pytest.raises(JournalError, match="has a budget of 5, not 6, and what its agent proposes depends on it"):
        Campaign(toy(), "lhs", budget=6, journal=tmp_path / "j.db")
    Campaign(toy(), "lhs", budget=5, journal=tmp_path / "j.db").close()


def test_the_import_is_light():
    script = "import sys, rxnopt.campaign; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ["torch", "optuna", "numba", "matplotlib", "pandas", "scipy", "sympy", "stable_baselines3"]
    done = subprocess.run([sys.executable, "-c", script, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# killed for good

KILLED = """
import os, signal, sys, time
sys.path.insert(0, {folder!r})
from campaign_toys import Draws, simulate, toy
from rxnopt import journal
from rxnopt.campaign import Campaign

point, trial = sys.argv[2], int(sys.argv[3])
append = journal.Journal.append

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def append_or_die(self, entries):
    number, kind, _ = entries[0]
    if (point, trial) == ("before " + kind, number):
        die()
    events = append(self, entries)
    if (point, trial) == ("after " + kind, number):
        die()
    print(number, flush=True)
    return events

def simulate_or_die(X):
    if point == "simulating" and len(run) == trial + 1:
        die()
    if point == "slow":
        time.sleep(0.002)
    return simulate(X)

journal.Journal.append = append_or_die
run = Campaign(toy(simulator=simulate_or_die), Draws(), seed=11, journal=sys.argv[1])
run.run(batch=int(sys.argv[4]))
"""


def start(path, *arguments):
    script = KILLED.format(folder=str(Path(__file__).parent))
    command = [sys.executable, "-c", script, str(path), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def compare_with_uninterrupted(path, batch):
    whole = Campaign(toy(), Draws(), seed=11)
    expected = whole.run(batch=batch)
    with Campaign(toy(), Draws(), seed=11, journal=path) as run:
        table = run.run(batch=batch)
        events = run.journal.events()
    pd.testing.assert_frame_equal(table, expected, check_exact=True)
    for number in range(20):
        kinds = [event.kind for event in events if event.trial == number]
        assert kinds in (["proposed", "done"], ["proposed", "failed"])


@pytest.mark.parametrize("batch", [1, 3])
def test_killed_at_named_points(tmp_path, batch):
    points = ["before proposed", "after proposed", "simulating", "before done", "after done"]
    number = 3 if batch == 1 else 9
    for i, point in enumerate(points):
        at = number + (batch - 1 if point == "simulating" else 0)
        victim = start(tmp_path / f"{i}.db", point, at, batch)
        victim.communicate()
        assert victim.returncode == -9, point
        compare_with_uninterrupted(tmp_path / f"{i}.db", batch)


def test_killed_again_and_again_at_random(tmp_path):
    rng = np.random.default_rng(20)
    kills = 0
    for _ in range(12):
        victim = start(tmp_path / "j.db", "slow", 0, 1)
        for _ in range(int(rng.integers(1, 8))):
            victim.stdout.readline()
        try:
            victim.wait(timeout=float(rng.random() * 0.01))
        except subprocess.TimeoutExpired:
            victim.kill()
        victim.communicate()
        kills += victim.returncode == -9
        if victim.returncode == 0:
            break
    assert kills >= 3
    compare_with_uninterrupted(tmp_path / "j.db", 1)
