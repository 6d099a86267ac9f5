"""Studies over the hyperparameters of a card: they find, prune, are kept and go on."""

from __future__ import annotations

import optuna
import pytest
from test_algorithms import quick

from rxnopt.agents import load
from rxnopt.cards import AgentCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.errors import AgentError, CardError, WeightsError
from rxnopt.testing import toy
from rxnopt.training import learning as learning_module
from rxnopt.training import train
from rxnopt.training.tuning import tune


def tuned(name: str = "td3", **tune) -> AgentCard:
    block = {key: load(name).tune["learning_rate"].model_validate(value) for key, value in tune.items()}
    return quick(name).model_copy(update={"tune": block})


WIDE = {"learning_rate": {"low": 1e-7, "high": 1e-2, "log": True}, "net_arch": {"choices": [[8], [16, 16]]}}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tune")
    return folder, tune(tuned(**WIDE), toy("smooth"), trials=9, steps=2560, out=folder, progress=False)


def trials(folder) -> list[optuna.trial.FrozenTrial]:
    study = optuna.load_study(study_name="tune", storage=f"sqlite:///{folder}/td3-smooth.db")
    found = study.trials
    study._storage._backend.engine.dispose()
    return found


def test_it_finds_the_best_of_its_trials_and_prunes_the_hopeless(study):
    folder, found = study
    assert (found.trials, len(trials(folder))) == (9, 9)
    complete = [trial for trial in trials(folder) if trial.state == optuna.trial.TrialState.COMPLETE]
    assert found.score == max(trial.value for trial in complete) > 0.7  # random search finds 0.58
    assert found.pruned == 9 - len(complete) > 0
    assert set(found.options) == {"learning_rate", "net_arch"}
    assert found.options["learning_rate"] > 1e-5  # what is smaller learns nothing in so few steps


def test_the_best_card_can_be_trained(study, tmp_path):
    _, found = study
    card = load(found.card)
    assert card.name == "td3-tuned"
    assert card.agent.options["learning_rate"] == found.options["learning_rate"]
    assert card.agent.options["policy_kwargs"] == {"net_arch": found.options["net_arch"]}
    done = train(found.card, toy("smooth"), steps=2560, out=tmp_path, progress=False)
    assert done.weights.name == "td3-tuned-smooth.pt"


def test_a_study_goes_on_where_it_stopped(study):
    folder, _ = study
    before = [trial.params for trial in trials(folder)]
    again = tune(tuned(**WIDE), toy("smooth"), trials=9, steps=2560, out=folder, progress=False)
    assert [trial.params for trial in trials(folder)] == before
    more = tune(tuned(**WIDE), toy("smooth"), trials=10, steps=2560, out=folder, progress=False)
    assert (again.trials, more.trials) == (9, 10)
    assert [trial.params for trial in trials(folder)][:9] == before


def test_ctrl_c_loses_one_trial_only(tmp_path, monkeypatch):
    card, arguments = tuned(**WIDE), {"steps": 256, "out": tmp_path, "progress": False}
    tune(card, toy("smooth"), trials=1, **arguments)

    def stop(self) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(learning_module.Watch, "_on_rollout_end", stop)
    with pytest.raises(
        KeyboardInterrupt, match="stopped by Ctrl-C after 1 trials; run the same command again to go on"
    ):
        tune(card, toy("smooth"), trials=2, **arguments)
    monkeypatch.undo()
    assert tune(card, toy("smooth"), trials=2, **arguments).trials == 2


def test_studies_that_do_not_fit(tmp_path):
    arguments = {"trials": 1, "out": tmp_path, "progress": False}
    tune(tuned(**WIDE), toy("smooth"), steps=256, **arguments)
    with pytest.raises(AgentError, match="was begun with another number of steps; give another folder, or remove"):
        tune(tuned(**WIDE), toy("smooth"), steps=512, **arguments)
    with pytest.raises(AgentError, match="begun with another 'tune' block"):
        tune(tuned(learning_rate={"low": 0.1, "high": 1.0}), toy("smooth"), steps=256, **arguments)
    (tmp_path / "td3-smooth.db").write_bytes(b"no study" * 200)
    with pytest.raises(
        WeightsError, match=r"td3-smooth.db: the study cannot be read or written .*; give another folder"
    ):
        tune(tuned(**WIDE), toy("smooth"), steps=256, **arguments)


def test_agents_that_cannot_be_tuned():
    with pytest.raises(AgentError, match="'tpe' says nothing about what to tune; add a 'tune' block"):
        tune("tpe", toy("smooth"))
    with pytest.raises(AgentError, match="DQN has no option 'gae_lambda'"):
        tune(tuned("dqn", gae_lambda={"low": 0.8, "high": 1.0}), toy("smooth"))


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("{learning_rate: {low: 1.0}}", "low=1.0 and high=None are no range"),
        ("{learning_rate: {low: 2, high: 1}}", "no range; give two numbers, the smaller one as low"),
        ("{learning_rate: {low: 0, high: 1, log: true}}", "low=0.0 cannot be on a logarithmic scale"),
        ("{learning_rate: {}}", "give either choices or low and high"),
        ("{learning_rate: {choices: [1], low: 0, high: 1}}", "give either choices or low and high"),
    ],
)
def test_ranges_that_are_none(block, message):
    text = f"name: mine\ntitle: Mine\nagent: {{kind: optuna, sampler: TPESampler}}\ntune: {block}\n"
    with pytest.raises(CardError, match=r"mine\.yaml:4") as refused:
        validate(parse(text, "mine.yaml"), AgentCard)
    assert message in str(refused.value)


def test_only_what_is_trained_is_tuned():
    text = "name: mine\ntitle: Mine\nagent: {kind: optuna, sampler: TPESampler}\ntune: {a: {low: 0, high: 1}}\n"
    with pytest.raises(CardError, match="only an agent of kind 'sb3-trained' is tuned; remove the block"):
        validate(parse(text, "mine.yaml"), AgentCard)
