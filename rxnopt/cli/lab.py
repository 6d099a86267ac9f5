"""Campaigns on a rig: what is said to a runner from another terminal, or to its journal the next day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from rxnopt.cli.frame import Json, app, assignments, check_out, command, number, print_json, write_csv
from rxnopt.errors import LabError

lab = typer.Typer(
    name="lab",
    help="Speak to a campaign on a rig from another terminal, or the next day: by its journal.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
app.add_typer(lab)

JournalFile = Annotated[Path, typer.Argument(help="Journal of the campaign, as given to `rxnopt run --journal`.")]
RunId = Annotated[str | None, typer.Argument(help="Run, such as r0003; left out: the only one that it can be.")]
Values = Annotated[list[str] | None, typer.Argument(help="name=value, in the units of the reaction card.")]
Card = Annotated[str | None, typer.Option("--reaction", help="Path of the reaction card, if it was moved.")]


@command("status", epilog="`rxnopt lab status snar.db`", group=lab)
def status(journal: JournalFile, reaction: Card = None, as_json: Json = False) -> None:
    """Show runs, the best trial, and what a person can do now."""
    from rich.console import Console

    from rxnopt.cli.live import shown
    from rxnopt.laboratory import desk

    told = desk.status(journal, reaction)
    if as_json:
        print_json(dict(told))
        return
    Console(highlight=False).print(shown(told, journal))


@command("approve", epilog="`rxnopt lab approve snar.db r0003`", group=lab)
def approve(journal: JournalFile, run: RunId = None, reaction: Card = None) -> None:
    """Allow a run as it is shown here; a change of conditions, limits or adapter voids the approval."""
    row = _one(journal, run, reaction, "awaiting_approval")
    typer.echo(f"{row['run']}: {_settings(row)}")
    _say(journal, "approve", {"run": row["run"], "hash": row["hash"]}, reaction)


@command("deny", epilog="`rxnopt lab deny snar.db r0003 --reason 'solvent is wet'`", group=lab)
def deny(
    journal: JournalFile,
    run: RunId = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; it stands in the journal.")] = None,
    reaction: Card = None,
) -> None:
    """Forbid a run; its conditions are never proposed again."""
    row = _one(journal, run, reaction, "awaiting_approval", "approved")
    _say(journal, "deny", {"run": row["run"], "reason": reason}, reaction)


@command("resolve", epilog="`rxnopt lab resolve snar.db r0003 --as done yield=61.5`", group=lab)
def resolve(
    journal: JournalFile,
    run: Annotated[str, typer.Argument(help="Run that may have happened, such as r0003.")],
    values: Values = None,
    verdict: Annotated[
        str, typer.Option("--as", help="done (give its outputs), repeat (it did not happen), abandon.")
    ] = "done",
    reaction: Card = None,
) -> None:
    """Decide about a run of which nobody else knows whether it happened."""
    _say(journal, "resolve", {"run": run, "verdict": verdict, "outputs": pairs(values)}, reaction)


@command("add", epilog="`rxnopt lab add mine.db temperature=60 time=5 -o yield=41`", group=lab)
def add(
    journal: JournalFile,
    values: Annotated[list[str], typer.Argument(help="A value for each parameter, name=value, in units of the card.")],
    outputs: Annotated[
        list[str] | None, typer.Option("--output", "-o", help="Result, name=value; left out: the rig is to run it.")
    ] = None,
    reaction: Card = None,
) -> None:
    """Add an experiment that was done by hand (with -o), or ask the rig for one."""
    _say(journal, "add", {"conditions": pairs(values), "outputs": pairs(outputs)}, reaction)


@command("correct", epilog="`rxnopt lab correct snar.db 4 yield=58.2`", group=lab)
def correct(
    journal: JournalFile,
    trial: Annotated[int, typer.Argument(min=0, help="Number of the trial.")],
    values: Values = None,
    reaction: Card = None,
) -> None:
    """Give the result of a trial: a late analysis, or a better value; what was there before stays in the journal."""
    _say(journal, "correct", {"trial": trial, "outputs": pairs(values)}, reaction)


@command("refill", epilog="`rxnopt lab refill snar.db amine`", group=lab)
def refill(
    journal: JournalFile, reagent: Annotated[str, typer.Argument(help="As in the lab file.")], reaction: Card = None
) -> None:
    """Say that a bottle is full again."""
    _say(journal, "refill", {"reagent": reagent}, reaction)


def _control(verb: str, told: str) -> None:
    def control(journal: JournalFile) -> None:
        _say(journal, verb, {}, None)

    control.__doc__ = told
    command(verb, epilog=f"`rxnopt lab {verb} snar.db`", group=lab)(control)


_control("pause", "Submit nothing new; the run on the device goes on.")
_control("resume", "Go on after a pause, an emergency stop or another hold.")
_control("stop", "End the campaign after the run that is on the device.")
_control("abort", "Cancel the run that is on the device, wait for its end, reach the safe state and end.")


@command("export", epilog="`rxnopt lab export snar.db runs.csv`", group=lab)
def export(
    journal: JournalFile,
    out: Annotated[Path, typer.Argument(help="File to write: .csv, or .pb, .pbtxt or .json (.gz) for the database.")],
    by: Annotated[
        str, typer.Option("--by", help="For the database: who recorded the experiments, 'Anna Lee <anna@lab.org>'.")
    ] = "",
    reaction: Card = None,
) -> None:
    """Write all trials as a table, or the experiments among them for the Open Reaction Database (extra ord)."""
    from rxnopt.laboratory import desk, ord

    check_out(out)
    if out.name.removesuffix(".gz").endswith(ord.SUFFIXES):
        with desk.opened(journal, reaction) as record:
            ord.save(ord.dataset(record, by), out)
    elif out.suffix in (".csv", ""):
        write_csv(desk.exported(journal, reaction), out)
    else:
        raise LabError(f"{out}: give a file that ends in .csv, or in .pb, .pbtxt or .json for the database")
    typer.echo(str(out))


def _say(journal: Path, verb: str, args: Mapping[str, Any], reaction: str | None) -> None:
    from rxnopt.laboratory import desk

    typer.echo(desk.say(journal, verb, args, reaction))


def _one(journal: Path, run: str | None, reaction: str | None, *allowed: str) -> Mapping[str, Any]:
    """Return the row of a run in the status; the only one that stands so where none is named."""
    from rxnopt.laboratory import desk

    rows = desk.status(journal, reaction)["runs"]
    stand = [row for row in rows if row["status"] in allowed]
    found = [row for row in rows if run in (row["run"], row["run"].partition("-")[0])] if run else stand
    if len(found) != 1:
        known, what = ", ".join(row["run"] for row in stand), " or ".join(allowed).replace("_", " ")
        if not known:
            raise LabError(f"no run is {what}; `rxnopt lab status {journal}` shows all runs")
        raise LabError(f"{f'there is no run {run}' if run else 'a run is to be named'}; {what}: {known}")
    row: Mapping[str, Any] = found[0]
    return row


def pairs(values: Sequence[str] | None) -> dict[str, float | str]:
    """Return ``name=value`` texts as a mapping; values that are numbers become numbers."""
    found: dict[str, float | str] = {}
    for name, value in assignments(values or (), "yield=61.5").items():
        try:
            found[name] = float(value)
        except ValueError:
            found[name] = value
    return found


def _settings(row: Mapping[str, Any]) -> str:
    """Return the set-points of a run with their units."""
    return "; ".join(", ".join(f"{n} = {_setpoint(v)}" for n, v in each.items()) for each in row["positions"])


def _setpoint(value: Any) -> str:
    return value if isinstance(value, str) else f"{number(value[0])} {value[1]}".removesuffix(" 1")
