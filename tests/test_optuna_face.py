"""Agents in studies of Optuna: its own conformance tests, and what an agent is told of a study."""

from __future__ import annotations

import pickle

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.testing.pytest_samplers import BasicSamplerTestCase, MultiObjectiveSamplerTestCase, RelativeSamplerTestCase

from rxnopt.errors import AgentError, ConditionsError
from rxnopt.history import DONE, FAILED, PENDING
from rxnopt.optuna import AgentSampler, distributions


@pytest.fixture(autouse=True)
def quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


class TestOptunasOwn(BasicSamplerTestCase, RelativeSamplerTestCase, MultiObjectiveSamplerTestCase):
    """All of Optuna's test cases for samplers but SingleOnlySamplerTestCase: agents may meet several objectives."""

    @pytest.fixture(params=["tpe", "sobol"])
    def sampler(self, request):
        return lambda: AgentSampler(request.param, seed=0)


class Recorder:
    """An agent that keeps what it was told and proposes the middle."""

    def propose(self, space, history, n, rng):
        self.space, self.history = space, history
        return space.from_unit(np.full((n, len(space)), 0.5))


SPACE = {
    "real": FloatDistribution(-1.0, 3.0),
    "log": FloatDistribution(1e-2, 1e2, log=True),
    "step": FloatDistribution(-1.0, 1.0, step=0.25),
    "whole": IntDistribution(-3, 4),
    "even": IntDistribution(2, 10, step=2),
    "decades": IntDistribution(1, 1000, log=True),
    "choice": CategoricalDistribution([None, True, "Pd", 2.5, "2.5"]),
}
CORNERS = (
    {"real": -1.0, "log": 1e-2, "step": -1.0, "whole": -3, "even": 2, "decades": 1, "choice": None},
    {"real": 3.0, "log": 1e2, "step": 1.0, "whole": 4, "even": 10, "decades": 1000, "choice": "2.5"},
)


def study_of(agent, **options) -> optuna.Study:
    return optuna.create_study(sampler=AgentSampler(agent, seed=1, **options), direction="maximize")


def test_every_distribution_goes_there_and_back():
    agent = Recorder()
    study = study_of(agent, search_space=SPACE)
    for value, corner in enumerate(CORNERS):
        study.add_trial(optuna.create_trial(params=corner, distributions=SPACE, value=float(value)))
    asked = study.ask(SPACE)
    assert agent.space.inside(agent.history.X).all()
    U = agent.space.to_unit(agent.history.X)
    assert np.all(U[0] < 0.13)  # the first level of five lies at 0.1, the first of eight whole numbers at 0.0625
    assert np.all(U[1] > 0.87)
    assert agent.history.y.tolist() == [0.0, 1.0]
    assert asked.params == {
        "real": 1.0, "log": pytest.approx(1.0), "step": 0.0, "whole": 1, "even": 6, "decades": 22, "choice": "Pd",
    }  # fmt: skip  # 22.4 = sqrt(0.5 * 1000.5)


def test_trials_in_every_state_are_told():
    agent, space = Recorder(), {"x": FloatDistribution(0.0, 1.0)}
    study = optuna.create_study(sampler=AgentSampler(agent, search_space=space), direction="minimize")
    for state, value in (("COMPLETE", 3.0), ("PRUNED", None), ("FAIL", None)):
        study.add_trial(
            optuna.create_trial(
                params={"x": 0.25}, distributions=space, value=value, state=optuna.trial.TrialState[state]
            )
        )
    study.enqueue_trial({"x": 0.75})
    study.add_trial(optuna.create_trial(params={}, distributions={}, value=1.0))  # without the parameter: no place
    study.ask()  # takes the enqueued trial and has suggested nothing yet
    first, second = study.ask(), study.ask()
    assert first.suggest_float("x", 0, 1) == 0.5
    second.suggest_float("x", 0, 1)
    assert agent.history.X[:, 0].tolist() == [0.25, 0.25, 0.25, 0.75, 0.5]
    assert agent.history.status.tolist() == [DONE, FAILED, FAILED, PENDING, PENDING]
    assert agent.history.y[0] == -3.0
    assert np.isnan(agent.history.y[1:]).all()


def test_what_is_proposed_is_known_before_all_of_it_is_suggested():
    agent, space = Recorder(), {"x": FloatDistribution(0.0, 1.0), "y": FloatDistribution(0.0, 1.0)}
    study = study_of(agent, search_space=space)
    study.ask().suggest_float("x", 0, 1)
    study.ask().suggest_float("x", 0, 1)
    assert agent.history.X.tolist() == [[0.5, 0.5]]
    assert agent.history.status.tolist() == [PENDING]


def test_several_objectives_and_constraints_are_told():
    agent, space = Recorder(), {"x": FloatDistribution(0.0, 1.0)}
    study = optuna.create_study(sampler=AgentSampler(agent, search_space=space), directions=["maximize", "minimize"])
    for values, limit in (((1.0, 2.0), -1.0), ((3.0, 4.0), 0.5)):
        trial = study.ask(space)
        trial.set_constraint("cost", limit)
        study.tell(trial, values)
    study.ask(space)
    assert agent.history.Y.tolist() == [[1.0, -2.0], [3.0, -4.0]]
    assert agent.history.violation.tolist() == [[-1.0], [0.5]]


def test_a_study_that_is_loaded_goes_on_with_the_same_proposals(tmp_path):
    def objective(trial):
        return -((trial.suggest_float("x", 0, 1) - 0.3) ** 2) + trial.suggest_int("k", 0, 5)

    def run(*parts: int) -> list[dict]:
        storage = optuna.storages.InMemoryStorage()
        for n in parts:
            study = optuna.create_study(
                storage=storage, study_name="s", load_if_exists=True, direction="maximize",
                sampler=AgentSampler("tpe", seed=3),
            )  # fmt: skip
            study.optimize(objective, n_trials=n)
        return [trial.params for trial in study.trials]

    assert run(14) == run(6, 8)
    assert run(14)[1] != run(14)[2]


def test_an_agent_finds_an_optimum_that_random_points_do_not():
    def best(agent: str) -> float:
        study = optuna.create_study(sampler=AgentSampler(agent, seed=0, search_space=space))
        study.optimize(lambda t: sum((t.suggest_float(name, 0, 1) - 0.3) ** 2 for name in space), n_trials=15)
        return study.best_value

    space = {name: FloatDistribution(0.0, 1.0) for name in "ab"}
    assert best("gp") < 1e-3 < best("random")


def test_a_policy_works_where_its_reaction_is_given():
    space = distributions("snar")
    assert list(space) == ["residence_time", "equivalents", "concentration", "temperature"]
    study = optuna.create_study(sampler=AgentSampler("ppo", reaction="snar", seed=0), direction="maximize")
    trial = study.ask(space)
    assert all(space[name]._contains(value) for name, value in trial.params.items())
    with pytest.raises(AgentError, match="was trained on a reaction; give it: reaction='snar'"):
        AgentSampler("ppo")


def test_wrong_arguments_are_told():
    with pytest.raises(ConditionsError, match="both given; leave one of them out"):
        AgentSampler("tpe", reaction="snar", search_space=SPACE)
    study = study_of("random", search_space={"n": IntDistribution(0, 2**60)})
    with pytest.raises(AgentError, match=r"parameter 'n'.*beyond 2\^53"):
        study.ask({"n": IntDistribution(0, 2**60)})


def test_a_proposal_outside_the_space_is_refused():
    study = study_of(lambda space, history, n, rng: space.sample(n, rng) + 10.0, search_space=SPACE)
    with pytest.raises(AgentError, match="the agent <lambda> made a proposal that is refused: real = "):
        study.ask(SPACE)
    study = study_of(lambda space, history, n, rng: space.sample(2, rng), search_space=SPACE)
    with pytest.raises(AgentError, match="refused: too many values"):
        study.ask(SPACE)


def test_it_can_be_pickled():
    sampler = AgentSampler("sobol", seed=4, search_space=SPACE)
    asked = [optuna.create_study(sampler=s).ask(SPACE).params for s in (sampler, pickle.loads(pickle.dumps(sampler)))]
    assert asked[0] == asked[1]
