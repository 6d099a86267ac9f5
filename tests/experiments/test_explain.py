"""What agents know: beliefs that hold, importance of the parameter that matters, figures, runs of all kinds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from comparison_toys import write_cards

from rxnopt import Campaign
from rxnopt.agents import build, load
from rxnopt.cli.explain import explain as command
from rxnopt.errors import JournalError, ReportError, RxnoptError
from rxnopt.experiments import report
from rxnopt.experiments.explain import DRAWS, explain, importance
from rxnopt.experiments.explain_figures import caption, draw
from rxnopt.experiments.explain_runs import explained
from rxnopt.seeds import stream
from rxnopt.testing import history_of, toy


def closed(reaction, agent: str, trials: int = 14, **options) -> Campaign:
    with Campaign(reaction, agent, budget=20, seed=1, **options) as campaign:
        for _ in range(trials):
            trial = campaign.ask()[0]
            campaign.tell(trial.number, campaign.reaction.simulate(trial.conditions, seed=trial.number))
    return campaign


@pytest.mark.parametrize("agent", ["gp", "lognei"])
@pytest.mark.parametrize("problem", ["smooth", "mixed"])
def test_a_model_knows_what_it_does_not_know(agent, problem):
    """The truth, in closed form, lies within the stated uncertainty, and the model is far better than the mean."""
    reaction = toy(problem)
    history = history_of(reaction, reaction.space.sample(40, stream(5, "past")))
    X = reaction.space.sample(300, stream(6, "new"))
    truth = reaction.score(reaction.outcome(X))
    belief = build(load(agent), reaction, budget=50, seed=1).believe(reaction.space, history, X, stream(1, "agent", 40))
    assert np.mean(np.abs(truth - belief.mean) < 3 * belief.sd) > 0.85
    assert np.mean((truth - belief.mean) ** 2) < 0.3 * np.var(truth)


@pytest.mark.parametrize("agent", ["gp", "lognei"])
def test_the_proposal_is_what_the_model_wants_most(agent):
    told = explain(closed(toy("smooth"), agent))
    assert max(part.acquisition.max() for part in told.slices) <= 1.0 + 1e-6
    assert [len(part.x) for part in told.slices] == [61, 61, 61]
    best = told.space.to_unit(told.best[None])[0]
    for j, part in enumerate(told.slices):
        at_best = np.interp(best[j], np.linspace(0, 1, 61), part.mean)
        assert at_best == pytest.approx(told.expected[0, 0], abs=1.0)
    assert sum(told.sensitivity.values()) == pytest.approx(1.0)


def test_a_minimised_objective_is_told_in_its_unit():
    reaction = toy("smooth")
    objective = reaction.card.objective.model_copy(update={"maximize": None, "minimize": "yield"})
    turned = replace(reaction, card=reaction.card.model_copy(update={"objective": objective}))
    told = explain(closed(turned, "gp"))
    assert told.sign == -1.0
    assert all((part.mean > -20.0).all() for part in told.slices)  # a yield, not its negative


def test_the_parameter_that_matters_is_found():
    space = toy("smooth").space
    X = space.sample(200, stream(0, "x"))
    history = history_of(toy("smooth"), X)
    U = space.to_unit(X)
    told = importance(space, replace(history, y=-((U[:, 1] - 0.5) ** 2)))
    assert told["time"] > 0.9
    assert list(told) == list(space.names)


def test_agents_without_a_model_show_what_they_would_propose():
    told = explain(closed(toy("mixed"), "tpe"))
    assert list(told.drawn) == [0, 4, 7, 10, 14]
    assert {len(X) for X in told.drawn.values()} == {DRAWS}
    assert told.sensitivity is None
    assert not told.expectation
    assert "would have proposed" in caption(told)
    spread = [told.space.to_unit(X)[:, 0].std() for X in told.drawn.values()]
    assert spread[-1] < spread[0]
    start = explain(closed(toy("smooth"), "gp", trials=3))  # a model of which there is none yet
    assert start.sensitivity is None
    assert start.drawn
    assert "looks at no result" in caption(explain(closed(toy("smooth"), "sobol")))


@pytest.mark.parametrize("agent", ["gp", "tpe", "lhs"])
def test_every_kind_of_agent_is_drawn(agent):
    told = explain(closed(toy("mixed"), agent))
    panels = [axis for axis in draw(told).axes if axis.get_visible() and axis.get_xlabel() + axis.get_title()]
    assert len(panels) == {"gp": 6, "tpe": 6, "lhs": 2}[agent]


@pytest.mark.parametrize("realism", [True, False, {"noise": {"yield": {"sd": 3.0}}}])
def test_a_journal_is_explained_as_the_campaign_was(tmp_path, realism):
    folder = tmp_path / "cards"
    folder.mkdir()
    write_cards(folder)
    path = tmp_path / "j.db"
    options = {"budget": 8, "seed": 4, "realism": realism}
    with Campaign(folder / "made.yaml", "tpe", journal=path, **options) as campaign:
        campaign.run()
        live = explain(campaign)
    with Campaign(folder / "made.yaml", "tpe", journal=path, **options | {"budget": 9}):
        pass  # a larger budget is an event of its own
    (told,) = explained(path, reaction=str(folder / "made.yaml"))
    assert np.array_equal(told.proposed, live.proposed)
    assert told.title == "tpe on made after 8 trials"
    with pytest.raises(RxnoptError, match="no card 'made' in envs"):
        explained(path)


def test_a_comparison_and_its_cells_are_explained(small, tmp_path):
    found = explained(small.folder)
    assert [told.reaction for told in found] == ["made", "left"]
    assert {told.agent for told in found} <= {"random", "tpe"}
    page = report(small.folder, explained=found).read_text()
    assert page.count("<svg") == report(small.folder).read_text().count("<svg") + 2
    assert "What the best agents know" in page
    titles = {explained(cell)[0].title for cell in small.folder.glob("cells/*.parquet")}
    assert titles == {f"{agent} on {name} after 8 trials" for agent in ("random", "tpe") for name in ("made", "left")}
    command(small.folder, out=tmp_path)
    assert len(list(tmp_path.glob("*.png"))) == 2
    assert "What the best agents know" in (small.folder / "report.html").read_text()


def test_what_is_no_run_is_told(tmp_path):
    with pytest.raises(JournalError, match=r"there is no such journal; give the file that --journal made"):
        explained(tmp_path / "nothing.db")
    (tmp_path / "text.db").write_text("hello, this is no journal" * 50)
    with pytest.raises(JournalError, match="no journal"):
        explained(tmp_path / "text.db")
    with pytest.raises(ReportError, match="the comparison is not finished"):
        explained(tmp_path)
    (tmp_path / "cell.parquet").write_text("x")
    with pytest.raises(ReportError, match="cannot be read"):
        explained(tmp_path / "cell.parquet")
    with pytest.raises(RxnoptError, match="no trial has a result yet"):
        explain(closed(toy("smooth"), "gp", trials=0))
    with pytest.raises(RxnoptError, match="1 trials have a result; two or more tell what matters"):
        explain(closed(toy("smooth"), "gp", trials=1))
