"""One episode at a time, and one campaign as a Gymnasium environment."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from rxnopt.cards.generality import AnyGenerality
from rxnopt.cards.realism import Given
from rxnopt.envs.episodes import Episodes, Task
from rxnopt.envs.observations import Bools, Floats
from rxnopt.envs.play import AnyTask, Results, render_mode_checked
from rxnopt.envs.rigs import rig_of, unsimulated
from rxnopt.errors import RxnoptError
from rxnopt.lab.rig import Lab
from rxnopt.simulators import Reaction
from rxnopt.simulators.scalar import Weights

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class TaskEnv(gym.Env[Floats, Any]):
    """One episode at a time on a task: what campaigns and runs under control have in common."""

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 4}  # noqa: RUF012 - as Gymnasium declares it

    def __init__(self, task: AnyTask, render_mode: str | None) -> None:
        self.task = task
        if task.reward_space is not None:
            self.reward_space = task.reward_space
        self.render_mode = render_mode_checked(render_mode, self.metadata["render_modes"])
        self.action_space, self._decode = task.actions()
        self.observation_space = task.observations()
        self._episodes = task.episodes(1)
        self._figure: Figure | None = None

    @property
    def reaction(self) -> Reaction:
        """The reaction."""
        return self.task.reaction

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Begin an episode; ``seed`` sets all that is random.

        ``options``: ``constants`` (k,) of the reaction, instead of a draw.
        """
        super().reset(seed=seed, options=options)
        told = self._episodes.reset(self.np_random, np.ones(1, bool), options)
        if self.render_mode == "human":
            self.render()
        names = () if self.task.population is None else self.task.population.names
        info = {key: dict(zip(names, rows[0].tolist(), strict=True)) for key, rows in told.items()}
        return self._episodes.observe()[0], info

    def step(self, action: Any) -> tuple[Floats, Any, bool, bool, dict[str, Any]]:
        """Do one step; raise :class:`rxnopt.errors.ConditionsError` for an action that is not allowed."""
        batch = {k: [v] for k, v in action.items()} if isinstance(action, dict) else np.asarray(action)[None]
        results = self._episodes.run(self._decode(batch, 1), self.np_random)
        if self.render_mode == "human":
            self.render()
        observation = self._episodes.observe()[0]
        earned = float(results.reward[0]) if self.task.reward_space is None else results.reward[0]
        return observation, earned, bool(results.over[0]), False, self._info(results)

    def _info(self, results: Results) -> dict[str, Any]:
        infos, failed = results.infos, bool(results.infos["failed"][0])
        names = {"outputs": self.reaction.outputs, "violation": self.reaction.card.limits}
        named = {
            key: {} if failed else dict(zip(own, infos[key][0].tolist(), strict=True)) for key, own in names.items()
        }
        plain = {key: values[:1].tolist()[0] for key, values in infos.items() if values.ndim == 1}
        return {"conditions": self.task.space.to_dicts(infos["conditions"])[0], **named, **plain}

    def render(self) -> NDArray[np.uint8] | None:
        """Draw the episode so far: an image (H, W, 3) or, in mode human, a window."""
        if self.render_mode is None:
            raise RxnoptError("the environment was made without a render_mode; give render_mode='rgb_array'")
        from rxnopt.envs import render

        draw = partial(self._episodes.draw, i=0)
        if self.render_mode == "rgb_array":
            return render.image(draw)
        self._figure = render.window(self._figure, draw)
        return None

    def close(self) -> None:
        """Close the window, where there is one."""
        if self._figure is not None:
            from rxnopt.envs import render

            render.close(self._figure)
            self._figure = None

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__ | {"_figure": None}
        del state["_decode"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        _, self._decode = self.task.actions()


class ReactionEnv(TaskEnv):
    """A campaign of experiments on one reaction: one step is one experiment, one episode is one budget.

    Made by ``gymnasium.make("rxnopt/SnAr-v0")`` or, for a card of one's own, ``ReactionEnv("my-reaction.yaml")``.

    **Action** (``action_mode``; nothing is clamped, what lies outside is refused):

    ============= ======================================= ==================================================
    mode          space                                   meaning
    ============= ======================================= ==================================================
    box           Box(-1, 1, (width,), float32)           a column per number (from bound to bound, on its
                                                          scale; whole numbers share it in equal bins), a
                                                          column per level of a categorical parameter (the
                                                          largest is chosen)
    multidiscrete MultiDiscrete([...])                    index of a value of each parameter
    discrete      Discrete(number of grid points)         index of a point of the grid
    dict          Dict of Box(low, high, (), float64) and values in the units of the card; level by index,
                  Discrete                                binary as 0 or 1
    ============= ======================================= ==================================================

    In the modes discrete and multidiscrete :meth:`action_masks` says what is of use (:mod:`rxnopt.envs.masks`).

    **Observation** (``observation_mode``; float32; entry by entry in :mod:`rxnopt.envs.observations`):

    ============= ======================================= ==================================================
    mode          shape                                   content
    ============= ======================================= ==================================================
    summary       (5 + 2 width,)                          budget left; best and last experiment
    history       (budget (width + 2),)                   every experiment so far, then zeros
    ============= ======================================= ==================================================

    **Reward** (``reward_mode``; in the unit of the objective, turned so that larger is better; details and the score
    of a failed experiment in :mod:`rxnopt.envs.rewards`):

    ============= ======================================= ==================================================
    mode          reward                                  range without noise
    ============= ======================================= ==================================================
    objective     measured score                          up to the known optimum
    improvement   measured score above the best so far    from 0 up to optimum less score of a failure
    regret        noise-free score less known optimum     up to 0
    vector        measured ``objectives`` of the card,    (k,), float32, in :attr:`reward_space`, as MO-Gymnasium
                  larger is better                        has it (so make it with disable_env_checker=True)
    ============= ======================================= ==================================================

    **End.** ``terminated`` is True when the budget is spent: the budget is part of the task and in the observation.
    ``truncated`` is never True. A step after the end raises :class:`rxnopt.errors.RxnoptError`.

    **Info** of a step (that of a reset is empty, or holds ``constants``: names and values of those that were drawn):

    ================= ========================================================================================
    key               content
    ================= ========================================================================================
    conditions        dict: natural values in the units of the card, levels by name
    outputs           dict: measured outputs in the units of the card; empty when the experiment failed
    score             measured objective, larger is better
    score_noise_free  the same without noise (for evaluation: a laboratory would not know it)
    failed            whether the experiment failed
    failure           why: "model", "measurement", "dropout" or the name of a rule of the card; else None
    experiment_cost   what the experiment cost, where the card gives a cost
    within_limits     whether the measured outputs keep the limits of the card
    violation         dict: by how much outputs are beyond their limits, 0 or less where kept; empty when it failed
    cost              for safe RL: the violations above 0 over the sizes of their limits, added up; 1 where it failed
    feasible          whether the conditions keep the constraints of the card; others cannot be run and fail
    trial             number of the experiment, from 1
    substrate         dict: the substrate that was drawn, with ``generality``
    ================= ========================================================================================

    **Arguments:**

    ================= ========================================================================================
    reaction          name in the catalogue, path of a card, or :class:`rxnopt.simulators.Reaction`
    budget            experiments in an episode; that of the card by default
    action_mode       see above, "box" by default
    observation_mode  see above, "summary" by default
    reward_mode       see above, "objective" by default
    noise             whether measurements carry noise, True by default
    realism           options in place of those of the card: a mapping of the fields noise, drift, failures, plate,
                      delay and cost; False switches all of them off; True, the default, leaves the card as it is
    levels            values of a continuous parameter in the modes discrete and multidiscrete, 5 by default
    uncertainty       True: new constants at each reset, drawn from the uncertainty of the card; a mapping such as
                      that block: another one. For a family of reactions the default is True, and a mapping replaces
                      fields of its block, as {"split": "test"} does. None by default: as the card says
    objective         "card": the objective of the card; "weighted" or "chebyshev": its ``objectives`` put together
                      (:func:`rxnopt.simulators.scalar.scalarised`)
    weights           of those objectives, by name or in their order; equal by default
    limit_penalty     what is taken off the reward for each unit of ``cost``, 0 by default
    generality        True: conditions that are good for many substrates are sought; an action sets the conditions, the
                      substrate is drawn, and regret is that of the mean over all substrates. True where the card says
                      what its substrates are, or a mapping: {"over": ["aryl_halide"]}; with {"chosen": True} in it an
                      action sets the substrate too (:mod:`rxnopt.simulators.general`)
    lab               lab file (:class:`rxnopt.cards.lab.LabCard`): steps are experiments on that rig; :attr:`rig`
                      holds what is known of them. An experiment without data has failed (reason: measurement)
    journal           SQLite file of the experiments on the rig; what an earlier process left is finished first
    render_mode       "rgb_array": :meth:`render` returns an image (H, W, 3) uint8; "human": a window follows the
                      campaign (where there is no display, nothing is shown)
    ================= ========================================================================================

    Wrong arguments raise a :class:`rxnopt.errors.RxnoptError` in one sentence.

    **Realism.** On a plate (``plate: {size: 24, shared: [temperature]}``) the first experiment sets the shared
    parameters of the next ones, whose actions have no say in them: ``info["conditions"]`` is what was run. With
    ``delay: d`` the result and the reward of experiment k come with step k + d, those that are still out with the last
    step; ``info`` tells of the experiment of its own step, for evaluation.

    **Randomness.** Measurements and failures are random, and with ``uncertainty`` the constants, from a stream of
    their own (:mod:`rxnopt.envs.drawn`). The noise is drawn from ``np_random``, which
    ``reset(seed=...)`` sets, drift, outliers, run-to-run errors and failures from streams of the same seed. Equal seeds
    and actions give equal episodes.

    **Versions.** v0: first.
    """

    def __init__(
        self,
        reaction: Reaction | str | Path,
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
        super().__init__(task, render_mode)
        self.rig = rig_of(cast(Episodes, self._episodes), lab, journal)

    def close(self) -> None:
        """Close the window and let go of the journal of a rig."""
        super().close()
        if self.rig is not None:
            self.rig.close()

    def action_masks(self) -> Bools:
        """Return which actions (n,) are of use now, in the modes discrete and multidiscrete (:mod:`rxnopt.envs.masks`).

        MaskablePPO of sb3-contrib looks for this method.
        """
        mask: Bools = cast(Episodes, self._episodes).action_masks()[0]
        return mask
