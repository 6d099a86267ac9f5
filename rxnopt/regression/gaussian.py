"""A Gaussian process of scikit-learn: Matérn 5/2 with a length for each feature, and noise.

Only its hyperparameters are kept: with them it is made anew from the experiments, without a search.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LENGTHS, NOISE = (0.05, 100.0), (1e-6, 2.0)


@dataclass(frozen=True)
class Gaussian:
    """A fitted process; ``theta``: logarithms of its hyperparameters."""

    process: Any
    theta: Array

    @classmethod
    def of(cls, F: Array, y: Array, start: Array | None = None, *, search: bool = True) -> Self:
        """Fit to features ``F`` (n, width) and values ``y`` (n,), the means of repeats.

        The search for hyperparameters starts at ``start`` or, without a ``search``, ends there.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        F, which, counts = np.unique(F, axis=0, return_inverse=True, return_counts=True)
        y = np.bincount(which.ravel(), y) / counts
        kernel = ConstantKernel(1.0, (1e-2, 1e3)) * Matern(np.full(F.shape[1], 2.0), LENGTHS, nu=2.5)
        kernel = kernel + WhiteKernel(0.05, NOISE)
        if start is not None:
            kernel = kernel.clone_with_theta(start)
        optimizer = "fmin_l_bfgs_b" if search else None
        process = GaussianProcessRegressor(kernel, normalize_y=True, random_state=0, optimizer=optimizer)
        with warnings.catch_warnings():  # a length at its bound: the feature does not matter
            warnings.simplefilter("ignore", ConvergenceWarning)
            process.fit(F, y)
        return cls(process, np.asarray(process.kernel_.theta))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what is kept."""
        return {"theta": self.theta}

    @classmethod
    def restored(cls, arrays: Mapping[str, NDArray[Any]], F: Array, y: Array) -> Self:
        """Return the process of what :meth:`arrays` gave and of the experiments."""
        return cls.of(F, y, arrays["theta"], search=False)

    def predict(self, F: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation (n,) of a new measurement at features ``F`` (n, width)."""
        mean, sd = self.process.predict(F, return_std=True)
        return np.asarray(mean, float), np.asarray(sd, float)
