"""The global generators and threads of other libraries, borrowed and given back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread, and give it back its threads on leaving.

    Matrices and networks this small lose time by being shared out: on two busy cores a proposal of a Gaussian process
    takes 0.1 s instead of 0.3 s.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def borrowed(seed: int) -> Iterator[None]:
    """Seed the global generators, which Stable-Baselines3 draws from, and restore them on leaving; on one thread."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    with one_thread(), torch.random.fork_rng(devices=[]):
        try:
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            torch.manual_seed(seed)
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002
