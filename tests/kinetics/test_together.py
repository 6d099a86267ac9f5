"""Kernels that were compiled in different processes give in one process what each gives alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import json, sys
import kinetics_toys
import numpy as np
from rxnopt.kinetics import compile_kernel
found = {}
for name in sys.argv[1:]:
    kernel = compile_kernel(name, getattr(kinetics_toys, name))
    points = np.random.default_rng(0).uniform(0.5, 1.5, (20, kernel.n_inputs))
    found[name] = repr(kernel(points).outputs.tolist())
print(json.dumps(found))
"""


def outputs(cache: Path, *systems: str) -> dict[str, str]:
    """Run the systems in this order in a process of their own."""
    environment = os.environ | {"RXNOPT_CACHE": str(cache), "PYTHONPATH": str(Path(__file__).parent)}
    result = subprocess.run([sys.executable, "-c", CODE, *systems], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("systems", [("exponential_decay", "linear_chain"), ("lactose", "williams_otto")])
def test_kernels_do_not_borrow_each_others_code(tmp_path, systems, runtimes):
    """Machine code from two caches meets in one linker, which keeps one function of each name."""
    runtimes(tmp_path)
    alone = {name: outputs(tmp_path, name)[name] for name in systems}
    assert outputs(tmp_path, *systems) == alone
    assert outputs(tmp_path, *reversed(systems)) == alone
