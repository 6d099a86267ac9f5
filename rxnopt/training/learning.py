"""The learning itself: an algorithm of Stable-Baselines3 on a batch of simulated campaigns."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import Logger, TensorBoardOutputFormat
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.utils import get_device
from stable_baselines3.common.vec_env import VecEnv, VecMonitor

from rxnopt.agents.algorithm import acting, learner
from rxnopt.agents.borrow import borrowed
from rxnopt.agents.policy import actions
from rxnopt.cards.sb3 import Sb3Trained
from rxnopt.envs import ReactionVectorEnv
from rxnopt.envs.sb3 import SB3VecEnv
from rxnopt.errors import AgentError
from rxnopt.progress import bar
from rxnopt.seeds import stream_seed
from rxnopt.simulators import Reaction
from rxnopt.training.checkpoint import Course, restore, save
from rxnopt.training.evaluation import HeldOut, practice
from rxnopt.training.watch import Ended, Scaled, Watch


@dataclass(frozen=True)
class Manner:
    """How a card learns here and now.

    ``patience``: evaluations without a rise after which it stops; ``tensorboard``: folder of logs; ``checkpoint``: file
    from which it can go on, with ``digests`` of what it belongs to; ``resume``: go on from there. ``report`` is told
    the experiments and the score of each evaluation, and may raise to stop.
    """

    progress: bool = False
    patience: int | None = None
    tensorboard: Path | None = None
    checkpoint: Path | None = None
    digests: dict[str, str] = field(default_factory=dict)
    resume: bool = False
    report: Callable[[int, float], None] | None = None


@dataclass(frozen=True)
class Lesson:
    """The network as it is now, how far the learning came, on which device, and how it ended."""

    net: BasePolicy
    course: Course
    device: str
    ended: Ended


def learn(name: str, settings: Sb3Trained, reaction: Reaction, steps: int, seed: int, manner: Manner) -> Lesson:
    """Let the algorithm of a card learn until at least ``steps`` experiments are done."""
    actions(name, settings, reaction.space)
    envs = SB3VecEnv(ReactionVectorEnv(reaction, settings.n_envs, **practice(settings)))
    rewards = Scaled(envs, abs(reaction.optimum().value) or 1.0)
    held_out, start = HeldOut(settings, reaction, seed, "held-out"), stream_seed(seed, "training")
    with ExitStack() as stack:
        stack.enter_context(borrowed(start))
        model, course = _model(name, settings, rewards, manner), Course()
        stack.callback(model.logger.close)
        if manner.resume and manner.checkpoint is not None:
            course = restore(manner.checkpoint, model, manner.digests)
            start = stream_seed(seed, "training", course.steps)
            stack.enter_context(borrowed(start))
        envs.seed(start)
        envs.action_space.seed(start)

        def store() -> None:
            if manner.checkpoint is not None:
                save(manner.checkpoint, model, course, manner.digests)
            if manner.report is not None:
                manner.report(*course.scores[-1])

        advance = stack.enter_context(bar(manner.progress, f"{name} on {reaction.name}", steps, course.steps))
        watch = Watch(settings, course, rewards, held_out, steps, manner.patience, advance, store)
        ended = _run(model, watch, steps - course.steps, settings.env.mask)
        watch.note()
    return Lesson(acting(settings, model.policy), course, str(model.device), ended)


def _run(model: BaseAlgorithm, watch: Watch, steps: int, masked: bool) -> Ended:
    """Learn from ``steps`` more experiments and score the last policy; return how it ended."""
    arguments: dict[str, Any] = {"log_interval": model.n_envs if isinstance(model, OffPolicyAlgorithm) else 1}
    if "use_masking" in signature(model.learn).parameters:
        arguments["use_masking"] = masked
    watch.init_callback(model)
    try:
        if steps > 0:
            model.learn(steps, callback=watch, reset_num_timesteps=model.num_timesteps == 0, **arguments)
        if watch.ended is None and [model.num_timesteps] != [row[0] for row in watch.course.scores[-1:]]:
            watch.evaluate()
    except KeyboardInterrupt:
        return "interrupted"
    except ValueError:  # torch's and the environment's word for what is no number
        if watch.sound():
            raise
        return "diverged"
    return watch.ended or "done"


def _model(name: str, settings: Sb3Trained, rewards: Scaled, manner: Manner) -> BaseAlgorithm:
    """Return the algorithm on the graphics card, if there is one."""
    device = str(get_device("auto"))
    if manner.tensorboard is None:
        return _learner(name, settings, rewards, device)
    if find_spec("tensorboard") is None:
        raise AgentError("TensorBoard is not installed; run \"pip install '.[tensorboard]'\" in the checkout")
    model = _learner(name, settings, VecMonitor(rewards), device)
    folder = str(manner.tensorboard)
    model.set_logger(Logger(folder, [TensorBoardOutputFormat(folder)]))
    return model


def _learner(name: str, settings: Sb3Trained, envs: VecEnv, device: str) -> BaseAlgorithm:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "You are trying to run", UserWarning)  # small networks on a graphics card
        return learner(name, settings, envs, device=device)
