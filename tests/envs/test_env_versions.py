"""Behaviour is versioned: each id does what its golden trajectory says, and a new id says what changed."""

import json
import runpy
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from rxnopt.cards import ReactionCard, load_card
from rxnopt.catalogue import GENERAL, gym_ids, has_field, names

MAKER = runpy.run_path(str(Path(__file__).parents[1] / "golden" / "make_trajectories.py"))
GOLDEN = MAKER["kept"]()
STATED = 1e-6
"""Relative error that the kernels state: two answers that keep it are the same behaviour, on any CPU."""
ROUNDING = 1e-9
"""What is left of a quantity that is zero in truth, in the units of cards."""
REMEDY = (
    "if this is wanted, give the card a new id (-v1 after -v0), say what changed under its 'versions' and run "
    "`python tests/golden/make_trajectories.py`"
)


def numbers(row):
    """All numbers of a row; outputs by name, so that their order is no behaviour."""
    outputs = json.loads(row["outputs"])
    reward = [float(row["reward"])] if row["reward"] else []
    return [*json.loads(row["observation"]), *reward, *(outputs[name] for name in sorted(outputs))]


def words(row):
    return row["step"], row["terminated"], row["truncated"], sorted(json.loads(row["outputs"]))


def difference(now, before):
    """Return the first step that differs, as a sentence, or None."""
    for new, old in zip(now, before, strict=True):
        a, b = numbers(new), numbers(old)
        if words(new) != words(old) or len(a) != len(b):
            return f"step {old['step']}: {words(new)} instead of {words(old)}"
        bad = ~np.isclose(a, b, rtol=STATED, atol=ROUNDING, equal_nan=True)
        if bad.any():
            place = int(np.argmax(bad))
            return f"step {old['step']}: {a[place]:.10g} instead of {b[place]:.10g}"
    return None


CARDS = {i: name.removesuffix(GENERAL) for i, name in gym_ids().items()}
MEASURED = {i for i, name in CARDS.items() if name in names("envs") and has_field("envs", name, "data")}
IDS = [pytest.param(i, marks=[pytest.mark.data] if i in MEASURED else []) for i in MAKER["registered"]()]


@pytest.mark.parametrize("env_id", IDS)
def test_an_id_does_what_it_did(env_id):
    if env_id not in GOLDEN:
        pytest.fail(f"{env_id} has no golden trajectory; run `python tests/golden/make_trajectories.py`")
    found = difference(MAKER["trajectory"](env_id), GOLDEN[env_id])
    if found is not None:
        pytest.fail(f"the behaviour of {env_id} changed ({found}); {REMEDY}")


def test_no_trajectory_is_left_of_an_id_that_is_gone():
    assert set(GOLDEN) <= set(MAKER["registered"]())


@pytest.mark.parametrize(
    ("field", "value"),
    [("reward", "-214.442983324"), ("terminated", "True"), ("outputs", "{}"), ("observation", "[1.0]")],
)
def test_a_change_is_seen(field, value):
    before = GOLDEN["Fogler-v0"]
    now = [row | {field: value} if row["step"] == "1" else row for row in before]
    assert difference(before, before) is None
    assert difference(now, before).startswith("step 1: ")


@pytest.mark.parametrize("name", names("envs"))
def test_a_new_id_says_what_changed(name):
    card, _ = load_card("envs", name, ReactionCard)
    version = int(card.id.rpartition("-v")[2])
    assert set(card.versions) - {"v0"} == {f"v{n}" for n in range(1, version + 1)}
    assert all(card.versions.values())


def test_an_old_id_is_answered_with_the_new_one():
    gym.register("rxnopt/Toy-v1", entry_point="rxnopt.envs.single:ReactionEnv", kwargs={"reaction": "lactose"})
    try:
        with (
            pytest.warns(DeprecationWarning, match="rxnopt/Toy-v0 is out of date"),
            pytest.raises(gym.error.DeprecatedEnv, match="Please use `rxnopt/Toy-v1` instead"),
        ):
            gym.make("rxnopt/Toy-v0")
    finally:
        del gym.registry["rxnopt/Toy-v1"]
