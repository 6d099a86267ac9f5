"""What docs/generality.md and docs/plates.md tell people to type works."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rxnopt.cards import AgentCard
from rxnopt.cards.agent import Bandit
from rxnopt.cards.base import load_card, validate
from rxnopt.catalogue import names, parse
from rxnopt.cli import look, plate, work  # noqa: F401  (registers the commands)
from rxnopt.cli.frame import app

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {name: (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("generality", "plates")}


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGES[page], re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [pytest.param("generality", marks=pytest.mark.data), "plates"])
def test_the_commands_and_the_python_of_the_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for line in "".join(blocks(page, "sh")).splitlines():
        result = CliRunner().invoke(app, shlex.split(line)[1:], catch_exceptions=False)
        assert result.exit_code == 0, f"{line}\n{result.output}"
    [code] = blocks(page, "python")
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert ("BTPP" in told and "ligand" in told) if page == "generality" else told == "1\n"


def test_all_bandits_and_all_files_stand_in_the_page():
    bandits = [name for name in names("agents") if isinstance(load_card("agents", name, AgentCard)[0].agent, Bandit)]
    assert all(f"`{name}`" in PAGES["generality"] for name in [*bandits, "decoupled-gp"])
    for page in PAGES.values():
        for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page):
            assert (DOCS / target).exists(), target
    [card] = blocks("plates", "yaml")
    validate(parse(card, "card.yaml"), AgentCard)
