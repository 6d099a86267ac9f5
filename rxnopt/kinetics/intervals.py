"""From a control card to the mathematics of one interval, during which every control is constant.

A run is a chain of intervals. The kernel of a control card takes the controls of one interval and what the interval
before left behind, and returns what it leaves behind itself and the outputs at its end, all in SI:

=============  ====================================================================================================
inputs         controls; varied constants; share of the run that the interval is, 0 to begin a run; carried, zeros to
               begin a run
outputs        carried; outputs of the card
carried        time; states; extremes of the paths so far
=============  ====================================================================================================

An interval lasts its share of ``reactor.time``, which may be a control itself: then the length of the run is free.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy

from rxnopt.cards.inputs import input_names
from rxnopt.cards.reaction import ReactionCard
from rxnopt.cards.uncertainty import UncertainConstant
from rxnopt.catalogue import Source, Where
from rxnopt.kinetics.lowering import Lowering
from rxnopt.kinetics.system import OdeSystem, PathExtreme

if TYPE_CHECKING:
    from sympy import Expr, Symbol


def lower_interval(card: ReactionCard, source: Source, varied: Sequence[UncertainConstant] = ()) -> OdeSystem:
    """Return the mathematics of one interval; raise :class:`rxnopt.errors.CardError`."""
    return _Interval(card, source, varied).system()


class _Interval(Lowering):
    """The run of a card, cut: time, states and extremes go on from what is carried."""

    def __init__(self, card: ReactionCard, source: Source, varied: Sequence[UncertainConstant]) -> None:
        super().__init__(card, source, varied)
        if self.steady:
            self.scope.fail(("control",), "a steady state has no intervals; give the reactor a 'time'")
        if self.reactor.until is not None:
            self.scope.fail(("model", "reactor", "until"), "intervals end by their time alone; remove 'until'")
        self.share, self.begun, self.end = _symbol("_share"), _symbol("_time"), _symbol("_end")

    def system(self) -> OdeSystem:
        """Write down the run of the card and cut it."""
        run = super().system()
        self._check(run)
        states = tuple(_symbol(f"_{symbol}") for symbol in run.states)
        extremes = tuple(_symbol(f"_{path.symbol}") for path in run.paths)
        later = {self.time: self.begun + self.time}
        seen = {
            path.symbol: self._carried(path.symbol, (sympy.Max if path.kind == "max" else sympy.Min)(path.symbol, old))
            for path, old in zip(run.paths, extremes, strict=True)
        }
        length = self.share * run.duration
        seen[self.end] = self.begun + length
        return OdeSystem(
            inputs=(*run.inputs, self.share, self.begun, *states, *extremes),
            states=run.states,
            time=run.time,
            derivatives=tuple(f.xreplace(later) for f in run.derivatives),
            initial=tuple(self._carried(new, old) for new, old in zip(run.initial, states, strict=True)),
            duration=length,
            outputs=(
                self.begun + length,
                *run.states,
                *(seen[path.symbol] for path in run.paths),
                *(value.xreplace(seen) for value in run.outputs),
            ),
            paths=tuple(PathExtreme(path.symbol, path.value.xreplace(later), path.kind) for path in run.paths),
            nonnegative=run.nonnegative,
        )

    def _outputs(self, duration: Expr | None) -> list[Expr]:  # noqa: ARG002 - an interval has an end of its own
        return super()._outputs(self.end)

    def _carried(self, new: Expr, old: Expr) -> Expr:
        """Return what is carried or, at the beginning of a run, what is new."""
        return sympy.Piecewise((new, self.share <= 0), (old, True))

    def _check(self, run: OdeSystem) -> None:
        """Refuse what would need a control before the first interval has one."""
        for symbol, value in zip(run.states, run.initial, strict=True):
            name = str(symbol)
            field: Where = ("states", name, "initial") if name in self.model.states else ("initial", name)
            self._free_of_controls(value, ("model", *field), f"the start of {name!r}")
        for path in run.paths:
            self._free_of_controls(path.value, ("model", "path", str(path.symbol)), f"the path {str(path.symbol)!r}")
        for name, value in zip(self.card.outputs, run.outputs, strict=True):
            self._free_of_controls(value, ("outputs", name), f"the output {name!r}")

    def _free_of_controls(self, value: Expr, where: Where, what: str) -> None:
        controls = set(self.inputs[: len(input_names(self.card))])
        used = sorted(str(symbol) for symbol in value.free_symbols & controls)
        if used:
            self.scope.fail(
                where, f"{what} depends on the control {used[0]!r}, which has no value at the start; make it a state"
            )


def _symbol(name: str) -> Symbol:
    """Return a symbol that no name of a card can meet, since none begins with '_'."""
    return sympy.Symbol(name, real=True)
