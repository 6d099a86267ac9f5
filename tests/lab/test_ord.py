"""Export to the Open Reaction Database: what the journal says, in its words, and what its own checks say of that."""

from __future__ import annotations

import pytest
from rig_toys import REACTION, Draws, breaks, lab
from typer.testing import CliRunner

from rxnopt import Campaign
from rxnopt.cards import ReactionCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import parse
from rxnopt.cli import lab as _lab  # noqa: F401  (registers)
from rxnopt.cli.frame import app
from rxnopt.errors import LabError
from rxnopt.laboratory import ord
from rxnopt.simulators import Reaction
from rxnopt.space import Space

ANNA = "Anna Lee <anna@lab.org>"
SMILES = REACTION.replace("[THF, DMF]", "{THF: {smiles: C1CCOC1}, DMF: {smiles: CN(C)C=O}}")


def campaign(folder, budget: int) -> Campaign:
    card = validate(parse(f"{SMILES}source: {{doi: 10.1039/C6RE00109B}}", "toy.yaml"), ReactionCard)
    toy = Reaction(card, Space.from_cards(card.parameters), None)
    return Campaign(toy, Draws(), budget=budget, journal=folder / "j.db", lab=lab(folder / "rig"))


@pytest.fixture
def record(tmp_path):
    """Two good runs, one without product, one whose result cannot be true, one by hand, and a correction."""
    for budget, kind in ((2, None), (3, "chemistry"), (4, "nan")):
        breaks(tmp_path / "rig", result=kind)
        with campaign(tmp_path, budget) as run:
            run.run()
    with campaign(tmp_path, 4) as run:
        run.add({"temperature": 60.0, "time": 5.0, "solvent": "DMF"}, {"yield": 40.0})
        run.write([(1, "corrected", run.told({"yield": 58.2}) | {"by": "anna"})])
        yield run


def test_what_the_journal_says(record):
    data = ord.dataset(record, ANNA)
    assert data["description"].startswith("Simulated by a digital twin: no reaction was run.")
    assert "doi:10.1039/C6RE00109B" in data["description"]
    first, second, clogged, by_hand = data["reactions"]  # and not the one whose result cannot be true
    conditions = next(iter(record)).conditions
    assert first["conditions"]["temperature"]["setpoint"] == {
        "value": pytest.approx(conditions["temperature"]), "units": "CELSIUS"
    }  # fmt: skip
    assert first["conditions"]["temperature"]["measurements"][0]["temperature"]["units"] == "CELSIUS"
    assert first["outcomes"][0]["reactionTime"] == {"value": pytest.approx(conditions["time"]), "units": "MINUTE"}
    [solvent] = first["inputs"]["solvent"]["components"]
    smiles = {"THF": "C1CCOC1", "DMF": "CN(C)C=O"}[conditions["solvent"]]
    assert {"type": "SMILES", "value": smiles} in solvent["identifiers"]
    assert solvent["reactionRole"] == "SOLVENT"
    assert "A" in first["inputs"]
    [product] = second["outcomes"][0]["products"]
    assert product["measurements"] == [{"analysisKey": "rig", "type": "YIELD", "percentage": {"value": 58.2}}]
    assert second["provenance"]["recordModified"][0]["details"] == "corrected by anna"
    assert "products" not in clogged["outcomes"][0]
    assert clogged["notes"]["procedureDetails"] == "no product"
    assert (first["setup"]["isAutomated"], by_hand["setup"]["isAutomated"]) == (True, False)
    runs = [each["identifiers"][1]["value"] for each in (first, second, clogged)]
    assert runs == [*record.ledger.runs][:3]


def test_who_recorded_it_is_asked_for(record):
    for by in ("", "Anna Lee", "anna@lab.org"):
        with pytest.raises(LabError, match="asks who recorded the experiments"):
            ord.dataset(record, by)


def test_a_campaign_without_a_rig_is_refused(tmp_path):
    with Campaign("snar", "random", budget=1, journal=tmp_path / "s.db") as run:
        run.run(progress=False)
        with pytest.raises(LabError, match="no experiment on a rig"):
            ord.dataset(run, ANNA)


def test_other_files_are_refused(record, tmp_path):
    record.close()
    told = CliRunner().invoke(app, ["lab", "export", str(tmp_path / "j.db"), str(tmp_path / "runs.xlsx")])
    assert "give a file that ends in .csv, or in .pb" in told.output


def test_the_database_takes_it(record, tmp_path):
    pytest.importorskip("ord_schema", reason="ord-schema is kept apart from tensorboard, which wants a newer protobuf")
    from ord_schema import message_helpers, validations
    from ord_schema.proto import dataset_pb2

    data = ord.dataset(record, ANNA)
    for suffix in (".pb", ".pbtxt", ".json.gz"):
        ord.save(data, tmp_path / f"runs{suffix}")
        message = message_helpers.load_message(str(tmp_path / f"runs{suffix}"), dataset_pb2.Dataset)
        assert not validations.validate_message(message, raise_on_error=False).errors
        yields = [message_helpers.get_product_yield(r.outcomes[0].products[0]) for r in message.reactions[:2]]
        assert yields == pytest.approx([trial.outputs["yield"] for trial in list(record)[:2]])
    data["reactions"][0]["outcomes"] = []
    with pytest.raises(LabError, match=r"would refuse this: .* at least 1 reaction outcome"):
        ord.save(data, tmp_path / "no.pb")
