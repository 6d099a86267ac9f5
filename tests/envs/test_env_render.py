"""Pictures: shapes, ink, and no display needed."""

import pickle

import numpy as np
import pytest
from env_toys import COST, MIXED, toy
from matplotlib.figure import Figure

from rxnopt.envs import ReactionEnv, ReactionVectorEnv, render
from rxnopt.errors import RxnoptError


def run(reaction, steps, **kwargs):
    env = ReactionEnv(reaction, **kwargs)
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(steps):
        env.step(env.action_space.sample())
    return env


@pytest.mark.parametrize("text", [MIXED, COST])
@pytest.mark.parametrize("steps", [0, 1, 6])
def test_an_image_at_any_time(text, steps):
    picture = run(toy(text), steps, render_mode="rgb_array").render()
    assert picture.shape == (440, 1100, 3)
    assert picture.dtype == np.uint8
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50


def test_pictures_differ_as_the_campaign_goes_on_and_repeat_otherwise():
    env = run(toy(MIXED), 1, render_mode="rgb_array")
    first = env.render()
    np.testing.assert_array_equal(first, env.render())
    env.step(env.action_space.sample())
    assert (first != env.render()).any()


def test_axes_carry_names_units_and_the_known_optimum():
    reaction = toy(MIXED)
    figure = Figure()
    X = np.array([[75.0, 20.0, 1, 3, 0], [115.0, 1.0, 0, 2, 1]])
    render.draw(figure, reaction, X, np.array([81.0, 0.0]), np.array([False, True]), 6)
    progress, where, _ = figure.axes
    assert progress.get_ylabel() == "yield (%)"
    assert {text.get_text() for text in progress.get_legend().get_texts()} == {
        "experiment",
        "best so far",
        "failed",
        "known optimum",
    }
    names = [label.get_text() for label in where.get_xticklabels()]
    assert names == ["temperature\n(°C)", "residence time\n(min)", "catalyst", "tanks", "stirring"]
    assert {"30", "120", "Pd", "Ni", "Cu"} <= {text.get_text() for text in where.texts}


def test_a_minimised_objective_is_drawn_in_its_own_sign():
    figure = Figure()
    X, score = np.array([[75.0, 20.0], [65.0, 0.5]]), np.array([-80.0, -69.0])
    render.draw(figure, toy(COST), X, score, np.zeros(2, bool), 6)
    best = next(line for line in figure.axes[0].lines if line.get_label() == "best so far")
    assert best.get_ydata().tolist() == [80.0, 69.0]


def test_human_mode_needs_no_display_and_is_dropped_by_pickle():
    env = run(toy(), 2, render_mode="human")
    assert env.render() is None
    twin = pickle.loads(pickle.dumps(env))
    assert twin._figure is None
    env.close()
    env.close()


def test_without_a_render_mode_the_remedy_is_named():
    with pytest.raises(RxnoptError, match="give render_mode='rgb_array'"):
        run(toy(), 1).render()


def test_a_vector_env_gives_an_image_per_campaign():
    env = ReactionVectorEnv(toy(), 2, render_mode="rgb_array")
    env.reset(seed=0)
    env.step(env.action_space.sample())
    assert [picture.shape for picture in env.render()] == [(440, 1100, 3)] * 2
