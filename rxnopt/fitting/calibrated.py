"""The card with the fitted constants: a new file beside the old one, which is left as it is."""

from __future__ import annotations

import copy
from itertools import combinations
from typing import Any

import numpy as np

import rxnopt
from rxnopt.cards import ReactionCard
from rxnopt.cards.base import validate
from rxnopt.catalogue import dump, parse
from rxnopt.fitting.result import Fit

WIDEST = 10.0
"""Largest relative spread that a card can hold."""


def calibrated(fit: Fit) -> str:
    """Return the YAML of the calibrated card.

    Rate constants are told where the old card tells them. ``uncertainty`` holds the standard errors (normal), those of
    a barrier at the temperature where its estimate and that of the rate constant are uncorrelated, so that their
    covariance is in the card. Correlations between steps cannot be told there; a note says how large they are.
    """
    data = copy.deepcopy(fit.source.data)
    card, stem, version = fit.card, *fit.card.id.split("-")
    data |= {"name": f"{card.name}_fitted"[:60], "id": f"{stem}Fitted-{version}"}
    for field in ("optimum", "versions"):  # those of the old constants
        data.pop(field, None)
    data["source"] = data.get("source", {}) | {"note": f"{card.source.note or ''} {provenance(fit)}".strip()}
    spreads = {name: own for name, own in data.get("uncertainty", {}).items() if name not in fit.constants.names}
    for i, name in enumerate(fit.constants.names):
        _put(data, fit, i, name)
        if np.isfinite(fit.errors[i]) and (spread := _spread(fit, i)):
            spreads[name] = spread
    data["uncertainty"] = spreads
    if not spreads:
        del data["uncertainty"]
    text = dump(data)
    validate(parse(text, f"{data['name']}.yaml"), ReactionCard)
    return text


def provenance(fit: Fit) -> str:
    """Return where the constants come from, in words for the card."""
    sheet, names = fit.data.sheet, ", ".join(fit.constants.names)
    told = (
        f"Constants {names} fitted by rxnopt {rxnopt.__version__} to {fit.data.count} values in {len(sheet)} rows of "
        f"{sheet.file.replace(chr(92), '/').rsplit('/', 1)[-1]} (SHA-256 {sheet.digest[:16]}...), starting from card "
        f"{fit.card.name}."
    )
    untold = [n for n, e in zip(fit.constants.names, fit.errors, strict=True) if not np.isfinite(e)]
    if untold:
        told += f" Not determined by the data, and left as they were: {', '.join(untold)}."
    if (largest := _largest(fit)) is not None:
        told += (
            " The errors under 'uncertainty' are drawn one by one; estimates are correlated, between steps most of all "
            f"{largest}."
        )
    return told


def _largest(fit: Fit) -> str | None:
    """Return in words the largest correlation between constants of different steps."""
    names = fit.constants.names
    pairs = [(i, j) for i, j in combinations(range(len(names)), 2) if names[i].split(".")[0] != names[j].split(".")[0]]
    R = np.nan_to_num(fit.correlation)
    i, j = max(pairs, key=lambda pair: abs(R[pair]), default=(0, 0))
    return None if i == j or abs(R[i, j]) < 0.1 else f"{names[i]} with {names[j]} ({R[i, j]:.2f})"


def _put(data: dict[str, Any], fit: Fit, i: int, name: str) -> None:
    """Write one constant where the card has it; a formula gets a factor, or a constant that shifts it."""
    constant, value = fit.constants.constants[i], float(fit.constant_rows[i])
    step, _, field = name.partition(".")
    home = data["constants"] if not field else data["model"]["reactions"][list(fit.card.steps).index(step)]
    key = field or name
    unit = "" if constant.unit.text == "1" else f" {constant.unit.text}"
    if not constant.formula:
        home[key] = f"{value:.7g}{unit}"
    elif constant.relative:
        home[key] = f"{value:.7g} * ({home[key]})"
    else:
        own = f"{step}_{field}_shift"
        data.setdefault("constants", {})[own] = f"{value:.7g}{unit}"
        home[key] = f"{home[key]} + {own}"


def _spread(fit: Fit, i: int) -> dict[str, Any] | None:
    """Return the entry of ``uncertainty`` of one constant; None where a card cannot hold one so large."""
    own, constant = fit.constants, fit.constants.constants[i]
    step, _, field = constant.name.partition(".")
    partner = f"{step}.{'Ea' if field == 'k' else 'k'}"
    error = fit.errors[i]
    if constant.relative:
        if partner in own.names and np.isfinite(fit.errors[own.names.index(partner)]):
            error *= np.sqrt(1.0 - fit.correlation[i, own.names.index(partner)] ** 2)
        spread = float(np.expm1(error))
        return {"relative": float(f"{spread:.4g}"), "distribution": "normal"} if 0 < spread <= WIDEST else None
    size = own.size[i] / constant.unit.factor
    unit = "" if constant.unit.text == "1" else f" {constant.unit.text}"
    found: dict[str, Any] = {"absolute": f"{error * size:.4g}{unit}", "distribution": "normal"}
    if field != "Ea":
        return found
    if partner in own.names and own.reference is not None and np.isfinite(fit.errors[own.names.index(partner)]):
        return found | {"at": f"{_uncorrelated(fit, own.names.index(partner), i, own.reference):.2f} K"}
    return found if fit.card.steps[step].at else found | {"at": "infinity"}


def _uncorrelated(fit: Fit, k: int, barrier: int, reference: float) -> float:
    """Return the temperature (K) at which estimates of a rate constant and its barrier are uncorrelated.

    With e = Ea / (R reference), ln k(T) = ln k(reference) + e (1 - reference / T).
    """
    C = fit.covariance
    return float(reference / (1.0 + C[k, barrier] / C[barrier, barrier]))


__all__ = ["calibrated", "provenance"]
