"""Every block of the README runs as written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language == "python"]
SHELL = [line for language, code in BLOCKS if language == "sh" for line in code.splitlines()]


def run(command: list[str], folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "MPLBACKEND": "Agg"}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_readme_has_blocks_for_each_kind_of_user():
    assert {language for language, _ in BLOCKS} == {"python", "sh"}
    assert len(PYTHON) >= 3


MARKED = [pytest.param(code, marks=[pytest.mark.data] if "DirectArylation" in code else []) for code in PYTHON]


@pytest.mark.parametrize("code", MARKED)
def test_python_block(code: str, tmp_path: Path):
    assert run([sys.executable, "-c", code], tmp_path).strip()


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("rxnopt")])
def test_command(line: str, tmp_path: Path):
    assert run(["sh", "-ec", line], tmp_path).strip()


def test_make_targets_are_what_the_readme_says():
    """Both commands install first, and one runs these tests: .ci/run runs them, here it is looked at what they run."""
    assert [line for line in SHELL if not line.startswith("rxnopt")] == ["make demo", "make test"]
    assert "rxnopt compare quickstart" in run(["make", "--dry-run", "demo"], ROOT)
    assert "-m pytest" in run(["make", "--dry-run", "test"], ROOT)


def test_linked_files_exist():
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / target).exists(), target
