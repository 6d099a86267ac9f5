"""The gate: what must hold before a device is asked for anything. It refuses, and never clamps.

A pure function of a configuration, of what the device says it takes, and of what was done before. It is a software
gate, not a safety-rated interlock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from rxnopt.cards.lab import LabCard
from rxnopt.cards.parameters import AnyParameter, Categorical, Continuous, Integer
from rxnopt.constraints import Constraints
from rxnopt.errors import UnitError
from rxnopt.formulas import parse
from rxnopt.inputs import Inputs
from rxnopt.lab.interface import Quantity, Range, Setting
from rxnopt.lab.settings import rig_unit, to_conditions
from rxnopt.space import Array, Space
from rxnopt.units import quantity

ROUNDING = 1e-9
"""Share of a range that the conversion between units may add to a value."""


@dataclass(frozen=True)
class Gate:
    """Limits of the rig, of the device and of the campaign, which all hold. ``version`` names the configuration.

    ``space`` is that of the reaction; ``device`` what the device says of itself.
    """

    card: LabCard
    space: Space
    device: Mapping[str, Range] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Hash of all that decides (64 hexadecimal digits)."""
        device = {name: repr(each) for name, each in sorted(self.device.items())}
        bounds = [(p.name, p.unit, p.low, p.high, p.levels) for p in self.space]
        return hashlib.sha256(json.dumps([self.card.digest(), bounds, device]).encode()).hexdigest()

    def violations(self, positions: Sequence[Setting], previous: Setting | None) -> tuple[str, ...]:
        """Return what speaks against a run, a sentence each; none: it may be submitted.

        ``previous`` is the setting of the run before.
        """
        found = [message for setting in positions for message in self._names(setting)]
        if found:
            return tuple(found)
        found = [message for setting in positions for message in self._values(setting)]
        if found:
            return tuple(found)
        for setting in positions:
            found += [*self._rules(setting), *self._steps(setting, previous)]
        return (*found, *self._plate(positions))

    def values(self, positions: Sequence[Setting]) -> dict[str, Array | float]:
        """Return what formulas see of n settings: numbers or arrays (n,) in SI by name."""
        inputs, X = Inputs.of(self.card), self._array(positions)
        constants = {name: q.si for name, text in self.card.constants.items() if (q := quantity(text)) is not None}
        return {**constants, **dict(zip(inputs.names, inputs(X).T, strict=True))}

    def uses(self, positions: Sequence[Setting]) -> dict[str, float]:
        """Return what a run takes of each reagent, in SI."""
        found = {}
        for name, reagent in self.card.reagents.items():
            given = quantity(reagent.use)
            each = parse(reagent.use).numpy(self.values(positions)) if given is None else given.si
            found[name] = float(np.broadcast_to(each, len(positions)).sum())
        return found

    def _names(self, setting: Setting) -> Iterator[str]:
        for name in setting:
            if name not in self.card.parameters:
                yield f"the rig has no parameter {name!r}"
        for name, parameter in self.card.parameters.items():
            value = setting.get(name)
            if value is None:
                yield f"{name} is missing"
            elif isinstance(value, str) != isinstance(parameter, Categorical):
                yield f"{name} = {value} is no {'level' if isinstance(parameter, Categorical) else 'number'}"
            elif isinstance(value, Quantity) and not value.finite:
                yield f"{name} = {value} is no finite number"
            elif isinstance(value, Quantity):
                try:
                    value.to(rig_unit(self.card, name))
                except UnitError as error:
                    yield f"{name}: {error}"

    def _values(self, setting: Setting) -> Iterator[str]:
        campaign = {parameter.name: parameter for parameter in self.space}
        for name, parameter in self.card.parameters.items():
            value, device, own = setting[name], self.device.get(name, Range()), campaign[name]
            if isinstance(value, str):
                sets = {
                    "rig": tuple(parameter.levels) if isinstance(parameter, Categorical) else (),
                    "device": device.levels or (value,),
                    "campaign": own.levels,
                }
                yield from (f"{name} = {value!r} is no level of the {who}" for who, s in sets.items() if value not in s)
                continue
            low, high = limits(parameter)
            ends = [("rig", low, high, rig_unit(self.card, name)), ("campaign", own.low, own.high, own.unit)]
            ends += [("device", device.low, device.high, device.unit)] if name in self.device else []
            for who, low, high, unit in ends:
                yield from _outside(name, value, who, low, high, unit)
            if not isinstance(parameter, Continuous) and value.to(rig_unit(self.card, name)).value % 1:
                yield f"{name} = {value} is no whole number"

    def _rules(self, setting: Setting) -> Iterator[str]:
        x = self._array([setting])
        rules = Constraints.of(self.card)
        if not rules.hold(x)[0]:
            yield rules.complaint(x[0])
        own = self.space.to_array(_inside(self.space, to_conditions(self.space, setting)))
        if self.space.constraints is not None and not self.space.feasible(own)[0]:
            yield self.space.constraints.complaint(own[0])
        for pair in self.card.forbidden:
            if all(setting[name] == level for name, level in pair.items()):
                yield f"{' and '.join(f'{name} {level}' for name, level in pair.items())} must not meet"

    def _steps(self, setting: Setting, previous: Setting | None) -> Iterator[str]:
        for name, parameter in self.card.parameters.items():
            largest, value, before = getattr(parameter, "max_step", None), setting[name], (previous or {}).get(name)
            if largest is not None and isinstance(value, Quantity) and isinstance(before, Quantity):
                step = abs(value.to(parameter.unit).value - before.to(parameter.unit).value)  # type: ignore[union-attr]
                if not step <= largest:
                    yield f"{name} would change by {step:.6g} at once and {largest:g} are allowed"

    def _plate(self, positions: Sequence[Setting]) -> Iterator[str]:
        plate = self.card.plate
        size = 1 if plate is None else plate.size
        if not 1 <= len(positions) <= size:
            yield f"{len(positions)} experiments were asked for at once and the rig does 1 to {size}"
        for name in plate.shared if plate else ():
            if any(setting[name] != positions[0][name] for setting in positions):
                yield f"{name} is shared by the plate and has more than one value"

    def shortages(self, positions: Sequence[Setting], used: Mapping[str, float]) -> Iterator[str]:
        """Yield which reagents do not last for a run that has no violations; ``used``: what was taken, in SI."""
        for name, taken in self.uses(positions).items():
            stock = quantity(self.card.reagents[name].stock)
            if stock is not None and not used.get(name, 0.0) + taken <= stock.si * (1 + ROUNDING):
                left = max(0.0, stock.si - used.get(name, 0.0)) / stock.unit.factor
                need, unit = taken / stock.unit.factor, stock.unit.text
                yield f"reagent {name}: {need:.6g} {unit} are needed and {left:.6g} {unit} are left; refill it"

    def _array(self, positions: Sequence[Setting]) -> Array:
        """Return settings as ``X`` (n, d) of the rig."""
        rows = []
        for setting in positions:
            rows.append([self._number(name, parameter, setting) for name, parameter in self.card.parameters.items()])
        return np.array(rows, float)

    def _number(self, name: str, parameter: AnyParameter, setting: Setting) -> float:
        value = setting[name]
        if isinstance(value, str):
            return float([*parameter.levels].index(value)) if isinstance(parameter, Categorical) else np.nan
        return value.to(rig_unit(self.card, name)).value


def limits(parameter: AnyParameter) -> tuple[float, float]:
    """Return the bounds of a number."""
    return (parameter.low, parameter.high) if isinstance(parameter, Continuous | Integer) else (0.0, 1.0)


def _outside(name: str, value: Quantity, who: str, low: float, high: float, unit: str) -> Iterator[str]:
    try:
        number = value.to(unit).value
    except UnitError:
        yield f"{name} = {value} and the {who} counts in {unit}"
        return
    rounding = ROUNDING * (high - low) if np.isfinite(high - low) and unit != value.unit else 0.0
    if not low - rounding <= number <= high + rounding:
        yield f"{name} = {value} is beyond the limits of the {who}, {low:g} to {high:g} {unit}".removesuffix(" 1")


def _inside(space: Space, conditions: Mapping[str, float | str]) -> dict[str, float | str]:
    """Return conditions that were found within the bounds, without what rounding added to them."""
    own = {p.name: p for p in space}
    return {
        name: value if isinstance(value, str) else min(max(value, own[name].low), own[name].high)
        for name, value in conditions.items()
    }
