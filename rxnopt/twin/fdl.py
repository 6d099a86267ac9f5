"""The SiLA 2 feature of a twin, as a feature definition: every server library reads it."""

from __future__ import annotations

from decimal import Decimal
from xml.sax.saxutils import escape

from rxnopt.parameter import Parameter
from rxnopt.twin.rig import Rig
from rxnopt.units import BASES, unit

FEATURE = "ReactorController"
ERRORS = {
    "DeviceBusy": "Another run is going on; nothing was started.",
    "InterlockOpen": "An interlock or an emergency stop is open; nothing was started.",
    "SetpointRefused": "A set-point is not possible; nothing was started.",
    "NoResult": "There is no result of this run.",
}


def camel(name: str) -> str:
    """Return the SiLA identifier of a name: residence_time is ResidenceTime."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def definition(rig: Rig) -> str:
    """Return the XML: StartRun, Lookup, GetResult, Abort, SafeState, and the properties State, RunId, BootId."""
    parameters = "".join(_element("Parameter", camel(p.name), _type(p)) for p in rig.space)
    outputs = "".join(
        _element("Response", camel(name), _number(rig.reaction.units[name])) for name in rig.reaction.outputs
    )
    achieved = "".join(
        _element("Response", f"Achieved{camel(p.name)}", STRING if p.levels else _number(p.unit)) for p in rig.space
    )
    words = "".join(_element("Response", name, STRING) for name in ("ResultRunId", "Failure", "Message", "Quality"))
    run_id = _element("Parameter", "RunId", STRING)
    commands = (
        _command("StartRun", run_id + parameters, "", ("DeviceBusy", "InterlockOpen", "SetpointRefused"))
        + _command("Lookup", run_id, _element("Response", "State", STRING))
        + _command("GetResult", run_id, words + outputs + achieved, ("NoResult",))
        + _command("Abort")
        + _command("SafeState")
    )
    properties = "".join(_property(name) for name in ("State", "RunId", "BootId"))
    errors = "".join(
        f"<DefinedExecutionError>{_names(name, text)}</DefinedExecutionError>" for name, text in ERRORS.items()
    )
    return (
        '<?xml version="1.0" encoding="utf-8" ?>'
        '<Feature SiLA2Version="1.0" FeatureVersion="1.0" MaturityLevel="Draft" '
        'Originator="org.rxnopt" Category="twin" '
        'xmlns="http://www.sila-standard.org" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="http://www.sila-standard.org '
        'https://gitlab.com/SiLA2/sila_base/raw/master/schema/FeatureDefinition.xsd">'
        f"{_names(FEATURE, 'A reactor that makes one run at a time.')}{commands}{properties}{errors}</Feature>"
    )


STRING, REAL = "<Basic>String</Basic>", "<Basic>Real</Basic>"


def _type(p: Parameter) -> str:
    """Return the type of a parameter with its limits and its unit."""
    if p.levels:
        limits = "<Set>" + "".join(f"<Value>{escape(level)}</Value>" for level in p.levels) + "</Set>"
        return _constrained(STRING, limits)
    limits = f"<MaximalInclusive>{p.high!r}</MaximalInclusive><MinimalInclusive>{p.low!r}</MinimalInclusive>"
    return _number(p.unit, limits)


def _number(text: str, limits: str = "") -> str:
    """Return the type of a number with its unit, where SI has it: money it has not."""
    own = unit(text)
    powers = {name: own.dimension[base] for name, base in BASES.items() if base in own.dimension}
    if len(powers) < len(own.dimension) or any(power != int(power) for power in powers.values()):
        return _constrained(REAL, limits) if limits else REAL
    factor, offset = (f"{Decimal(repr(each)):f}" for each in (own.factor, own.offset))
    components = "".join(
        f"<UnitComponent><SIUnit>{name}</SIUnit><Exponent>{int(power)}</Exponent></UnitComponent>"
        for name, power in (powers or {"Dimensionless": 1}).items()
    )
    label = f"<Label>{escape(text)}</Label><Factor>{factor}</Factor><Offset>{offset}</Offset>"
    return _constrained(REAL, f"{limits}<Unit>{label}{components}</Unit>")


def _constrained(basic: str, constraints: str) -> str:
    return f"<Constrained><DataType>{basic}</DataType><Constraints>{constraints}</Constraints></Constrained>"


def _names(identifier: str, text: str = "") -> str:
    said = escape(text or f"{identifier}.")
    return (
        f"<Identifier>{identifier}</Identifier><DisplayName>{identifier}</DisplayName><Description>{said}</Description>"
    )


def _element(kind: str, identifier: str, datatype: str) -> str:
    return f"<{kind}>{_names(identifier)}<DataType>{datatype}</DataType></{kind}>"


def _command(identifier: str, parameters: str = "", responses: str = "", errors: tuple[str, ...] = ()) -> str:
    names = "".join(f"<Identifier>{name}</Identifier>" for name in errors)
    known = f"<DefinedExecutionErrors>{names}</DefinedExecutionErrors>" if errors else ""
    return f"<Command>{_names(identifier)}<Observable>No</Observable>{parameters}{responses}{known}</Command>"


def _property(identifier: str) -> str:
    datatype = f"<DataType>{STRING}</DataType>"
    return f"<Property>{_names(identifier)}<Observable>No</Observable>{datatype}</Property>"
