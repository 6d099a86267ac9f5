"""Every error that a user of rxnopt can cause.

A message is one sentence that names the thing, the value given, what is allowed and the remedy. The command line
prints it without a stack trace; programs catch :class:`RxnoptError` or one of its children.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from numbers import Integral


class RxnoptError(Exception):
    """Parent of all errors raised on purpose."""


class CardError(RxnoptError):
    """A card cannot be read or does not describe what it should."""


class FormulaError(RxnoptError):
    """A formula is not arithmetic over known names."""


class UnitError(RxnoptError):
    """A unit is unknown or has the wrong dimension."""


class UnknownNameError(RxnoptError, KeyError):
    """A name is in no catalogue, space or table."""

    def __str__(self) -> str:  # KeyError would print the repr
        return str(self.args[0])


class ConditionsError(RxnoptError, ValueError):
    """Conditions are incomplete, of the wrong type or out of bounds."""


class AgentError(RxnoptError):
    """An agent cannot work on this space or with these options."""


class WeightsError(RxnoptError):
    """A weights file is missing, damaged or belongs to something else."""


class JournalError(RxnoptError):
    """A journal is damaged, belongs to another campaign or cannot be written."""


class LabError(RxnoptError):
    """A device, or what is known of it, does not allow what was asked for."""


class DataError(RxnoptError):
    """A file of measured data is not here, is not what was published, or holds what cannot be read."""


class JournalBusyError(JournalError):
    """Another process works on a journal."""


class ReportError(RxnoptError):
    """Results are missing or incomplete."""


class SheetError(ConditionsError):
    """A table that a person gave cannot be read, or a cell of it cannot be meant."""


class FitError(RxnoptError):
    """Constants cannot be fitted to these data."""


def at_least(name: str, value: object, smallest: int) -> int:
    """Return ``value`` as an int; raise :class:`ConditionsError` unless it is a whole number from ``smallest`` on."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < smallest:
        raise ConditionsError(f"{name}={value!r} is not allowed; give a whole number from {smallest} on")
    return int(value)


def did_you_mean(given: object, allowed: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` or ``""``."""
    close = get_close_matches(str(given), [str(name) for name in allowed], n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""
