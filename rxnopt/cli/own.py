"""Commands for data of one's own: fit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rxnopt.cli.frame import Json, Quiet, Seed, check_folder, command, print_json, print_table
from rxnopt.errors import FitError


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
    from rxnopt.fitting.report import counts, rows, write

    check_folder(out)
    names = None if constants is None else [name.strip() for name in constants.split(",")]
    found = fit_constants(
        card, data, constants=names, sd=_errors(sd or []), level=level, seed=seed, profiles=profiles, progress=not quiet
    )
    folder = Path("runs") / f"fit-{found.card.name}" if out is None else out
    path = write(found, folder)
    if as_json:
        print_json({"estimates": found.table().to_dict("records"), "warnings": list(found.warnings), "card": str(path)})
        return
    columns = ["constant", "unit", "card", "estimate", "standard error", f"{100 * level:g} % interval"]
    print_table(found.card.title, columns + (["by profile"] if profiles else []), rows(found))
    if not quiet:
        typer.echo(counts(found))
    for warning in found.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if found.data.unused and not quiet:
        typer.echo(f"columns that were not used: {', '.join(found.data.unused)}", err=True)
    typer.echo(str(folder / "report.html"))
    typer.echo(str(path))


def _errors(texts: list[str]) -> dict[str, float]:
    found = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            found[name] = float(value)
        except ValueError as error:
            raise FitError(f"--sd {text} is not name=number; write it like yield=1.5") from error
    return found
