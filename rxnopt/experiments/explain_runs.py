"""Campaigns of the past, opened again: from a journal, from a comparison or from one of its cells."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rxnopt.agents import load as load_agent
from rxnopt.campaign import Campaign
from rxnopt.cards.realism import Realism
from rxnopt.errors import JournalError, ReportError
from rxnopt.events import EXTENDED
from rxnopt.experiments.cells import reaction_at, read_table
from rxnopt.experiments.explain import Explanation, explain
from rxnopt.experiments.report import read_run
from rxnopt.experiments.scores import curves, scales
from rxnopt.journal import Journal
from rxnopt.simulators import load

if TYPE_CHECKING:
    import pandas as pd


def explained(
    run: str | Path, *, reaction: str | None = None, agent: str | None = None, weights: str | Path | None = None
) -> list[Explanation]:
    """Return what there is to say about a run, an explanation for each campaign of it that is looked at.

    ``run``: the journal of a campaign, a cell of a comparison (``cells/<hash>.parquet``), or the folder of one; of that
    the first campaign of the best agent on each reaction. ``reaction`` and ``agent`` are for journals of cards that are
    not in the catalogue: their paths; ``weights`` for those of a policy whose weights lie elsewhere.
    """
    path = Path(run)
    if path.is_dir():
        return _of_folder(path)
    if path.suffix == ".parquet":
        return _of_cell(path)
    with _reopened(path, reaction, agent, weights) as campaign:
        return [explain(campaign)]


def _reopened(path: Path, reaction: str | None, agent: str | None, weights: str | Path | None) -> Campaign:
    """Return the campaign of a journal; raise :class:`rxnopt.errors.JournalError` where it cannot be opened."""
    if not path.is_file():
        raise JournalError(f"{path}: there is no such journal; give the file that --journal made, or a run folder")
    journal = Journal(path, {})
    identity = journal.identity
    budgets = [event.payload["budget"] for event in journal.events() if event.kind == EXTENDED]
    journal.close()
    loaded, realism = load(reaction or identity["reaction"]), identity.get("realism")
    return Campaign(
        loaded if realism is None else replace(loaded, realism=Realism.model_validate_json(realism)),
        agent or identity["agent"],
        budget=[identity["budget"], *budgets][-1],
        seed=identity["seed"],
        noise=identity["noise"],
        pareto=identity.get("objectives") is not None,
        weights=weights,
        journal=path,
    )


def _of_cell(path: Path) -> list[Explanation]:
    trials: Any = read_table(path).to_pandas()
    if not {"reaction", "agent", "seed", "conditions"} <= set(trials.columns) or trials.empty:
        raise ReportError(f"{path}: this table is no cell of a comparison; give a file of its folder cells")
    manifest, _ = read_run(path.parent.parent)
    return [explain(_again(manifest, trials))]


def _of_folder(folder: Path) -> list[Explanation]:
    manifest, trials = read_run(folder)
    return explain_best(manifest, trials)


def explain_best(manifest: dict[str, Any], trials: pd.DataFrame) -> list[Explanation]:
    """Return an explanation of the first campaign of the best agent on each reaction of a comparison."""
    ends = curves(trials, scales(manifest)).groupby(["reaction", "agent", "seed"])["score"].last()
    middle = ends.groupby(["reaction", "agent"]).median()
    found = []
    for reaction in manifest["reactions"]:
        agent = middle[reaction].idxmax()
        part = trials[(trials["reaction"] == reaction) & (trials["agent"] == agent)]
        found.append(explain(_again(manifest, part[part["seed"] == part["seed"].iloc[0]])))
    return found


def _again(manifest: dict[str, Any], trials: pd.DataFrame) -> Campaign:
    """Return a campaign in memory with the trials of one of a comparison."""
    asked, first = manifest["experiment"], trials.iloc[0]
    objective, weights = asked["objective"], asked["weights"]
    options = (objective, None if weights is None else tuple(weights))
    places = {reaction_at(place, *options).name: place for place in asked["reactions"]}
    agents = {card.name: card for card in map(load_agent, asked["agents"])}
    reaction = reaction_at(places[first["reaction"]], *options).with_realism(asked["realism"])
    campaign = Campaign(
        reaction, agents[first["agent"]], budget=int(manifest["reactions"][first["reaction"]]["budget"]),
        seed=int(first["seed"]), noise=asked["noise"], pareto=objective == "pareto",
    )  # fmt: skip
    for conditions, outputs in zip(trials["conditions"], trials["outputs"], strict=True):
        campaign.add(json.loads(conditions), json.loads(outputs) if outputs else None)
    return campaign


__all__ = ["explain_best", "explained"]
