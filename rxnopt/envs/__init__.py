"""Gymnasium environments: one step is one experiment, one episode is one budget of experiments.

:func:`register` makes every reaction of the catalogue known to Gymnasium as ``rxnopt/<id>``. The classes are imported
when they are first used:

* :class:`ReactionEnv`: one campaign, for ``gymnasium.make``;
* :class:`ReactionVectorEnv`: many campaigns on arrays, for ``gymnasium.make_vec``;
* :class:`rxnopt.envs.sb3.SB3VecEnv`: the same arrays as Stable-Baselines3 wants them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gymnasium.envs.registration import register as register_id
from gymnasium.envs.registration import registry

from rxnopt.catalogue import gym_ids

if TYPE_CHECKING:
    from rxnopt.envs.single import ReactionEnv
    from rxnopt.envs.vector import ReactionVectorEnv

NAMESPACE = "rxnopt"

_HOMES = {"ReactionEnv": "rxnopt.envs.single", "ReactionVectorEnv": "rxnopt.envs.vector"}


def register() -> None:
    """Register ``rxnopt/<id>`` for each card of the ``envs`` catalogue; ids already known are left as they are.

    Only the ``id:`` line of a card is looked at: the card is read and checked when its environment is made.
    """
    for gym_id, name in gym_ids().items():
        env_id = f"{NAMESPACE}/{gym_id}"
        if env_id not in registry:
            register_id(
                env_id,
                entry_point="rxnopt.envs.single:ReactionEnv",
                vector_entry_point="rxnopt.envs.vector:ReactionVectorEnv",
                kwargs={"reaction": name},
            )


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


__all__ = ["NAMESPACE", "ReactionEnv", "ReactionVectorEnv", "register"]
