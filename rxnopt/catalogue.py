"""Where cards live and how their YAML is read.

A catalogue is a folder of YAML files, one card each: ``envs``, ``agents`` and ``experiments``. Adding a file is all
that adding a card takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

import yaml

from rxnopt.errors import CardError, UnknownNameError, did_you_mean

Kind = Literal["envs", "agents", "experiments"]
Where = tuple[str | int, ...]

_PARTS = re.compile(rb"^parts:[ \t]*\r?\n((?:[ \t#].*\r?\n?|\r?\n)+)", re.MULTILINE)
_PART = re.compile(rb"^  ([a-z][a-z0-9_]*):", re.MULTILINE)
_GYM_ID = re.compile(r"(rxnopt/)?[A-Z]\w*-v\d+")
_ID = re.compile(rb"^id:[ \t]*[\"']?([A-Za-z0-9]+-v\d+)", re.MULTILINE)

GENERAL = "-general"
"""What the name of a reaction has after it where the question is the generality of conditions."""
MAX_BYTES, MAX_DEPTH, MAX_EVENTS = 1_000_000, 20, 50_000


def catalogue(kind: Kind) -> Traversable:
    """Return the folder of one kind of card, in the installed package or in the checkout."""
    shipped = files("rxnopt") / "cards" / kind
    return shipped if shipped.is_dir() else Path(__file__).parents[1] / kind


def names(kind: Kind) -> list[str]:
    """Return the names of all cards of one kind, sorted."""
    return sorted(entry.name[:-5] for entry in catalogue(kind).iterdir() if entry.name.endswith(".yaml"))


def gym_ids() -> dict[str, str]:
    """Return the name behind each Gymnasium id such as ``SnAr-v0``: a reaction card, a part of one, or its generality.

    Only the lines of ids and parts are read, and which fields there are.
    """
    found = {}
    for name in names("envs"):
        match = _ID.search((catalogue("envs") / f"{name}.yaml").read_bytes())
        if match is None:
            continue
        found[match[1].decode()] = name
        stem, version = match[1].decode().rsplit("-", 1)
        if has_field("envs", name, "generality"):
            found[f"{stem}General-{version}"] = name + GENERAL
        for part in parts(name):
            found[f"{stem}{camel(part)}-{version}"] = f"{name}-{part}"
    return found


def camel(part: str) -> str:
    """Return the name of a part as Gymnasium ids have it: Cf3Cl for cf3_cl."""
    return "".join(word.capitalize() for word in part.split("_"))


def parts(name: str) -> list[str]:
    """Return the names of the parts of a reaction card; only the lines below ``parts:`` are looked at."""
    text = (catalogue("envs") / f"{name}.yaml").read_bytes()
    block = _PARTS.search(text)
    return [part.decode() for part in _PART.findall(block[1])] if block is not None else []


def owner_of_part(name: str) -> tuple[str, str] | None:
    """Return card and part of a name or Gymnasium id such as ``amidation-n1``; None for what is no part."""
    if "-" not in name:  # no id either: no card need be read
        return None
    card, _, part = gym_ids().get(name.removeprefix("rxnopt/"), name).rpartition("-")
    return (card, part) if card in names("envs") and part in parts(card) else None


def owner_of_general(name: str) -> str | None:
    """Return the card of a name, id or path such as ``amidation-general`` or ``my.yaml-general``; else None.

    Whether the card says which parameters are substrates is for the reader of the card to tell.
    """
    if is_path(name):
        return name.removesuffix(GENERAL) if name.endswith(GENERAL) else None
    if "-" not in name:
        return None
    ids, text = gym_ids(), name.removeprefix("rxnopt/")
    if text not in ids and "General-v" in text:
        text = ids.get(text.replace("General-v", "-v"), "") + GENERAL
    whole = ids.get(text, text)
    card = whole.removesuffix(GENERAL)
    return card if card != whole and card in names("envs") else None


def has_field(kind: Kind, name: str, field: str) -> bool:
    """Return whether a card of the catalogue has a field; only the beginnings of its lines are looked at."""
    text = (catalogue(kind) / f"{name}.yaml").read_bytes()
    return re.search(rb"^%s:" % field.encode(), text, re.MULTILINE) is not None


@dataclass(frozen=True)
class Source:
    """A card as read: plain data, the line on which each field stands, and the folder that the file is in."""

    file: str
    data: dict[str, Any]
    lines: Mapping[Where, int]
    folder: Traversable | None = None

    def place(self, where: Where) -> str:
        """Return ``"file:line field"`` for a path of keys; the line is that of the nearest known parent."""
        known = next(where[:n] for n in range(len(where), -1, -1) if where[:n] in self.lines)
        field = "".join(f"[{part}]" if isinstance(part, int) else f".{_shown(part)}" for part in where).lstrip(".")
        return f"{self.file}:{self.lines[known]}" + (f" {field}" if field else "")


def _shown(key: str) -> str:
    return key if key.isprintable() else repr(key)[1:-1]


def is_path(name: str | Path) -> bool:
    """Return whether ``name`` is a path: it ends in .yaml or .yml or has a slash, and is no Gymnasium id."""
    text = str(name)
    return text.removesuffix(GENERAL).endswith((".yaml", ".yml")) or ("/" in text and not _GYM_ID.fullmatch(text))


def find(kind: Kind, name: str | Path) -> Source:
    """Read the card called ``name``, or the file at that path (see :func:`is_path`).

    Reactions are also known by their Gymnasium ids, ``SnAr-v0`` or ``rxnopt/SnAr-v0``.
    """
    text = str(name)
    if is_path(text):
        return replace(read(Path(text), text), folder=Path(text).parent)
    if kind == "envs" and _GYM_ID.fullmatch(text):
        text = gym_ids().get(text.removeprefix("rxnopt/"), text.removeprefix("rxnopt/"))
    known = names(kind)
    if text not in known:
        hint = (
            did_you_mean(text, [*known, *(gym_ids().values() if kind == "envs" else ())])
            or f"; give one of {', '.join(known)}, or the path of a .yaml file"
        )
        raise UnknownNameError(f"no card {text!r} in {kind}{hint}")
    return replace(read(catalogue(kind) / f"{text}.yaml", f"{kind}/{text}.yaml"), folder=catalogue(kind))


def read(place: Traversable, label: str) -> Source:
    """Read one YAML file into plain data; raise :class:`CardError` naming file and line."""
    try:
        with place.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise CardError(f"{label}: there is no such file; check the path") from error
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        reason = error.strerror if isinstance(error, OSError) else error
        raise CardError(f"{label}: the file cannot be read ({reason}); check path and permissions") from error
    if len(content) > MAX_BYTES:
        raise CardError(f"{label}: the file has more than {MAX_BYTES:,} bytes; no card is that large, check the path")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CardError(f"{label}:{line}: the file is not UTF-8 text; save it with that encoding") from error
    return parse(text, label)


def parse(text: str, label: str) -> Source:
    """Parse YAML text into plain data with line numbers; refuse aliases, deep nesting and repeated keys."""
    try:
        _guard(text, label)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = " ".join((error.problem or error.context or "").split())
        raise CardError(f"{label}:{line}: not valid YAML: {problem}; check indentation and quotes") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise CardError(f"{label}:{line}: the character {chr(error.character)!r} is not allowed; remove it") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # PyYAML lets some errors of chr and int through
        raise CardError(f"{label}:1: not valid YAML: {' '.join(str(error).split())}") from error
    lines: dict[Where, int] = {}
    data = _construct(node, (), lines, label) if node is not None else None
    if not isinstance(data, dict):
        raise CardError(f"{label}:1: a card is a mapping such as 'name: snar'; this file holds no mapping")
    return Source(label, data, lines)


def dump(data: Mapping[str, Any]) -> str:
    """Return the YAML of a card as people write it: short mappings on one line."""
    return yaml.dump(dict(data), Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Mappings and lists of plain values that fit on a line are written on one."""

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        node = super().represent_mapping(tag, mapping, flow_style)
        parts = [part for pair in node.value for part in pair]
        node.flow_style = _short(parts)
        return node

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:
        node = super().represent_sequence(tag, sequence, flow_style)
        node.flow_style = _short(node.value)
        return node


def _short(parts: list[yaml.Node]) -> bool:
    """Return whether these are plain values that fit on a line."""
    return all(isinstance(part, yaml.ScalarNode) for part in parts) and sum(len(part.value) + 2 for part in parts) < 110


class _Loader(yaml.SafeLoader):
    """YAML 1.2 scalars: only true/false are booleans and 1e-3 is a number (so that the species NO stays NO)."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the attribute that PyYAML reads


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]{1,18}$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$|^[-+]?\.(?:inf|nan)$"),
    list("-+.0123456789"),
)


def _guard(text: str, label: str) -> None:
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise CardError(f"{label}:{line}: aliases (*{event.anchor}) are not allowed in cards; write the value out")
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise CardError(f"{label}:{line}: the tag {tag!r} is not allowed in cards; write a plain value")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH or count > MAX_EVENTS:
            raise CardError(f"{label}:{line}: the card is nested too deep or too long; at most {MAX_DEPTH} levels")


def _construct(node: yaml.Node, where: Where, lines: dict[Where, int], label: str) -> Any:
    lines[where] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, (*where, i), lines, label) for i, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise CardError(f"{label}:{key.start_mark.line + 1}: a key must be plain text")
            if key.value in found:
                raise CardError(f"{label}:{key.start_mark.line + 1}: the key {key.value!r} stands twice; remove one")
            found[key.value] = _construct(value, (*where, key.value), lines, label)
            lines[(*where, key.value)] = key.start_mark.line + 1
        return found
    return _SCALARS[node.tag.removeprefix("tag:yaml.org,2002:")](node.value)


_SCALARS: dict[str, Callable[[str], Any]] = {
    "bool": lambda text: text == "true",
    "null": lambda _: None,
    "int": int,
    "float": lambda text: float(text.replace(".inf", "inf").replace(".nan", "nan")),
    "str": str,
}
