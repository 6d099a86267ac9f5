"""Many episodes on the same arrays, and many campaigns as one Gymnasium vector environment."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from rxnopt.cards.generality import AnyGenerality
from rxnopt.cards.realism import Given
from rxnopt.envs.episodes import Episodes, Task
from rxnopt.envs.observations import Bools, Floats
from rxnopt.envs.play import AnyTask, render_mode_checked
from rxnopt.envs.rigs import rig_of, unsimulated
from rxnopt.errors import ConditionsError, RxnoptError, at_least
from rxnopt.lab.rig import Lab
from rxnopt.simulators import Reaction
from rxnopt.simulators.scalar import Weights
from rxnopt.space import Array

if TYPE_CHECKING:
    from rxnopt.laboratory.rig import Rig

Step = tuple[Floats, Array, Bools, Bools, dict[str, Any]]


class TaskVectorEnv(gym.vector.VectorEnv[Floats, Any, NDArray[Any]]):
    """Many episodes on one task, on the same arrays: what campaigns and runs under control have in common."""

    metadata = {  # noqa: RUF012 - as Gymnasium declares it
        "render_modes": ["rgb_array"],
        "render_fps": 4,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(self, task: AnyTask, num_envs: int, render_mode: str | None) -> None:
        at_least("num_envs", num_envs, 1)
        self.task = task
        if task.reward_space is not None:
            self.reward_space = task.reward_space
        self.render_mode = render_mode_checked(render_mode, self.metadata["render_modes"])
        self.num_envs = num_envs
        self.single_action_space, self._decode = task.actions()
        self.single_observation_space = task.observations()
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self._episodes = task.episodes(num_envs)

    @property
    def reaction(self) -> Reaction:
        """The reaction."""
        return self.task.reaction

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Begin all episodes anew; ``seed`` sets all that is random.

        ``options``: ``constants`` (n, k) of their reactions, or (k,) of all, instead of a draw.
        """
        if options and "reset_mask" in options:
            raise ConditionsError(
                "options['reset_mask'] is not possible, since episodes begin anew by themselves; reset all of them"
            )
        super().reset(seed=seed)
        all_of_them = np.ones(self.num_envs, bool)
        told = self._episodes.reset(self.np_random, all_of_them, options)
        return self._episodes.observe(), _masked(told, all_of_them)

    def step(self, actions: Any) -> Step:
        """Do one step of each episode; raise :class:`rxnopt.errors.ConditionsError` for bad actions."""
        results = self._episodes.run(self._decode(actions, self.num_envs), self.np_random)
        observations, over = self._episodes.observe(), results.over
        infos: dict[str, Any] = {} if over.all() else _masked(results.infos, ~over)
        if over.any():
            final = {"final_obs": _rows(observations, over), "final_info": _masked(results.infos, over)}
            infos |= _masked(final | self._episodes.reset(self.np_random, over), over)
            observations = self._episodes.observe()
        return observations, results.reward, over, np.zeros(self.num_envs, bool), infos

    def render(self) -> tuple[NDArray[np.uint8], ...]:
        """Return one image (H, W, 3) per episode."""
        if self.render_mode is None:
            raise RxnoptError("the environment was made without a render_mode; give render_mode='rgb_array'")
        from rxnopt.envs import render

        return tuple(render.image(partial(self._episodes.draw, i=i)) for i in range(self.num_envs))

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        del state["_decode"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        _, self._decode = self.task.actions()


class ReactionVectorEnv(TaskVectorEnv):
    """``num_envs`` campaigns on one reaction, all at the same experiment; no loop over them in Python.

    Made by ``gymnasium.make_vec("rxnopt/SnAr-v0", num_envs=1024)``. Actions, observations, rewards and arguments are
    those of :class:`rxnopt.envs.ReactionEnv`, batched (vector rewards are (n, k)); ``render_mode`` is None or
    "rgb_array" (an image per campaign).

    **End.** All campaigns have the same budget and end together. The environment then begins anew in the same step
    (``AutoresetMode.SAME_STEP``): the observations returned are the first of the new episodes, ``terminated`` is True,
    and ``infos`` holds what ended:

    =================  ==================================  =======================================================
    infos              type                                content
    =================  ==================================  =======================================================
    final_obs          object array (n,) of (obs_dim,)     last observation of the episode that ended
    final_info         dict                                the entries below, for the last experiment
    =================  ==================================  =======================================================

    **Infos** of every other step, batched (n = ``num_envs``); as Gymnasium has it, each ``key`` comes with a mask
    ``_key`` (n,):

    =================  ==================================  =======================================================
    key                type                                content
    =================  ==================================  =======================================================
    conditions         float array (n, d)                  as ``X`` in :mod:`rxnopt.space`: card units, level index
    outputs            float array (n, m)                  measured, card units, in the order of ``reaction.outputs``;
                                                           NaN where the experiment failed
    score              float array (n,)                    measured objective, larger is better
    score_noise_free   float array (n,)                    the same without noise
    failed             bool array (n,)                     whether the experiment failed
    failure            object array (n,)                   why, None where it did not
    experiment_cost    float array (n,)                    what it cost, where the card gives a cost
    within_limits      bool array (n,)                     whether the measured outputs keep the limits
    violation          float array (n, c)                  beyond limits, in units of the outputs; NaN where it failed
    cost               float array (n,)                    violations over their limits, added up; 1 where it failed
    feasible           bool array (n,)                     whether conditions keep the constraints of the card
    trial              int array (n,)                      number of the experiment, from 1
    substrate          object array (n,) of dicts          the substrates that were drawn, with ``generality``
    =================  ==================================  =======================================================

    With ``uncertainty`` each campaign has a reaction of its own, and the infos of a reset (also of the one at the end
    of an episode) hold ``constants``, float array (n, k), a column for each of ``task.population.names``.

    **Randomness.** One generator serves the whole batch and draws the noise in the order of the environments. Without
    noise, and with ``num_envs=1`` also with noise, a campaign is exactly that of a ``ReactionEnv`` with the same seed;
    with more copies the noise of copy i is another draw than that of a single environment seeded ``seed + i``.

    **On a rig** (``lab``, ``journal``) a step is ``num_envs`` experiments: at once where the lab file has a ``plate``
    with so many positions and what its positions share is equal, else one after the other.
    """

    rig: Rig | None = None

    def __init__(
        self,
        reaction: Reaction | str | Path,
        num_envs: int = 1,
        *,
        budget: int | None = None,
        action_mode: str = "box",
        observation_mode: str = "summary",
        reward_mode: str = "objective",
        noise: bool = True,
        realism: Given = True,
        levels: int = 5,
        uncertainty: bool | Mapping[str, Any] | None = None,
        objective: str = "card",
        weights: Weights = None,
        limit_penalty: float = 0.0,
        generality: AnyGenerality = False,
        lab: str | Path | Lab | None = None,
        journal: str | Path | None = None,
        render_mode: str | None = None,
    ) -> None:
        if lab is not None:
            noise, realism, uncertainty = unsimulated(realism, uncertainty, reward_mode)
        task = Task.of(
            reaction, budget, action_mode, observation_mode, reward_mode, noise, realism, levels, uncertainty,
            objective, weights, limit_penalty, generality,
        )  # fmt: skip
        super().__init__(task, num_envs, render_mode)
        self.rig = rig_of(cast(Episodes, self._episodes), lab, journal)

    def close_extras(self) -> None:
        """Let go of the journal of a rig."""
        if self.rig is not None:
            self.rig.close()

    def action_masks(self) -> Bools:
        """Return which actions of each campaign (num_envs, n) are of use now (:mod:`rxnopt.envs.masks`)."""
        return cast(Episodes, self._episodes).action_masks()


def _masked(infos: dict[str, Any], mask: Bools) -> dict[str, Any]:
    """Return infos with, for each key, the mask of the environments that it is about."""
    return infos | {f"_{key}": mask.copy() for key in infos}


def _rows(array: Floats, mask: Bools) -> NDArray[np.object_]:
    """Return an object array (n,) of the rows, None where not masked."""
    rows = np.full(len(array), None)
    for i in np.flatnonzero(mask):
        rows[i] = array[i]
    return rows
