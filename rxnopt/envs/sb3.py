"""The vector environment as Stable-Baselines3 wants it (which takes no Gymnasium vector environment)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from rxnopt.envs.control import ControlVectorEnv
from rxnopt.envs.observations import Floats
from rxnopt.envs.vector import ReactionVectorEnv, TaskVectorEnv
from rxnopt.errors import ConditionsError, UnknownNameError
from rxnopt.simulators import Reaction, load

Indices = int | Iterable[int] | None


class SB3VecEnv(VecEnv):
    """A :class:`rxnopt.envs.ReactionVectorEnv` or ``ControlVectorEnv`` with the face of a Stable-Baselines3 ``VecEnv``.

    Rewards are float32; ``infos`` is a list of dicts, empty except at the end of the episode, where each holds
    ``terminal_observation`` (obs_dim,) and ``TimeLimit.truncated`` (False: the end belongs to the task). What a
    Gymnasium user finds in the infos is in :attr:`last_infos`, batched. Wrap it in SB3's ``VecMonitor`` to have
    the returns of episodes logged.

    The copies are rows of one object: attributes are read from it and methods called on it once, for all.
    """

    def __init__(self, envs: TaskVectorEnv) -> None:
        if isinstance(envs.single_action_space, gym.spaces.Dict):
            raise UnknownNameError(
                "action_mode='dict' is unknown to stable-baselines3; choose box, discrete or multidiscrete"
            )
        if envs.task.reward_space is not None:
            raise UnknownNameError(
                "reward_mode='vector' is unknown to stable-baselines3; give objective='weighted' or 'chebyshev'"
            )
        self.envs = envs
        self.last_infos: dict[str, Any] = {}
        self._actions: NDArray[Any] = np.empty(0)
        super().__init__(envs.num_envs, envs.single_observation_space, envs.single_action_space)

    def reset(self) -> Floats:
        """Begin all campaigns anew, with the seed given to :meth:`seed`, and return observations (n, obs_dim)."""
        observations, self.last_infos = self.envs.reset(seed=self._seeds[0])
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take the actions (n, ...)."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Do the experiments; return observations (n, obs_dim), rewards (n,), dones (n,) and infos."""
        observations, rewards, dones, _, self.last_infos = self.envs.step(self._actions)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in np.flatnonzero(dones):
            infos[i] = {"terminal_observation": self.last_infos["final_obs"][i], "TimeLimit.truncated": False}
        return observations, rewards.astype(np.float32), dones, infos

    def close(self) -> None:
        """Close the vector environment."""
        self.envs.close()

    def get_images(self) -> tuple[NDArray[np.uint8], ...]:
        """Return one image per campaign."""
        return self.envs.render()

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """Return the attribute of the vector environment, once for each index."""
        value = getattr(self.envs, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        """Set an attribute for all campaigns; raise :class:`rxnopt.errors.ConditionsError` for only some."""
        if len(set(self._get_indices(indices))) != self.num_envs:
            raise ConditionsError(f"{attr_name} cannot be set for some of the campaigns; leave indices out")
        setattr(self.envs, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: Indices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call the method of the vector environment once; return its result for each index.

        Of ``action_masks``, which MaskablePPO asks for, it is the mask of that campaign.
        """
        result = getattr(self.envs, method_name)(*method_args, **method_kwargs)
        return [result[i] if method_name == "action_masks" else result for i in self._get_indices(indices)]

    def env_is_wrapped(
        self,
        wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]],  # noqa: ARG002 - the signature of VecEnv
        indices: Indices = None,
    ) -> list[bool]:
        """Return False for each index: there is nothing to wrap."""
        return [False for _ in self._get_indices(indices)]


def make_vec_env(reaction: Reaction | str | Path, n_envs: int = 1, seed: int | None = None, **kwargs: Any) -> SB3VecEnv:
    """Return ``n_envs`` campaigns for Stable-Baselines3 or, for a card with a ``control`` block, runs.

    Other arguments as in :class:`rxnopt.envs.ReactionEnv` and :class:`rxnopt.envs.ControlEnv`. Equal to
    ``stable_baselines3.common.env_util.make_vec_env`` in use, but all copies run in one batch.
    """
    if not isinstance(reaction, Reaction):
        reaction = load(reaction, intervals=kwargs.pop("intervals", None))
    kind = ReactionVectorEnv if reaction.card.control is None else ControlVectorEnv
    envs = SB3VecEnv(kind(reaction, n_envs, **kwargs))
    if seed is not None:
        envs.seed(seed)
    return envs
