"""What was learnt from experiments: a regression, and how well it tells those that were left out.

Everything is kept in the cache as plain arrays (npz, nothing pickled) under a hash of the experiments, the settings and
the version of scikit-learn, and learnt anew where it is not there or damaged.
"""

from __future__ import annotations

import hashlib
import io
import logging
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rxnopt.errors import DataError
from rxnopt.files import cache_folder, put
from rxnopt.regression.forest import Forest
from rxnopt.regression.gaussian import Gaussian

LOGGER = logging.getLogger(__name__)
Array = NDArray[np.float64]
FOLDS, FEWEST = 5, 5
FORM = 1
"""Version of what is kept; part of the hash."""


@dataclass(frozen=True)
class Settings:
    """How to learn; see :class:`rxnopt.cards.emulator.EmulatorModel`."""

    learner: str
    trees: int
    leaf: int


@dataclass(frozen=True)
class Learned:
    """A regression. ``left_out`` (n,): what is said of each experiment by a model that has not seen its conditions.

    ``rest``: standard deviation of the errors of ``left_out`` beyond what the model says of itself.
    """

    model: Forest | Gaussian
    y: Array
    left_out: Array
    rest: float

    def predict(self, F: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation (n,) of an experiment at features ``F`` (n, width)."""
        mean, sd = self.model.predict(F)
        return mean, np.hypot(sd, self.rest)

    @property
    def rmse(self) -> float:
        """Root of the mean squared error of ``left_out``."""
        return float(np.sqrt(np.mean((self.y - self.left_out) ** 2)))

    @property
    def r2(self) -> float:
        """Coefficient of determination of ``left_out``."""
        return float(1.0 - np.sum((self.y - self.left_out) ** 2) / np.sum((self.y - self.y.mean()) ** 2))


def learn(F: Array, y: Array, settings: Settings, name: str) -> Learned:
    """Learn values ``y`` (n,) of features ``F`` (n, width); from the cache where it was done before.

    ``name`` is told in messages. Raises :class:`rxnopt.errors.DataError` for too few or all the same experiments.
    """
    groups = np.unique(F, axis=0, return_inverse=True)[1].ravel()
    if groups.max(initial=-1) + 1 < FEWEST or np.ptp(y) == 0:
        raise DataError(
            f"{name}: {groups.max(initial=-1) + 1} different conditions with values {y.min(initial=np.inf):g} to "
            f"{y.max(initial=-np.inf):g} teach nothing; give {FEWEST} or more, and different values"
        )
    path = cache_folder("emulators") / f"{_key(F, y, settings)}.npz"
    try:
        return _restored(path.read_bytes(), F, y, settings)
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        LOGGER.warning("%s cannot be used (%s), the emulator is learnt anew", path, type(error).__name__)
    model = _fitted(F, y, settings)
    left_out, spread = _cross_validated(F, y, groups, settings, model)
    unsaid = float(np.mean((y - left_out) ** 2) - np.mean(spread**2))
    found = Learned(model, y, left_out, float(np.sqrt(max(unsaid, 0.0))))
    buffer = io.BytesIO()
    kept: dict[str, Any] = {"left_out": left_out, "rest": np.asarray(found.rest), **model.arrays()}
    np.savez_compressed(buffer, **kept)
    put(path, buffer.getvalue())
    return found


def _key(F: Array, y: Array, settings: Settings) -> str:
    text = f"{FORM} {version('scikit-learn')} {sorted(asdict(settings).items())} {F.shape}"
    return hashlib.sha256(text.encode() + np.ascontiguousarray(F).tobytes() + y.tobytes()).hexdigest()[:32]


def _restored(data: bytes, F: Array, y: Array, settings: Settings) -> Learned:
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        arrays: Mapping[str, NDArray[Any]] = dict(file)
    model: Forest | Gaussian = (
        Gaussian.restored(arrays, F, y) if settings.learner == "gaussian-process" else Forest.restored(arrays)
    )
    return Learned(model, y, arrays["left_out"], float(arrays["rest"]))


def _fitted(F: Array, y: Array, settings: Settings, like: Forest | Gaussian | None = None) -> Forest | Gaussian:
    """Fit; the search for the hyperparameters of a process starts at those of ``like``."""
    if settings.learner == "gaussian-process":
        return Gaussian.of(F, y, like.theta if isinstance(like, Gaussian) else None)
    from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

    kind = ExtraTreesRegressor if settings.learner == "extra-trees" else RandomForestRegressor
    return Forest.of(kind(settings.trees, min_samples_leaf=settings.leaf, random_state=0).fit(F, y))


def _cross_validated(
    F: Array, y: Array, groups: NDArray[np.intp], settings: Settings, model: Forest | Gaussian
) -> tuple[Array, Array]:
    """Return mean and spread (n,) from models that have not seen the conditions; repeats stay together."""
    from sklearn.model_selection import GroupKFold

    mean, spread = np.empty(len(y)), np.empty(len(y))
    folds = GroupKFold(min(FOLDS, int(groups.max()) + 1), shuffle=True, random_state=0)
    for train, test in folds.split(F, y, groups):
        mean[test], spread[test] = _fitted(F[train], y[train], settings, model).predict(F[test])
    return mean, spread
