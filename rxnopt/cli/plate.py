"""The command that fills a plate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rxnopt.cli.frame import Quiet, Seed, check_out, command
from rxnopt.errors import ConditionsError
from rxnopt.files import put_new

FORMATS = (".png", ".svg", ".pdf")


@command("plate", epilog="`rxnopt plate mit_case1 --agent kmedoids --wells 24 --shared temperature --out plate.csv`")
def plate(
    reaction: Annotated[str, typer.Argument(help="Name of a reaction, or the path of your own card.")],
    out: Annotated[Path, typer.Option("--out", help="CSV with a row per well; read it back with the results in it.")],
    agent: Annotated[
        str, typer.Option("--agent", "-a", help="kmedoids, sobol, lhs, random or any other.")
    ] = "kmedoids",
    wells: Annotated[int, typer.Option("--wells", help="6, 12, 24, 48, 96 or 384.")] = 96,
    shared: Annotated[
        list[str] | None, typer.Option("--shared", help="Parameter with one value for the plate; may be repeated.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option("--figure", help="Plate map, .png, .svg or .pdf; beside the CSV if left out.")
    ] = None,
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Fill a plate with first experiments: a table to take to the laboratory, and a plate map."""
    from rxnopt.campaign import Campaign
    from rxnopt.plate import draw, names, table

    names(wells)
    place = out.with_suffix(".png") if figure is None else figure
    if place.suffix not in FORMATS:
        raise ConditionsError(f"{place}: a figure ends in {', '.join(FORMATS)}; give another name")
    if place == out:
        raise ConditionsError(f"{out}: the table and the figure have the same name; give a --figure")
    check_out(out)
    check_out(place)
    realism: Any = {"plate": {"size": wells, "shared": shared}} if shared else True
    with Campaign(reaction, agent, budget=wells, seed=seed, realism=realism) as campaign:
        trials = campaign.ask(wells)
        put_new(out, table(campaign.reaction, trials, wells).to_csv(index=False).encode())
        draw(campaign.reaction, trials, wells).savefig(place, dpi=150)
    if not quiet:
        typer.echo(f"{out}: {wells} wells, to be filled in; {place}: the plate map")
