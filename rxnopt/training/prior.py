"""The prior of an agent of kind 'gp-prior', fitted to measured tables: hyperparameters of each, and how they spread."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rxnopt.agents.prior import Percent, Prior, Similarity
from rxnopt.agents.prior.fitted import HYPERPARAMETERS, SIZE
from rxnopt.agents.prior.similarity import ORDERS
from rxnopt.agents.weights import keep
from rxnopt.cards.agent import AgentCard
from rxnopt.cards.prior import GpPrior
from rxnopt.cards.table import TableModel
from rxnopt.catalogue import names, parts
from rxnopt.errors import AgentError
from rxnopt.progress import bar
from rxnopt.seeds import stream, stream_seed
from rxnopt.simulators import Reaction, load
from rxnopt.simulators.grid import Grid
from rxnopt.space import Array
from rxnopt.training.files import make, versions
from rxnopt.training.result import Training

CELLS, SAMPLES = 400, 3
"""Experiments of a fit; of a larger table so many random samples of that size are fitted."""
LARGEST = 100_000
"""Conditions of a table."""
VARIANCES, NOISE, MEAN = (1e-4, 3.0), (1e-5, 1.0), (-1.0, 2.0)
"""Bounds of hyperparameters; on the scale of a process yields lie between 0.1 and 1."""
START = (-3.0, -3.0, -4.0, -3.0, -5.0)
"""Where the logarithms of variances start."""
LIBRARIES = ("numpy", "scipy", "rdkit")
LEAST = 1e-6
"""Least variance of a hyperparameter between tables."""


@dataclass(frozen=True)
class Task:
    """What was measured of one reaction: conditions ``X`` (n, d) and results as a process sees them (n,)."""

    reaction: Reaction
    X: Array
    z: Array


def fit_prior(card: AgentCard, who: str, settings: GpPrior, seed: int, folder: Path, progress: bool) -> Training:
    """Fit the prior of a card and write ``<agent>.json`` to a folder.

    Hyperparameters with the largest marginal likelihood are looked for in each table (of a card with parts in each of
    these); the prior is the normal distribution with their mean and covariance, all cards weighing alike. Raises
    :class:`rxnopt.errors.AgentError` for reactions that are no tables of a yield in %.
    """
    make(folder)
    told, found, warped = [], [], []
    with bar(progress, f"{card.name}: tables", len(settings.tables)) as advance:
        for table in settings.tables:
            tasks = [task_of(card.name, load(name)) for name in _reactions(table)]
            fits = [fitted(card.name, settings, task, seed) for task in tasks]
            told.append(_about(table, tasks, fits))
            found.append(np.concatenate(fits))
            warped.append([(task.z.mean(), task.z.std()) for task in tasks])
            advance(1, table)
    prior = Prior.model_validate(
        {**_normal(found), "warped": np.mean([np.mean(each, axis=0) for each in warped], axis=0).tolist()}
    )
    provenance = {
        "command": f"rxnopt train {who} --seed {seed}",
        "agent": {"name": card.name},
        "hyperparameters": HYPERPARAMETERS,
        "prior": prior.model_dump(mode="json"),
        "tables": told,
        "seed": seed,
        "versions": versions(LIBRARIES),
    }
    path = folder / f"{card.name}.json"
    keep(path, (json.dumps(provenance, indent=1) + "\n").encode())
    return Training(path, provenance)


def _reactions(table: str) -> list[str]:
    inner = parts(table) if table in names("envs") else []
    return [f"{table}-{part}" for part in inner] or [table]


def task_of(agent: str, reaction: Reaction) -> Task:
    """Return what was measured of a reaction; raise :class:`rxnopt.errors.AgentError` for what is no such table."""
    goal, space = reaction.card.objective, reaction.space
    if not goal.maximize or reaction.units[goal.output] != "%" or Grid.size(space) > LARGEST:
        raise AgentError(
            f"agent {agent!r}: reaction {reaction.name!r} is no table of a yield in % that is maximised; take it off "
            "the 'tables' of the card"
        )
    X = Grid(space).X
    outcome = reaction.attempt(X)
    done = ~outcome.failed
    return Task(reaction, X[done], Percent().warp(reaction.score(outcome)[done]))


def fitted(agent: str, settings: GpPrior, task: Task, seed: int) -> Array:
    """Return hyperparameters (samples, 6) with the largest marginal likelihood, one row for each sample of the table.

    Deterministic; see :data:`rxnopt.agents.prior.fitted.HYPERPARAMETERS`.
    """
    similarity = Similarity(agent, task.reaction.space, settings.length_scale)
    rows = []
    for cells in _samples(task, seed):
        X, z = task.X[cells], task.z[cells]
        rows.append(largest(similarity.parts(X, X), z))
    return np.array(rows)


def _samples(task: Task, seed: int) -> Iterator[NDArray[np.int64]]:
    n = len(task.z)
    if n <= CELLS:
        yield np.arange(n)
        return
    rng = stream(stream_seed(seed, "gp-prior"), task.reaction.name)
    for _ in range(SAMPLES):
        yield rng.choice(n, CELLS, replace=False)


def largest(parts: Array, z: Array) -> Array:
    """Return the hyperparameters (6,) under which ``z`` (n,) is most probable; ``parts`` (4, n, n) of the kernel."""
    from scipy.optimize import minimize

    bounds = [tuple(np.log(VARIANCES))] * ORDERS + [tuple(np.log(NOISE)), MEAN]
    start = np.array([*START, z.mean()])
    found = minimize(improbability, start, (parts, z), "L-BFGS-B", jac=True, bounds=bounds, options={"maxiter": 200})
    values: Array = found.x
    return values


def improbability(values: Array, parts: Array, z: Array) -> tuple[float, Array]:
    """Return the negative log likelihood of ``z`` (n,) per measurement, without its constant, and its gradient (6,)."""
    from scipy.linalg import cho_factor, cho_solve

    n, variances = len(z), np.exp(values[: SIZE - 1])
    factor = cho_factor(np.tensordot(variances[:ORDERS], parts, 1) + variances[ORDERS] * np.eye(n), lower=True)
    inverse, miss = cho_solve(factor, np.eye(n)), z - values[-1]
    dual = inverse @ miss
    slope = 0.5 * (inverse - np.outer(dual, dual))
    gradient = [*(variances[:ORDERS] * np.tensordot(parts, slope, 2)), variances[ORDERS] * np.trace(slope), -dual.sum()]
    value = 0.5 * miss @ dual + np.log(np.diagonal(factor[0])).sum()
    return float(value) / n, np.array(gradient) / n


def _normal(found: list[Array]) -> dict[str, Any]:
    """Return mean and covariance of hyperparameters, each table (fits, 6) weighing alike."""
    mean = np.mean([rows.mean(axis=0) for rows in found], axis=0)
    spread = [(rows - mean).T @ (rows - mean) / len(rows) for rows in found]
    covariance = np.mean(spread, axis=0) + LEAST * np.eye(SIZE)
    return {"mean": mean.round(6).tolist(), "covariance": covariance.round(6).tolist()}


def _about(table: str, tasks: list[Task], fits: list[Array]) -> dict[str, Any]:
    """Return what the provenance tells of a table: its files and what was found in it."""
    card = tasks[0].reaction.card
    files = [card.data[each.file] for each in card.model.files] if isinstance(card.model, TableModel) else []
    return {
        "card": table,
        "files": {file.place: file.sha256 for file in files},
        "fits": {
            task.reaction.name: {"experiments": len(task.z), "found": rows.round(4).tolist()}
            for task, rows in zip(tasks, fits, strict=True)
        },
    }
