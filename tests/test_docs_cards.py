"""Every card and every message of docs/cards.md is what the page says."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rxnopt.cards import AgentCard, ExperimentCard, ReactionCard, load_card
from rxnopt.cards.base import Model, validate
from rxnopt.cards.schema import CARDS, json_schema
from rxnopt.catalogue import parse
from rxnopt.errors import CardError
from rxnopt.formulas import FUNCTIONS
from rxnopt.kinetics.lowering import lower
from rxnopt.simulators import load
from rxnopt.simulators.measurement import Measurement
from rxnopt.space import Space

PAGE = (Path(__file__).parents[1] / "docs" / "cards.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TITLE = re.compile(r"# a complete (agent |experiment )?card: (\S+)\n")
COMPLETE = {(found[1] or "").strip(): {} for _, text in BLOCKS if (found := TITLE.match(text))}
for language, text in BLOCKS:
    if language == "yaml" and (found := TITLE.match(text)):
        COMPLETE[(found[1] or "").strip()][found[2]] = text
CSV = [text for language, text in BLOCKS if language == "csv"]
TABLES = dict(zip(("coupling.csv", "scattered.csv"), CSV, strict=True))
COMPLAINTS = [
    (BLOCKS[i][1], BLOCKS[i + 1][1].rstrip("\n")) for i, (language, _) in enumerate(BLOCKS) if language == "diff"
]


@pytest.mark.parametrize("name", COMPLETE[""])
def test_every_complete_reaction_card_runs_in_the_middle_of_its_box(name, tmp_path):
    (tmp_path / name).write_text(COMPLETE[""][name], encoding="utf-8")
    for table, text in TABLES.items():
        (tmp_path / table).write_text(text, encoding="utf-8")
    reaction = load(tmp_path / name)
    outcome = reaction.outcome(reaction.space.from_unit(np.full((1, len(reaction.space)), 0.5)))
    assert not outcome.failed.any()
    assert np.isfinite(outcome.values).all()
    assert 0 < outcome.values[0, reaction.outputs.index("yield")] < 100


def test_every_complete_agent_and_experiment_card_is_valid(tmp_path):
    for kind, folder, model in (("agent", "agents", AgentCard), ("experiment", "experiments", ExperimentCard)):
        assert COMPLETE[kind]
        for name, text in COMPLETE[kind].items():
            (tmp_path / name).write_text(text, encoding="utf-8")
            load_card(folder, tmp_path / name, model)


def checked(source):
    card = validate(source, ReactionCard)
    lower(card, source)
    Measurement(card, Space.from_cards(card.parameters), card.realism, source.place)


@pytest.mark.parametrize(("diff", "said"), COMPLAINTS, ids=[said[:60] for _, said in COMPLAINTS])
def test_every_quoted_message_is_what_the_edit_gives(diff, said):
    old = "".join(line[1:] + "\n" for line in diff.splitlines() if line.startswith("-"))
    new = "".join(line[1:] + "\n" for line in diff.splitlines() if line.startswith("+"))
    card = COMPLETE[""]["amide.yaml"]
    assert card.count(old) == 1
    source = parse(card.replace(old, new), "amide.yaml")
    with pytest.raises(CardError) as caught:
        checked(source)
    assert str(caught.value) == said


def test_python_blocks_run():
    [code] = [text for language, text in BLOCKS if language == "python"]
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "too_hot" in found.stdout


def test_the_page_has_examples_of_all_its_parts():
    assert set(COMPLETE) == {"", "agent", "experiment"}
    assert len(COMPLETE[""]) >= 4
    assert len(COMPLAINTS) >= 12


def test_every_field_of_every_card_stands_in_the_page():
    fields = {
        field
        for kind in CARDS
        if kind != "lab"  # has a page of its own
        for definition in [json_schema(kind), *json_schema(kind)["$defs"].values()]
        for field in definition.get("properties", {})
    }
    assert len(fields) > 50
    assert {field for field in fields if not re.search(rf"\b{field}\b", PAGE)} == set()


def test_every_function_and_reactor_stands_in_the_page():
    reactors = json_schema("reaction")["$defs"]["Reactor"]["properties"]["type"]["enum"]
    assert {name for name in [*FUNCTIONS, *reactors] if f"`{name}`" not in PAGE} == set()


def _defaults(model: type[Model]):
    return {name: field.default for name, field in model.model_fields.items() if not field.is_required()}


def test_defaults_in_the_page_are_those_of_the_models():
    assert f"| {_defaults(ReactionCard)['budget']} |" in PAGE
    assert f"`{_defaults(ReactionCard)['gas_constant']}`" in PAGE
    assert f"| {_defaults(ExperimentCard)['target']} |" in PAGE
    assert f"| {_defaults(ExperimentCard)['seeds']} |" in PAGE
