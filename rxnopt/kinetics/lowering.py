"""From card to mathematics: names, units and balances become an :class:`OdeSystem` in SI.

Everything that can be wrong in a model is found here: unknown names, dimensions that disagree, rate constants whose
unit does not fit the order of their rate law.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy

from rxnopt.cards.inputs import as_quantity, input_names
from rxnopt.cards.parameters import Categorical, Continuous, Integer
from rxnopt.cards.reaction import ReactionCard
from rxnopt.cards.uncertainty import UncertainConstant
from rxnopt.catalogue import Source, Where
from rxnopt.errors import did_you_mean
from rxnopt.kinetics.atoms import atoms, imbalance
from rxnopt.kinetics.equations import Side, parse_equation
from rxnopt.kinetics.rates import RateLaws
from rxnopt.kinetics.scope import Scope
from rxnopt.kinetics.system import OdeSystem, PathExtreme
from rxnopt.kinetics.varied import Varied
from rxnopt.units import Dimension, describe, dimensionless, same_dimension, unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sympy import Expr, Symbol

TRACE = sympy.Float("1e-9")
"""Share of all that is charged and fed."""


def lower(card: ReactionCard, source: Source, varied: Sequence[UncertainConstant] = ()) -> OdeSystem:
    """Return the mathematics of a card (``varied`` constants are its last inputs); raise :class:`CardError`."""
    return Lowering(card, source, varied).system()


class Lowering:
    """One pass over a card, in the order in which names become known."""

    def __init__(self, card: ReactionCard, source: Source, varied: Sequence[UncertainConstant]) -> None:
        self.card, self.model, self.reactor = card, card.kinetics, card.kinetics.reactor
        self.scope = Scope(source)
        self.varied = Varied(varied, self.scope)
        self.second = unit("s").dimension
        self.steady = self.reactor.time is None or self.reactor.type == "cstr"
        self.inputs = self._define_inputs()
        self.known = set(self.inputs)
        self.species_dimension = unit(self.model.species_unit).dimension
        self.sides = self._read_equations()
        self.time = sympy.Symbol("t", real=True)
        if not self.steady:
            self.scope.define("t", self.second, self.time, ("model",))
        self.species = self._define_species()
        self.states = self._define_states()

    def system(self) -> OdeSystem:
        """Write down balances, paths and outputs."""
        for name, text in self.model.variables.items():
            where: Where = ("model", "variables", name)
            value, dimension = self.scope.evaluate(text, where)
            self.scope.define(name, dimension, value, where)
        rates = self._rates(self._temperature())
        duration = self._duration()
        tanks = self._tanks()
        # no card can have a name that begins with '_', so that these never meet a parameter called A_in
        inlets = tuple(sympy.Symbol(f"_{name}_in", real=True) for name in (*self.species, *self.states))
        derivatives = self._species_balances(rates, inlets, duration, tanks) + self._state_balances()
        paths, until = self._paths(), self._until(duration)
        symbols = (*self.species.values(), *self.states.values())
        return OdeSystem(
            inputs=self.inputs,
            states=symbols,
            time=self.time,
            derivatives=tuple(derivatives),
            initial=tuple(self._initial()),
            duration=None if self.steady else duration,
            outputs=tuple(self._outputs(duration)),
            tanks=tanks if self.steady else None,
            inlets=inlets if self.steady else (),
            paths=paths,
            until=until,
            nonnegative=tuple([True] * len(self.species) + self._nonnegative()),
        )

    # names

    def _define_inputs(self) -> tuple[Symbol, ...]:
        self._define_constant("R_gas", self.card.gas_constant, ("gas_constant",))
        for field in ("constants", "parameters"):
            if "t" in getattr(self.card, field):
                self.scope.fail((field, "t"), "the name 't' is the time since the start; choose another")
        for name, text in self.card.constants.items():
            self._define_constant(name, text, ("constants", name))
        found: list[Symbol] = []
        for name, key in input_names(self.card):
            parameter, where = self.card.parameters[name], ("parameters", name)
            if isinstance(parameter, Categorical) and key is not None:
                dimension = self._property_dimension(parameter, name, key)
                found.append(self.scope.symbol(f"{name}_{key}", dimension, where))
            elif isinstance(parameter, Continuous | Integer):
                found.append(self.scope.symbol(name, unit(parameter.unit).dimension, where))
            else:
                found.append(self.scope.symbol(name, dimensionless(), where))
        return (*found, *self.varied.symbols)

    def _define_constant(self, name: str, text: str, where: Where) -> None:
        value, dimension = self.scope.evaluate(text, where)
        self.scope.define(name, dimension, self.varied.value(name, value, dimension), where)

    def _property_dimension(self, parameter: Categorical, name: str, key: str) -> Dimension:
        found = [(level, as_quantity(properties[key])) for level, properties in parameter.levels.items()]
        first = next(q for _, q in found if q is not None)
        for level, q in found:
            if q is not None and not same_dimension(q.dimension, first.dimension):
                self.scope.fail(
                    ("parameters", name, "levels", level, key),
                    f"{q.text!r} is in {describe(q.dimension)}; other levels have {describe(first.dimension)}",
                )
        return first.dimension

    def _read_equations(self) -> list[tuple[Side, Side]]:
        if self.reactor.type == "custom" and self.model.reactions:
            self.scope.fail(
                ("model", "reactions"), "a custom reactor has no 'reactions'; write balances under 'states'"
            )
        found, formulas = [], self._read_formulas()
        for i, step in enumerate(self.model.reactions):
            try:
                left, right = parse_equation(step.equation)
                if wrong := imbalance(left, right, formulas):
                    raise ValueError(f"{step.equation!r} does not balance: {wrong}; mend it or a formula")
                found.append((left, right))
            except ValueError as error:
                self.scope.fail(("model", "reactions", i, "equation"), str(error))
        return found

    def _read_formulas(self) -> dict[str, dict[str, int]]:
        found = {}
        for name, text in self.model.formulas.items():
            try:
                found[name] = atoms(text)
            except ValueError as error:
                self.scope.fail(("model", "formulas", name), str(error))
        return found

    def _define_species(self) -> dict[str, Symbol]:
        names = dict.fromkeys(name for left, right in self.sides for name in (*left, *right))
        for field in ("initial", "feed", "formulas"):
            for name in getattr(self.model, field):
                if name not in names:
                    hint = did_you_mean(name, names) or f"; species are {', '.join(names)}"
                    self.scope.fail(("model", field, name), f"{name!r} is in no equation{hint}")
        found: dict[str, Symbol] = {}
        for i, (left, right) in enumerate(self.sides):
            for name in (*left, *right):
                if name not in found:
                    where: Where = ("model", "reactions", i, "equation")
                    found[name] = self.scope.symbol(name, self.species_dimension, where)
        return found

    def _define_states(self) -> dict[str, Symbol]:
        found: dict[str, Symbol] = {}
        if self.reactor.type == "semibatch":
            found["V"] = self.scope.symbol("V", unit("L").dimension, ("model", "reactor", "volume"))
        for name, state in self.model.states.items():
            found[name] = self.scope.symbol(name, unit(state.unit).dimension, ("model", "states", name))
        return found

    # balances

    def _temperature(self) -> Expr | None:
        text = self.reactor.temperature
        where = ("model", "reactor", "temperature")
        return None if text is None else self.scope.expect(text, unit("K").dimension, where)

    def _rates(self, temperature: Expr | None) -> list[Expr]:
        found = []
        laws = RateLaws(self.scope, self.varied, self.species, self.species_dimension, self._trace, temperature)
        for i, (step, sides) in enumerate(zip(self.model.reactions, self.sides, strict=True)):
            where: Where = ("model", "reactions", i)
            name = step.name or f"r{i + 1}"
            rate = laws.rate(step, name, sides, where)
            self.scope.define(name, self.species_dimension / self.second, rate, where)
            found.append(rate)
        return found

    def _duration(self) -> Expr | None:
        text = self.reactor.time
        where = ("model", "reactor", "time")
        return None if text is None else self.scope.expect_input(text, self.second, where, self.known)

    def _tanks(self) -> Expr | None:
        text = self.reactor.tanks
        where = ("model", "reactor", "tanks")
        if text is None:
            return None
        value = self.scope.expect_input(text, dimensionless(), where, self.known)
        counts = {name for name, card in self.card.parameters.items() if card.kind in ("integer", "binary")}
        whole = {symbol: sympy.Symbol(str(symbol), integer=True) for symbol in self.inputs if str(symbol) in counts}
        numbers = {x: sympy.Integer(int(x)) for x in value.atoms(sympy.Float) if float(x).is_integer()}
        if value.xreplace(whole | numbers).is_integer is not True:
            self.scope.fail(where, f"{text!r} may be a fraction; use whole numbers and parameters of kind integer")
        return value

    def _species_balances(
        self, rates: list[Expr], inlets: tuple[Symbol, ...], duration: Expr | None, tanks: Expr | None
    ) -> list[Expr]:
        found = []
        for (name, symbol), inlet in zip(self.species.items(), inlets, strict=False):
            change = sum(
                ((right.get(name, 0) - left.get(name, 0)) * rate
                 for (left, right), rate in zip(self.sides, rates, strict=True)),
                start=sympy.Integer(0),
            )  # fmt: skip
            if self.reactor.type == "cstr":
                change += (inlet - symbol) / duration * (1 if tanks is None else tanks)
            elif self.reactor.type == "semibatch":
                change += (self._stream("feed", name) - symbol) * self._feed_flow() / self.states["V"]
            found.append(change)
        return found

    def _feed_flow(self) -> Expr:
        return self.scope.expect(
            self.reactor.feed_flow or "0", unit("L/s").dimension, ("model", "reactor", "feed_flow")
        )

    def _state_balances(self) -> list[Expr]:
        found = [self._feed_flow()] if "V" in self.states and self.reactor.type == "semibatch" else []
        for name, state in self.model.states.items():
            where = ("model", "states", name, "derivative")
            found.append(self.scope.expect(state.derivative, unit(state.unit).dimension / self.second, where))
        return found

    def _nonnegative(self) -> list[bool]:
        own = [state.nonnegative for state in self.model.states.values()]
        return [True, *own] if self.reactor.type == "semibatch" else own

    def _stream(self, field: str, name: str) -> Expr:
        text = getattr(self.model, field).get(name, "0")
        return self.scope.expect_input(text, self.species_dimension, ("model", field, name), self.known)

    def _trace(self) -> Expr:
        """Amount of a species below which a step that would not stop by itself runs dry."""
        return TRACE * sympy.Add(*(self._stream(field, name) for field in ("initial", "feed") for name in self.species))

    def _initial(self) -> list[Expr]:
        field = "initial" if self.reactor.type in ("batch", "semibatch") else "feed"
        found = [self._stream(field, name) for name in self.species]
        if self.reactor.type == "semibatch":
            where: Where = ("model", "reactor", "volume")
            found.append(self.scope.expect_input(self.reactor.volume or "0", unit("L").dimension, where, self.known))
        for name, state in self.model.states.items():
            where = ("model", "states", name, "initial")
            found.append(self.scope.expect_input(state.initial, unit(state.unit).dimension, where, self.known))
        return found

    # what is asked of the solution

    def _paths(self) -> tuple[PathExtreme, ...]:
        found: list[tuple[str, Dimension, PathExtreme]] = []
        for name, path in self.model.path.items():
            where: Where = ("model", "path", name)
            if self.steady:
                self.scope.fail(where, "a steady state has no path; remove it")
            value, dimension = self.scope.evaluate(path.max or path.min or "0", where)
            symbol = sympy.Symbol(name, real=True)
            found.append((name, dimension, PathExtreme(symbol, value, "max" if path.max else "min")))
        for name, dimension, extreme in found:
            self.scope.define(name, dimension, extreme.symbol, ("model", "path", name))
        return tuple(extreme for _, _, extreme in found)

    def _until(self, duration: Expr | None) -> Expr | None:
        """The margin of ``until``, with the name that says whether it ended the run."""
        if self.reactor.until is None:
            return None
        where: Where = ("model", "reactor", "until")
        margin = self.scope.excess(self.reactor.until, where)
        self.scope.define("stopped", dimensionless(), sympy.Piecewise((1, self.time < duration), (0, True)), where)
        return margin

    def _outputs(self, duration: Expr | None) -> list[Expr]:
        found = []
        for name, output in self.card.outputs.items():
            where: Where = ("outputs", name)
            value = self.scope.expect(output.formula, unit(output.unit).dimension, (*where, "formula"))
            self.scope.define(name, unit(output.unit).dimension, value, where)
            found.append(value if self.steady or self.reactor.until else value.subs(self.time, duration))
        return found
