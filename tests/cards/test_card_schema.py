"""The published JSON Schemas are current, and they allow every card that the reader of cards allows."""

import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from rxnopt.cards import schema as schemas
from rxnopt.cards.schema import CARDS, write_schemas
from rxnopt.catalogue import find, names

HERE = Path(__file__).parent
PUBLISHED = HERE.parents[1] / "docs" / "schema"
CATALOGUES = [("reaction", "envs"), ("agent", "agents"), ("experiment", "experiments")]
SHIPPED = [(kind, folder, name) for kind, folder in CATALOGUES for name in names(folder)]
INVENTED = [("reaction", "envs", str(place)) for place in [HERE / "good.yaml", *sorted((HERE / "imagined").iterdir())]]
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int}
TYPES |= {"number": (int, float)}
json_schema = cache(schemas.json_schema)


def fits(value, node, root):
    """A small reading of draft 2020-12: the keywords that our schemas use, and an error for any other."""
    unknown = node.keys() - {
        "$defs", "$ref", "$schema", "title", "description", "default", "discriminator", "type", "enum", "const",
        "anyOf", "oneOf", "required", "properties",
        "additionalProperties", "patternProperties", "propertyNames", "items", "prefixItems",
        "minItems", "maxItems", "minProperties", "minLength", "maxLength", "pattern", "minimum", "maximum",
        "exclusiveMinimum", "exclusiveMaximum",
    }  # fmt: skip
    if unknown:
        raise NotImplementedError(unknown)
    if "$ref" in node:
        return fits(value, root["$defs"][node["$ref"].removeprefix("#/$defs/")], root)
    checks = [
        "type" not in node
        or (isinstance(value, TYPES[node["type"]]) and (node["type"] == "boolean" or not isinstance(value, bool))),
        "const" not in node or value == node["const"],
        "enum" not in node or value in node["enum"],
        "anyOf" not in node or any(fits(value, option, root) for option in node["anyOf"]),
        "oneOf" not in node or sum(fits(value, option, root) for option in node["oneOf"]) == 1,
    ]
    if isinstance(value, str):
        checks.append(re.search(node.get("pattern", ""), value) is not None)
        checks.append(node.get("minLength", 0) <= len(value) <= node.get("maxLength", len(value)))
    if isinstance(value, int | float):
        checks.append(node.get("minimum", value) <= value <= node.get("maximum", value))
        checks.append(node.get("exclusiveMinimum", value - 1) < value < node.get("exclusiveMaximum", value + 1))
    if isinstance(value, list):
        checks.append(node.get("minItems", 0) <= len(value) <= node.get("maxItems", len(value)))
        first = node.get("prefixItems", [])
        checks += [fits(item, own, root) for item, own in zip(value, first, strict=False)]
        checks += [fits(item, node.get("items", {}), root) for item in value[len(first) :]]
    if isinstance(value, dict):
        checks.append(len(value) >= node.get("minProperties", 0))
        checks += [name in value for name in node.get("required", [])]
        checks += [_member_fits(name, inner, node, root) for name, inner in value.items()]
    return all(checks)


def _member_fits(name, value, node, root):
    if not fits(name, node.get("propertyNames", {}), root):
        return False
    if name in node.get("properties", {}):
        return fits(value, node["properties"][name], root)
    for pattern, inner in node.get("patternProperties", {}).items():
        if re.search(pattern, name):
            return fits(value, inner, root)
    rest = node.get("additionalProperties", True)
    return rest if isinstance(rest, bool) else fits(value, rest, root)


@pytest.mark.parametrize(("kind", "folder", "name"), SHIPPED + INVENTED)
def test_every_card_fits_its_schema(kind, folder, name):
    schema = json_schema(kind)
    assert fits(find(folder, name).data, schema, schema)


@pytest.mark.skipif(find_spec("jsonschema") is None, reason="the jsonschema package is not installed")
def test_every_card_fits_its_schema_by_the_jsonschema_package():
    from jsonschema import Draft202012Validator

    for kind, folder, name in SHIPPED + INVENTED:
        Draft202012Validator.check_schema(json_schema(kind))
        Draft202012Validator(json_schema(kind)).validate(find(folder, name).data)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("title",), None),
        (("titel",), "A"),
        (("model", "reactor", "type"), "btach"),
        (("model", "reactor", "volumen"), 1),
        (("parameters", "temperature", "low"), "20 degC"),
        (("parameters", "portions", "kind"), "integr"),
        (("constants", "1A"), "1 mol/L"),
        (("constants", "A_0"), [1]),
        (("noise", "yield", "sd"), -1),
        (("budget",), 0),
        (("id",), "good"),
    ],
)
def test_what_the_reader_of_cards_refuses_by_structure_does_not_fit(where, value):
    data, schema = find("envs", HERE / "good.yaml").data, json_schema("reaction")
    assert fits(data, schema, schema)
    inner = data
    for part in where[:-1]:
        inner = inner[part]
    inner[where[-1]] = value
    assert not fits(data, schema, schema)


def test_the_published_schemas_are_current(tmp_path):
    written = write_schemas(tmp_path / "new")
    assert [place.name for place in written] == [f"{kind}.schema.json" for kind in CARDS]
    for place in written:
        published = (PUBLISHED / place.name).read_text(encoding="utf-8")
        assert published == place.read_text(encoding="utf-8"), "run: rxnopt schema docs/schema"


@pytest.mark.parametrize("kind", CARDS)
def test_every_field_is_described_or_speaks_for_itself(kind):
    schema = json_schema(kind)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(schema)) == schema
    bare = {
        f"{name}.{field}"
        for name, definition in [(kind, schema), *schema["$defs"].items()]
        for field, node in definition.get("properties", {}).items()
        if "description" not in node and "const" not in node and "enum" not in node and "$ref" not in node
    }
    assert bare == set()
