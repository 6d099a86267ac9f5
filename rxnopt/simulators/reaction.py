"""A reaction: a card that can be run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rxnopt.cards import ReactionCard
from rxnopt.cards.emulator import EmulatorModel
from rxnopt.cards.generality import AnyGenerality
from rxnopt.cards.model import LabModel
from rxnopt.cards.parts import load_reaction
from rxnopt.cards.realism import Argument, Given, Realism, replaced
from rxnopt.cards.table import TableModel
from rxnopt.catalogue import Source, is_path, names, owner_of_general
from rxnopt.errors import ConditionsError, at_least
from rxnopt.seeds import stream
from rxnopt.simulators.draws import Draws
from rxnopt.simulators.measurement import INFEASIBLE_CODE, Measurement, codes
from rxnopt.simulators.ode import OdeSimulator
from rxnopt.simulators.outcome import Outcome, Simulator, not_simulated
from rxnopt.simulators.profile import ProfileSpace, best_profile, controlled, resampled
from rxnopt.simulators.wanted import Wanted
from rxnopt.space import Array, Conditions, Space

if TYPE_CHECKING:
    import pandas as pd

    from rxnopt.simulators.pareto import Front
    from rxnopt.simulators.population import Population
    from rxnopt.simulators.scalar import Weights


@dataclass(frozen=True)
class Optimum:
    """The best known noise-free value of the objective (unit of the output) and its conditions."""

    value: float
    conditions: dict[str, Any]
    note: str


@dataclass(frozen=True)
class Reaction(Wanted):
    """A reaction card with its space and its simulator.

    ``place`` is the path that the card was loaded from, ``""`` for a card of the catalogue. ``population`` tells how
    constants are drawn, where the card says it. ``realism``: options of measurement in place of those of the card
    (:meth:`with_realism`), None for those of the card.
    """

    card: ReactionCard
    space: Space
    simulator: Simulator
    place: str = field(default="", compare=False)
    population: Population | None = field(default=None, compare=False, repr=False)
    realism: Realism | None = None

    @property
    def origin(self) -> ReactionCard:
        """The card from which this reaction was drawn; its own where nothing was drawn."""
        population: Population | None = getattr(self.simulator, "population", None)
        return self.card if population is None else population.own

    @property
    def units(self) -> dict[str, str]:
        """Unit of each output."""
        return {name: output.unit for name, output in self.card.outputs.items()}

    @cached_property
    def options(self) -> Realism:
        """The options of realism that hold: noise, drift, failures, plate, delay, cost."""
        return self.card.realism if self.realism is None else self.realism

    @cached_property
    def measurement(self) -> Measurement:
        """What stands between the reaction and what is measured."""
        source = getattr(self.simulator, "source", None) if self.realism is None else None
        return Measurement(self.card, self.space, self.options, (source or Argument(self.name, {}, {})).place)

    def with_realism(self, given: Given, *, noise: bool = True) -> Reaction:
        """Return the reaction with these options of realism; what is not ``given`` stays as it is.

        True changes nothing, False switches all options off: measurements are exact. Fields that a mapping or a
        :class:`rxnopt.cards.realism.Realism` names replace those of the card; ``noise`` False takes the noise away.
        Raises :class:`rxnopt.errors.CardError` in one sentence.
        """
        if given is True and (noise or not self.options.noise):
            return self
        options = replaced(self.options, given, self.card.outputs, self.card.parameters)
        if not noise:
            options = options.model_copy(update={"noise": {}})
        changed = replace(self, realism=options)
        _ = changed.measurement  # wrong formulas are told here
        return changed

    def outcome(self, X: Array, rng: np.random.Generator | None = None, constants: Array | None = None) -> Outcome:
        """Run conditions ``X`` (n, d), a batch in one call; the true outcomes, without chance.

        With ``rng`` they are one campaign in their order, as measured: with noise, drift and failures by chance.
        ``constants`` (n, k) or (1, k), from :meth:`draw`, take the place of those of the card. Raises
        :class:`rxnopt.errors.ConditionsError` for conditions out of bounds and for those that break a constraint of the
        card: nothing is clamped.
        """
        if rng is not None:
            self.space.check(X)
            return self.experiment(X, self.measurement.chance.of_rows(lambda _: rng, len(X)), constants)[1]
        self.space.check(X)
        return self.measurement.judged(X, self._true(X, constants))

    def attempt(self, X: Array, constants: Array | None = None) -> Outcome:
        """Return true outcomes of ``X`` (n, d), in bounds; what breaks a constraint cannot be run and fails."""
        return self.measurement.judged(X, self._true(X, constants, self.space.feasible(X)))

    def _true(self, X: Array, constants: Array | None, feasible: NDArray[np.bool_] | None = None) -> Outcome:
        """Return what the model says of the conditions that are ``feasible`` (n,), all if left out."""
        if feasible is None or feasible.all():
            return self.simulator(X) if constants is None else self._drawn_from.simulate(X, constants)
        values, failed = np.full((len(X), len(self.outputs)), np.nan), ~feasible
        reason = np.where(failed, INFEASIBLE_CODE, 0).astype(np.uint8)
        if feasible.any():
            own = constants if constants is None or len(constants) == 1 else constants[feasible]
            run = self._true(X[feasible], own)
            values[feasible], failed[feasible], reason[feasible] = run.values, run.failed, codes(run)
        return Outcome(values, failed, reason)

    def experiment(self, X: Array, draws: Draws, constants: Array | None = None) -> tuple[Outcome, Outcome]:
        """Run conditions ``X`` (n, d) with what chance has ``draws`` for them; return true and measured outcomes.

        True is what came out of the reactor, at the conditions that were achieved; what breaks a constraint of the
        card fails. Raises :class:`rxnopt.errors.ConditionsError` for conditions out of bounds.
        """
        self.space.check_bounds(X)
        achieved = self.measurement.achieved(X, draws)
        true = self.measurement.judged(achieved, self._true(achieved, constants, self.space.feasible(X)), draws)
        return true, self.measurement.measured(X, achieved, true, draws)

    def reasons(self, outcome: Outcome) -> NDArray[np.object_]:
        """Return why experiments failed (n,), None where they did not.

        Reasons are "infeasible", "model", "measurement", "dropout", "missing" and the rules of the card.
        """
        return self.measurement.reasons[codes(outcome)]

    def experiment_cost(self, X: Array) -> Array | None:
        """Return the cost (n,) of experiments at conditions ``X`` (n, d), None where the card gives none."""
        return self.measurement.cost(X)

    def simulate(self, conditions: Conditions | Sequence[Conditions] | pd.DataFrame, *, seed: int | None = None) -> Any:
        """Run experiments given in natural values.

        One dict of conditions gives a dict of outputs; a list of dicts or a DataFrame gives a DataFrame with a column
        per output and ``failed``. Without ``seed`` the result is free of chance; with it, the experiments are those of
        one campaign, in their order.
        """
        X = self.space.to_array(conditions)
        self.space.check(X)
        if seed is None:
            outcome = self.outcome(X)
        else:
            streams = partial(stream, at_least("seed", seed, 0))
            _, outcome = self.experiment(X, self.measurement.chance.of_rows(streams, len(X)))
        if isinstance(conditions, Mapping):
            return dict(zip(self.outputs, outcome.values[0].tolist(), strict=True)) | {
                "failed": bool(outcome.failed[0])
            }
        import pandas as pd

        return pd.DataFrame(outcome.values, columns=list(self.outputs)).assign(failed=outcome.failed)

    @property
    def _drawn_from(self) -> Population:
        from rxnopt.simulators.population import randomised

        return randomised(self, True) if self.population is None else self.population

    def draw(self, rng: np.random.Generator, n: int = 1) -> Array:
        """Return the constants (n, k) of n reactions drawn from the uncertainty of the card.

        A column for each of ``population.names``. Raises :class:`rxnopt.errors.CardError` where the card has none.
        """
        return self._drawn_from.draw(rng, n)

    def with_constants(self, row: Array, name: str | None = None) -> Reaction:
        """Return the reaction with the constants ``row`` (k,); its optimum is searched for (seconds)."""
        from rxnopt.simulators.population import fixed

        return fixed(self, self._drawn_from, row, name)

    def task(self, seed: int) -> Reaction:
        """Return the reaction with the constants drawn by ``seed``: those of an environment after reset(seed)."""
        row = self.draw(stream(at_least("seed", seed, 0), "constants", 0))[0]
        return self.with_constants(row, f"{self.name}-{seed}")

    def optimum(self) -> Optimum:
        """Return the best known optimum of the card; where it gives none, search for it (seconds).

        Of a control card it is that of the best known profile, whatever the number of intervals here; its conditions
        are that profile, averaged over the intervals where their number differs.
        """
        known = self.card.optimum
        if known is not None and isinstance(self.space, ProfileSpace):
            best = resampled(best_profile(self.card, self.place), self.space.intervals)
            return Optimum(known.value, self.space.to_dicts(best.reshape(1, -1))[0], known.note)
        if known is not None:
            return Optimum(known.value, dict(known.conditions), known.note)
        from rxnopt.simulators.search import find_optimum

        return find_optimum(self)

    def pareto_front(self) -> Front:
        """Return the best known Pareto front of the ``objectives``; where none is stored, search for it (a minute).

        Raises :class:`rxnopt.errors.CardError` for a card without ``objectives``.
        """
        return self._front

    @cached_property
    def _front(self) -> Front:
        from rxnopt.simulators.pareto import find_front, stored_front

        return stored_front(self) or find_front(self)

    def scalarised(self, method: str, weights: Weights = None) -> Reaction:
        """Return the reaction with its ``objectives`` put together: see :func:`rxnopt.simulators.scalar.scalarised`."""
        from rxnopt.simulators.scalar import scalarised

        return scalarised(self, method, weights)


def simulator_of(card: ReactionCard, source: Source) -> Simulator:
    """Return what runs the experiments of a card without ``control``; raise :class:`rxnopt.errors.CardError`."""
    if isinstance(card.model, LabModel):
        return partial(not_simulated, card.name)
    if isinstance(card.model, TableModel):
        from rxnopt.simulators.table import TableSimulator

        return TableSimulator(card, source)
    if isinstance(card.model, EmulatorModel):
        from rxnopt.simulators.emulator import EmulatorSimulator

        return EmulatorSimulator(card, source)
    return OdeSimulator(card, source)


_TASK = re.compile(r"(.+)-(\d{1,9})")


def load(
    name: str | Path,
    seed: int | None = None,
    *,
    realism: Given = True,
    intervals: int | None = None,
    generality: AnyGenerality = False,
) -> Reaction:
    """Return the reaction called ``name``, or the one described by the card at that path.

    With ``seed``, or with a name such as ``snar-7``, its uncertain constants are drawn: see :meth:`Reaction.task`.
    ``realism``: options in place of those of the card, or False for none (:meth:`Reaction.with_realism`).
    A control card gives a reaction whose conditions are profiles of ``intervals`` intervals, by default as many as the
    card says: of ``temperature`` come ``temperature_1``, ``temperature_2`` and so on. ``generality``, or a name such as
    ``amidation-general``: conditions that are good for all substrates (:mod:`rxnopt.simulators.general`).
    """
    from rxnopt.simulators.population import population_of

    general = owner_of_general(str(name))
    if general is not None:
        return load(general, seed, realism=realism, intervals=intervals, generality=generality or True)
    drawn = None if is_path(name) or str(name) in names("envs") else _TASK.fullmatch(str(name))
    if seed is None and drawn is not None and drawn[1] in names("envs"):
        name, seed = drawn[1], int(drawn[2])
    card, source = load_reaction(name)
    place = str(name) if is_path(name) else ""
    if card.control is None:
        if intervals is not None:
            raise ConditionsError(f"{card.name} is no control problem, so that it has no intervals; leave them out")
        reaction = Reaction(card, Space.of(card), simulator_of(card, source), place, population_of(card, source))
    else:
        n = card.control.intervals if intervals is None else intervals
        reaction = Reaction(*controlled(card, source, n), place)
    _ = reaction.measurement  # wrong formulas are told here
    reaction = reaction.with_realism(realism)
    reaction = reaction if seed is None else reaction.task(seed)
    if generality is False:
        return reaction
    from rxnopt.simulators.general import generalised

    return generalised(reaction, generality)
