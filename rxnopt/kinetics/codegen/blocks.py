"""Functions of the generated source, written from assignments ``target = expression``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sympy as sp

from rxnopt.kinetics.codegen.model import Model
from rxnopt.kinetics.codegen.printer import Printer

INDENT = "    "


class Writer:
    """Writes functions over the generated symbols of one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        groups = (model.inputs, model.states, model.inlets, model.bests, model.constant_symbols)
        self._names = [symbol.name for group in groups for symbol in group] + ["t", "segment"]
        self._names += [f"f{i}" for i in range(len(model.kept))]

    def function(
        self,
        name: str,
        arguments: str,
        loads: Sequence[str],
        assignments: Sequence[tuple[str, sp.Expr]],
        *,
        result: str = "",
        inline: bool = False,
    ) -> str:
        """Source of a function: ``loads``, then the assignments with common parts shared, then ``return result``."""
        body = [*loads, *self._assign(assignments)]
        if result:
            body.append(f"return {result}")
        head = [f"@{'inlined' if inline else 'compiled'}", f"def {name}({arguments}):"]
        return "\n".join([*head, *(INDENT + line for line in body or ["pass"])])

    def _assign(self, assignments: Sequence[tuple[str, sp.Expr]]) -> list[str]:
        printer = Printer(self._names)
        shared, reduced = sp.cse([expr for _, expr in assignments], symbols=sp.numbered_symbols("x", real=True))
        lines = []
        for symbol, expr in shared:
            lines.append(f"{symbol.name} = {printer.text(expr)}")
            printer.allow(symbol.name)
        return lines + [
            f"{target} = {printer.text(expr)}" for (target, _), expr in zip(assignments, reduced, strict=True)
        ]

    def through(self, exprs: Iterable[sp.Expr]) -> list[sp.Expr]:
        """Expressions with the dropped states replaced by what they follow from, if they are used."""
        follows = {self.model.states[d]: value for d, value in self.model.dropped.items()}
        return [expr.xreplace(follows) for expr in exprs]

    def loads(self, exprs: Iterable[sp.Expr], sources: Sequence[tuple[Sequence[sp.Symbol], str]]) -> list[str]:
        """Lines ``y3 = w[17 + 1]`` for the symbols that the expressions use; a source is symbols and their place."""
        used = set().union(*(expr.free_symbols for expr in exprs))
        return [
            f"{symbol.name} = {place.format(index)}"
            for symbols, place in sources
            for index, symbol in enumerate(symbols)
            if symbol in used
        ]
