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
from rxnopt.agents.ensemble import population
from rxnopt.agents.few_shot import network_for
from rxnopt.agents.transformer import Transformer
from rxnopt.cards.pretrained import Pretrained
from rxnopt.envs import ReactionVectorEnv
from rxnopt.envs.observations import Floats
from rxnopt.errors import AgentError
from rxnopt.progress import bar
from rxnopt.seeds import stream, stream_seed
from rxnopt.simulators import Reaction
from rxnopt.space import Array
from rxnopt.training.lesson import Lesson, held_out, lesson

COPIES, KEPT, PER_ROLLOUT = 256, 32, 64
"""Campaigns of a rollout, rollouts from which histories are drawn, and gradient steps between two rollouts."""
BY_MEAN, EVEN = 0.25, 0.1
"""Shares of trials that are the mean of the policy, and random ones; the others are draws from it."""
LARGEST_GRADIENT = 1.0
Rollout = tuple[Floats, NDArray[np.int64]]
"""Histories (m, ...), and the number of the reaction of each."""
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
    taught = lesson(reaction, settings.reactions, progress)
    net, begun = network_for(settings, reaction, population(reaction).context), time.perf_counter()
    course = Course(net, 0, 0.0, [], False)
    optimiser = torch.optim.AdamW(net.parameters(), lr=settings.learning_rate)
    slope = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 1e-3, updates)
    rng, played = stream(seed, "pretraining"), deque[Rollout](maxlen=KEPT)
    envs = _envs(settings, reaction, COPIES)
    with borrowed(stream_seed(seed, "pretraining")), bar(progress, f"{name} on {reaction.name}", updates) as advance:
        try:
            while course.updates < updates:
                which = rng.integers(len(taught.constants), size=COPIES)
                played.append(_rollout(net, envs, taught, which, settings.budget, rng))
                steps = min(PER_ROLLOUT, updates - course.updates)
                loss = float(
                    np.mean([_update(net, optimiser, slope, taught, played, settings.batch, rng) for _ in range(steps)])
                )
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
    taught: Lesson,
    which: NDArray[np.int64],
    budget: int,
    rng: np.random.Generator,
) -> Rollout:
    """Play campaigns on reactions ``which`` (n,); return histories (budget n, ...) and the reaction of each."""
    seen = envs.reset(seed=int(rng.integers(2**31)), options={"constants": taught.constants[which]})[0]
    histories = []
    for _ in range(budget):
        histories.append(seen)
        answer = net.answer(seen)
        actions, way = answer.draw(rng), rng.random(len(seen))[:, None]
        actions = np.where(way < BY_MEAN, answer.best(), actions)
        actions = np.where(way > 1.0 - EVEN, rng.uniform(-1.0, 1.0, actions.shape), actions)
        seen = envs.step(actions.astype(np.float32))[0]
    return np.concatenate(histories), np.tile(which, budget)


def _update(
    net: Transformer,
    optimiser: torch.optim.Optimizer,
    slope: torch.optim.lr_scheduler.LRScheduler,
    taught: Lesson,
    played: deque[Rollout],
    batch: int,
    rng: np.random.Generator,
) -> float:
    """Do one gradient step on random histories; return the loss."""
    rollouts, places = rng.integers(len(played), size=batch), rng.integers(len(played[0][0]), size=batch)
    histories = np.stack([played[i][0][j] for i, j in zip(rollouts, places, strict=True)])
    optima = taught.optima(np.array([played[i][1][j] for i, j in zip(rollouts, places, strict=True)]))
    loss = net.loss(torch.as_tensor(histories), torch.as_tensor(optima))
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(net.parameters(), LARGEST_GRADIENT)
    optimiser.step()
    slope.step()
    return float(loss.detach())


def evaluate(settings: Pretrained, net: Transformer, reaction: Reaction, seed: int) -> dict[str, Any]:
    """Return how soon campaigns on reactions that no training has seen come within 5 % of their optimum.

    Medians of the first trial (from 1) over :data:`CAMPAIGNS`, None where half of them do not within the budget, and
    the share that does: for draws from the policy, for its mean, and for random search.
    """
    constants, best = held_out(reaction, stream(stream_seed(seed, "held-out"), "constants"), CAMPAIGNS)
    found: dict[str, Any] = {"campaigns": len(best), "budget": settings.budget, "within": WITHIN}
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
        answer = net.answer(seen)
        actions = answer.best() if way == "deterministic" else answer.draw(rng)
        if way == "random_search":
            actions = reaction.space.to_box(reaction.space.sample(len(best), rng))
        seen, _, over, _, infos = envs.step(actions.astype(np.float32))
        infos = infos["final_info"] if over.all() else infos
        good = infos["within_limits"] & (1.0 - (best - infos["score_noise_free"]) / np.abs(best) >= WITHIN)
        first = np.where(good & (first > trial + 1), trial + 1, first)
    return first
