"""A system rewritten for the machine: generated names, constants hoisted, dependent states dropped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.core.relational import Relational

from rxnopt.errors import RxnoptError
from rxnopt.kinetics.codegen.network import dependent_states
from rxnopt.kinetics.codegen.symbols import Hoist, generated
from rxnopt.kinetics.system import OdeSystem

TIME = sp.Symbol("t", real=True)
SEGMENT = sp.Symbol("segment", real=True)
"""A time inside the present segment; replaces the time in conditions that only depend on it."""


class KernelError(RxnoptError):
    """A system of equations is incomplete or cannot be compiled."""


@dataclass(frozen=True)
class Gauge:
    """Something followed on the way: value, rate of change over the slopes ``f``, and +1 (a maximum is wanted), -1 (a
    minimum) or 0 (the margin, whose fall through zero ends the run)."""

    value: sp.Expr
    rate: sp.Expr
    sign: int


@dataclass(frozen=True)
class Model:
    """What the source is written from; expressions are over generated symbols only."""

    inputs: tuple[sp.Symbol, ...]
    states: tuple[sp.Symbol, ...]
    inlets: tuple[sp.Symbol, ...]
    bests: tuple[sp.Symbol, ...]
    kept: tuple[int, ...]
    dropped: dict[int, sp.Expr]
    constants: tuple[sp.Expr, ...]
    slopes: tuple[sp.Expr, ...]
    jacobian: tuple[tuple[sp.Expr, ...], ...]
    time_slopes: tuple[sp.Expr, ...]
    gauges: tuple[Gauge, ...]
    initial: tuple[sp.Expr, ...]
    extent: sp.Expr
    """Duration of a transient system, number of tanks of a steady one."""
    breaks: tuple[sp.Expr, ...]
    outputs: tuple[sp.Expr, ...]
    nonnegative: tuple[bool, ...]
    steady: bool

    @property
    def constant_symbols(self) -> tuple[sp.Symbol, ...]:
        """Symbols of ``constants``."""
        return generated("p", len(self.constants))


def build_model(system: OdeSystem) -> Model:
    """Rewrite a system; raises KernelError where it is incomplete or inconsistent."""
    _check(system)
    names = _Names(system)
    derivatives = [names.rename(f) for f in system.derivatives]
    followed = [(path.value, 1 if path.kind == "max" else -1) for path in system.paths]
    followed += [] if system.until is None else [(system.until, 0)]
    values = [names.rename(value) for value, _ in followed]
    breaks: list[sp.Expr] = []
    if not names.steady:
        derivatives, values = _segmented(derivatives, breaks), _segmented(values, breaks)
    hoist = Hoist({TIME, *names.states, *names.bests})
    derivatives = [hoist.hoist(f) for f in derivatives]
    initial = [names.rename(value) for value in system.initial]
    dropped = {} if names.steady else _dropped(derivatives, names.states, initial, hoist)
    kept = tuple(i for i in range(len(names.states)) if i not in dropped)
    slopes = [hoist.collected(derivatives[i]) for i in kept]
    chain = _Chain(names.states, kept, dropped)
    gauges = [_gauge(hoist.hoist(v), sign, chain) for v, (_, sign) in zip(values, followed, strict=True)]
    jacobian = [[chain.partial(f, i) for i in kept] for f in slopes]
    time_slopes = [_derivative(f, TIME) for f in slopes]
    pack = _Pack(hoist)
    extent = system.tanks if names.steady else system.duration
    return Model(
        inputs=names.inputs,
        states=names.states,
        inlets=names.inlets,
        bests=names.bests,
        kept=kept,
        dropped={d: pack(value) for d, value in dropped.items()},
        slopes=tuple(map(pack, slopes)),
        jacobian=tuple(tuple(map(pack, row)) for row in jacobian),
        time_slopes=tuple(map(pack, time_slopes)),
        gauges=tuple(Gauge(pack(g.value), pack(g.rate), g.sign) for g in gauges),
        constants=pack.constants,
        initial=tuple(initial),
        extent=names.rename(sp.S.One if extent is None else extent),
        breaks=tuple(dict.fromkeys(breaks)),
        outputs=tuple(names.rename(value) for value in system.outputs),
        nonnegative=system.nonnegative or (False,) * len(names.states),
        steady=names.steady,
    )


def _dropped(
    derivatives: Sequence[sp.Expr], states: Sequence[sp.Symbol], initial: Sequence[sp.Expr], hoist: Hoist
) -> dict[int, sp.Expr]:
    """States that need not be integrated, by index, and what they are: a constant and the other states."""
    found = {}
    for d, law in dependent_states(derivatives, states).items():
        factors = {j: sp.Rational(a.numerator, a.denominator) for j, a in law.items()}
        total = hoist.constant(sp.Add(initial[d], *(a * initial[j] for j, a in factors.items())))
        found[d] = total - sp.Add(*(a * states[j] for j, a in factors.items()))
    return found


def _check(system: OdeSystem) -> None:
    n = len(system.states)
    lengths = {"derivatives": len(system.derivatives), "initial": len(system.initial)}
    if system.nonnegative:
        lengths["nonnegative"] = len(system.nonnegative)
    if system.inlets:
        lengths["inlets"] = len(system.inlets)
    for name, length in lengths.items():
        if length != n:
            raise KernelError(f"{name} has {length} entries, one for each of the {n} states is needed")
    if n == 0 or not system.outputs:
        raise KernelError("a system needs at least one state and one output")
    if system.duration is None and (system.paths or system.until is not None):
        raise KernelError("a steady system has no path from start to end, so it can have no path extremes and no event")
    if system.duration is not None and (system.tanks is not None or system.inlets):
        raise KernelError("tanks and inlets belong to a steady system, but a duration is given")


class _Names:
    """Generated names for the symbols of a system."""

    def __init__(self, system: OdeSystem) -> None:
        self.steady = system.duration is None
        self.inputs = generated("u", len(system.inputs))
        self.states = generated("y", len(system.states))
        self.inlets = generated("z", len(system.inlets))
        self.bests = generated("m", len(system.paths))
        paths = [path.symbol for path in system.paths]
        self._map = {system.time: TIME}
        for theirs, ours in (
            (system.inputs, self.inputs),
            (system.states, self.states),
            (system.inlets, self.inlets),
            (paths, self.bests),
        ):
            self._map.update(zip(theirs, ours, strict=True))
        if len(self._map) != 1 + len(self.inputs) + len(self.states) + len(self.inlets) + len(self.bests):
            raise KernelError("the symbols of inputs, states, time, inlets and paths must all be different")

    def rename(self, expr: sp.Expr) -> sp.Expr:
        unknown = sorted(str(symbol) for symbol in expr.free_symbols - set(self._map))
        if unknown:
            raise KernelError(f"unknown symbols in an expression: {', '.join(unknown)}")
        return sp.sympify(expr).xreplace(self._map)


def _segmented(exprs: Iterable[sp.Expr], breaks: list[sp.Expr]) -> list[sp.Expr]:
    """Conditions that are linear in time alone become conditions on the segment; their switch times are breaks."""
    found: dict[sp.Basic, sp.Basic] = {}
    exprs = list(exprs)
    for relation in sorted(set().union(*(expr.atoms(Relational) for expr in exprs)), key=sp.default_sort_key):
        difference = sp.expand(relation.lhs - relation.rhs)
        rate = difference.coeff(TIME, 1)
        constant = difference - rate * TIME
        rest = sp.expand(constant).free_symbols | rate.free_symbols
        if rate == 0 or any(symbol.name[0] in "ytm" for symbol in rest):
            continue
        breaks.append(-constant / rate)
        found[relation] = relation.xreplace({TIME: SEGMENT})
    return [expr.xreplace(found) for expr in exprs]


class _Chain:
    """Derivatives that see through the dropped states."""

    def __init__(self, states: Sequence[sp.Symbol], kept: Sequence[int], dropped: dict[int, sp.Expr]) -> None:
        self.states = states
        self.kept = kept
        self.dropped = dropped

    def partial(self, expr: sp.Expr, index: int) -> sp.Expr:
        """d expr / d y_index, the dropped states following."""
        total = _derivative(expr, self.states[index])
        for d, value in self.dropped.items():
            factor = value.coeff(self.states[index])
            if factor != 0:
                total += factor * _derivative(expr, self.states[d])
        return total

    def rate(self, expr: sp.Expr) -> sp.Expr:
        """d expr / d t along the solution, over the slopes f0, f1, ... of the kept states."""
        slopes = generated("f", len(self.kept))
        moved = (f * self.partial(expr, i) for f, i in zip(slopes, self.kept, strict=True))
        return sp.Add(_derivative(expr, TIME), *moved)


def _gauge(value: sp.Expr, sign: int, chain: _Chain) -> Gauge:
    return Gauge(value, chain.rate(value), sign)


def _derivative(expr: sp.Expr, symbol: sp.Symbol) -> sp.Expr:
    """Derivative where Max, Min and Abs are taken as branches; at a kink one side is chosen."""
    if symbol not in expr.free_symbols:
        return sp.S.Zero
    return sp.diff(expr.replace(_is_kinked, _branches), symbol)


def _is_kinked(node: sp.Basic) -> bool:
    return isinstance(node, (sp.Max, sp.Min, sp.Abs))


def _branches(node: sp.Expr) -> sp.Expr:
    if isinstance(node, sp.Abs):
        (x,) = node.args
        return sp.Piecewise((x, x >= 0), (-x, True))
    chosen = node.args[0]
    for other in node.args[1:]:
        better = other > chosen if isinstance(node, sp.Max) else other < chosen
        chosen = sp.Piecewise((other, better), (chosen, True))
    return chosen


class _Pack:
    """Keeps the constants that are used and numbers them anew."""

    def __init__(self, hoist: Hoist) -> None:
        self._values = dict(zip(hoist.symbols, hoist.values, strict=True))
        self._symbols: dict[sp.Symbol, sp.Symbol] = {}
        self._constants: list[sp.Expr] = []

    def __call__(self, expr: sp.Expr) -> sp.Expr:
        used = sorted(expr.free_symbols & self._values.keys(), key=lambda symbol: int(symbol.name[1:]))
        for symbol in used:
            if symbol not in self._symbols:
                self._symbols[symbol] = sp.Symbol(f"p{len(self._symbols)}", real=True)
                self._constants.append(self._resolved(self._values[symbol]))
        return expr.xreplace(self._symbols)

    def _resolved(self, value: sp.Expr) -> sp.Expr:
        """A constant's value over inputs only; constants in it are replaced by their values."""
        while used := value.free_symbols & self._values.keys():
            value = value.xreplace({symbol: self._values[symbol] for symbol in used})
        return value

    @property
    def constants(self) -> tuple[sp.Expr, ...]:
        return tuple(self._constants)
