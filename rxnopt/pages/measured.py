"""The sections of a page on measured data: which files, what in them, and the parts that are environments too."""

from __future__ import annotations

from rxnopt.cards import ReactionCard
from rxnopt.cards.table import TableModel
from rxnopt.catalogue import GENERAL, camel
from rxnopt.envs import NAMESPACE
from rxnopt.pages.text import code, number, prose, sentence, table, with_unit


def grid(model: TableModel, levels: str) -> str:
    """Return what is looked up where, and the ``levels`` with their properties."""
    columns = [[code(name), code(entry.column), entry.by or "name"] for name, entry in model.columns.items()]
    columns += [
        [code(name), code(entry.column), with_unit("number", entry.unit)] for name, entry in model.measured.items()
    ]
    used = ", ".join(code(file.file) for file in model.files)
    return f"""Nothing is computed: an experiment is looked up in what was measured ({used} below), and one that nobody
made fails, with `info["failure"]` "missing".

{table(["Name", "Column", "Stands there"], columns)}

{levels}"""


def files(card: ReactionCard) -> str:
    """Return the table of files of measured data with their origin."""
    rows = []
    for name, file in card.data.items():
        link = f"[{file.repository}](https://github.com/{file.repository}/tree/{file.commit})"
        doi = file.doi or card.source.doi
        cited = f"[{doi}](https://doi.org/{doi})" if doi else ""
        rows.append([code(name), prose(file.what), link if file.repository else "", file.licence, cited])
    if not rows:
        return ""
    return f"""The files are no part of rxnopt. They are fetched at the first experiment, or by
`rxnopt data get {card.name}`, and used only with the SHA-256 that the card says.

{table(["File", "Content", "Repository", "Licence", "DOI"], rows)}"""


def parts(card: ReactionCard) -> str:
    """Return the table of the parts that are environments of their own."""
    stem, version = card.id.rsplit("-", 1)
    rows = []
    for name, part in card.parts.items():
        best = (
            ""
            if part.optimum is None
            else with_unit(number(part.optimum.value, 6), card.outputs[card.objective.output].unit)
        )
        rows.append([code(f"{card.name}-{name}"), code(f"{NAMESPACE}/{stem}{camel(name)}-{version}"), part.title, best])
    return table(["Reaction", "Environment", "Held", "Best"], rows)


def general(card: ReactionCard) -> str:
    """Return what the environment of general conditions asks."""
    if card.generality is None:
        return ""
    stem, version = card.id.rsplit("-", 1)
    over = " and ".join(code(name) for name in card.generality.over)
    gym_id = f"{NAMESPACE}/{stem}General-{version}"
    return f"""`gymnasium.make("{gym_id}")`, and `{card.name}{GENERAL}` wherever a reaction is named,
asks for conditions that are good for all levels of {over} on average. These are drawn, an action sets the others
([general conditions](../generality.md))."""


def past(card: ReactionCard) -> str:
    """Return the table of past campaigns."""
    rows = [[code(name), prose(entry.title), sentence(entry.description)] for name, entry in card.past.items()]
    if not rows:
        return ""
    return f"""An experiment card that names them under `past` puts them beside its agents.

{table(["Name", "What", ""], rows)}"""
