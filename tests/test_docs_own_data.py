"""What docs/own-data.md tells people to type works, in its order, on the data that stand there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rxnopt.cli import look, own, work  # noqa: F401  (registers the commands)
from rxnopt.cli.frame import app

PAGE = (Path(__file__).parents[1] / "docs" / "own-data.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SAVED = re.findall(r"Save this as `([\w.-]+)`", PAGE)


@pytest.fixture
def tables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = [text for language, text in BLOCKS if language == "csv"]
    assert len(texts) == len(SAVED)
    for name, text in zip(SAVED, texts, strict=True):
        Path(name).write_text(text, encoding="utf-8")


def test_the_commands_and_the_python_of_the_page_run(tables):
    for line in [line for language, text in BLOCKS if language == "sh" for line in text.splitlines()]:
        result = CliRunner().invoke(app, shlex.split(line)[1:], catch_exceptions=False)
        assert result.exit_code == 0, f"{line}\n{result.output}"
    [code] = [text for language, text in BLOCKS if language == "python"]
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "r1.k at" in found.stdout
