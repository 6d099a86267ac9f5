"""Secrets come from the environment."""

from __future__ import annotations

import os

from rxnopt.errors import LabError


def secret(text: str | None) -> str | None:
    """Return the value of the environment variable named ``${NAME}``; raise :class:`LabError` where it is not set."""
    if text is None:
        return None
    name = text.removeprefix("${").removesuffix("}")
    if name not in os.environ:
        raise LabError(f"the lab file takes a secret from the environment variable {name}, which is not set; set it")
    return os.environ[name]
