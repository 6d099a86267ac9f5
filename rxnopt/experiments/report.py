"""The report of a comparison: one HTML file that needs no network and no script."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rxnopt.errors import ReportError
from rxnopt.experiments.cells import SCHEMA, read_table, schema
from rxnopt.experiments.scores import NEVER, AgentScore, agent_scores, by_reaction, curves, needed, scales
from rxnopt.files import put

if TYPE_CHECKING:
    import pandas as pd

    from rxnopt.experiments.explain import Explanation


def report(run_dir: str | Path, *, explained: Sequence[Explanation] = ()) -> Path:
    """Write ``report.html`` into the folder of a finished comparison and return its path.

    Reads ``trials.parquet`` and ``manifest.json`` only; ``explained``: what is told of single campaigns besides. Raises
    :class:`ReportError` if they are missing, damaged or do not belong together.
    """
    folder = Path(run_dir)
    manifest, trials = read_run(folder)
    page = render(manifest, trials, explained)
    try:
        put(folder / "report.html", page.encode())
    except OSError as error:
        raise ReportError(f"{folder / 'report.html'}: cannot be written ({error.strerror}); check the disk") from error
    return folder / "report.html"


def read_run(folder: Path) -> tuple[dict[str, Any], pd.DataFrame]:
    import hashlib

    path, table = folder / "manifest.json", folder / "trials.parquet"
    again = "run 'rxnopt compare' again (finished campaigns are kept)"
    if not folder.is_dir():
        raise ReportError(f"{folder}: there is no such folder; give one that 'rxnopt compare' has filled")
    if not (path.exists() and table.exists()):
        raise ReportError(f"{folder}: the comparison is not finished ({path.name} or {table.name} is missing); {again}")
    try:
        manifest = json.loads(path.read_bytes())
        form, digest = manifest["schema"], manifest["table"]["sha256"]
    except (ValueError, TypeError, KeyError) as error:
        raise ReportError(f"{path}: the manifest is damaged; {again}") from error
    if form != SCHEMA:
        raise ReportError(f"{path}: the results have format {form} and this rxnopt reads {SCHEMA}; {again}")
    if hashlib.sha256(table.read_bytes()).hexdigest() != digest:
        raise ReportError(f"{table}: this is not the table that manifest.json describes; {again}")
    trials = read_table(table)
    if not trials.schema.equals(schema()):
        raise ReportError(f"{table}: the columns are not those of a comparison; {again}")
    return manifest, trials.to_pandas()


def render(manifest: Mapping[str, Any], trials: pd.DataFrame, explained: Sequence[Explanation] = ()) -> str:
    """Return the page."""
    import jinja2

    from rxnopt.experiments import figures

    scale = scales(manifest)
    best = curves(trials, scale)
    scores = agent_scores(best, manifest)
    complete = sorted((item for item in scores if item.complete), key=lambda item: -item.score)
    fresh = [item for item in complete if not manifest["agents"][item.agent]["practice"]]
    agents, target = list(manifest["agents"]), manifest["experiment"]["target"]
    budgets = {about["budget"] for about in manifest["reactions"].values()}
    budget = budgets.pop() if len(budgets) == 1 else None
    text = (files("rxnopt.experiments") / "report.html.j2").read_text()
    page = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page.filters |= {"number": number, "count": lambda n: f"{n:,}"}
    return page.from_string(text).render(
        style=style(),
        manifest=manifest,
        budget=budget,
        colours=figures.colours(agents),
        label=figures.label,
        unit=figures.unit,
        rows=[_row(item, fresh, budget) for item in [*complete, *(item for item in scores if not item.complete)]],
        sentence=sentence(complete, fresh),
        progress=figures.progress(best, agents, [item.agent for item in complete]) if complete else "",
        intervals=figures.intervals(complete, best, agents, target) if complete else "",
        reactions=[
            {
                "about": about,
                "rows": _reaction_rows(best[best["reaction"] == name], agents, about["budget"]),
                "target": scale[name].target,
                "curves": figures.reaction_curves(best[best["reaction"] == name], agents, about, scale[name]),
                "fronts": figures.fronts(trials[trials["reaction"] == name], agents, about) if about["front"] else "",
                "conditions": figures.conditions(trials[trials["reaction"] == name], agents, about),
            }
            for name, about in manifest["reactions"].items()
            if (trials["reaction"] == name).any()
        ],
        explained=[_explained(each) for each in explained],
        practised=practised(manifest),
        seconds=_seconds(manifest),
    )


def style() -> str:
    """Return the style sheet of reports."""
    return (files("rxnopt.experiments") / "report.css").read_text().strip()


def _explained(told: Explanation) -> dict[str, str]:
    from rxnopt.experiments import explain_figures, figures

    return {
        "title": told.title,
        "figure": figures.svg(explain_figures.draw(told)),
        "caption": explain_figures.caption(told),
    }


def number(value: float, digits: int = 3) -> str:
    """Write a number with so many significant digits, thousands apart, a dash for NaN."""
    if value != value:
        return "–"
    if value == 0 or abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}".replace("-", "−")
    places = digits - 1 - int(np.floor(np.log10(abs(value))))
    return f"{value:.{places}f}".replace("-", "−")


def _experiments(value: float, budget: int | None) -> str:
    if value != value:
        return "–"
    return f"> {budget}" if budget and np.isinf(value) else "> budget" if np.isinf(value) else f"{value:g}"


def _row(item: AgentScore, fresh: Sequence[AgentScore], budget: int | None) -> dict[str, Any]:
    """Return a line of the score table.

    ``fresh``: agents without practice, best first; the best of them is marked, and those that it cannot be told from.
    """
    if not item.complete:
        return dict.fromkeys(("score", "interval", "experiments", "experiments_interval", "reached"), "–") | {
            "agent": item.agent,
            "runs": item.runs,
            "mark": "",
        }
    bounds = [_experiments(value, budget) for value in (item.experiments_low, item.experiments_high)]
    known = item.low == item.low
    rank = fresh.index(item) if item in fresh else -1
    return {
        "agent": item.agent,
        "runs": item.runs,
        "score": f"{item.score:.3f}",
        "interval": f"{item.low:.3f} – {item.high:.3f}" if known else "–",
        "experiments": _experiments(item.experiments, budget),
        "experiments_interval": (bounds[0] if bounds[0] == bounds[1] else " – ".join(bounds)) if known else "–",
        "reached": f"{100 * item.reached:.0f} %",
        "mark": "best" if rank == 0 else "close" if rank > 0 and item.high >= fresh[0].low else "",
    }


def sentence(scores: Sequence[AgentScore], fresh: Sequence[AgentScore]) -> str:
    """Return the result in words, with what it does not show; both lists best first, ``fresh`` without practice."""
    if not scores:
        return "No agent finished a campaign on every reaction, so that there is no overall score."
    words = []
    if fresh:
        top = fresh[0]
        who = " of the agents that meet a reaction for the first time" if len(fresh) < len(scores) else ""
        words += [f"{top.agent} comes closest to the known optima{who}: {_scored(top)}."]
        close = [item.agent for item in fresh[1:] if item.high >= top.low]
        if close:
            verb = "interval of {} overlaps" if len(close) == 1 else "intervals of {} overlap"
            words += [f"The {verb.format(_list(close))} with it: these campaigns do not tell them apart for certain."]
    for item in scores:
        if item not in fresh:
            words += [f"{item.agent}, which had practised on the simulators beforehand, has {_scored(item)}."]
    return " ".join(words)


def _scored(item: AgentScore) -> str:
    bounds = f" (95 % interval {item.low:.3f} to {item.high:.3f})" if item.low == item.low else ""
    return f"score {item.score:.3f}{bounds}"


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _reaction_rows(best: pd.DataFrame, agents: list[str], budget: int) -> list[dict[str, Any]]:
    """Return the lines of the table of one reaction."""
    lines = []
    for agent in agents:
        mine = best[best["agent"] == agent]
        if mine.empty:
            continue
        (score,) = by_reaction(mine, agent).values()
        counts = np.concatenate([needed(array) for array in by_reaction(mine, agent, "reached").values()])
        middle = float(np.median(counts))
        quartiles = mine.groupby("seed")["best"].last().quantile([0.25, 0.5, 0.75])
        lines.append(
            {
                "agent": agent,
                "best": number(quartiles[0.5], 4),
                "quartiles": f"{number(quartiles[0.25], 4)} – {number(quartiles[0.75], 4)}",
                "score": f"{np.median(score[:, -1]):.3f}",
                "experiments": _experiments(middle if middle < NEVER / 1e6 else np.inf, budget),
                "reached": f"{(counts < NEVER).sum()} of {len(counts)}",
            }
        )
    return lines


def practised(manifest: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each trained agent and reaction: how many simulated experiments came before."""
    sentences = []
    for agent, about in manifest["agents"].items():
        for reaction, provenance in about["practice"].items():
            steps = provenance.get("steps")
            seen = f"{steps:,} simulated experiments" if isinstance(steps, int) else "an unknown number of experiments"
            if "error" not in provenance:
                sentences.append(f"{agent} had seen {seen} on {reaction} before its first campaign.")
    return sentences


def _seconds(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the median duration of a campaign of each agent."""
    found = []
    for agent in manifest["agents"]:
        times = [cell["seconds"] for cell in manifest["campaigns"] if cell["agent"] == agent]
        if times:
            found.append({"agent": agent, "seconds": number(float(np.median(times)), 2)})
    return found


__all__ = ["render", "report", "style"]
