"""The section on what happens in a reaction: equations, rate laws, balances, constants."""

from __future__ import annotations

import re

from rxnopt.cards import ReactionCard
from rxnopt.cards.emulator import EmulatorModel
from rxnopt.cards.model import ReactionStep
from rxnopt.cards.parameters import Categorical
from rxnopt.cards.table import TableModel
from rxnopt.kinetics.equations import Side, parse_equation
from rxnopt.pages.emulated import learning
from rxnopt.pages.measured import grid
from rxnopt.pages.text import code, expression, lowered, number, raised, table, unit
from rxnopt.units import quantity

_REACTORS = {
    "batch": "batch",
    "pfr": "plug flow",
    "semibatch": "semi-batch",
    "cstr": "stirred tank at steady state",
    "custom": "balances as below",
}


def happening(card: ReactionCard) -> str:
    """Return the section: what is looked up or learnt; else reactor, network, states, constants and levels."""
    if isinstance(card.model, TableModel):
        return grid(card.model, "\n\n".join(part for part in [_constants(card), *_levels(card)] if part))
    if isinstance(card.model, EmulatorModel):
        return "\n\n".join(part for part in [learning(card.model), _constants(card), *_levels(card)] if part)
    parts = [_vessel(card), _species(card), _network(card), _laws(card), _variables(card), _states(card), _paths(card)]
    return "\n\n".join(part for part in [*parts, _constants(card), *_levels(card)] if part)


def _vessel(card: ReactionCard) -> str:
    model, reactor = card.kinetics, card.kinetics.reactor
    kind = _REACTORS[reactor.type]
    if reactor.type == "custom" and reactor.time is None:
        kind = f"steady state of the {kind}"
    rows = [["reactor", kind]]
    fields = {
        "residence time" if reactor.type in ("pfr", "cstr") else "run time": reactor.time,
        "ends as soon as": reactor.until,
        "temperature": reactor.temperature,
        "tanks in series": reactor.tanks,
        "volume at the start": reactor.volume,
        "feed flow": reactor.feed_flow,
    }
    rows += [[name, expression(text)] for name, text in fields.items() if text is not None]
    for name, stream in (("charge", model.initial), ("feed", model.feed)):
        if stream:
            rows.append([name, ", ".join(f"{species} {expression(text)}" for species, text in stream.items())])
    return table(["Vessel", ""], rows)


def _network(card: ReactionCard) -> str:
    rows = []
    for i, step in enumerate(card.kinetics.reactions, start=1):
        left, right = parse_equation(step.equation)
        equation = f"{_side(left)} → {_side(right) or '∅'}"
        k, energy = ("" if text is None else expression(text) for text in (step.k, step.Ea))
        at = "" if step.at is None else expression(step.at)
        rows.append([code(step.name or f"r{i}"), equation, _rate(i, step, left), k, energy, at])
    columns = ["Step", "Equation", "Rate", "k", "E<sub>a</sub>", "k at"]
    return table(columns, rows)


def _species(card: ReactionCard) -> str:
    rows = [[name, re.sub(r"\d+", lambda match: lowered(int(match[0])), text)] for name, text in
            card.kinetics.formulas.items()]  # fmt: skip
    return table(["Species", "Formula"], rows)


def _side(side: Side) -> str:
    return " + ".join(species if n == 1.0 else f"{number(n)} {species}" for species, n in side.items())


def _rate(i: int, step: ReactionStep, left: Side) -> str:
    if step.rate is not None:
        return code(step.rate)
    orders = left | (step.orders or {})
    return " ".join([f"k{lowered(i)}", *(f"[{name}]{raised(n)}" for name, n in orders.items() if n)])


def _laws(card: ReactionCard) -> str:
    """Return how rate constants change with temperature, as far as steps here do."""
    steps = [step for step in card.kinetics.reactions if step.Ea is not None]
    if not steps:
        return ""
    found = []
    if any(step.at is None for step in steps):
        found.append("k(T) = k exp(−E<sub>a</sub> / (R T))")
    if any(step.at is not None for step in steps):
        found.append("k(T) = k exp(−E<sub>a</sub> / R (1 / T − 1 / T<sub>at</sub>)) where a temperature stands at k")
    text = f"Rate constants: {', and '.join(found)}; R = {expression(card.gas_constant)}."
    kelvin = any(known is not None and known.unit.text == "K" for known in (quantity(s.Ea or "") for s in steps))
    return f"{text} Energies in K are E<sub>a</sub> / R." if kelvin else text


def _variables(card: ReactionCard) -> str:
    return table(["Variable", "Formula"], [[code(name), code(text)] for name, text in card.kinetics.variables.items()])


def _states(card: ReactionCard) -> str:
    rows = []
    for name, state in card.kinetics.states.items():
        rows.append([code(name), unit(state.unit), expression(state.initial), code(state.derivative)])
    return table(["State", "Unit", "At the start", "Change with time"], rows)


def _paths(card: ReactionCard) -> str:
    rows = []
    for name, path in card.kinetics.path.items():
        largest = path.max is not None
        rows.append([code(name), f"{'largest' if largest else 'smallest'} {code(path.max or path.min or '')}"])
    return table(["On the way", ""], rows)


def _constants(card: ReactionCard) -> str:
    return table(["Constant", "Value"], [[code(name), expression(text)] for name, text in card.constants.items()])


def _levels(card: ReactionCard) -> list[str]:
    """Return a table of level properties for each categorical parameter that has some."""
    found = []
    for name, parameter in card.parameters.items():
        if isinstance(parameter, Categorical):
            keys = list(next(iter(parameter.levels.values())))
            rows = [[level, *(_property(own[key]) for key in keys)] for level, own in parameter.levels.items() if keys]
            found.append(table([code(name), *(code(f"{name}_{key}") for key in keys)], rows))
    return found


def _property(value: float | int | str) -> str:
    return expression(str(value)) if quantity(str(value)) is not None else code(str(value))
