"""What is written, and what is refused."""

from __future__ import annotations

import ast
import dataclasses

import kinetics_toys
import numpy as np
import pytest
import sympy as sp

from rxnopt.errors import RxnoptError
from rxnopt.kinetics import OdeSystem, PathExtreme
from rxnopt.kinetics.codegen.model import build_model
from rxnopt.kinetics.codegen.printer import Printer, UnknownNodeError, is_plain
from rxnopt.kinetics.codegen.source import kernel_source

X, Y = sp.symbols("x y", real=True)
SCOPE = {"abs": abs, "larger": max, "smaller": min, "nan": float("nan")}


@pytest.mark.parametrize(
    "expr",
    [
        X + 2 * Y - sp.Rational(1, 3),
        X / Y**2,
        X ** sp.Rational(5, 2) * Y ** sp.Rational(-1, 2),
        X**Y + X**12 + X**-3,
        sp.exp(-X / Y) * sp.log(X) + sp.sin(X) * sp.cos(Y) - sp.tanh(X),
        sp.Max(X, Y, 1) - sp.Min(X, Y) + sp.Abs(X - 2 * Y),
        sp.Piecewise((X, X < Y), (Y, sp.And(X > 1, Y <= 1)), (X * Y, True)),
        sp.Piecewise((sp.pi, sp.Or(sp.Eq(X, Y), X >= 1)), (sp.E, sp.Ne(X, 2))),
        sp.Piecewise((X, sp.Piecewise((X, X < 1), (Y, True)) < 2), (Y, True)),
    ],
)
@pytest.mark.parametrize("point", [(0.5, 0.7), (1.7, 0.4), (1.2, 3.1)])
def test_text_means_the_expression(expr, point):
    import math

    scope = SCOPE | vars(math) | dict(zip("xy", point, strict=True))
    text = Printer(["x", "y"]).text(expr)
    # parsed by us from our own text; twelve digits, as the order of the operations may differ
    found = eval(compile(ast.parse(text, mode="eval"), "test", "eval"), {"__builtins__": {}}, scope)  # noqa: S307
    assert found == pytest.approx(float(expr.subs(dict(zip((X, Y), point, strict=True)))), rel=1e-12)


@pytest.mark.parametrize(
    "expr",
    [
        sp.Symbol("__import__"),
        sp.Function("system")(X),
        sp.gamma(X),
        sp.Derivative(sp.Function("f")(X), X),
        sp.Integral(X, X),
        sp.I * X,
        sp.oo,
        sp.nan,
        sp.zoo,
        sp.Piecewise((X, sp.Contains(X, sp.Interval(0, 1))), (0, True)),
    ],
)
def test_unknown_nodes_are_refused(expr):
    with pytest.raises(UnknownNodeError):
        Printer(["x", "y"]).text(expr)


def test_names_of_a_card_never_reach_the_source():
    system = kinetics_toys.exponential_decay()
    names = [sp.Symbol("os.system('true')"), sp.Symbol("w"), sp.Symbol("range"), sp.Symbol("run")]
    swap = dict(zip((*system.inputs, *system.states), names, strict=True))
    renamed = OdeSystem(
        tuple(swap[s] for s in system.inputs),
        tuple(swap[s] for s in system.states),
        system.time,
        tuple(e.xreplace(swap) for e in system.derivatives),
        tuple(e.xreplace(swap) for e in system.initial),
        system.duration.xreplace(swap),
        tuple(e.xreplace(swap) for e in system.outputs),
        nonnegative=system.nonnegative,
    )
    assert kernel_source(renamed) == kernel_source(system)


def test_source_is_the_same_each_time():
    assert kernel_source(kinetics_toys.semibatch()) == kernel_source(kinetics_toys.semibatch())


@pytest.mark.parametrize(
    ("name", "kept"),
    [("snar", 3), ("linear_chain", 2), ("robertson", 2), ("orbit", 2), ("semibatch", 5), ("lactose", 3)],
)
def test_conservation_laws_save_states(name, kept):
    assert len(build_model(getattr(kinetics_toys, name)()).kept) == kept


def test_conservation_law_of_an_inert_state():
    t, k, a, b = sp.symbols("t k a b")
    model = build_model(OdeSystem((k,), (a, b), t, (-k * a, sp.S.Zero), (k, k), sp.S.One, (a, b)))
    assert model.kept == (0,)


def test_what_depends_on_inputs_only_is_computed_once():
    model = build_model(kinetics_toys.snar())
    assert all(map(is_plain, model.slopes))  # no exponential is left in the loop
    assert sum(not is_plain(constant) for constant in model.constants) >= 4


def test_lanes_are_used_for_plain_arithmetic():
    assert "for lane in range(8)" in kernel_source(kinetics_toys.snar())
    assert "for lane in range(1)" in kernel_source(kinetics_toys.semibatch())


@pytest.mark.parametrize(
    "change",
    [
        {"initial": (sp.S.One, sp.S.One)},
        {"outputs": ()},
        {"outputs": (sp.Symbol("stranger"),)},
        {"nonnegative": (True, False)},
        {"tanks": sp.S.One},
        {"duration": None, "paths": (PathExtreme(sp.Symbol("m"), sp.S.One, "max"),)},
        {"paths": (PathExtreme(sp.Symbol("k"), sp.S.One, "max"),)},
    ],
)
def test_inconsistent_systems_are_refused(change):
    system = dataclasses.replace(kinetics_toys.exponential_decay(), **change)
    with pytest.raises(RxnoptError):
        kernel_source(system)


def test_rough_power_is_as_good_as_it_says():
    import numba

    from rxnopt.kinetics.runtime.jit import rough_power

    power = numba.njit(lambda x, exponent: rough_power(x, exponent))
    for exponent in (-0.2, -0.1, 0.1, 0.2):
        found = [power(10.0**e, exponent) / 10.0 ** (e * exponent) for e in np.arange(-30, 30, 0.1)]
        assert 1 - 1e-9 <= min(found) <= max(found) <= 1.08  # as its docstring says, but for rounding


def test_stability_limit_is_that_of_the_method():
    from rxnopt.kinetics.codegen import tsit5

    def growth(z):
        slopes = []
        for weights in tsit5.STAGES:
            slopes.append(1 + z * sum(a * k for a, k in zip(weights, slopes, strict=False)))
        return abs(slopes[-1])  # the last stage is the new state

    assert growth(-0.99 * tsit5.STABILITY) < 1 < growth(-1.01 * tsit5.STABILITY)
