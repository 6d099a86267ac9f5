"""Commands on measured data: list, get, path, verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rxnopt.cli.frame import Json, Quiet, app, command, print_json, print_table
from rxnopt.errors import DataError, UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from rxnopt.cards import ReactionCard
    from rxnopt.cards.data import DataFile

data = typer.Typer(
    help="Files of measured data: where they come from, and whether they are here.", no_args_is_help=True
)
app.add_typer(data, name="data")

DataSets = Annotated[list[str] | None, typer.Argument(help="Names of data sets; all of them if left out.")]


@command("list", epilog="`rxnopt data list`, `rxnopt data list direct_arylation`", group=data)
def list_data(
    data_set: Annotated[str | None, typer.Argument(help="Name of a data set; all of them if left out.")] = None,
    as_json: Json = False,
) -> None:
    """List data sets, or the files of one: size, licence, DOI, and whether they are here, and as published."""
    from rxnopt.data import data_set as card_of
    from rxnopt.data import data_sets, published, standing

    card = None if data_set is None else card_of(data_set)
    if card is None:
        rows = [_summary(name, each) for name, each in data_sets().items()]
    else:
        rows = [
            {"file": name, "content": file.what, **_facts(card, [file]), "here": standing(file)}
            for name, file in published(card)
        ]
    if as_json:
        print_json(rows)
        return
    print_table(data_set or "measured data", list(rows[0]), [list(row.values()) for row in rows])
    if card is not None and card.source.citation:
        typer.echo(f"cite: {card.source.citation}")


def _summary(name: str, card: ReactionCard) -> dict[str, str]:
    from rxnopt.data import published, standing

    files = [file for _, file in published(card)]
    found = [standing(file) for file in files]
    damaged = f", {found.count('damaged')} damaged" if "damaged" in found else ""
    here = f"{found.count('yes')} of {len(files)}{damaged}"
    return {"data set": name, "files": str(len(files)), **_facts(card, files), "here": here}


def _facts(card: ReactionCard, files: list[DataFile]) -> dict[str, str]:
    return {
        "kB": str(round(sum(file.bytes or 0 for file in files) / 1000)),
        "licence": ", ".join(dict.fromkeys(file.licence for file in files)),
        "DOI": ", ".join(dict.fromkeys(file.doi or card.source.doi or "" for file in files)),
    }


@command("get", epilog="`rxnopt data get direct_arylation`", group=data)
def get(data_sets: DataSets = None, quiet: Quiet = False) -> None:
    """Fetch files that are not here yet and check all of them."""
    from rxnopt.data import fetch, is_here, mirror
    from rxnopt.progress import bar

    files = _files(data_sets)
    new = [file for _, _, file in files if not is_here(file)]
    with bar(bool(new) and not quiet and mirror() is None, "files", len(files)) as tell:
        for card, name, file in files:
            fetch(file, card.name)
            tell(1, f"{card.name} {name}")
    typer.echo(f"{len(files)} files are here and as published, {len(new)} of them new")


@command("path", epilog="`rxnopt data path direct_arylation experiments`", group=data)
def path(
    data_set: Annotated[str, typer.Argument(help="Name of a data set.")],
    file: Annotated[str, typer.Argument(help="Name of one of its files.")],
) -> None:
    """Print where a file is; it is fetched where it is not here yet."""
    from rxnopt.data import data_set as card_of
    from rxnopt.data import fetch, published

    card = card_of(data_set)
    known = dict(published(card))
    if file not in known:
        hint = did_you_mean(file, known) or f"; there are {', '.join(known)}"
        raise UnknownNameError(f"data set {data_set!r} has no file {file!r}{hint}")
    typer.echo(str(fetch(known[file], card.name)))


@command("verify", epilog="`rxnopt data verify`", group=data)
def verify(data_sets: DataSets = None) -> None:
    """Check the files that are here against their hashes; nothing is fetched."""
    from rxnopt.data import is_here
    from rxnopt.data import verify as check

    files = _files(data_sets)
    here = [file for _, _, file in files if is_here(file)]
    wrong = []
    for file in here:
        try:
            check(file)
        except DataError as error:
            wrong.append(str(error))
    if wrong:
        raise DataError("\n".join(wrong))
    typer.echo(f"{len(here)} of {len(files)} files are here, and as published")


def _files(chosen: list[str] | None) -> list[tuple[ReactionCard, str, DataFile]]:
    from rxnopt.data import data_set, data_sets, published

    cards = [data_set(name) for name in chosen] if chosen else list(data_sets().values())
    return [(card, name, file) for card in cards for name, file in published(card)]
