"""How set-points are reached: heaters lag and overshoot, pumps ramp. Closed forms, so that no step size matters."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Ramp:
    """From ``start`` at time ``at`` towards ``target`` with a constant rate (unit/s); an infinite one jumps."""

    at: float
    start: float
    target: float
    rate: float = math.inf

    def value(self, t: float) -> float:
        """Value at time ``t``, from ``at`` on."""
        left = self.target - self.start
        way = self.rate * (t - self.at) if t > self.at else 0.0
        return self.target if math.isinf(self.rate) or way >= abs(left) else self.start + math.copysign(way, left)

    def settled(self) -> float:
        """When the target is reached."""
        return self.at if math.isinf(self.rate) else self.at + abs(self.target - self.start) / self.rate

    def to(self, target: float, t: float) -> Ramp:
        """Return the motion to another target from where this one is at time ``t``."""
        return Ramp(t, self.value(t), target, self.rate)


@dataclass(frozen=True)
class Heater:
    """An oscillator with damping below 1; the envelope falls by e in ``tau`` seconds. ``speed`` is that at ``at``."""

    at: float
    start: float
    target: float
    tau: float
    damping: float
    tolerance: float
    speed: float = 0.0

    def _terms(self) -> tuple[float, float, float]:
        """Frequency, and the factors of cosine and sine of the distance to the target."""
        omega = math.sqrt(1.0 - self.damping**2) / (self.tau * self.damping)
        distance = self.start - self.target
        return omega, distance, (self.speed + distance / self.tau) / omega

    def value(self, t: float) -> float:
        """Temperature at time ``t``."""
        omega, a, b = self._terms()
        s = max(t - self.at, 0.0)
        return self.target + math.exp(-s / self.tau) * (a * math.cos(omega * s) + b * math.sin(omega * s))

    def rate(self, t: float) -> float:
        """Its change at time ``t``, per second."""
        omega, a, b = self._terms()
        s = max(t - self.at, 0.0)
        cosine, sine = math.cos(omega * s), math.sin(omega * s)
        return math.exp(-s / self.tau) * ((b * omega - a / self.tau) * cosine - (a * omega + b / self.tau) * sine)

    def settled(self) -> float:
        """When the temperature is within the tolerance for good (by its envelope)."""
        _, a, b = self._terms()
        size = math.hypot(a, b)
        return self.at + self.tau * math.log(size / self.tolerance) if size > self.tolerance else self.at

    def to(self, target: float, t: float) -> Heater:
        """Return the motion to another target from where this one is at time ``t``."""
        return Heater(t, self.value(t), target, self.tau, self.damping, self.tolerance, self.rate(t))


Motion = Ramp | Heater
