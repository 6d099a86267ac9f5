"""Registration: cheap, complete, forgiving about being called twice, helpful about wrong names."""

import subprocess
import sys

import gymnasium as gym
import pytest

from rxnopt import envs
from rxnopt.cards import ReactionCard, load_card
from rxnopt.catalogue import names

HEAVY = {"torch", "optuna", "numba", "sympy", "matplotlib", "pandas", "stable_baselines3", "pydantic"}


def test_every_card_is_registered_under_its_own_id():
    envs.register()
    for name in names("envs"):
        card, _ = load_card("envs", name, ReactionCard)
        assert gym.spec(f"rxnopt/{card.id}").kwargs == {"reaction": name}


def test_twice_is_as_good_as_once():
    envs.register()
    before = dict(gym.registry)
    envs.register()
    assert before == dict(gym.registry)


def test_registering_loads_nothing_heavy():
    code = "import sys; from rxnopt import envs; envs.register(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not HEAVY & set(loaded)


def test_wrong_ids_and_names_are_answered_with_the_right_ones():
    envs.register()
    with pytest.raises(gym.error.NameNotFound, match="Did you mean: `SnAr`"):
        gym.make("rxnopt/SnArr-v0")
    with pytest.raises(AttributeError, match="has no attribute 'ReactionEnvs'"):
        _ = envs.ReactionEnvs


def test_the_module_prefix_of_gymnasium_works():
    code = "import gymnasium; print(gymnasium.make('rxnopt:rxnopt/SnAr-v0').unwrapped.reaction.name)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["snar"]
