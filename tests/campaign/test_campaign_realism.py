"""Plates, delayed results, failures and costs in campaigns."""

import numpy as np
import pytest
from campaign_toys import Draws, simulate, toy

from rxnopt.agents import OnPlates, build
from rxnopt.agents import load as load_agent
from rxnopt.campaign import Campaign
from rxnopt.errors import AgentError, ConditionsError, JournalError, RxnoptError
from rxnopt.events import Trial, fold
from rxnopt.history import PENDING

PLATE = {"plate": {"size": 4, "shared": ["temperature", "catalyst"]}}
MONEY = {"constants": {"tank": "3 USD"}, "cost": {"formula": "tank * tanks", "unit": "USD"}}
CHANCE = {
    "noise": {"yield": {"sd": 1.0, "run": 1.0, "replicates": 2, "outliers": {"probability": 0.2}}},
    "drift": {"yield": {"walk": 1.0, "slope": -0.2}},
    "failures": {"probability": 0.2, "rules": {"cold": "temperature < T_cold"}},
    "constants": {"T_cold": "40 degC"},
}


class Watching(Draws):
    """Notes how many trials were pending at each proposal."""

    def __init__(self):
        self.pending = []

    def propose(self, space, history, n, rng):
        self.pending.append(int((history.status == PENDING).sum()))
        return super().propose(space, history, n, rng)


def test_a_plate_is_a_batch_whose_trials_share_what_they_must():
    with Campaign(toy(), "random", realism=PLATE, budget=10) as campaign:
        table = campaign.run()
        for first in (0, 4, 8):
            plate = table.iloc[first : first + 4]
            assert plate[["temperature", "catalyst"]].nunique().tolist() == [1, 1]
            assert not plate.duplicated(["temperature", "catalyst", "tanks"]).any()
        assert table["temperature"].nunique() == 3
        with pytest.raises(RxnoptError, match=r"^5 trials were asked for at once and a plate holds 4"):
            Campaign(toy(), "random", realism=PLATE).ask(5)


@pytest.mark.parametrize("name", ["sobol", "tpe", "cmaes", "gp"])
def test_any_agent_shares_and_plates_of_a_small_space_repeat(name):
    reaction = toy()
    agent = OnPlates(build(load_agent(name), reaction, budget=20, seed=0), ["temperature", "catalyst"])
    history = Campaign(reaction, "random", budget=6)
    history.run()
    X = agent.propose(reaction.space, history.history, 10, np.random.default_rng(0))
    reaction.space.check(X)
    assert len(np.unique(X[:, :2], axis=0)) == 1
    assert sorted(X[:8, 2]) == list(range(1, 9))  # 8 numbers of tanks, each once before one comes again
    np.testing.assert_array_equal(agent.propose(reaction.space, history.history, 10, np.random.default_rng(0)), X)


def test_a_foreign_agent_that_does_not_share_is_refused():
    with Campaign(toy(), Draws(), realism=PLATE) as campaign, pytest.raises(AgentError) as caught:
        campaign.ask(3)
    assert str(caught.value) == (
        "the agent Draws made a proposal that is refused: temperature is shared by the trials of a plate and 3 values "
        "were proposed; give one, or wrap the agent in rxnopt.agents.OnPlates"
    )
    with Campaign(toy(), OnPlates(Draws(), ["temperature", "catalyst"]), realism=PLATE) as campaign:
        assert len({trial.conditions["temperature"] for trial in campaign.ask(3)}) == 1


def test_the_agent_proposes_while_results_are_on_their_way():
    agent = Watching()
    table = Campaign(toy(), agent, realism={"delay": 3}, budget=8).run()
    assert agent.pending == [0, 1, 2, 3, 3, 3, 3, 3]
    assert (table["status"] != "pending").all()
    batches = Watching()
    Campaign(toy(), batches, realism={"delay": 3}, budget=8).run(batch=2)
    assert batches.pending == [0, 2, 3, 3]


@pytest.mark.parametrize("options", [{"delay": 3}, {"delay": 3} | CHANCE], ids=["delay", "all"])
def test_a_campaign_that_was_stopped_goes_on_with_the_same_numbers(options, tmp_path):
    whole = Campaign(toy(), Draws(), realism=options, seed=4, budget=9).run()

    class Stops(Draws):
        def propose(self, space, history, n, rng):
            if len(history) == 6:
                raise KeyboardInterrupt
            return super().propose(space, history, n, rng)

    Stops.__name__ = "Draws"
    stopped = Campaign(toy(), Stops(), realism=options, seed=4, budget=9, journal=tmp_path / "a.db")
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    stopped.close()
    with pytest.raises(JournalError, match="belongs to another campaign"):
        Campaign(toy(), Draws(), seed=4, budget=9, journal=tmp_path / "a.db")
    with Campaign(toy(), Draws(), realism=options, seed=4, budget=9, journal=tmp_path / "a.db") as again:
        assert again.run().equals(whole)


def test_chance_does_not_depend_on_the_size_of_batches():
    conditions = [{"temperature": 50.0 + i, "catalyst": "Pd", "tanks": 2} for i in range(12)]

    class Listed:
        def propose(self, space, history, n, rng):
            return space.to_array(conditions[len(history) : len(history) + n])

    tables = [Campaign(toy(), Listed(), realism=CHANCE, budget=12, seed=2).run(batch=batch) for batch in (1, 5, 12)]
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])
    assert "dropout" in set(tables[0]["failure"])


def test_a_failed_trial_says_why():
    table = Campaign(toy(), Draws(), realism=CHANCE, budget=20).run()
    cold = (table["temperature"] < 40) & (table["temperature"] >= 30)
    assert set(table.loc[cold, "failure"]) == {"cold"}
    assert set(table.loc[table["temperature"] < 30, "failure"]) == {"model"}
    assert table.loc[table["status"] == "done", "failure"].isna().all()
    assert table.loc[table["status"] == "failed", ["yield", "objective"]].isna().all(axis=None)


def test_events_of_older_journals_have_no_reason():
    class Event:
        seq, trial, kind, payload = 1, 0, "manual", {"conditions": {}, "outputs": None}

    assert fold([Event()]) == [Trial(0, {}, "failed", manual=True)]


def test_costs_add_up_and_end_a_campaign():
    with Campaign(toy(), "random", realism=MONEY, budget=20, budget_cost=60.0) as campaign:
        table = campaign.run()
        np.testing.assert_allclose(table["experiment_cost"], 3.0 * table["tanks"])
        assert campaign.spent == pytest.approx(table["experiment_cost"].sum())
        assert campaign.spent >= 60 > campaign.spent - table["experiment_cost"].iloc[-1]
        assert campaign.remaining == 0
        assert len(table) < 20
    assert "experiment_cost" not in Campaign(toy(), "random", budget=1).run()
    for value, said in ((-1, "^budget_cost=-1 is not allowed; give a number above 0$"), (5, None)):
        with pytest.raises(ConditionsError, match=said or "^budget_cost=5 needs a cost"):
            Campaign(toy(), "random", budget_cost=value, realism=MONEY if said else True)


def test_realism_false_is_exact_and_is_kept_in_mind_by_the_journal(tmp_path):
    with Campaign(toy(), Draws(), realism=False, budget=5, journal=tmp_path / "a.db") as campaign:
        table = campaign.run()
    done = table[table["status"] == "done"]
    assert (done["objective"] == done["objective_noise_free"]).all()
    exact = simulate(toy().space.to_array(table[["temperature", "catalyst", "tanks"]])).values
    np.testing.assert_array_equal(table[["yield", "cost"]].to_numpy(), exact)
    with pytest.raises(JournalError, match="realism"):
        Campaign(toy(), Draws(), budget=5, journal=tmp_path / "a.db")
