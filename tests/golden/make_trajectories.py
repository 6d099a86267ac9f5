"""Make ``trajectories.csv``: what each registered id does, frozen so that nobody changes it without noticing.

Unlike the other tables here this one comes from rxnopt itself: it does not say what is right but what was. For each id
the environment is made with its defaults and reset with seed 0; then come five steps of fixed actions. Entry j of
action k (from 1) is ``2 (k alpha_j mod 1) - 1`` with ``alpha_j`` the fractional part of the root of prime j, a
low-discrepancy sequence that needs no random numbers; actions that are no Box in [-1, 1] are refused.

Parts of a table behave as the whole one does and are left out. Measured data must be here (RXNOPT_DATA_MIRROR, or
internet): an id whose data are not here is told and keeps its rows.

Run ``python tests/golden/make_trajectories.py`` after adding an id: rows of new ids are added, rows of ids that are no
longer registered go, all others stay as they are. ``make_trajectories.py SnAr-v0`` makes the rows of this id anew,
which is allowed for an id that no release has had yet; else the environment needs a new id.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from sympy import prime

import rxnopt
from rxnopt.catalogue import GENERAL, names
from rxnopt.envs import NAMESPACE
from rxnopt.errors import DataError

PLACE = Path(__file__).with_name("trajectories.csv")
STEPS = 5


def registered() -> list[str]:
    """Return all ids of rxnopt but those of parts of tables, without the namespace."""
    rxnopt.envs.register()
    whole = names("envs")
    found = (spec for spec in gym.registry.values() if spec.namespace == NAMESPACE)
    own = (spec for spec in found if spec.kwargs["reaction"].removesuffix(GENERAL) in whole)
    return sorted(spec.id.removeprefix(f"{NAMESPACE}/") for spec in own)


def action(k: int, width: int) -> Any:
    """Return action ``k``, counted from 1: float32 (width,)."""
    alpha = np.array([float(prime(j + 1)) ** 0.5 for j in range(width)])
    return (2.0 * (k * alpha % 1.0) - 1.0).astype(np.float32)


def trajectory(env_id: str) -> list[dict[str, str]]:
    """Return the rows of one id: the reset and five steps."""
    env = gym.make(f"{NAMESPACE}/{env_id}")
    space = env.action_space
    if not isinstance(space, gym.spaces.Box) or (space.low != -1.0).any() or (space.high != 1.0).any():
        raise SystemExit(f"{env_id}: actions are {space}, no Box in [-1, 1]; nothing written")
    observation, _ = env.reset(seed=0)
    rows = [_row(env, env_id, 0, observation)]
    for k in range(1, STEPS + 1):
        observation, reward, terminated, truncated, info = env.step(action(k, space.shape[0]))
        rows.append(_row(env, env_id, k, observation, float(reward), info.get("outputs", {}), terminated, truncated))
    env.close()
    return rows


def _row(env: Any, env_id: str, step: int, observation: Any, *rest: Any) -> dict[str, str]:
    flat = gym.spaces.flatten(env.observation_space, observation).tolist()
    reward, outputs, terminated, truncated = rest or ("", {}, False, False)
    return {
        "id": env_id,
        "step": str(step),
        "observation": json.dumps([float(f"{x:.9g}") for x in flat]),
        "reward": f"{reward:.12g}" if rest else "",
        "outputs": json.dumps({name: float(f"{value:.12g}") for name, value in outputs.items()}),
        "terminated": str(bool(terminated)),
        "truncated": str(bool(truncated)),
    }


def kept() -> dict[str, list[dict[str, str]]]:
    """Return the rows of the table by id."""
    found: dict[str, list[dict[str, str]]] = {}
    if PLACE.exists():
        with PLACE.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found.setdefault(row["id"], []).append(row)
    return found


def main(anew: list[str]) -> None:
    """Write the table; ``anew``: ids whose rows are not kept."""
    ids, old = registered(), kept()
    for env_id in anew:
        if env_id not in ids:
            raise SystemExit(f"{env_id} is not registered; nothing written")
    rows = []
    for i in ids:
        try:
            rows += old[i] if i in old and i not in anew else trajectory(i)
        except DataError as error:
            sys.stderr.write(f"{i} is skipped: {error}\n")
            rows += old.get(i, [])
    with PLACE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main(sys.argv[1:])
