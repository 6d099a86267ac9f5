"""Randomness: one root seed, named streams, nothing global.

A stream is found by its name and, where it has one, an index (the number of a trial, say), so that it can be
rebuilt at any point without drawing what came before.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np

from rxnopt.errors import ConditionsError


def stream(seed: int, name: str, *index: int) -> np.random.Generator:
    """Return the generator of stream ``name`` of root ``seed``; equal arguments give equal draws, forever."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(crc32(name.encode()), *index)))


def stream_seed(seed: int, name: str, *index: int) -> int:
    """Return a 32-bit seed for libraries that want a number instead of a generator."""
    key = (crc32(name.encode()), *index)
    return int(np.random.SeedSequence(seed, spawn_key=key).generate_state(1)[0])


def beside(rng: np.random.Generator, name: str, *index: int) -> np.random.Generator:
    """Return the stream ``name`` of the root from which ``rng`` was made, whatever has been drawn from it since."""
    root = rng.bit_generator.seed_seq
    if not isinstance(root, np.random.SeedSequence):
        raise ConditionsError("a generator without a seed sequence has no streams beside it; make it from a seed")
    key = (*root.spawn_key, crc32(name.encode()), *index)
    return np.random.default_rng(np.random.SeedSequence(root.entropy, spawn_key=key))
