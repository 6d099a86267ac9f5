"""Gymnasium environments: campaigns of experiments, and runs under control.

:func:`register` makes every reaction of the catalogue known to Gymnasium as ``rxnopt/<id>``. The classes are imported
when they are first used:

* :class:`ReactionEnv`: one step is one experiment, one episode is one budget of experiments, for ``gymnasium.make``;
* :class:`ReactionVectorEnv`: many such campaigns on arrays, for ``gymnasium.make_vec``;
* :class:`ControlEnv`, :class:`ControlVectorEnv`: the same for cards with a ``control`` block, where one step is one
  interval of a profile and one episode is one run;
* :class:`rxnopt.envs.sb3.SB3VecEnv`: the same arrays as Stable-Baselines3 wants them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gymnasium.envs.registration import register as register_id
from gymnasium.envs.registration import registry

from rxnopt.catalogue import gym_ids, has_field, names

if TYPE_CHECKING:
    from rxnopt.envs.control import ControlEnv, ControlVectorEnv
    from rxnopt.envs.single import ReactionEnv
    from rxnopt.envs.vector import ReactionVectorEnv

NAMESPACE = "rxnopt"

_HOMES = {
    "ControlEnv": "rxnopt.envs.control",
    "ControlVectorEnv": "rxnopt.envs.control",
    "ReactionEnv": "rxnopt.envs.single",
    "ReactionVectorEnv": "rxnopt.envs.vector",
}


def register() -> None:
    """Register ``rxnopt/<id>`` for each card of the ``envs`` catalogue and for the parts of tables.

    Ids already known are left as they are.

    Only the text of a card is looked at: the card is read and checked when its environment is made.
    """
    whole = names("envs")
    for gym_id, name in gym_ids().items():
        env_id = f"{NAMESPACE}/{gym_id}"
        if env_id not in registry:
            kind = "Control" if name in whole and has_field("envs", name, "control") else "Reaction"
            register_id(
                env_id,
                entry_point=f"rxnopt.envs:{kind}Env",
                vector_entry_point=f"rxnopt.envs:{kind}VectorEnv",
                kwargs={"reaction": name},
            )


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


__all__ = ["NAMESPACE", "ControlEnv", "ControlVectorEnv", "ReactionEnv", "ReactionVectorEnv", "register"]
