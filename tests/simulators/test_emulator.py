"""Emulators: what they learn, their scores, where they extrapolate, and what is told of wrong data."""

import dataclasses

import gymnasium as gym
import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

import rxnopt
from rxnopt.catalogue import names
from rxnopt.errors import DataError
from rxnopt.regression import Hulls, Settings, learn, learned
from rxnopt.regression.forest import Forest
from rxnopt.seeds import stream
from rxnopt.simulators import load

TREES = Settings("extra-trees", 50, 1)
CARD = """
name: mix
id: Mix-v0
title: A mixture that was measured here and there
parameters:
  dye: {levels: [red, blue]}
  share: {low: 0, high: 1}
  hours: {low: 1, high: 9, unit: h}
data: {mixtures: {path: mix.csv}}
model:
  kind: emulator
  files: [mixtures]
  columns: {share: x, hours: {column: t, unit: min}}
  measured: {found: {column: y, unit: "%"}}
  learner: LEARNER
outputs:
  yield: {formula: "max(0, min(1, found))", unit: "%"}
  error: {formula: found_sd, unit: "%"}
  outside_data: {formula: outside}
"""
EMULATORS = [
    name for name in names("envs")
    if "kind: emulator" in (rxnopt.catalogue.catalogue("envs") / f"{name}.yaml").read_text("utf-8")
]  # fmt: skip


def truth(X):
    """A smooth yield in % of level, share and hours."""
    return 50 + 20 * X[:, 0] + 25 * np.sin(3 * X[:, 1]) - 0.4 * (X[:, 2] - 5) ** 2


@pytest.fixture
def mix(tmp_path):
    def make(learner="gaussian-process", n=60, edit=lambda text: text):
        rng = stream(0, "mix")
        X = np.column_stack([rng.integers(0, 2, n), rng.uniform(0.2, 0.8, n), rng.uniform(2, 8, n)])
        rows = [
            f"{['red', 'blue'][int(d)]},{x:.6f},{60 * t:.4f},{y:.6f}" for (d, x, t), y in zip(X, truth(X), strict=True)
        ]
        (tmp_path / "mix.csv").write_text(edit("dye,x,t,y\n" + "\n".join(rows) + "\n"), encoding="utf-8")
        (tmp_path / "mix.yaml").write_text(CARD.replace("LEARNER", learner), encoding="utf-8")
        return load(tmp_path / "mix.yaml")

    return make


@pytest.mark.parametrize("kind", [ExtraTreesRegressor, RandomForestRegressor])
def test_a_forest_says_what_scikit_learn_says(kind):
    rng = stream(1, "forest")
    F, y = rng.uniform(-1, 1, (80, 4)), rng.normal(size=80)
    ensemble = kind(30, min_samples_leaf=2, random_state=0).fit(F, y)
    new = np.concatenate([F, rng.uniform(-1.2, 1.2, (500, 4))])
    mean, spread = Forest.of(ensemble).predict(new)
    trees = np.array([tree.predict(new) for tree in ensemble.estimators_])
    np.testing.assert_allclose(mean, ensemble.predict(new), rtol=1e-12)
    np.testing.assert_allclose(spread, trees.std(axis=0), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("settings", [TREES, Settings("random-forest", 50, 1), Settings("gaussian-process", 50, 1)])
def test_what_is_learnt_is_kept_and_found_again(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(learned, "cache_folder", lambda _: tmp_path)
    F = stream(2, "F").uniform(-1, 1, (40, 2))
    y, new = F[:, 0] ** 2 + F[:, 1], stream(3, "F").uniform(-1, 1, (30, 2))
    first = learn(F, y, settings, "here")
    [file] = tmp_path.iterdir()
    monkeypatch.setattr(learned, "_cross_validated", None)  # it is not learnt again
    again = learn(F, y, settings, "here")
    for one, other in zip(first.predict(new), again.predict(new), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)
    assert first.r2 == again.r2 > 0.7
    with np.load(file, allow_pickle=False) as kept:
        assert all(array.dtype != object for array in kept.values())


def test_a_damaged_cache_is_told_and_learnt_anew(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(learned, "cache_folder", lambda _: tmp_path)
    F = stream(2, "F").uniform(-1, 1, (40, 2))
    first = learn(F, F[:, 0], TREES, "here")
    [file] = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:200])
    assert learn(F, F[:, 0], TREES, "here").rest == first.rest
    assert "cannot be used" in caplog.text


def test_repeats_stay_together_in_cross_validation():
    """Noise and conditions that stand four times: who saw a repeat could tell the noise, which nobody can."""
    rng = stream(4, "repeats")
    F, noise = np.repeat(rng.uniform(-1, 1, (40, 2)), 4, axis=0), np.repeat(rng.normal(size=40), 4)
    assert learn(F, noise, TREES, "noise").r2 < 0.2


def test_the_standard_deviation_is_that_of_the_errors():
    rng = stream(5, "errors")
    F = rng.uniform(-1, 1, (150, 2))
    y = F[:, 0] + 0.3 * rng.normal(size=150)
    new = rng.uniform(-1, 1, (2000, 2))
    for settings in (TREES, Settings("gaussian-process", 50, 1)):
        mean, sd = learn(F, y, settings, "errors").predict(new)
        z = (new[:, 0] + 0.3 * rng.normal(size=2000) - mean) / sd
        assert 0.7 < np.std(z) < 1.15


@pytest.mark.parametrize("learner", ["extra-trees", "gaussian-process"])
def test_an_emulator_tells_what_was_not_measured(mix, learner):
    reaction = mix(learner)
    X = np.array([[0, 0.4, 4.0], [1, 0.6, 6.0], [0, 0.5, 5.0]])
    found = reaction.outcome(X)
    np.testing.assert_allclose(found.values[:, 0], truth(X), atol=1.0 if learner == "gaussian-process" else 6.0)
    assert (found.values[:, 1] > 0).all()
    assert (found.values[:, 2] == 0).all()
    assert reaction.outcome(np.array([[0, 0.05, 4.0]])).values[0, 2] == 1


def test_uncertainty_is_noise_if_asked(mix):
    reaction = mix("extra-trees")
    X = np.tile([[0, 0.4, 4.0]], (2000, 1))
    exact = reaction.outcome(X).values
    assert np.ptp(reaction.outcome(X, stream(0, "noise")).values[:, 0]) == 0
    noisy = reaction.with_realism({"noise": {"yield": {"sd": "error"}}}).outcome(X, stream(0, "noise")).values
    assert np.std(noisy[:, 0]) == pytest.approx(exact[0, 1], rel=0.05)


def test_hulls_against_linear_programming():
    """In a hull means to be a weighted mean of its points, which linear programming decides."""
    from scipy.optimize import linprog

    rng = stream(6, "hull")
    points, new = rng.uniform(size=(25, 3)), rng.uniform(-0.1, 1.1, (80, 3))
    inside = [
        linprog(np.zeros(25), A_eq=np.vstack([points.T, np.ones(25)]), b_eq=[*row, 1.0]).status == 0 for row in new
    ]
    outside = Hulls.of(np.zeros((25, 1)), points).outside(np.zeros((80, 1)), new)
    np.testing.assert_array_equal(~outside, inside)
    assert 0 < np.mean(inside) < 1


def test_flat_and_single_points_have_hulls_too():
    levels, line = np.zeros((3, 1)), np.array([[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]])
    hulls = Hulls.of(np.vstack([levels, [[1.0]]]), np.vstack([line, [[0.2, 0.3]]]))
    new = np.array([[0.3, 0.3], [0.3, 0.4], [1.1, 1.1], [0.2, 0.3], [0.2, 0.31], [0.5, 0.5]])
    found = hulls.outside(np.array([[0.0], [0.0], [0.0], [1.0], [1.0], [2.0]]), new)
    assert found.tolist() == [False, True, True, False, True, True]


def test_in_many_dimensions_a_box_stands_for_the_hull():
    """Nine numbers and 200 experiments make millions of faces: no experiment is outside, and none far off is in."""
    rng = stream(7, "hull")
    points = rng.uniform(size=(200, 9)) @ np.diag(np.linspace(1.0, 0.1, 9))
    hulls = Hulls.of(np.zeros((200, 1)), points)
    assert not hulls.outside(np.zeros((200, 1)), points).any()
    assert hulls.outside(np.zeros((9, 1)), points.mean(axis=0) + np.eye(9)).all()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda text: text.replace("red", "green", 1), r"mix.csv:\d+: 'green' is no level of 'dye'"),
        (lambda text: text.replace("dye,x", "dye,z"), "mix.csv has no columns 'x'"),
        (
            lambda text: text + "red,1.5,300,50\n",
            r"mix.csv:62: share = 1.5 is not allowed; give a number in \[0.0, 1.0\]",
        ),
        (lambda text: text + "red,,300,50\n", "mix.csv:62: share = nan is not allowed"),
        (lambda text: text + 'red,"0,5",300,50\n', "mix.csv:62 x: '0,5' has a decimal comma; write 0.5"),
        (lambda text: "".join(text.splitlines(keepends=True)[:4]), "mix found: 3 different conditions with values"),
    ],
)
def test_wrong_data_are_told_in_one_sentence(mix, edit, said):
    with pytest.raises(DataError, match=said):
        mix("extra-trees", edit=edit).outcome(np.array([[0, 0.4, 4.0]]))


def test_settings_are_part_of_what_is_learnt(mix):
    reaction = mix("extra-trees")
    assert dataclasses.asdict(Settings("extra-trees", 100, 1)) == {"learner": "extra-trees", "trees": 100, "leaf": 1}
    assert reaction.simulator.learned["found"].model.roots.shape == (100,)


@pytest.mark.data
@pytest.mark.parametrize("name", EMULATORS)
def test_scores_in_the_cards_are_those_of_the_emulators(name):
    simulator = load(name).simulator
    for measured, score in simulator.model.scores.items():
        found = simulator.learned[measured]
        assert found.r2 == pytest.approx(score.r2, abs=0.02)
        assert found.rmse == pytest.approx(score.rmse, rel=0.05)
    assert set(simulator.model.scores) == set(simulator.model.measured)


@pytest.mark.data
def test_an_emulator_is_an_environment():
    env = gym.make("rxnopt/ReizmanSuzuki1-v0")
    env.reset(seed=0)
    _, reward, _, _, info = env.step(env.action_space.sample() * 0)
    assert np.isfinite(reward)
    assert info["outputs"]["outside_data"] in (0.0, 1.0)
    assert info["outputs"]["turnover"] == pytest.approx(
        info["outputs"]["yield"] / info["conditions"]["catalyst_loading"]
    )


def test_there_are_trees_and_smooth_models():
    text = [(rxnopt.catalogue.catalogue("envs") / f"{name}.yaml").read_text("utf-8") for name in EMULATORS]
    assert len(text) == 11
    assert {line.split()[1] for each in text for line in each.splitlines() if line.startswith("  learner")} == {
        "extra-trees", "random-forest", "gaussian-process",
    }  # fmt: skip
