"""Algorithms of Stable-Baselines3 and sb3-contrib by name: what they take, their options and their networks.

===============================  ==============================  ==================================================
algorithm                        action modes, the usual first   what its network answers
===============================  ==============================  ==================================================
PPO, A2C, TRPO                   box, multidiscrete, discrete    a normal distribution, or probabilities of levels
RecurrentPPO                     box, multidiscrete, discrete    the same, of all that was seen (LSTM)
MaskablePPO                      multidiscrete, discrete         probabilities of levels
SAC, TQC, CrossQ                 box                             a normal distribution, squashed into the box
TD3, DDPG                        box                             one action
DQN                              discrete                        the value of each action
===============================  ==============================  ==================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from typing import Any, cast

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import VecEnv

from rxnopt.cards.sb3 import Mode, Sb3Online, Sb3Trained
from rxnopt.errors import AgentError, did_you_mean

OURS = ("policy", "env", "seed", "device", "verbose", "tensorboard_log", "stats_window_size", "_init_setup_model")
"""Arguments that the campaign or the training gives."""
OBJECTS = (
    "replay_buffer_class", "replay_buffer_kwargs", "rollout_buffer_class", "rollout_buffer_kwargs",
    "optimize_memory_usage",
)  # fmt: skip
"""Arguments that no card can write down."""
POLICY_OPTIONS = ("net_arch", "log_std_init", "ortho_init")
"""Arguments of the policy network that a card may set, as far as the network has them, and those below."""
OWN_POLICY_OPTIONS = {
    "RecurrentPPO": ("lstm_hidden_size", "n_lstm_layers", "shared_lstm", "enable_critic_lstm"),
    "TQC": ("n_quantiles", "n_critics"),
    "SAC": ("n_critics",),
    "TD3": ("n_critics",),
    "CrossQ": ("n_critics",),
}
EVERY: tuple[Mode, ...] = ("box", "multidiscrete", "discrete")


@dataclass(frozen=True)
class Kind:
    """``modes``: action modes, the usual one first; ``acts``: the part of the policy that acts, all if ``""``."""

    package: str
    modes: tuple[Mode, ...]
    acts: str = ""
    policy: str = "MlpPolicy"


KINDS = {
    "PPO": Kind("stable_baselines3", EVERY),
    "A2C": Kind("stable_baselines3", EVERY),
    "SAC": Kind("stable_baselines3", ("box",), "actor"),
    "TD3": Kind("stable_baselines3", ("box",), "actor"),
    "DDPG": Kind("stable_baselines3", ("box",), "actor"),
    "DQN": Kind("stable_baselines3", ("discrete",), "q_net"),
    "TQC": Kind("sb3_contrib", ("box",), "actor"),
    "CrossQ": Kind("sb3_contrib", ("box",), "actor"),
    "TRPO": Kind("sb3_contrib", EVERY),
    "RecurrentPPO": Kind("sb3_contrib", EVERY, policy="MlpLstmPolicy"),
    "MaskablePPO": Kind("sb3_contrib", ("multidiscrete", "discrete")),
}


def algorithm(name: str, settings: Sb3Trained | Sb3Online) -> type[BaseAlgorithm]:
    """Return the class; raise :class:`rxnopt.errors.AgentError` for options that it does not have.

    The same error says which extra is missing, and that the algorithm does not take the action mode of the card.
    """
    kind, own = KINDS[settings.algorithm], settings.algorithm
    found = _imported(own)
    allowed = [option for option in signature(found).parameters if option not in (*OURS, *OBJECTS)]
    _check(f"agent {name!r}: {own}", settings.options, allowed)
    policy = settings.options.get("policy_kwargs") or {}
    known = [*signature(found.policy_aliases[kind.policy]).parameters]
    options = [each for each in (*POLICY_OPTIONS, *OWN_POLICY_OPTIONS.get(own, ())) if each in known]
    _check(f"agent {name!r}: policy_kwargs of {own}", policy, options)
    if isinstance(settings, Sb3Trained) and action_mode(settings) not in kind.modes:
        raise AgentError(
            f"agent {name!r}: {own} takes no action_mode={settings.env.action_mode!r}; "
            f"leave it out or choose {' or '.join(kind.modes)}"
        )
    return found


def _imported(own: str) -> type[BaseAlgorithm]:
    try:
        found: type[BaseAlgorithm] = getattr(import_module(KINDS[own].package), own)
    except ImportError as error:
        raise AgentError(
            f"{own} comes from sb3-contrib, which is not installed; run \"pip install '.[contrib]'\" in the checkout"
        ) from error
    return found


def _check(whose: str, options: dict[str, Any], allowed: list[str]) -> None:
    for option in options:
        if option in OURS:
            raise AgentError(f"{whose} gets {option!r} from the campaign; remove it from the options")
        if option not in allowed:
            hint = did_you_mean(option, allowed) or f"; options are {', '.join(allowed)}"
            raise AgentError(f"{whose} has no option {option!r}{hint}")


def action_mode(settings: Sb3Trained) -> Mode:
    """Return the action mode of a card: the one it names, else the first one that its algorithm takes."""
    return settings.env.action_mode or KINDS[settings.algorithm].modes[0]


def policy_of(settings: Sb3Trained) -> tuple[type[BasePolicy], dict[str, Any]]:
    """Return the class of the policy network of a card and its arguments.

    This is the one place that says what a network looks like: for training and for deployment, where it is rebuilt
    from card and space alone. A features extractor is chosen here.
    """
    found = _imported(settings.algorithm).policy_aliases[KINDS[settings.algorithm].policy]
    return found, dict(settings.options.get("policy_kwargs") or {})


def with_options(settings: Sb3Trained, values: dict[str, Any]) -> Sb3Trained:
    """Return the settings with some options, or options of the policy network, in place of their own."""
    options, policy = dict(settings.options), dict(settings.options.get("policy_kwargs") or {})
    known = (*POLICY_OPTIONS, *OWN_POLICY_OPTIONS.get(settings.algorithm, ()))
    for name, value in values.items():
        (policy if name in known else options)[name] = value
    return settings.model_copy(update={"options": options | ({"policy_kwargs": policy} if policy else {})})


def acting(settings: Sb3Trained, policy: BasePolicy) -> BasePolicy:
    """Return the part of a policy that chooses actions; critics and targets serve training only."""
    part = KINDS[settings.algorithm].acts
    return cast(BasePolicy, getattr(policy, part)) if part else policy


def learner(
    name: str,
    settings: Sb3Trained | Sb3Online,
    env: VecEnv,
    *,
    policy: type[BasePolicy] | None = None,
    device: str = "cpu",
) -> BaseAlgorithm:
    """Return the algorithm of a card, ready to learn on ``env``, with a ``policy`` in place of the usual one.

    It draws from the global generators; raises :class:`rxnopt.errors.AgentError` for values that it refuses.
    """
    options, sd = dict(settings.options), settings.options.get("action_noise")
    if isinstance(settings, Sb3Trained):
        policy, options["policy_kwargs"] = policy_of(settings)
    try:
        if sd is not None:
            width = env.action_space.shape
            options["action_noise"] = NormalActionNoise(np.zeros(width), np.full(width, float(sd)))  # type: ignore[arg-type]
        made = algorithm(name, settings)(policy, env, device=device, **options)  # type: ignore[arg-type]
    except (TypeError, ValueError, AssertionError) as error:
        raise AgentError(f"agent {name!r}: {settings.algorithm} refuses its options ({error})") from error
    made.set_logger(Logger(folder=None, output_formats=[]))  # the usual one leaves a folder behind at each learning
    return made
