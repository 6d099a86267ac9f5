"""The rig between the set-points and the reactor: motions of all parameters, reagent, pressure, sensors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rxnopt.parameter import Parameter
from rxnopt.seeds import stream
from rxnopt.space import Space
from rxnopt.twin.motion import Heater, Motion, Ramp
from rxnopt.twin.scenario import Plant
from rxnopt.units import same_dimension, unit

AMBIENT = 25.0
"""Temperature of the room, degC."""


def of_dimension(parameter: Parameter, text: str) -> bool:
    """Whether a parameter has the dimension of this unit."""
    return same_dimension(unit(parameter.unit).dimension, unit(text).dimension)


class Plumbing:
    """One position of the rig. Levels are known by their index, as in a :class:`rxnopt.space.Space`.

    The heater heats the parameters that are temperatures; a parameter that is a time is the residence time.
    """

    def __init__(self, space: Space, plant: Plant, seed: int) -> None:
        self.space, self.plant, self._seed = space, plant, seed
        self.hot = tuple(p.name for p in space if not p.discrete and of_dimension(p, "K"))
        self._time = next((p for p in space if not p.discrete and of_dimension(p, "s")), None)
        self.motions: dict[str, Motion] = {p.name: self._at_rest(p) for p in space}
        self.stuck: dict[str, float] = {}
        self.clog, self.reagent = 0.0, plant.reagent

    def _at_rest(self, p: Parameter) -> Motion:
        if p.name in self.hot:
            room, own = unit("degC").to_si(AMBIENT), unit(p.unit)
            tolerance = self.plant.tolerance / own.factor
            start = float(own.from_si(room))
            return Heater(0.0, start, start, self.plant.heating, self.plant.damping, tolerance)
        rate = math.inf if p.discrete or not self.plant.ramp else (p.high - p.low) / self.plant.ramp
        return Ramp(0.0, p.low, p.low, rate)

    def move(self, x: Mapping[str, float], t: float) -> None:
        """Give new targets at time ``t``."""
        for name, target in x.items():
            self.motions[name] = self.motions[name].to(target, t)

    def rest(self, t: float) -> None:
        """Heater off, pumps off; what is set besides stays as it is."""
        for name in self.hot:
            own = unit(next(p.unit for p in self.space if p.name == name))
            self.motions[name] = self.motions[name].to(float(own.from_si(unit("degC").to_si(AMBIENT))), t)

    def settled(self) -> float:
        """When all targets are reached."""
        return max(motion.settled() for motion in self.motions.values())

    @property
    def residence(self) -> float:
        """Residence time at the targets, s."""
        if self._time is None:
            return self.plant.residence
        return float(unit(self._time.unit).to_si(self.motions[self._time.name].target))

    @property
    def longest(self) -> float:
        """The longest residence time that can be set, s."""
        return self.plant.residence if self._time is None else float(unit(self._time.unit).to_si(self._time.high))

    def true(self, t: float) -> dict[str, float]:
        """What is really in the reactor; a drifting sensor moves it, as the controller follows the sensor."""
        shift = self.plant.drift * t / 3600.0
        return {
            name: motion.value(t) - (shift / unit(self._unit(name)).factor if name in self.hot else 0.0)
            for name, motion in self.motions.items()
        }

    def _unit(self, name: str) -> str:
        return self.space.parameters[self.space.names.index(name)].unit

    def sensed(self, t: float) -> dict[str, float]:
        """What the sensors say at time ``t``; the same at equal times."""
        values = {name: motion.value(t) for name, motion in self.motions.items()}
        rng = stream(self._seed, "sensor", int(t * 1000))
        for name in self.hot:
            values[name] += self.plant.noise / unit(self._unit(name)).factor * float(rng.standard_normal())
        return values | self.stuck

    def stick(self, t: float) -> None:
        """From now on the temperature sensors say what they say now."""
        self.stuck = {name: value for name, value in self.sensed(t).items() if name in self.hot}

    @property
    def pressure(self) -> float:
        """Pressure, bar."""
        return self.plant.pressure + self.clog

    def natural(self, x: Mapping[str, float]) -> dict[str, Any]:
        """Return natural values, levels by name."""
        return {p.name: p.value(x[p.name]) for p in self.space}
