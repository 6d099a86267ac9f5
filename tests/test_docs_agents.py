"""The blocks of docs/agents.md are what the page says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rxnopt.cards import AgentCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import names, parse
from rxnopt.testing import AgentConformance

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language == "python"]


def run(folder: Path, *command: str) -> str:
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_function_runs_as_written_and_by_name(tmp_path):
    (tmp_path / "mine.py").write_text(PYTHON[0].split("with rxnopt")[0])
    told = run(tmp_path, sys.executable, "-c", PYTHON[0])
    assert "score=" in told
    text = "".join(code for language, code in BLOCKS if language == "sh")
    [line] = [line for line in text.splitlines() if "mine.py" in line]
    assert "best of 15 trials" in run(tmp_path, sys.executable, "-m", *line.split(), "-q")


def test_the_suite_is_five_lines():
    assert len([line for line in PYTHON[1].splitlines() if line]) == 4
    space = {"MyAgent": None}
    exec(PYTHON[1], space)  # noqa: S102 - our own page
    assert issubclass(space["TestMine"], AgentConformance)


def test_the_study_runs_as_written(tmp_path):
    best, params = run(tmp_path, sys.executable, "-c", PYTHON[2]).splitlines()
    assert abs(yaml.safe_load(best)["x"] - 0.3) < 0.1
    assert set(yaml.safe_load(params)) == {"residence_time", "equivalents", "concentration", "temperature"}


@pytest.mark.parametrize("text", [code for language, code in BLOCKS if language == "yaml"])
def test_cards_are_valid(text):
    validate(parse(text, "card.yaml"), AgentCard)


def test_agents_and_files_that_are_named_exist():
    table = PAGE.split("## Which one")[1].split("Which of them")[0]
    named = set(re.findall(r"`([a-z][a-z0-9-]*)`", table)) - {"descriptors", "uncertainty"}
    assert named <= set(names("agents"))
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
