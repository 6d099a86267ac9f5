"""The Gaussian process of Optuna, looked into; Optuna gives no public way to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from optuna._gp.acqf import LogEI
from optuna._gp.search_space import SearchSpace
from optuna.distributions import BaseDistribution

from rxnopt.agents.belief import Belief
from rxnopt.space import Array


def belief(
    sampler: Any, values: Array, distributions: dict[str, BaseDistribution], params: Sequence[dict[str, Any]]
) -> Belief | None:
    """Return what a sampler that has been asked says of ``params``; ``values`` (m,) of the trials that it was told."""
    if not sampler._gprs_cache_list:
        return None
    model = sampler._gprs_cache_list[0]
    space = SearchSpace(dict(sorted(distributions.items())))  # Optuna sorts parameters by name
    points = torch.from_numpy(space.get_normalized_params([None] * len(params), list(params)))  # type: ignore[list-item]
    middle, size = values.mean(), values.std() or 1.0
    with torch.no_grad():
        mean, variance = (each.numpy() for each in model.posterior(points))
        acquisition = LogEI(model, space, (values.max() - middle) / size).eval_acqf(points).numpy()
    order = [sorted(distributions).index(name) for name in distributions]
    return Belief(middle + size * mean, size * np.sqrt(variance), acquisition, 1.0 / model.length_scales[order])
