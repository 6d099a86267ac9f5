"""rxnopt explain."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_look import mistake, rxnopt


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_campaign_is_explained(folder: Path):
    rxnopt("run", "lactose", "--agent", "gp", "--budget", "12", "--journal", "j.db", "-q")
    text = rxnopt("explain", "j.db").stdout
    assert "gp on lactose after 12 trials" in text
    assert "the model expects a cost weighted yield of" in text
    assert Path("explained/gp-lactose.png").read_bytes()[:4] == b"\x89PNG"


def test_a_run_that_is_not_there_is_one_sentence(folder: Path):
    assert "there is no such journal" in mistake("explain", "nothing.db")
