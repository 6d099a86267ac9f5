"""What all cards share: frozen strict models, quantities as text, errors with file and line."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from rxnopt.catalogue import Kind, Source, find
from rxnopt.errors import CardError, FormulaError, UnitError, did_you_mean
from rxnopt.formulas import parse, parse_condition
from rxnopt.units import quantity, unit

IDENTIFIER = r"^[A-Za-z][A-Za-z0-9_]*$"
NAME = r"^[a-z][a-z0-9_-]*$"
ENV_ID = r"^[A-Z][A-Za-z0-9]*-v\d+$"
PART = r"^[a-z][a-z0-9_]*$"
VERSION = r"^v\d+$"
FILE = r"^[A-Za-z0-9_-]+\.csv$"
DOI = r"^10\.\d{4,9}/\S+$"
HIDDEN = "hidden"
"""Kind of error about a value that no message repeats."""
UA_URL, WEB_URL, HOST_PORT = r"^opc\.tcp://[^\s/]+:\d+(?:/\S*)?$", r"^https?://[^\s/]\S*$", r"^[^\s:/]+:\d+$"


def refuse(message: str, *where: str) -> NoReturn:
    """Raise the error of a validator that concerns the field at ``where`` below the model."""
    raise PydanticCustomError("card", "{message}", {"message": message, "where": where})


def _number_or_text(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number; give a smaller one")
    return repr(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _expression(text: str) -> str:
    """Accept a quantity such as ``30 kJ/mol`` or a formula; raise ValueError in one sentence."""
    try:
        if quantity(text) is None:
            parse(text)
    except (FormulaError, UnitError) as error:
        raise ValueError(str(error)) from error
    return text


def _condition(text: str) -> str:
    try:
        parse_condition(text)
    except FormulaError as error:
        raise ValueError(str(error)) from error
    return text


def _quantity_text(text: str) -> str:
    try:
        if quantity(text) is None:
            raise ValueError(f"{text!r} is not a number with a unit; write it like '33.3 kJ/mol'")
    except UnitError as error:
        raise ValueError(str(error)) from error
    return text


def _unit_text(text: str) -> str:
    try:
        unit(text)
    except UnitError as error:
        raise ValueError(str(error)) from error
    return text


Identifier = Annotated[str, Field(pattern=IDENTIFIER, max_length=60)]
_TextOrNumber = BeforeValidator(_number_or_text, json_schema_input_type=str | float)
Expression = Annotated[str, _TextOrNumber, AfterValidator(_expression)]
"""A quantity (``"789 g/L"``) or a formula (``"2 * concentration"``)."""
ConditionText = Annotated[str, AfterValidator(_condition)]
"""An inequality (``"T < T_max"``)."""
QuantityText = Annotated[str, _TextOrNumber, AfterValidator(_quantity_text)]
UnitText = Annotated[str, _TextOrNumber, AfterValidator(_unit_text)]


class Model(BaseModel):
    """Parent of every part of a card: frozen, strict about names, finite numbers only."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


class Reference(Model):
    """Where the facts of a card come from."""

    doi: str | None = Field(None, pattern=DOI, description="Digital object identifier.")
    url: str | None = Field(None, description="A page, where there is no DOI.")
    citation: str | None = Field(None, description="Authors, journal, year.")
    note: str | None = Field(None, description="What a reader must know: which table, what was remembered.")


class Card(Model):
    """Fields of every card."""

    name: Annotated[str, Field(pattern=NAME, max_length=60)] = Field(
        description="The name on the command line; in a catalogue also the name of the file."
    )
    title: str = Field(description="One line for lists and figures.")
    description: str = Field("", description="A paragraph for people.")
    source: Reference = Field(default_factory=lambda: Reference(), description="Where the facts come from.")

    WORDS: ClassVar[frozenset[str]] = frozenset({"title", "description", "source"})
    """Fields that say something about what the card describes and do not change it."""

    def digest(self) -> str:
        """Return a hash of what the card does (64 hexadecimal digits); words about it may change."""
        text = self.model_dump_json(exclude=set(self.WORDS), exclude_defaults=True)
        return hashlib.sha256(text.encode()).hexdigest()


C = TypeVar("C", bound=Model)


def load_card(kind: Kind, name: str | Path, model: type[C]) -> tuple[C, Source]:
    """Read and validate the card ``name`` (a catalogue name or a path); raise :class:`CardError`."""
    source = find(kind, name)
    return validate(source, model), source


def validate(source: Source, model: type[C]) -> C:
    """Turn plain data into a card; an error names file, line, field, value and what is allowed."""
    try:
        return model.model_validate(source.data, context={"folder": source.folder})
    except ValidationError as error:
        details = sorted(error.errors(include_url=False), key=lambda d: d["type"] != "extra_forbidden")
        first = _explain(details[0], source, model)
        more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
        raise CardError(first + more) from None


def _explain(detail: ErrorDetails, source: Source, model: type[BaseModel]) -> str:
    where = tuple(_existing(detail["loc"], source.data))
    kind, given = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        field = str(where[-1])
        allowed = _fields_beside(model, detail["loc"][:-1])
        hint = did_you_mean(field, allowed) or (f"; allowed are {', '.join(allowed)}" if allowed else "")
        return f"{source.place(where)}: there is no field {field!r} here{hint}"
    if kind == "missing":
        return f"{source.place(where)}: the field {str(detail['loc'][-1])!r} is missing; add it"
    if kind == "card":
        return f"{source.place((*where, *detail['ctx']['where']))}: {detail['msg']}"
    if kind == "union_tag_invalid":
        where, given = (*where, "kind"), detail["ctx"]["tag"]
    return f"{source.place(where)}: {_sentence(detail, given)}"


_MUST = re.compile(r"^(?:Input|String|Dictionary|Tuple|List|Value) should ")
_WORDS = {
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of fields",
    "model_attributes_type": "must be a mapping of fields",
    "string_type": "must be text; put it in quotes",
    IDENTIFIER: "must be a letter followed by letters, digits or '_'",
    NAME: "must be lower-case letters, digits, '_' and '-', starting with a letter",
    ENV_ID: "must look like 'SnAr-v0'",
    PART: "must be lower-case letters, digits and '_', starting with a letter",
    VERSION: "must look like 'v1'",
    DOI: "must look like '10.1039/C6RE00109B'",
    FILE: "must be the name of a .csv file beside the card",
    UA_URL: "must look like 'opc.tcp://192.168.0.10:4840'",
    WEB_URL: "must look like 'http://192.168.0.10:8000'",
    HOST_PORT: "must look like '192.168.0.10:50052'",
}


def _sentence(detail: ErrorDetails, given: Any) -> str:
    """Return the complaint about one value: what was given, what is allowed, what may have been meant."""
    kind, context = detail["type"], detail.get("ctx", {})
    words = _WORDS.get(kind) or _WORDS.get(str(context.get("pattern")))
    message = words or _MUST.sub("must ", detail["msg"].removeprefix("Value error, "))
    hint = ""
    if kind in ("literal_error", "union_tag_invalid"):
        allowed = re.findall(r"'([^']*)'", str(context.get("expected") or context.get("expected_tags")))
        message, hint = f"must be one of {', '.join(allowed)}", did_you_mean(given, allowed)
    elif kind in ("float_type", "int_type", "int_from_float") and isinstance(given, str) and _is_quantity(given):
        hint = "; give the number alone and its unit in the field 'unit'"
    shown = "" if kind == HIDDEN or repr(given) in message or isinstance(given, dict) else f"{_shorten(given)} "
    return f"{shown}{message}{hint}" if message.startswith("must ") else f"{shown and shown[:-1] + ': '}{message}"


def _is_quantity(text: str) -> bool:
    try:
        return quantity(text) is not None
    except UnitError:
        return True


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _existing(loc: tuple[int | str, ...], data: Any) -> Iterator[int | str]:
    """Drop the tags that pydantic adds for union members: keep the parts that are keys of the data."""
    for part in loc:
        if (isinstance(data, dict) and part in data) or (isinstance(data, list) and isinstance(part, int)):
            yield part
            data = data[part]  # type: ignore[index]  # a key of the dict or a place in the list


def _fields_beside(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Return the fields of the model that stands at ``loc`` below ``model``."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})

    def options(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        node = definitions[node["$ref"].rsplit("/", 1)[-1]] if "$ref" in node else node
        yield node
        for union in ("anyOf", "oneOf", "allOf"):
            for member in node.get(union, []):
                yield from options(member)

    nodes = list(options(schema))
    for part in loc:
        below: list[dict[str, Any]] = []
        for node in nodes:
            inner = node.get("properties", {}).get(part) if isinstance(part, str) else node.get("items")
            inner = inner or next(iter(node.get("patternProperties", {}).values()), node.get("additionalProperties"))
            tagged = node.get("discriminator", {}).get("mapping", {}).get(part)
            if tagged is not None:
                below = list(options({"$ref": tagged}))
                break
            if isinstance(inner, dict):
                below += options(inner)
        nodes = below or nodes
    return sorted({name for node in nodes for name in node.get("properties", {})})
