"""One small comparison, run once."""

from __future__ import annotations

import pytest
from comparison_toys import write_cards

from rxnopt.experiments import compare


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """Two agents on two reactions, and a broken agent; two workers."""
    folder = tmp_path_factory.mktemp("comparison")
    return compare(write_cards(folder, "random, tpe, BROKEN"), out=folder / "runs", workers=2, progress=False)
