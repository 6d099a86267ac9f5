"""Many campaigns on the same arrays as one Gymnasium vector environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from rxnopt.cards.realism import Given
from rxnopt.envs.episodes import Episodes, Results, Task, render_mode_checked
from rxnopt.envs.observations import Bools, Floats
from rxnopt.errors import ConditionsError, RxnoptError, at_least
from rxnopt.simulators import Reaction
from rxnopt.simulators.scalar import Weights
from rxnopt.space import Array

Step = tuple[Floats, Array, Bools, Bools, dict[str, Any]]


class ReactionVectorEnv(gym.vector.VectorEnv[Floats, Any, NDArray[Any]]):
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
    =================  ==================================  =======================================================

    With ``uncertainty`` each campaign has a reaction of its own, and the infos of a reset (also of the one at the end
    of an episode) hold ``constants``, float array (n, k), a column for each of ``task.population.names``.

    **Randomness.** One generator serves the whole batch and draws the noise in the order of the environments. Without
    noise, and with ``num_envs=1`` also with noise, a campaign is exactly that of a ``ReactionEnv`` with the same seed;
    with more copies the noise of copy i is another draw than that of a single environment seeded ``seed + i``.
    """

    metadata = {  # noqa: RUF012 - as Gymnasium declares it
        "render_modes": ["rgb_array"],
        "render_fps": 4,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

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
        render_mode: str | None = None,
    ) -> None:
        at_least("num_envs", num_envs, 1)
        self.task = Task.of(
            reaction, budget, action_mode, observation_mode, reward_mode, noise, realism, levels, uncertainty,
            objective, weights, limit_penalty,
        )  # fmt: skip
        if self.task.reward_space is not None:
            self.reward_space = self.task.reward_space
        self.render_mode = render_mode_checked(render_mode, self.metadata["render_modes"])
        self.num_envs = num_envs
        self.single_action_space, self._decode = self.task.actions()
        self.single_observation_space = self.task.observations()
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self._episodes = Episodes(self.task, num_envs)

    @property
    def reaction(self) -> Reaction:
        """The reaction."""
        return self.task.reaction

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Begin all campaigns anew; ``seed`` sets all that is random.

        ``options``: ``constants`` (n, k) of their reactions, or (k,) of all, instead of a draw.
        """
        if options and "reset_mask" in options:
            raise ConditionsError(
                "options['reset_mask'] is not possible, since the campaigns run in step; reset all of them"
            )
        super().reset(seed=seed)
        told = self._episodes.reset(self.np_random, options)
        return self._episodes.observe(), self._masked(told)

    def step(self, actions: Any) -> Step:
        """Do one experiment in each campaign; raise :class:`rxnopt.errors.ConditionsError` for bad actions."""
        results = self._episodes.run(self._decode(actions, self.num_envs), self.np_random)
        observations, infos = self._episodes.observe(), self._infos(results)
        over = self._episodes.over
        if over:
            told = self._episodes.reset(self.np_random)
            infos = self._masked({"final_obs": _rows(observations), "final_info": infos} | told)
            observations = self._episodes.observe()
        return (
            observations,
            results.reward,
            np.full(self.num_envs, over),
            np.zeros(self.num_envs, bool),
            infos,
        )

    def _infos(self, results: Results) -> dict[str, Any]:
        return self._masked(
            {
                "conditions": results.X,
                "outputs": results.outputs,
                "score": results.score,
                "score_noise_free": results.score_noise_free,
                "failed": results.failed,
                "failure": results.failure,
                "within_limits": results.within_limits,
                "violation": results.violation,
                "cost": results.excess,
                "feasible": results.feasible,
                "trial": np.full(self.num_envs, results.trial),
            }
            | ({} if results.cost is None else {"experiment_cost": results.cost})
        )

    def _masked(self, infos: dict[str, Any]) -> dict[str, Any]:
        return infos | {f"_{key}": np.ones(self.num_envs, bool) for key in infos}

    def render(self) -> tuple[NDArray[np.uint8], ...]:
        """Return one image (H, W, 3) per campaign."""
        if self.render_mode is None:
            raise RxnoptError("the environment was made without a render_mode; give render_mode='rgb_array'")
        from rxnopt.envs import render

        records = (self._episodes.record(i) for i in range(self.num_envs))
        return tuple(render.image(self.reaction, *record, self.task.budget) for record in records)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        del state["_decode"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        _, self._decode = self.task.actions()


def _rows(array: Floats) -> NDArray[np.object_]:
    """Return an object array (n,) of the rows; ``np.array(list(array), dtype=object)`` would be (n, obs_dim)."""
    return np.fromiter(array, dtype=object, count=len(array))
