"""The command that looks into agents: explain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rxnopt.cli.frame import check_folder, command, number, print_table

if TYPE_CHECKING:
    from rxnopt.experiments.explain import Explanation


@command("explain", epilog="`rxnopt run snar --agent gp --journal snar.db` and then `rxnopt explain snar.db`")
def explain(
    run: Annotated[
        Path, typer.Argument(help="Journal of a campaign, or folder or cell file that `rxnopt compare` has filled.")
    ],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for figures; left out: beside the run.")] = None,
    reaction: Annotated[
        str | None, typer.Option("--reaction", help="Path of its card, if not in the catalogue.")
    ] = None,
    agent: Annotated[str | None, typer.Option("--agent", "-a", help="Path of its card, or its function.")] = None,
    weights: Annotated[Path | None, typer.Option("--weights", help="Weights file of a trained agent.")] = None,
) -> None:
    """Show what an agent knows and why it proposes what it does: a table, figures, a section in the report of a run."""
    from rxnopt.experiments import report
    from rxnopt.experiments.explain_runs import explained

    folder = out or (run if run.is_dir() else run.parent) / "explained"
    check_folder(folder)
    found = explained(run, reaction=reaction, agent=agent, weights=weights)
    for told in found:
        print_table(told.title, *_table(told))
        if told.expectation:
            typer.echo(told.expectation)
        typer.echo(str(_figure(told, folder)))
    if run.is_dir():
        typer.echo(str(report(run, explained=found)))


def _figure(told: Explanation, folder: Path) -> Path:
    from rxnopt.experiments.explain_figures import draw

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{told.agent.replace(':', '-')}-{told.reaction}.png"
    draw(told).savefig(path, dpi=130)
    return path


def _table(told: Explanation) -> tuple[list[str], list[list[str]]]:
    """Return columns and a row for each parameter."""
    columns = ["parameter", "best trial", "next proposal", "importance"]
    best, proposed = (told.space.to_dicts(x[None])[0] for x in (told.best, told.proposed))
    rows = [
        [p.name, _value(best[p.name]), _value(proposed[p.name]), f"{told.importance[p.name]:.2f}"] for p in told.space
    ]
    if told.sensitivity is not None:
        columns += ["sensitivity of the model"]
        rows = [[*row, f"{told.sensitivity[row[0]]:.2f}"] for row in rows]
    for m, X in [*told.drawn.items()][:: max(len(told.drawn) - 1, 1)]:  # the first and the last moment
        columns += [f"proposals after {m} trials"]
        rows = [[*row, _spread(told, j, X[:, j])] for j, row in enumerate(rows)]
    return columns, rows


def _spread(told: Explanation, j: int, column: Any) -> str:
    """Return the mean and the standard deviation of numbers, the most frequent one of levels."""
    parameter = told.space.parameters[j]
    if not parameter.levels:
        return f"{number(column.mean())} ± {column.std():.2g}"
    level = max(range(parameter.count), key=lambda k: (column == k).sum())
    return f"{parameter.levels[level]} ({100 * (column == level).mean():.0f} %)"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else number(value)
