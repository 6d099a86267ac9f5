"""From what happens in a reactor to what is measured: drift, failures, errors of measurement, derived outputs, cost.

With ``x`` the conditions that were set, k the number of the experiment in its campaign and z standard normal draws:

1. what is achieved: ``x (1 + relative)^k + slope k + walk W_k`` for parameters that drift, W a standard random walk;
2. what happens: the simulator at the achieved conditions gives the true outputs;
3. what fails: by the model, then by the first rule that holds for achieved conditions and true outputs, then by chance;
4. what is measured: the true output, drifted in the same way (the instrument), plus ``run z`` plus the mean over the
   replicates of ``sqrt(sd^2 + (relative * value)^2) z_r``, an outlier ``scale`` times as large. All outputs of an
   experiment share the draws: a yield read too high gives a profit too high;
5. what follows: an output without noise or drift of its own whose formula needs only parameters, constants and
   outputs, a measured one among them, is worked out anew from the measured ones and the conditions that were set.

Measured values may lie outside physical bounds, as those of instruments do: nothing is clamped. An experiment in which
a measured output is no finite number has failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rxnopt.cards import ReactionCard
from rxnopt.cards.realism import REASONS, Drift, Noise, Realism
from rxnopt.formulas import Formula, parse, parse_condition
from rxnopt.simulators.draws import Chance, Draws
from rxnopt.simulators.names import Bound, Names, Place
from rxnopt.simulators.outcome import Outcome
from rxnopt.space import Array, Space
from rxnopt.units import Unit, quantity, unit

_, INFEASIBLE_CODE, _MEASUREMENT, _DROPOUT, MISSING_CODE = range(1, 1 + len(REASONS))


@dataclass(frozen=True)
class _Error:
    """Measurement error of one output: its noise, with formulas in place of numbers where the card gives them."""

    column: int
    noise: Noise
    factor: float
    sd: Bound[Formula] | float
    run: Bound[Formula] | float

    def of(self, value: Array, draws: Draws, X: Array, true: Array) -> Array:
        """Return the error (n,) of drifted values (n,)."""
        sd = self.sd.si(X, true) / self.factor if isinstance(self.sd, Bound) else self.sd
        error: Array = np.hypot(sd, self.noise.relative * value) * self._analysis(draws)
        if draws.run is not None and self.run:
            error += (self.run.si(X, true) / self.factor if isinstance(self.run, Bound) else self.run) * draws.run
        return error

    def _analysis(self, draws: Draws) -> Array:
        """Return the mean (n,) of the standardised errors of the replicates."""
        count, outliers = self.noise.replicates, self.noise.outliers
        z: Array = draws.noise[:, :count]  # type: ignore[index]  # drawn where there is noise
        if outliers is not None and draws.outliers is not None:
            z = np.where(draws.outliers[:, :count] < outliers.probability, outliers.scale * z, z)
        return z[:, 0] if count == 1 else z.mean(axis=1)


class Measurement:
    """What the options of realism do to experiments of a card; made once, for batches.

    ``place`` says where a field stands, for messages. Raises :class:`rxnopt.errors.CardError` for formulas with unknown
    names or wrong dimensions.
    """

    def __init__(self, card: ReactionCard, space: Space, realism: Realism, place: Place) -> None:
        names = self._names = Names(card, space, realism.constants)
        self._card, self._place = card, place
        self.chance = Chance.of(realism)
        self.reasons = np.array([None, *REASONS, *realism.failures.rules], dtype=object)
        self._dropout = realism.failures.probability
        self._outputs = list(card.outputs)
        self._units = [unit(output.unit) for output in card.outputs.values()]
        walks = iter(range(self.chance.walks))
        drifts = {name: (drift, next(walks) if drift.walk else -1) for name, drift in realism.drift.items()}
        self._moved = [(space.names.index(name), *d) for name, d in drifts.items() if name in space.names]
        self._drifted = [(self._outputs.index(name), *d) for name, d in drifts.items() if name in card.outputs]
        self._errors = [self._error(name, noise, names, place) for name, noise in realism.noise.items()]
        self._rules = [
            names.bind(parse_condition(text), None, ("failures", "rules", name), place)
            for name, text in realism.failures.rules.items()
        ]
        self._derived = self._follow({*realism.noise, *(n for n in drifts if n in card.outputs)}, {*card.outputs})
        self._cost: tuple[Unit, Bound[Formula]] | None = None
        if realism.cost is not None:
            own, formula = unit(realism.cost.unit), parse(realism.cost.formula)
            self._cost = own, names.bind(formula, own.dimension, ("cost", "formula"), place, outputs=False)

    def _error(self, name: str, noise: Noise, names: Names, place: Place) -> _Error:
        own = self._units[self._outputs.index(name)]

        def bound(field: str, spread: float | str) -> Bound[Formula] | float:
            if not isinstance(spread, str):
                return spread
            return names.bind(parse(spread), own.dimension, ("noise", name, field), place)

        sd, run = bound("sd", noise.sd), bound("run", noise.run)
        return _Error(self._outputs.index(name), noise, own.factor, sd, run)

    def _follow(self, measured: set[str], given: set[str]) -> list[tuple[int, Unit, Bound[Formula]]]:
        """Return the outputs that follow from the ``measured`` ones, in order: column, unit, formula.

        Other outputs whose values are ``given`` may take part.
        """
        found, known = [], set(self._names.inputs)
        for j, (name, output) in enumerate(self._card.outputs.items()):
            formula = None if quantity(output.formula) else parse(output.formula)
            if formula and name not in measured and formula.names & measured and formula.names <= known:
                own, where = self._units[j], ("outputs", name, "formula")
                found.append((j, own, self._names.bind(formula, own.dimension, where, self._place)))
                measured = measured | {name}
            known |= {name} & (given | measured)
        return found

    def following(self, measured: Iterable[str]) -> list[str]:
        """Return the outputs that can be worked out where ``measured`` ones are all that is known."""
        return [self._outputs[j] for j, _, _ in self._follow({*measured}, {*measured})]

    def completed(self, X: Array, outputs: Mapping[str, float]) -> dict[str, float]:
        """Return outputs of one experiment at ``X`` (1, d), measured in a laboratory, with those that follow."""
        values = np.array([[outputs.get(name, np.nan) for name in self._outputs]])
        found = dict(outputs)
        for j, own, formula in self._follow({*outputs}, {*outputs}):
            values[:, j] = own.from_si(formula.si(X, values))
            found[self._outputs[j]] = float(values[0, j])
        return found

    def achieved(self, X: Array, draws: Draws) -> Array:
        """Return the conditions (n, d) that are achieved where ``X`` (n, d) is set; they may be out of bounds."""
        if not self._moved:
            return X
        X = X.copy()
        for j, drift, walk in self._moved:
            X[:, j] = _drifted(X[:, j], drift, walk, draws)
        return X

    def judged(self, X: Array, true: Outcome, draws: Draws | None = None) -> Outcome:
        """Return true outcomes at achieved conditions ``X`` with what fails by rules and, with ``draws``, by chance."""
        if not self._rules and (draws is None or draws.failures is None):
            return true
        reason = codes(true)
        for code, rule in enumerate(self._rules, 1 + len(REASONS)):
            reason[(reason == 0) & rule.holds(X, true.values)] = code
        if draws is not None and draws.failures is not None:
            reason[(reason == 0) & (draws.failures < self._dropout)] = _DROPOUT
        return _without(true.values, reason)

    def measured(self, X: Array, achieved: Array, true: Outcome, draws: Draws) -> Outcome:
        """Return outcomes as measured: conditions set (n, d) and achieved (n, d), true outcomes."""
        if not self._errors and not self._drifted:
            return true
        values = true.values.copy()
        for j, drift, walk in self._drifted:
            values[:, j] = _drifted(values[:, j], drift, walk, draws)
        for error in self._errors:
            column = values[:, error.column]
            column += error.of(column, draws, achieved, true.values)
        for j, own, formula in self._derived:
            values[:, j] = own.from_si(formula.si(X, values))
        if np.isfinite(values).all():
            return Outcome(values, true.failed, true.reason)
        bad = (np.isfinite(true.values) & ~np.isfinite(values)).any(axis=1)
        if not bad.any():
            return Outcome(values, true.failed, true.reason)
        reason = codes(true)
        reason[bad] = _MEASUREMENT
        return _without(values, reason)

    def cost(self, X: Array) -> Array | None:
        """Return the cost (n,) of experiments at conditions ``X`` (n, d), None where the card gives none."""
        return None if self._cost is None else self._cost[0].from_si(self._cost[1].si(X, X))


def _drifted(value: Array, drift: Drift, walk: int, draws: Draws) -> Array:
    k = draws.index
    moved: Array = value * (1.0 + drift.relative) ** k + drift.slope * k
    return moved if draws.walk is None or walk < 0 else moved + drift.walk * draws.walk[:, walk]


def codes(outcome: Outcome) -> NDArray[np.uint8]:
    """Return the reasons of an outcome as numbers (n,); where the model alone decided, 1 stands for it."""
    return outcome.failed.astype(np.uint8) if outcome.reason is None else outcome.reason.copy()


def _without(values: Array, reason: NDArray[np.uint8]) -> Outcome:
    """Return outcomes in which an experiment with a reason has failed and has no outputs."""
    failed = reason > 0
    return Outcome(np.where(failed[:, None], np.nan, values), failed, reason)
