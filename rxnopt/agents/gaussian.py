"""The Gaussian process of Optuna, looked into; Optuna gives no public way to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from optuna._gp.search_space import SearchSpace
from optuna.distributions import BaseDistribution

from rxnopt.agents.belief import Belief
from rxnopt.space import Array


def watched(sampler: Any) -> list[Any]:
    """Return a list into which a sampler puts each acquisition function that it looks for the maximum of."""
    seen: list[Any] = []
    search = sampler._optimize_acqf

    def look(acquisition: Any, *rest: Any) -> Any:
        seen.append(acquisition)
        return search(acquisition, *rest)

    sampler._optimize_acqf = look
    return seen


def belief(
    sampler: Any,
    acquisition: Any,
    values: Array,
    distributions: dict[str, BaseDistribution],
    params: Sequence[dict[str, Any]],
) -> Belief:
    """Return what a sampler that has been asked says of ``params``; ``values`` (m,) of the trials that it was told."""
    model = sampler._gprs_cache_list[0]
    space = SearchSpace(dict(sorted(distributions.items())))  # Optuna sorts parameters by name
    points = space.get_normalized_params([None] * len(params), list(params))  # type: ignore[list-item]
    middle, size = values.mean(), values.std() or 1.0
    with torch.no_grad():
        mean, variance = (each.numpy() for each in model.posterior(torch.from_numpy(points)))
    order = [sorted(distributions).index(name) for name in distributions]
    sensitivity = 1.0 / model.length_scales[order]
    return Belief(middle + size * mean, size * np.sqrt(variance), acquisition.eval_acqf_no_grad(points), sensitivity)
