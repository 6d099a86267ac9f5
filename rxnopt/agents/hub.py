"""Samplers of OptunaHub: code of others, loaded only where the user says that it is trusted."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from optuna.samplers import BaseSampler

from rxnopt.cards.agent import Hub
from rxnopt.errors import AgentError, did_you_mean

TRUST = "RXNOPT_TRUST_HUB"
"""Environment variable: packages that may be loaded, as package@commit or package@folder, with commas between."""


def hub_sampler(agent: str, hub: Hub, sampler: str) -> type[BaseSampler]:
    """Return a class of a package; raise :class:`rxnopt.errors.AgentError` in one sentence.

    A package is Python that runs with the rights of the user, so it is refused unless :data:`TRUST` names it with
    the very commit (or local registry) that the card asks for.
    """
    wanted = f"{hub.package}@{hub.ref or hub.registry}"
    if wanted not in os.environ.get(TRUST, "").split(","):
        raise AgentError(
            f"agent {agent!r} runs code of others, the package {hub.package} of "
            f"{hub.registry or 'OptunaHub'}; read it, and where you trust it, set {TRUST}={wanted}"
        )
    if find_spec("optunahub") is None:
        raise AgentError(
            f"agent {agent!r} needs OptunaHub, which is not installed; run \"pip install '.[hub]'\" in the checkout"
        )
    module = _load(agent, hub)
    classes = {n: c for n, c in vars(module).items() if isinstance(c, type) and issubclass(c, BaseSampler)}
    if sampler not in classes:
        hint = did_you_mean(sampler, classes) or f"; there are {', '.join(classes) or 'none'}"
        raise AgentError(f"agent {agent!r}: the package {hub.package} has no sampler {sampler!r}{hint}")
    return classes[sampler]


def _load(agent: str, hub: Hub) -> ModuleType:
    """Run a package: that of the commit, from the internet or from what was kept of it, or that of a folder."""
    import optunahub

    try:
        if hub.registry is not None:
            return optunahub.load_local_module(hub.package, registry_root=str(Path(hub.registry).absolute()))
        return optunahub.load_module(hub.package, ref=str(hub.ref))
    except Exception as error:
        told = " ".join(str(error).split())
        raise AgentError(
            f"agent {agent!r}: the package {hub.package} cannot be loaded ({type(error).__name__}: {told})"
        ) from error
