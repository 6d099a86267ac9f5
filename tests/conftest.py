"""Measured data: a folder ``shared/data`` beside the checkout is their mirror; where there is none, tests say so."""

import os
from pathlib import Path

import pytest

MIRROR = "RXNOPT_DATA_MIRROR"
BESIDE = Path(__file__).parents[2] / "shared" / "data"

if MIRROR not in os.environ and BESIDE.is_dir():
    os.environ[MIRROR] = str(BESIDE)


def pytest_collection_modifyitems(items):
    if MIRROR not in os.environ:
        needs = pytest.mark.skip(reason=f"needs measured data: point {MIRROR} at a folder that holds them")
        for item in items:
            if item.get_closest_marker("data") is not None:
                item.add_marker(needs)
