"""Algorithms of Stable-Baselines3 by name, their options checked."""

from __future__ import annotations

from inspect import signature
from typing import Any

import stable_baselines3
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnv

from rxnopt.cards.agent import Sb3Online, Sb3Trained
from rxnopt.errors import AgentError, did_you_mean

OURS = ("policy", "env", "seed", "device", "verbose", "tensorboard_log", "stats_window_size", "_init_setup_model")
"""Arguments that the campaign or the training gives."""
POLICY_OPTIONS = ("net_arch", "log_std_init", "ortho_init")
"""Arguments of the policy network that a card may set."""


def algorithm(name: str, settings: Sb3Trained | Sb3Online) -> type[OnPolicyAlgorithm]:
    """Return the class; raise :class:`rxnopt.errors.AgentError` for options that it does not have."""
    found: type[OnPolicyAlgorithm] = getattr(stable_baselines3, settings.algorithm)
    allowed = [option for option in signature(found).parameters if option not in OURS]
    _check(f"agent {name!r}: {settings.algorithm}", settings.options, allowed)
    policy = settings.options.get("policy_kwargs") or {}
    _check(f"agent {name!r}: policy_kwargs of {settings.algorithm}", policy, list(POLICY_OPTIONS))
    return found


def _check(whose: str, options: dict[str, Any], allowed: list[str]) -> None:
    for option in options:
        if option in OURS:
            raise AgentError(f"{whose} gets {option!r} from the campaign; remove it from the options")
        if option not in allowed:
            hint = did_you_mean(option, allowed) or f"; options are {', '.join(allowed)}"
            raise AgentError(f"{whose} has no option {option!r}{hint}")


def learner(
    name: str, settings: Sb3Trained | Sb3Online, policy: type[ActorCriticPolicy], env: VecEnv
) -> OnPolicyAlgorithm:
    """Return the algorithm of a card, ready to learn on ``env`` on the CPU.

    It draws from the global generators; raises :class:`rxnopt.errors.AgentError` for values that it refuses.
    """
    try:
        made = algorithm(name, settings)(policy, env, device="cpu", **settings.options)
    except (TypeError, ValueError, AssertionError) as error:
        raise AgentError(f"agent {name!r}: {settings.algorithm} refuses its options ({error})") from error
    made.set_logger(Logger(folder=None, output_formats=[]))  # the usual one leaves a folder behind at each learning
    return made
