"""The score of a policy on campaigns that no training has seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.policies import BasePolicy

from rxnopt.agents.algorithm import action_mode
from rxnopt.agents.borrow import one_thread
from rxnopt.agents.choice import Memory, answer
from rxnopt.cards.sb3 import Sb3Trained
from rxnopt.envs import ReactionVectorEnv
from rxnopt.envs.observations import Bools, Floats
from rxnopt.seeds import stream, stream_seed
from rxnopt.simulators import Reaction
from rxnopt.simulators.search import find_optima
from rxnopt.space import Array

CAMPAIGNS = 64
"""Campaigns of an evaluation, each with noise, and with drawn constants, of its own."""
Player = Callable[..., NDArray[Any]]
"""Turns observations (n, obs_dim), and masks where there are some, into actions (n, ...)."""


def practice(settings: Sb3Trained) -> dict[str, Any]:
    """Return the arguments of the environment in which an agent of this card is trained."""
    arguments = settings.env.model_dump(exclude={"mask"}) | {"action_mode": action_mode(settings)}
    return arguments | {"uncertainty": settings.env.uncertainty or None}  # None: a family draws anyway


def player(settings: Sb3Trained, net: BasePolicy, rng: np.random.Generator | None) -> Player:
    """Return the policy as it plays one batch of episodes: by draws, or by its best actions without ``rng``."""
    memory: Memory | None = None

    def act(observations: Floats, masks: Bools | None = None) -> NDArray[Any]:
        nonlocal memory
        choice, memory = answer(settings, net, torch.as_tensor(observations, device=net.device), memory, masks)
        return choice.best() if rng is None else choice.draw(rng)

    return act


class HeldOut:
    """Campaigns of their own seeds, with the same chance each time; ``what`` names them."""

    def __init__(self, settings: Sb3Trained, reaction: Reaction, seed: int, what: str) -> None:
        self._settings, self._reaction, self._seed = settings, reaction, stream_seed(seed, what)
        self._envs = ReactionVectorEnv(reaction, CAMPAIGNS, **practice(settings))
        self.budget = settings.env.budget or reaction.card.budget
        sign = reaction.card.objective.sign
        if self._envs.task.population is None:
            self._best: Array = np.full(CAMPAIGNS, sign * reaction.optimum().value)
        else:
            constants = self._envs.reset(seed=self._seed)[1]["constants"]
            self._best = find_optima(reaction, constants)[0]

    def shares(self, net: BasePolicy, deterministic: bool) -> Array:
        """Return for each campaign its best noise-free objective as a share of the optimum (n,).

        1 - (optimum - best) / abs(optimum), both turned so that larger is better.
        """
        rng = None if deterministic else stream(self._seed, "agent")
        with one_thread():
            return self._played(self._envs, player(self._settings, net, rng))

    def by_chance(self) -> Array:
        """Return the same (n,) for random search over the whole space."""
        space, rng = self._reaction.space, stream(self._seed, "agent")
        envs = ReactionVectorEnv(self._reaction, CAMPAIGNS, **practice(self._settings) | {"action_mode": "box"})
        return self._played(envs, lambda *_: space.to_box(space.sample(CAMPAIGNS, rng)))

    def _played(self, envs: ReactionVectorEnv, act: Player) -> Array:
        observations, _ = envs.reset(seed=self._seed)
        found = np.full(CAMPAIGNS, -np.inf)
        for _ in range(self.budget):
            masks = envs.action_masks() if self._settings.env.mask and envs is self._envs else None
            observations, _, over, _, infos = envs.step(act(observations, masks))
            infos = infos["final_info"] if over.all() else infos
            found = np.maximum(found, infos["score_noise_free"])
        size = np.where(self._best == 0.0, 1.0, np.abs(self._best))
        shares: Array = 1.0 - (self._best - found) / size
        return shares


def evaluate(settings: Sb3Trained, net: BasePolicy, reaction: Reaction, seed: int) -> dict[str, Any]:
    """Return the score of a policy beside that of random search, each with the budget of the training.

    Scores are means over :data:`CAMPAIGNS` of :meth:`HeldOut.shares`; ``share_of_optimum`` is that of the policy as its
    card deploys it, ``optimum`` that of the reaction card, None where each campaign has a reaction of its own.
    """
    campaigns = HeldOut(settings, reaction, seed, "evaluation")
    sampled, best = (round(float(campaigns.shares(net, way).mean()), 4) for way in (False, True))
    drawn = settings.env.uncertainty or reaction.card.family is not None
    return {
        "share_of_optimum": best if settings.deterministic else sampled,
        "sampled": sampled,
        "deterministic": best,
        "random_search": round(float(campaigns.by_chance().mean()), 4),
        "optimum": None if drawn else reaction.optimum().value,
        "campaigns": CAMPAIGNS,
        "budget": campaigns.budget,
    }
