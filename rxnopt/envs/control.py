"""Control problems as Gymnasium environments: one episode is one run, one step is one interval of the profile."""

from __future__ import annotations

from pathlib import Path

from rxnopt.envs.runs import ControlTask
from rxnopt.envs.single import TaskEnv
from rxnopt.envs.vector import TaskVectorEnv
from rxnopt.simulators import Reaction


class ControlEnv(TaskEnv):
    """A run whose controls are chosen interval by interval.

    Made by ``gymnasium.make("rxnopt/BatchAbc-v0", intervals=40)`` or, for a card with a ``control`` block of one's
    own, ``ControlEnv("my-control.yaml")``. To optimise whole profiles instead, one run per step, take
    :class:`rxnopt.envs.ReactionEnv` on the same card.

    **Action** (``action_mode``): the controls of the interval, coded as in :class:`rxnopt.envs.ReactionEnv`.

    **Observation** (``observation_mode``; float32; in :mod:`rxnopt.envs.runs`):

    ============= ======================================= ==================================================
    mode          shape                                   content
    ============= ======================================= ==================================================
    state         (1 + states + paths,)                   share of the intervals done; states and extremes
    measured      (1 + measured outputs,)                 share of the intervals done; outputs with noise
    time          (1,)                                    share of the intervals done
    ============= ======================================= ==================================================

    **Reward** (``reward_mode``; in the unit of the objective, turned so that larger is better):

    ============= ======================================= ==================================================
    mode          reward                                  return of an episode without noise
    ============= ======================================= ==================================================
    terminal      measured score at the end, 0 before     up to the best known profile
    running       what the interval added to the score    the same
    regret        score less best known at the end        up to 0, as far as the best known profile is best
    ============= ======================================= ==================================================

    **End.** ``terminated`` is True after the last interval, or when the run cannot be integrated: then it has the score
    :func:`rxnopt.envs.rewards.failed_score` and ``failed`` in its info. ``truncated`` is never True.

    **Info** of a step (that of a reset is empty):

    ================= ========================================================================================
    key               content
    ================= ========================================================================================
    conditions        dict: the controls of the interval in the units of the card
    outputs           dict: measured outputs at the end of the interval; empty when the run failed
    score             measured objective at the end of the interval, larger is better
    score_noise_free  the same without noise
    failed            whether the run failed
    within_limits     whether the measured outputs keep the limits of the card
    violation         dict: by how much each limit is passed, 0 or less where it is kept; empty when the run failed
    cost              at the end of the run by how much its limits are passed, each as a share of its size, and
                      summed; 1 for a failed run; 0 before the end
    interval          number of the interval, from 1
    ================= ========================================================================================

    **Arguments:** ``intervals``, that of the card by default; ``action_mode`` ("box"), ``observation_mode`` ("state"),
    ``reward_mode`` ("terminal"), ``noise`` (True), ``levels`` (5) and ``render_mode`` as in
    :class:`rxnopt.envs.ReactionEnv`. Wrong arguments raise a :class:`rxnopt.errors.RxnoptError` in one sentence.

    **Randomness.** Only the noise is random; it is drawn from ``np_random``, which ``reset(seed=...)`` sets.
    """

    def __init__(
        self,
        reaction: Reaction | str | Path,
        *,
        intervals: int | None = None,
        action_mode: str = "box",
        observation_mode: str = "state",
        reward_mode: str = "terminal",
        noise: bool = True,
        levels: int = 5,
        render_mode: str | None = None,
    ) -> None:
        task = ControlTask.of(reaction, intervals, action_mode, observation_mode, reward_mode, noise, levels)
        super().__init__(task, render_mode)


class ControlVectorEnv(TaskVectorEnv):
    """``num_envs`` runs on the same arrays: one call of the kernel advances all of them by an interval.

    Made by ``gymnasium.make_vec("rxnopt/BatchAbc-v0", num_envs=1024)``. Actions, observations, rewards and arguments
    are those of :class:`ControlEnv`, batched, infos as in :class:`rxnopt.envs.ReactionVectorEnv`. Runs that have ended
    begin anew in the same step (``AutoresetMode.SAME_STEP``); one that failed does so while the others go on.
    """

    def __init__(
        self,
        reaction: Reaction | str | Path,
        num_envs: int = 1,
        *,
        intervals: int | None = None,
        action_mode: str = "box",
        observation_mode: str = "state",
        reward_mode: str = "terminal",
        noise: bool = True,
        levels: int = 5,
        render_mode: str | None = None,
    ) -> None:
        task = ControlTask.of(reaction, intervals, action_mode, observation_mode, reward_mode, noise, levels)
        super().__init__(task, num_envs, render_mode)
