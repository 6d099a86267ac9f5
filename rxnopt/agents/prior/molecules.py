"""How alike molecules are, by RDKit, an extra."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np

from rxnopt.errors import AgentError
from rxnopt.space import Array

RADIUS = 2
"""Bonds around an atom that a Morgan fingerprint looks at."""


def tanimoto(agent: str, parameter: str, smiles: Mapping[str, str]) -> Array:
    """Return the Tanimoto similarity (n, n) of the counts of Morgan fingerprints, for the SMILES of n levels.

    Rogers and Hahn 2010, 10.1021/ci100050t. A level without a molecule (an empty SMILES) is like no other one.
    Raises :class:`rxnopt.errors.AgentError` without RDKit and for a SMILES that cannot be read.
    """
    if find_spec("rdkit") is None:
        raise AgentError(
            f"agent {agent!r} compares the SMILES of {parameter!r} with RDKit, which is not installed; "
            "run \"pip install '.[chem]'\" in the checkout"
        )
    from rdkit import DataStructs
    from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator

    generator = GetMorganGenerator(radius=RADIUS)
    prints = [generator.GetCountFingerprint(_molecule(agent, parameter, *each)) for each in smiles.items()]
    alike = np.array([DataStructs.BulkTanimotoSimilarity(each, prints) for each in prints])
    empty = [not text for text in smiles.values()]
    alike[empty], alike[:, empty] = 0.0, 0.0
    np.fill_diagonal(alike, 1.0)
    return alike


def _molecule(agent: str, parameter: str, level: str, smiles: str) -> Any:
    from rdkit import rdBase
    from rdkit.Chem import MolFromSmiles

    with rdBase.BlockLogs():  # the sentence below says it
        molecule = MolFromSmiles(smiles)
    if molecule is None:
        raise AgentError(f"agent {agent!r}: {smiles!r}, the smiles of {parameter} {level!r}, is no molecule; mend it")
    return molecule
