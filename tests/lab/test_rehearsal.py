"""The walk-through is executed as it stands on its page."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "rehearsal.md"


def test_the_rehearsal_of_the_page(tmp_path):
    pytest.importorskip("asyncua")
    shim = tmp_path / "bin" / "rxnopt"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rxnopt "$@"\n')
    shim.chmod(0o755)
    script = "set -em\ntrap 'kill %1 2>/dev/null' EXIT\n" + "".join(
        re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.S)
    )
    environment = os.environ | {"PATH": f"{shim.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    assert re.search(r"r000[12] may be on the device. Start the same `rxnopt run` again", told)  # 2 on a busy computer
    assert "r0003 may have happened. Look at the rig" in done.stderr
    assert "r0004 waits for a person: rxnopt lab approve rehearsal.db r0004" in done.stderr
    assert re.search(r"^5$", done.stdout, re.MULTILINE), done.stdout
    physical = [json.loads(line) for line in (tmp_path / "rig" / "physical.jsonl").read_text().splitlines()]
    begun = [row["run_id"] for row in physical if row["kind"] == "start"]
    rows = list(csv.DictReader((tmp_path / "runs.csv").read_text().splitlines()))
    assert len(begun) == len(set(begun)) == 5
    lost = [name for name in begun if name.startswith("r0003-")]
    assert {row["run"] for row in rows} == {*begun} - {*lost}
    assert [row["status"] for row in rows] == ["done"] * 4
    assert rows[0]["corrected_by"]
    assert float(rows[0]["yield"]) == 58.2
    assert rows[0]["conversion"], "what was not corrected is still known"
