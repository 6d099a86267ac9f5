"""What the page about laboratories shows is true."""

import re
from pathlib import Path

from rxnopt.cards.base import validate
from rxnopt.cards.lab import LabCard
from rxnopt.cards.schema import json_schema
from rxnopt.catalogue import parse

PAGE = (Path(__file__).parents[2] / "docs" / "lab.md").read_text()


def test_every_field_stands_in_the_page():
    schema = json_schema("lab")
    fields = {name for node in [schema, *schema["$defs"].values()] for name in node.get("properties", {})}
    assert len(fields) > 40
    assert {field for field in fields if not re.search(rf"\b{field}\b", PAGE)} == set()


def test_the_lab_files_of_the_page_are_some():
    texts = re.findall(r"```yaml\n(# a complete lab file.*?)```", PAGE, re.DOTALL)
    card, flow = [validate(parse(text, "lab.yaml"), LabCard) for text in texts]
    assert flow.adapter.kind == "flowchem"
    assert card.approval.expires == "8 h"
    assert card.failures.in_a_row == 3
