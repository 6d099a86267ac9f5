"""Gaussian processes of what has been measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from botorch.acquisition.acquisition import AcquisitionFunction
from botorch.acquisition.factory import get_acquisition_function
from botorch.acquisition.multi_objective import logei
from botorch.acquisition.multi_objective.objective import IdentityMCMultiOutputObjective
from botorch.acquisition.objective import GenericMCObjective
from botorch.fit import fit_gpytorch_mll
from botorch.models.gp_regression import SingleTaskGP
from botorch.models.kernels.categorical import CategoricalKernel
from botorch.models.model_list_gp_regression import ModelListGP
from botorch.models.utils.gpytorch_modules import get_covar_module_with_dim_scaled_prior
from botorch.utils.multi_objective.hypervolume import infer_reference_point
from gpytorch.mlls import SumMarginalLogLikelihood

from rxnopt.agents.base import Known, telling
from rxnopt.agents.bayes.coding import Coding, Described
from rxnopt.simulators.pareto import nondominated
from rxnopt.space import Array

DRAWS, DRAWS_OF_VOLUME = 128, 64
"""Quasi-random draws from the posterior, of which an acquisition function takes the mean; fewer of hypervolumes."""
TINY = 1e-300
"""Smallest correlation that is told from none."""
FTOL = 1e-6
"""Gain of the log likelihood per trial at which a fit ends."""

logei._load_attempted = True  # BoTorch would compile C++ at the first proposal where it can: decision 17


@dataclass(frozen=True)
class Surrogate:
    """A Gaussian process for each objective and each limited output, fitted to trials at ``Z`` (m, d).

    Outcomes of ``model`` are the k objectives ``Y`` (m, k), less ``mean`` (k,) and over ``sd`` (k,), and then the c
    violations of limits, over their spread: 0 or less where a limit is kept.
    """

    model: ModelListGP
    Z: torch.Tensor
    Y: Array
    mean: Array
    sd: Array

    def acquisition(self, name: str, reference: Array | None, pending: torch.Tensor, seed: int) -> AcquisitionFunction:
        """Return an acquisition function for conditions beside ``pending`` (p, d) in ``Z``.

        ``reference`` (k,): the point above which hypervolume counts; None: a tenth of their range below the worst
        values on the front of the trials (Ishibuchi et al. 2011, as BoTorch infers it).
        """
        k, outputs = len(self.mean), self.model.num_outputs
        several = k > 1
        return get_acquisition_function(
            name if several or name != "qLogNEHVI" else "qLogNEI",
            self.model,
            IdentityMCMultiOutputObjective(list(range(k))) if several else GenericMCObjective(_first),
            self.Z,
            X_pending=pending if len(pending) else None,
            constraints=[_Outcome(j) for j in range(k, outputs)] or None,
            mc_samples=DRAWS_OF_VOLUME if several else DRAWS,
            seed=seed,
            ref_point=self._reference(reference) if several else None,
        )

    @property
    def _first(self) -> Any:
        return self.model.models[0]

    def objective(self, Z: torch.Tensor) -> tuple[Array, Array]:
        """Return mean and standard deviation (n,) of the first objective, in its unit, at ``Z`` (n, d)."""
        with torch.no_grad():
            posterior = self._first.posterior(Z)
        mean, sd = posterior.mean[:, 0].numpy(), posterior.variance[:, 0].sqrt().numpy()
        return self.mean[0] + self.sd[0] * mean, self.sd[0] * sd

    def sensitivity(self, coding: Coding) -> Array:
        """Return how far the first objective can move with each parameter (d,).

        The distance of the ends of its range, or of two levels on average, in length scales.
        """
        with torch.no_grad():
            return np.array([self._apart(coding, j) for j in range(len(coding.space))])

    def _apart(self, coding: Coding, j: int) -> float:
        values = torch.arange(float(coding.space.parameters[j].count if j in coding.levels else 2), dtype=torch.double)
        Z = self.Z[:1].repeat(len(values), 1)
        Z[:, j] = values
        prior = self._first.covar_module(self._first.transform_inputs(Z)).to_dense()
        alike = (prior / prior[0, 0])[*torch.triu_indices(len(values), len(values), 1)]
        return float((-2.0 * alike.clamp(TINY, 1.0).log()).sqrt().mean())

    def _reference(self, reference: Array | None) -> list[float]:
        if reference is not None:
            return list((reference - self.mean) / self.sd)
        front = (self.Y[nondominated(self.Y)] - self.mean) / self.sd
        return list(infer_reference_point(torch.from_numpy(front)).tolist())


def _first(samples: torch.Tensor, X: torch.Tensor | None = None) -> torch.Tensor:  # noqa: ARG001 - as BoTorch calls it
    return samples[..., 0]


@dataclass(frozen=True)
class _Outcome:
    """One outcome of samples (..., outcomes)."""

    number: int

    def __call__(self, samples: torch.Tensor) -> torch.Tensor:
        return samples[..., self.number]


def fit(coding: Coding, over: Known, max_trials: int) -> Surrogate:
    """Return Gaussian processes with the priors of BoTorch (Hvarfner et al. 2024, 10.48550/arXiv.2402.02229).

    The kernel is a product of a Gaussian one over numbers and one over levels that are equal or not (Ru et al. 2020,
    10.48550/arXiv.1906.08878).
    Learns from all objectives and violations of ``over``, of ``max_trials`` trials at the most. The order of the
    trials does not matter. Raises what BoTorch raises where it cannot fit.
    """
    rows = telling(over, max_trials)
    rows = rows[np.lexsort(np.hstack([over.violation, over.Y, over.X])[rows].T)]
    X, Y, violation = over.X[rows], over.Y[rows], over.violation[rows]
    mean, sd = Y.mean(axis=0), _size(Y)
    outcomes = np.hstack([(Y - mean) / sd, violation / _size(violation)])
    Z = coding.code(X)
    model = ModelListGP(*(_process(coding, Z, column) for column in outcomes.T))
    fit_gpytorch_mll(SumMarginalLogLikelihood(model.likelihood, model), optimizer_kwargs={"options": {"ftol": FTOL}})
    return Surrogate(model, Z, Y, mean, sd)


def _process(coding: Coding, Z: torch.Tensor, outcome: Array) -> SingleTaskGP:
    """Return a Gaussian process with a length scale for each number and for each parameter of levels."""
    numbers, levels = coding.features
    kernel = get_covar_module_with_dim_scaled_prior(len(numbers), active_dims=numbers) if numbers else None
    if levels:
        like = get_covar_module_with_dim_scaled_prior(len(levels))
        differ = CategoricalKernel(
            ard_num_dims=len(levels),
            active_dims=levels,
            lengthscale_prior=like.lengthscale_prior,
            lengthscale_constraint=like.raw_lengthscale_constraint,
        )
        kernel = kernel * differ if kernel else differ
    return SingleTaskGP(
        Z,
        torch.from_numpy(outcome[:, None].copy()),
        covar_module=kernel,
        input_transform=Described(coding.tables) if coding.tables else None,
    )


def _size(columns: Array) -> Array:
    """Return the standard deviation of each column, 1 where all values are equal."""
    sd = columns.std(axis=0)
    return np.where(sd > 1e-12 * np.abs(columns).max(axis=0, initial=0.0), sd, 1.0)
