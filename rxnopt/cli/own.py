"""Commands for data of one's own: fit, new from-csv."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rxnopt.cli.frame import (
    Json,
    Quiet,
    Seed,
    app,
    assignments,
    check_folder,
    check_out,
    command,
    print_json,
    print_table,
)
from rxnopt.errors import ConditionsError, FitError, RxnoptError

if TYPE_CHECKING:
    from rxnopt.drafting import Draft
    from rxnopt.fitting.result import Fit
    from rxnopt.simulators import Reaction

new = typer.Typer(help="Cards of your own.", no_args_is_help=True)
app.add_typer(new, name="new")


@command("fit", epilog="`rxnopt fit lactose kinetics.csv --constants r1.k,r1.Ea`")
def fit(
    card: Annotated[str, typer.Argument(help="Name of a reaction with kinetics, or the path of your own card.")],
    data: Annotated[Path, typer.Argument(help="CSV: a row per experiment or time, columns: parameters and outputs.")],
    constants: Annotated[
        str | None, typer.Option("--constants", help="Such as r1.k,r1.Ea; else those under uncertainty, or all.")
    ] = None,
    sd: Annotated[
        list[str] | None, typer.Option("--sd", help="Error of an output, yield=1.5; estimated if left out.")
    ] = None,
    level: Annotated[float, typer.Option("--level", help="Of the intervals.")] = 0.95,
    seed: Seed = 0,
    profiles: Annotated[bool, typer.Option(help="Compute profile likelihoods too.")] = True,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for report, tables and calibrated card; else runs/fit-NAME.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Estimate rate constants from measured experiments: intervals, warnings, and a calibrated card."""
    from rxnopt.fitting import fit as fit_constants
    from rxnopt.fitting.report import TABLES, write

    check_folder(out)
    if out is not None and data.resolve() in [(out / name).resolve() for name in TABLES]:
        raise FitError(f"{data} would be written over by the table of that name in {out}; give another --out")
    names = None if constants is None else [name.strip() for name in constants.split(",")]
    found = fit_constants(
        card, data, constants=names, sd=_errors(sd or []), level=level, seed=seed, profiles=profiles, progress=not quiet
    )
    folder = Path("runs") / f"fit-{found.card.name}" if out is None else out
    if not as_json:
        _show(found, quiet)  # before the card, which may be refused
    path = write(found, folder)
    if as_json:
        print_json({"estimates": found.table().to_dict("records"), "warnings": list(found.warnings), "card": str(path)})
    else:
        typer.echo(str(folder / "report.html"))
        typer.echo(str(path))


def _show(found: Fit, quiet: bool) -> None:
    from rxnopt.fitting.report import counts, rows

    columns = ["constant", "unit", "card", "estimate", "standard error", f"{100 * found.level:g} % interval"]
    print_table(found.card.title, columns + (["by profile"] if found.profiles else []), rows(found))
    if not quiet:
        typer.echo(counts(found))
    for warning in found.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if found.data.unused and not quiet:
        typer.echo(f"columns that were not used: {', '.join(found.data.unused)}", err=True)


def _errors(texts: list[str]) -> dict[str, float]:
    found = {}
    for name, text in assignments(texts, "--sd yield=1.5").items():
        try:
            found[name] = float(text)
        except ValueError as error:
            raise FitError(f"--sd {name}={text}: {text!r} is not a number; write it like --sd yield=1.5") from error
    return found


@command("from-csv", epilog="`rxnopt new from-csv results.csv --maximize yield`", group=new)
def from_csv(
    results: Annotated[Path, typer.Argument(help="CSV: a row per experiment, columns: conditions and results.")],
    maximize: Annotated[str | None, typer.Option("--maximize", help="Column of which much is good.")] = None,
    minimize: Annotated[str | None, typer.Option("--minimize", help="Column of which little is good.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of the card; that of the file if left out.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The card; else beside the table, as .yaml.")] = None,
    quiet: Quiet = False,
) -> None:
    """Draft a card from a table of results: a grid is looked up, scattered experiments are emulated."""
    from rxnopt.drafting import draft
    from rxnopt.files import put_new
    from rxnopt.seeds import stream
    from rxnopt.simulators import load

    goals = [(way, column) for way, column in (("maximize", maximize), ("minimize", minimize)) if column is not None]
    if len(goals) > 1:
        raise ConditionsError("give either --maximize or --minimize; several objectives can be written into the card")
    place = results.with_suffix(".yaml") if out is None else out
    if place.resolve().parent != results.resolve().parent:
        raise ConditionsError(f"{place}: the card names the table beside it; give a path in {results.resolve().parent}")
    check_out(place)
    found, new_card = draft(results, goals[0] if goals else None, _ask, name), not place.exists()
    put_new(place, found.text.encode())
    try:
        reaction = load(place)
        reaction.outcome(reaction.space.sample(1, stream(0, "draft")))  # the data are read, an emulator learns
    except RxnoptError:
        if new_card:
            place.unlink()
        raise
    if not quiet:
        _tell(found, reaction)
    typer.echo(str(place))


def _tell(found: Draft, reaction: Reaction) -> None:
    """Say what was taken as what, and how well an emulator tells what it has not seen."""
    from rxnopt.simulators.emulator import EmulatorSimulator

    for line in found.told:
        typer.echo(line)
    told = "a grid, looked up (kind: table)" if found.kind == "table" else "scattered, emulated (kind: emulator)"
    goal = "maximise" if reaction.card.objective.sign > 0 else "minimise"
    typer.echo(f"{goal} {reaction.objective}; the experiments are {told}")
    if isinstance(reaction.simulator, EmulatorSimulator):
        for column, learned in reaction.simulator.learned.items():
            typer.echo(f"{column}: R2 {learned.r2:.2f}, error {learned.rmse:.3g} for experiments that were left out")


def _ask(columns: Sequence[str]) -> tuple[str, str]:
    """Ask which column is wanted, and whether much or little of it."""
    listed = ", ".join(columns)
    try:
        column = typer.prompt(f"Which column is the objective ({listed})?")
        little = typer.confirm(f"Is little {column} good?", default=False)
    except typer.Abort as error:
        raise ConditionsError(f"say --maximize COLUMN or --minimize COLUMN; columns of numbers are {listed}") from error
    return "minimize" if little else "maximize", column
