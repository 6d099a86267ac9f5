"""What a device must do for a campaign, and the errors by which it says what is known.

An adapter is thin: it translates, and neither retries what has side effects nor keeps a journal nor optimises; the
campaign does. Every method may be called again after a crash of either side. The campaign puts a time-out around every
call, and afterwards throws the adapter away and makes a new one: an adapter must bear being cancelled at any ``await``.

Two errors matter most. :class:`NotAccepted`: the run has surely not started, and the same run id may be submitted
again. :class:`OutcomeUnknown`: it may have started, and only :meth:`Adapter.lookup` may follow. A time-out is never
:class:`NotAccepted` unless nothing was written to the wire.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol, runtime_checkable

from rxnopt.errors import LabError, UnitError
from rxnopt.units import describe, same_dimension, unit


@dataclass(frozen=True)
class Quantity:
    """A number and its unit, never one without the other."""

    value: float
    unit: str = "1"

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}".removesuffix(" 1")

    def to(self, wanted: str) -> Quantity:
        """Return the quantity in another unit; raise :class:`rxnopt.errors.UnitError` where dimensions differ."""
        if wanted == self.unit:
            return self
        own, other = unit(self.unit), unit(wanted)
        if not same_dimension(own.dimension, other.dimension):
            raise UnitError(
                f"{self} is {describe(own.dimension)} and cannot be given in {wanted!r}, which is "
                f"{describe(other.dimension)}; correct one of the units"
            )
        return Quantity(float(other.from_si(own.to_si(self.value))), wanted)

    @property
    def finite(self) -> bool:
        """Whether the number is neither NaN nor infinite."""
        return math.isfinite(self.value)


Value = Quantity | str
"""What a parameter is set to: a quantity, or the name of a level."""
Setting = Mapping[str, Value]
"""One value for each parameter."""


class RunState(StrEnum):
    """What a device knows of a run id. ABSENT is a claim ("never seen"); UNKNOWN is none."""

    ABSENT = "absent"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def over(self) -> bool:
        """Whether the device says that nothing more will happen in this run."""
        return self in (RunState.DONE, RunState.FAILED, RunState.CANCELLED)


TWIN = "rxnopt twin"
"""Vendor by which digital twins name themselves; no approval is needed for them."""


@dataclass(frozen=True)
class DeviceInfo:
    """Who answered. ``vendor``, ``model`` and ``serial`` name one device: two runners cannot hold it.

    ``boot_id`` changes whenever the device may have forgotten runs (OPC UA: ``ServerStatus.StartTime``). ``None``:
    the device cannot tell, so that a run that it does not find is always doubtful.
    """

    vendor: str
    model: str
    serial: str
    firmware: str
    boot_id: str | None


@dataclass(frozen=True)
class Range:
    """What a device takes for one parameter: numbers of a unit, or ``levels``. Infinite: the device does not say."""

    unit: str = "1"
    low: float = -math.inf
    high: float = math.inf
    resolution: float = 0.0
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Capabilities:
    """What a device can do. ``batch_size`` positions run at once, in one request.

    ``can_attach``: :meth:`Adapter.lookup` and :meth:`Adapter.result` find runs that another client has submitted.
    """

    parameters: Mapping[str, Range]
    can_attach: bool = True
    can_cancel: bool = False
    batch_size: int = 1


@dataclass(frozen=True)
class Health:
    """The device as it says it is now.

    ``state``: "estop" and "interlock" are latched until a person resumes. ``run_id``: what it works on. ``setpoints``
    are read back, ``readings`` measured, in any unit; leave out what the device cannot tell.
    """

    state: Literal["idle", "busy", "fault", "interlock", "estop"]
    boot_id: str | None
    run_id: str | None = None
    setpoints: Setting = field(default_factory=dict)
    readings: Setting = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True)
class Request:
    """One run: ``positions`` are the settings of the experiments that it does at once, one for a single reactor."""

    run_id: str
    positions: tuple[Setting, ...]
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Outputs that are wanted, with the unit in which the campaign will keep them."""

    @property
    def setting(self) -> Setting:
        """The setting of a device with one position."""
        [only] = self.positions
        return only


@dataclass(frozen=True)
class Ticket:
    """The device has accepted ``run_id``. ``handle``: its own name for the run, such as an execution UUID."""

    run_id: str
    handle: str = ""
    readback: tuple[Setting, ...] = ()
    """Set-points as the device repeats them, by position; the campaign compares them with the request."""


@dataclass(frozen=True)
class RunEvent:
    """Something was heard of a run. ``progress`` is 0 to 1 where the device tells it."""

    run_id: str
    state: RunState
    progress: float | None = None
    message: str = ""
    readings: Setting = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """What one position gave.

    ``outputs`` as they came, also NaN and 110 %: the campaign judges. ``achieved``: what was really set, where the
    device tells it. ``quality`` is that of the worst value. ``failure``: "machine" gives no data and may be repeated,
    "chemistry" is an answer (clogged, no product).
    """

    outputs: Mapping[str, Quantity] = field(default_factory=dict)
    achieved: Setting = field(default_factory=dict)
    quality: Literal["good", "uncertain", "bad"] = "good"
    failure: Literal["machine", "chemistry"] | None = None
    message: str = ""


@dataclass(frozen=True)
class Result:
    """What a run gave, by position. ``complete`` False: more will come, such as the analysis of tomorrow.

    A result counts only with the run id that was asked for.
    """

    run_id: str
    positions: tuple[Measured, ...]
    complete: bool = True
    raw: Mapping[str, Any] = field(default_factory=dict)


class NotAccepted(LabError):
    """The run has surely not started; the same run id may be submitted again."""


class Unreachable(NotAccepted):
    """No connection, so that nothing was sent; the message names the address."""


class OutcomeUnknown(LabError):
    """The run may have started: only a look-up may follow."""


class DeviceFault(LabError):
    """The device says that it is broken."""


class InterlockOpen(LabError):
    """An interlock or an emergency stop holds the device; a person resumes."""


class Rejected(NotAccepted):
    """The device refuses the request; ``violations`` says why, one sentence each."""

    def __init__(self, violations: Sequence[str]) -> None:
        super().__init__("; ".join(violations))
        self.violations = tuple(violations)


class ResultInvalid(LabError):
    """What came is no result: not ours, half written, or of bad quality; ``raw`` is kept."""

    def __init__(self, message: str, quality: str = "bad", raw: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.quality, self.raw = quality, dict(raw or {})


@runtime_checkable
class Adapter(Protocol):
    """A device, asynchronous. All times are real seconds; all errors are :class:`rxnopt.errors.LabError`."""

    async def connect(self) -> DeviceInfo:
        """Connect; raise :class:`Unreachable` with the address, or :class:`LabError` naming what the map lacks."""
        ...

    async def capabilities(self) -> Capabilities:
        """Tell what can be set, and within which limits."""
        ...

    async def health(self) -> Health:
        """Tell how the device is now."""
        ...

    async def preflight(self, request: Request) -> tuple[str, ...]:
        """Return what speaks against the request, a sentence each, without any side effect.

        These conditions are never proposed again: that the device is at work or stopped is told by :meth:`health`.
        """
        ...

    async def submit(self, request: Request) -> Ticket:
        """Start the run under our run id, once.

        Raises :class:`Rejected`, :class:`NotAccepted`, :class:`InterlockOpen` (all: surely not started) or
        :class:`OutcomeUnknown`; every other error counts as :class:`OutcomeUnknown`.
        """
        ...

    async def lookup(self, run_id: str) -> RunState:
        """Tell what the device knows of a run id, whoever submitted it."""
        ...

    def events(self, run_id: str) -> AsyncIterator[RunEvent]:
        """Yield what is heard of a run until it is over. May fall silent: the campaign polls as well."""
        ...

    async def result(self, run_id: str) -> Result:
        """Return the result of a run; raise :class:`ResultInvalid` where there is none that is surely its own."""
        ...

    async def cancel(self, run_id: str) -> None:
        """Ask the device to end a run; it has ended when :meth:`lookup` says so."""
        ...

    async def safe_state(self) -> None:
        """Bring the device to its safe state: heating off, pumps off. Idempotent, may always be called."""
        ...

    async def close(self) -> None:
        """Let go of the connection; the run goes on. Idempotent."""
        ...


__all__ = [
    "TWIN", "Adapter", "Capabilities", "DeviceFault", "DeviceInfo", "Health", "InterlockOpen", "Measured",
    "NotAccepted", "OutcomeUnknown", "Quantity", "Range", "Rejected", "Request", "Result", "ResultInvalid",
    "RunEvent", "RunState", "Setting", "Ticket", "Unreachable", "Value",
]  # fmt: skip
