"""The chance in experiments, drawn apart from them: each cause has a stream of its own.

``noise`` (analyses), ``outliers``, ``run`` (from run to run), ``failures``, ``drift`` (random walks) and ``substrate``
(:mod:`rxnopt.simulators.general`). To switch one on leaves the draws of the others as they are. There are two ways
through a campaign:

* :class:`Walkthrough`, for environments: the streams go on from step to step, for many campaigns at once;
* :meth:`Chance.of_trials`, for journals: what happens in trial k depends on the seed and k only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rxnopt.cards.realism import Realism
from rxnopt.seeds import beside, stream
from rxnopt.space import Array

Streams = Callable[[str], np.random.Generator]


@dataclass(frozen=True)
class Draws:
    """Draws for n experiments; None where nothing needs them.

    ``index`` (n,) or (1,): number of each experiment in its campaign, from 0. ``noise`` (n, replicates) and ``run``
    (n,): standard normal. ``outliers`` (n, replicates) and ``failures`` (n,): even in [0, 1). ``walk`` (n, c):
    standard random walks after ``index`` steps, a column for each drift that walks, in the order of the card. ``order``
    (n, S): even in [0, 1), the order in which substrates are tried where they are drawn; ``substrate`` (n,): which
    ones they are, once that is known.
    """

    index: Array
    noise: Array | None = None
    run: Array | None = None
    outliers: Array | None = None
    failures: Array | None = None
    walk: Array | None = None
    order: Array | None = None
    substrate: NDArray[np.intp] | None = None


@dataclass(frozen=True)
class Chance:
    """Which draws the options need."""

    noise: bool
    run: bool
    outliers: bool
    failures: bool
    replicates: int
    walks: int
    substrates: int = 0

    @classmethod
    def of(cls, realism: Realism) -> Chance:
        """Return what these options need."""
        noise = realism.noise.values()
        return cls(
            bool(noise),
            any(entry.run for entry in noise),
            any(entry.outliers for entry in noise),
            realism.failures.probability > 0,
            max((entry.replicates for entry in noise), default=1),
            sum(drift.walk > 0 for drift in realism.drift.values()),
        )

    def draw(self, streams: Streams, n: int, index: Array, walk: Array | None = None) -> Draws:
        """Draw for n experiments, each array from the stream of its name."""
        return Draws(
            index,
            streams("noise").standard_normal((n, self.replicates)) if self.noise else None,
            streams("run").standard_normal(n) if self.run else None,
            streams("outliers").random((n, self.replicates)) if self.outliers else None,
            streams("failures").random(n) if self.failures else None,
            walk,
            streams("substrate").random((n, self.substrates)) if self.substrates else None,
        )

    def of_trials(self, seed: int, numbers: Sequence[int]) -> Draws:
        """Draw for the trials with these numbers of the campaign with this seed."""

        def trial(k: int) -> Draws:
            return self.draw(lambda name: stream(seed, name, k), 1, np.array([k], float))

        parts = [trial(k) for k in numbers]
        together: dict[str, Any] = {
            name: None if first is None else np.concatenate([getattr(part, name) for part in parts])
            for name, first in vars(parts[0]).items()
        }
        if self.walks:
            steps = stream(seed, "drift").standard_normal((max(numbers), self.walks))
            together["walk"] = np.vstack([np.zeros(self.walks), steps.cumsum(axis=0)])[list(numbers)]
        return Draws(**together)

    def of_rows(self, streams: Streams, n: int) -> Draws:
        """Draw for n experiments that are one campaign, in their order."""
        steps = streams("drift").standard_normal((n, self.walks)) if self.walks else None
        if steps is not None:
            steps[0] = 0.0
            steps = steps.cumsum(axis=0)
        return self.draw(streams, n, np.arange(n, dtype=float), steps)


class Walkthrough:
    """Draws for b campaigns that run in step, from the streams beside a generator; "noise" is that generator."""

    def __init__(self, chance: Chance, b: int) -> None:
        self._chance, self._b, self._k = chance, b, 0
        self._root: np.random.Generator | None = None
        self._streams: dict[str, np.random.Generator] = {}
        self._walk = np.zeros((b, chance.walks))

    def reset(self) -> None:
        """Begin new campaigns; the streams go on."""
        self._k = 0
        self._walk = np.zeros_like(self._walk)

    def draw(self, rng: np.random.Generator) -> Draws:
        """Draw for the next experiment of each campaign."""
        if rng is not self._root:
            self._root, self._streams = rng, {"noise": rng}
        if self._chance.walks and self._k:
            self._walk = self._walk + self._stream("drift").standard_normal(self._walk.shape)
        walk = self._walk if self._chance.walks else None
        index = np.array([float(self._k)])
        self._k += 1
        return self._chance.draw(self._stream, self._b, index, walk)

    def _stream(self, name: str) -> np.random.Generator:
        if name not in self._streams and self._root is not None:
            self._streams[name] = beside(self._root, name)
        return self._streams[name]
