"""A reaction model as mathematics: what a card becomes before it becomes machine code.

All quantities are in SI base units (s, K, mol/m^3, J, kg ...). Expressions are sympy expressions over the
symbols named here and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sympy import Expr, Symbol


@dataclass(frozen=True)
class PathExtreme:
    """The largest or smallest value that ``value`` takes on the way from start to end of an integration."""

    symbol: Symbol
    value: Expr
    kind: Literal["max", "min"]


@dataclass(frozen=True)
class OdeSystem:
    """Ordinary differential equations with what is asked of their solution.

    ``duration`` given: integrate ``derivatives`` from ``initial`` at ``time`` 0 to ``duration``, or to where ``until``
    falls below zero, if that is earlier.
    ``duration`` None: solve ``derivatives == 0``. ``tanks`` stirred tanks stand in series; in each tank the
    symbols ``inlets`` (one per state) hold the outlet of the tank before, in the first tank ``initial``.
    """

    inputs: tuple[Symbol, ...]
    """Columns of the input array of the compiled kernel."""
    states: tuple[Symbol, ...]
    time: Symbol
    derivatives: tuple[Expr, ...]
    """d state / d time, over inputs, states, time (and inlets when steady)."""
    initial: tuple[Expr, ...]
    """State at time 0, or inlet of the first tank, over inputs."""
    duration: Expr | None
    outputs: tuple[Expr, ...]
    """What an experiment returns, over inputs, final states, path symbols and ``time``, which is that of the end."""
    tanks: Expr | None = None
    inlets: tuple[Symbol, ...] = ()
    paths: tuple[PathExtreme, ...] = ()
    until: Expr | None = None
    """The run ends when this falls below zero, over inputs, states and time; below zero from the start is no fall."""
    nonnegative: tuple[bool, ...] = ()
    """One flag per state: physics forbids values below zero (concentrations, amounts)."""
