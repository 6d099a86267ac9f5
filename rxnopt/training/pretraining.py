"""Teaching a policy where the optima of simulated reactions lie, given what a campaign has seen of them."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rxnopt.agents.borrow import borrowed
from rxnopt.agents.ensemble import Ensemble, ensemble, population
from rxnopt.agents.transformer import Transformer, network
from rxnopt.cards.pretrained import Pretrained
from rxnopt.envs import ReactionVectorEnv
from rxnopt.envs.observations import Floats
from rxnopt.errors import AgentError
from rxnopt.progress import bar
from rxnopt.seeds import stream, stream_seed
from rxnopt.simulators import Reaction
from rxnopt.simulators.search import find_optima
from rxnopt.space import Array

COPIES, KEPT, PER_ROLLOUT = 256, 32, 64
"""Campaigns of a rollout, rollouts from which histories are drawn, and gradient steps between two rollouts."""
BY_MEAN, EVEN = 0.25, 0.1
"""Shares of trials that are the mean of the policy, and random ones; the others are draws from it."""
LARGEST_GRADIENT = 1.0
CAMPAIGNS, WITHIN = 100, 0.95
"""Campaigns of the evaluation, and the share of the optimum that counts as reached."""


@dataclass
class Course:
    """What was learnt: the network, the gradient steps taken, seconds, and rows of steps, seconds and loss."""

    net: Transformer
    updates: int
    seconds: float
    curve: list[tuple[int, float, float]]
    interrupted: bool


def learn(name: str, settings: Pretrained, reaction: Reaction, updates: int, seed: int, progress: bool) -> Course:
    """Teach the network of a card; raise :class:`rxnopt.errors.AgentError` where the loss is no number any more.

    Campaigns are played by the network itself as it learns, so that it sees what it will meet; for each history of
    theirs it is told the optimum of the reaction, and its loss is the negative log likelihood of that.
    """
    made = ensemble(reaction, settings.reactions, 1, progress)
    labels = reaction.space.to_box(made.X).astype(np.float32)
    net, begun = network(settings, reaction.space, population(reaction).context), time.perf_counter()
    course = Course(net, 0, 0.0, [], False)
    optimiser = torch.optim.AdamW(net.parameters(), lr=settings.learning_rate)
    slope = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 1e-3, updates)
    rng, played = stream(seed, "pretraining"), deque[tuple[Floats, Floats]](maxlen=KEPT)
    envs = _envs(settings, reaction, COPIES)
    with borrowed(stream_seed(seed, "pretraining")), bar(progress, f"{name} on {reaction.name}", updates) as advance:
        try:
            while course.updates < updates:
                which = rng.integers(len(made.best), size=COPIES)
                played.append(_rollout(net, envs, made, labels, which, settings.budget, rng))
                steps = min(PER_ROLLOUT, updates - course.updates)
                loss = float(np.mean([_update(net, optimiser, slope, played, settings, rng) for _ in range(steps)]))
                course.updates, course.seconds = course.updates + steps, time.perf_counter() - begun
                course.curve.append((course.updates, course.seconds, loss))
                if not np.isfinite(loss):
                    raise AgentError(
                        f"the loss of agent {name!r} is no number any more after {course.updates:,} gradient steps; "
                        "lower learning_rate in its card"
                    )
                advance(steps, f"loss {loss:.2f}")
        except KeyboardInterrupt:
            course.interrupted = True
    return course


def _envs(settings: Pretrained, reaction: Reaction, copies: int) -> ReactionVectorEnv:
    return ReactionVectorEnv(
        reaction, copies, budget=settings.budget, observation_mode="history", reward_mode="objective", uncertainty=True
    )


def _rollout(
    net: Transformer,
    envs: ReactionVectorEnv,
    made: Ensemble,
    labels: Floats,
    which: NDArray[np.int64],
    budget: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Play campaigns on reactions ``which`` (n,); return histories and optima (budget n, ...)."""
    seen = envs.reset(seed=int(rng.integers(2**31)), options={"constants": made.constants[which]})[0]
    histories = []
    for _ in range(budget):
        histories.append(seen)
        mean, sd = _answers(net, seen)
        actions = mean + sd * rng.standard_normal(mean.shape)
        way = rng.random(len(mean))[:, None]
        actions = np.where(way < BY_MEAN, mean, actions)
        actions = np.where(way > 1.0 - EVEN, rng.uniform(-1.0, 1.0, mean.shape), actions)
        seen = envs.step(np.clip(actions, -1.0, 1.0).astype(np.float32))[0]
    return np.concatenate(histories), np.tile(labels[which], (budget, 1))


def _answers(net: Transformer, seen: Floats) -> tuple[Array, Array]:
    with torch.no_grad():
        mean, sd = net(torch.as_tensor(seen))
    return mean.numpy(), sd.numpy()


def _update(
    net: Transformer,
    optimiser: torch.optim.Optimizer,
    slope: torch.optim.lr_scheduler.LRScheduler,
    played: deque[tuple[Floats, Floats]],
    settings: Pretrained,
    rng: np.random.Generator,
) -> float:
    """Do one gradient step on random histories; return the loss."""
    rollouts, rows = rng.integers(len(played), size=settings.batch), len(played[0][0])
    places = rng.integers(rows, size=settings.batch)
    histories = np.stack([played[i][0][j] for i, j in zip(rollouts, places, strict=True)])
    optima = torch.as_tensor(np.stack([played[i][1][j] for i, j in zip(rollouts, places, strict=True)]))
    mean, sd = net(torch.as_tensor(histories))
    loss = (0.5 * ((optima - mean) / sd) ** 2 + sd.log()).sum(dim=1).mean()
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), LARGEST_GRADIENT)
    optimiser.step()
    slope.step()
    return float(loss.detach())


def evaluate(settings: Pretrained, net: Transformer, reaction: Reaction, seed: int) -> dict[str, Any]:
    """Return how soon campaigns on reactions that no training has seen come within 5 % of their optimum.

    Medians of the first trial (from 1) over :data:`CAMPAIGNS`, None where half of them do not within the budget, and
    the share that does: for draws from the policy, for its mean, and for random search.
    """
    constants = population(reaction).draw(stream(stream_seed(seed, "held-out"), "constants"), CAMPAIGNS)
    best = find_optima(reaction, constants)[0]
    found: dict[str, Any] = {"campaigns": CAMPAIGNS, "budget": settings.budget, "within": WITHIN}
    for way in ("sampled", "deterministic", "random_search"):
        first = _first(settings, net, reaction, constants, best, way)
        reached = first <= settings.budget
        median = float(np.median(first))
        found[way] = {
            "median_first": median if median <= settings.budget else None,
            "reached": round(float(reached.mean()), 2),
        }
    return found


def _first(
    settings: Pretrained, net: Transformer, reaction: Reaction, constants: Array, best: Array, way: str
) -> Array:
    """Return the first trial within the share (n,), one more than the budget where there is none."""
    rng, envs = stream(0, "evaluation"), _envs(settings, reaction, len(constants))
    seen, first = (
        envs.reset(seed=0, options={"constants": constants})[0],
        np.full(len(constants), settings.budget + 1.0),
    )
    for trial in range(settings.budget):
        mean, sd = _answers(net, seen)
        actions = mean if way == "deterministic" else mean + sd * rng.standard_normal(mean.shape)
        if way == "random_search":
            actions = reaction.space.to_box(reaction.space.sample(len(mean), rng))
        seen, _, over, _, infos = envs.step(np.clip(actions, -1.0, 1.0).astype(np.float32))
        infos = infos["final_info"] if over.all() else infos
        good = infos["within_limits"] & (1.0 - (best - infos["score_noise_free"]) / np.abs(best) >= WITHIN)
        first = np.where(good & (first > trial + 1), trial + 1, first)
    return first
