"""Kinetics as a simulator: conditions in card units become kernel inputs in SI, outputs come back in card units."""

from __future__ import annotations

import atexit
import gc
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rxnopt.cards import ReactionCard
from rxnopt.cards.uncertainty import UncertainConstant
from rxnopt.catalogue import Source
from rxnopt.inputs import Inputs
from rxnopt.kinetics.kernel import DEFAULT_RTOL
from rxnopt.simulators.outcome import Outcome
from rxnopt.space import Array
from rxnopt.units import unit

if TYPE_CHECKING:
    from rxnopt.kinetics import Kernel, OdeSystem

CHUNK = 2**18
"""Experiments simulated at a time, so that no batch needs much memory beside its conditions and outcomes."""
atexit.register(gc.freeze)  # a last search for cycles through all that numba holds would take 0.25 s at each exit
_MODEL_FIELDS = {"gas_constant", "constants", "parameters", "model", "outputs"}


class OdeSimulator:
    """Simulator of a card whose model is of kind ``ode``; compiled at the first call, then kept on disk.

    ``rtol``: relative tolerance of an integration step; the default keeps outputs within a relative error of 1e-6.
    ``varied``: constants that are inputs of the kernel, given with the conditions.
    """

    def __init__(
        self,
        card: ReactionCard,
        source: Source,
        rtol: float = DEFAULT_RTOL,
        varied: Sequence[UncertainConstant] = (),
    ) -> None:
        self._card, self.source, self._rtol, self._varied = card, source, rtol, tuple(varied)
        self._kernel: Kernel | None = None
        self.inputs = Inputs.of(card)
        units = [unit(output.unit) for output in card.outputs.values()]
        self._output_factors = np.array([u.factor for u in units])
        self._output_offsets = np.array([u.offset for u in units])

    def __call__(self, X: Array, constants: Array | None = None) -> Outcome:
        """Return noise-free outcomes of conditions ``X`` (n, d) with varied ``constants`` (n, k) or (1, k), in SI."""
        values, failed = np.empty((len(X), len(self._output_factors))), np.empty(len(X), np.bool_)
        for low in range(0, len(X), CHUNK):
            part = slice(low, low + CHUNK)
            rows = constants[part] if constants is not None and len(constants) == len(X) else constants
            result = self.kernel(self.kernel_inputs(X[part], rows), rtol=self._rtol)
            found = self.outcome(result.outputs, result.status)
            values[part], failed[part] = found.values, found.failed
        return Outcome(values, failed)

    def outcome(self, outputs: Array, status: NDArray[np.uint8]) -> Outcome:
        """Return outputs (n, m), in SI, in the units of the card."""
        return Outcome((outputs - self._output_offsets) / self._output_factors, status != 0)

    def kernel_inputs(self, X: Array, constants: Array | None) -> Array:
        """Return the kernel's inputs (n, inputs), in SI, of conditions ``X`` (n, d) and varied ``constants``."""
        inputs = self.inputs(X)
        if constants is None:
            return inputs
        return np.concatenate([inputs, np.broadcast_to(constants, (len(X), len(self._varied)))], axis=1)

    @property
    def kernel(self) -> Kernel:
        """The compiled kernel; the model is checked and compiled where that was not done before."""
        if self._kernel is None:
            from rxnopt.kinetics import compile_kernel

            self._kernel = compile_kernel(self.key, self.lower)
        return self._kernel

    @property
    def key(self) -> str:
        """Hash of all that the kernel depends on."""
        text = self._card.model_dump_json(include=_MODEL_FIELDS)
        text += "".join(f"{c.name} {c.formula and c.relative} {c.at}\n" for c in self._varied)
        return hashlib.sha256(text.encode()).hexdigest()

    def lower(self) -> OdeSystem:
        """Return the mathematics of the card, all checked and nothing compiled; raise :class:`CardError`."""
        from rxnopt.kinetics.lowering import lower

        return lower(self._card, self.source, self._varied)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_kernel": None}
